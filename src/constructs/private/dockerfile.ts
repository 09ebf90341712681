/** What can be told of the last stage of a Dockerfile without building it. */
export interface DockerfileFacts {
  /** Undefined when there is no FROM at all. */
  readonly finalImage?: string;
  /** The part of the FROM line that makes the image x86-only. */
  readonly x86Only?: string;
  /** Whether the port is EXPOSEd. Undefined when that cannot be told. */
  exposes(port: number): boolean | undefined;
}

interface Stage {
  readonly image: string;
  readonly platform?: string;
  readonly alias?: string;
  readonly exposed: string[];
}

/** Reads the facts from the text of a Dockerfile. */
export function readDockerfile(text: string): DockerfileFacts {
  const stages = parseStages(text);
  const chain = finalChain(stages);
  const root = chain[chain.length - 1];
  const exposed = chain.flatMap((stage) => stage.exposed);
  return {
    finalImage: root?.image,
    x86Only: chain.map(x86Evidence).find((evidence) => evidence !== undefined),
    exposes: (port) => exposed.some((entry) => entry.includes('$')) ? undefined : exposed.some((entry) => covers(entry, port)),
  };
}

/** The last stage, the stage it starts from, and so on: `FROM build` continues the stage named `build`. */
function finalChain(stages: Stage[]): Stage[] {
  const chain: Stage[] = [];
  let index = stages.length - 1;
  while (index >= 0) {
    const stage = stages[index];
    chain.push(stage);
    index = stages.slice(0, index).map((earlier) => earlier.alias).lastIndexOf(stage.image.toLowerCase());
  }
  return chain;
}

function x86Evidence(stage: Stage): string | undefined {
  if (stage.platform && /^linux\/(amd64|x86_64|386)/.test(stage.platform)) {
    return `--platform=${stage.platform}`;
  }
  if (stage.image.includes('$')) {
    return undefined;
  }
  const withoutDigest = stage.image.split('@')[0];
  // Docker Hub keeps per-architecture images in namespaces such as amd64/ and i386/.
  return /^(docker\.io\/)?(amd64|i386)\//.test(withoutDigest) || /:[^/]*[-_.]?(x86_64|amd64)$/.test(withoutDigest)
    ? stage.image
    : undefined;
}

function parseStages(text: string): Stage[] {
  const stages: Stage[] = [];
  for (const line of instructions(text)) {
    const [keyword, ...words] = line.trim().split(/\s+/);
    if (/^from$/i.test(keyword)) {
      const flags = words.filter((word) => word.startsWith('--'));
      const [image, as, alias] = words.filter((word) => !word.startsWith('--'));
      if (image) {
        stages.push({
          image,
          platform: flags.find((flag) => flag.startsWith('--platform='))?.slice('--platform='.length),
          alias: /^as$/i.test(as ?? '') ? alias?.toLowerCase() : undefined,
          exposed: [],
        });
      }
    } else if (/^expose$/i.test(keyword)) {
      stages[stages.length - 1]?.exposed.push(...words);
    }
  }
  return stages;
}

/** The instructions, one a line: without comments and heredoc bodies, with continued lines joined. */
function instructions(text: string): string[] {
  const escape = /^\s*#\s*escape\s*=\s*`/im.test(text.split(/^\s*[^#\s]/m)[0]) ? '`' : '\\';
  const result: string[] = [];
  let current = '';
  let heredocs: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    if (heredocs.length > 0) {
      if (line.trim() === heredocs[0]) {
        heredocs = heredocs.slice(1);
      }
    } else if (!/^\s*#/.test(line)) {
      const trimmed = line.trimEnd();
      if (trimmed.endsWith(escape)) {
        current += `${trimmed.slice(0, -1)} `;
      } else {
        const instruction = current + trimmed;
        current = '';
        result.push(instruction);
        if (/^\s*(run|copy|add)\b/i.test(instruction)) {
          heredocs = [...instruction.matchAll(/<<-?\s*["']?(\w+)["']?/g)].map((match) => match[1]);
        }
      }
    }
  }
  return [...result, current].filter((line) => line.trim() !== '');
}

function covers(exposed: string, port: number): boolean {
  const match = /^(\d+)(?:-(\d+))?(?:\/tcp)?$/i.exec(exposed);
  return match !== null && port >= Number(match[1]) && port <= Number(match[2] ?? match[1]);
}
