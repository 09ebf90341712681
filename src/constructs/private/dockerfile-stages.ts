import { Assignment, assignmentsOf, Instruction, parseDockerfile, unquoted } from './dockerfile';

/** An ADD from elsewhere. */
export interface Download {
  readonly line: number;
  /** Where from: the host alone, since a URL may hold a password. */
  readonly host: string;
  /** Whether a checksum or a commit says what comes. */
  readonly pinned: boolean;
}

/** One stage: a FROM and what follows it. Variables are replaced by the values they have without build arguments. */
export interface Stage {
  readonly line: number;
  readonly image: string;
  readonly platform?: string;
  readonly name?: string;
  /** The earlier stage this one continues. */
  readonly parent?: Stage;
  /** Other stages it copies or mounts from. */
  readonly sources: Stage[];
  /** The arguments of EXPOSE. */
  readonly exposed: string[];
  readonly downloads: Download[];
}

/** The service sets these by the machine it builds on; all others have their defaults, as there are no build arguments. */
const PLATFORM_VARIABLES = /^(?:TARGET|BUILD)(?:PLATFORM|OS|ARCH|VARIANT)$|^TARGETSTAGE$/;

interface Variables {
  readonly args: Map<string, string | undefined>;
  readonly env: Map<string, string>;
}

export function stagesOf(instructions: Instruction[]): Stage[] {
  const stages: Stage[] = [];
  const global = new Map<string, string | undefined>();
  const variables = new Map<Stage, Variables>();
  for (const instruction of instructions) {
    const stage = stages[stages.length - 1];
    if (instruction.keyword === 'FROM') {
      const started = startStage(instruction, stages, { args: global, env: new Map() });
      if (started) {
        const inherited = started.parent && variables.get(started.parent);
        variables.set(started, { args: new Map(inherited?.args), env: new Map(inherited?.env) });
        stages.push(started);
      }
    } else if (stage) {
      follow(instruction, stage, stages, variables.get(stage)!, global);
    } else if (instruction.keyword === 'ARG') {
      assignmentsOf(instruction).forEach(({ name, value }) => global.set(name, value && substitute(value, { args: global, env: new Map() })));
    }
  }
  return stages;
}

/** The last stage, the stage it starts from, and so on: `FROM build` continues the stage named `build`. */
export function finalChain(stages: Stage[]): Stage[] {
  const chain: Stage[] = [];
  for (let stage: Stage | undefined = stages[stages.length - 1]; stage; stage = stage.parent) {
    chain.push(stage);
  }
  return chain;
}

/** The stages that the last one needs. BuildKit builds no other. */
export function builtStages(stages: Stage[]): Stage[] {
  const built = new Set<Stage>();
  const waiting = stages.slice(-1);
  for (let stage = waiting.pop(); stage; stage = waiting.pop()) {
    if (!built.has(stage)) {
      built.add(stage);
      waiting.push(...stage.sources, ...(stage.parent ? [stage.parent] : []));
    }
  }
  return stages.filter((stage) => built.has(stage));
}

/** ENV and ARG with a value, wherever they are. */
export function settingsOf(instructions: Instruction[]): Array<Assignment & { readonly keyword: string }> {
  return instructions.map((instruction) => instruction.trigger ?? instruction)
    .filter(({ keyword }) => keyword === 'ENV' || keyword === 'ARG')
    .flatMap((instruction) => assignmentsOf(instruction).map((assignment) => ({ ...assignment, keyword: instruction.keyword })));
}

/** What can be told of the last stage of a Dockerfile without building it. */
export interface DockerfileFacts {
  readonly instructions: Instruction[];
  readonly stages: Stage[];
  /** Whether the port is EXPOSEd. Undefined when that cannot be told. */
  exposes(port: number): boolean | undefined;
}

/** Reads the facts from the text of a Dockerfile. */
export function readDockerfile(text: string): DockerfileFacts {
  const instructions = parseDockerfile(text);
  const stages = stagesOf(instructions);
  const exposed = finalChain(stages).flatMap((stage) => stage.exposed);
  return {
    instructions,
    stages,
    exposes: (port) => exposed.some((entry) => covers(entry, port)) || (exposed.some((entry) => entry.includes('$')) ? undefined : false),
  };
}

function covers(exposed: string, port: number): boolean {
  const match = /^(\d+)(?:-(\d+))?(?:\/tcp)?$/i.exec(exposed);
  return match !== null && port >= Number(match[1]) && port <= Number(match[2] ?? match[1]);
}

function startStage({ line, flags, words }: Instruction, stages: Stage[], variables: Variables): Stage | undefined {
  const [image, as, name] = words.map((word) => substitute(unquoted(word.text), variables));
  const platform = flags.find((flag) => flag.name === 'platform')?.value;
  return image === undefined ? undefined : {
    line,
    image,
    platform: platform && substitute(platform, variables),
    name: /^as$/i.test(as ?? '') ? name?.toLowerCase() : undefined,
    parent: [...stages].reverse().find((stage) => stage.name === image.toLowerCase()),
    sources: [],
    exposed: [],
    downloads: [],
  };
}

function follow(instruction: Instruction, stage: Stage, stages: Stage[], variables: Variables, global: Map<string, string | undefined>) {
  const { keyword, flags, words, line } = instruction;
  const expanded = words.map((word) => substitute(unquoted(word.text), variables));
  if (keyword === 'ENV') {
    // All at once: a variable does not see another of the same line.
    assignmentsOf(instruction).map(({ name, value }) => [name, substitute(value ?? '', variables)] as const)
      .forEach(([name, value]) => variables.env.set(name, value));
  } else if (keyword === 'ARG') {
    assignmentsOf(instruction).forEach(({ name, value }) => {
      variables.args.set(name, value === undefined ? global.get(name) : substitute(value, variables));
    });
  } else if (keyword === 'EXPOSE') {
    stage.exposed.push(...expanded);
  } else if (keyword === 'ADD') {
    const pinned = flags.some((flag) => flag.name === 'checksum' && flag.value !== '');
    stage.downloads.push(...expanded.slice(0, -1).flatMap((source) => downloadOf(source, line, pinned) ?? []));
  }
  for (const source of sourcesOf(instruction)) {
    const found = stages.find((other, index) => other !== stage && (other.name === source.toLowerCase() || source === String(index)));
    stage.sources.push(...(found ? [found] : []));
  }
}

/** The stages or images that COPY and the mounts of RUN take from. */
function sourcesOf({ flags }: Instruction): string[] {
  return flags.flatMap(({ name, value }) => {
    if (name === 'from') {
      return [value];
    }
    return name === 'mount' ? value.split(',').filter((part) => part.startsWith('from=')).map((part) => part.slice('from='.length)) : [];
  });
}

function downloadOf(source: string, line: number, checksum: boolean): Download | undefined {
  const git = /^(?:git@|git:\/\/|ssh:\/\/)|^https?:\/\/[^?#]*\.git(?:[?#]|$)/i.test(source);
  if (!git && !/^(?:https?|ftp):\/\//i.test(source)) {
    return undefined;
  }
  const [, host] = /^(?:[a-z]+:\/\/)?(?:[^@/]*@)?([\w.-]+)/i.exec(source) ?? [];
  return { line, host: host ?? 'elsewhere', pinned: checksum || (git && /[#=][0-9a-f]{40}(?:[:&]|$)/i.test(source)) };
}

/** No name of an image or a port is longer. Variables that double themselves stop here. */
const MAX_EXPANDED = 4096;

/** Replaces variables whose value is known. Others stay as they are. */
function substitute(text: string, variables: Variables): string {
  const expanded = expand(text, variables);
  return expanded.length > MAX_EXPANDED ? text.slice(0, MAX_EXPANDED) : expanded;
}

function expand(text: string, variables: Variables): string {
  return text.replace(/\\\$|\$(?:(\w+)|\{(\w+)(?:(:?[-+])([^{}]*))?\})/g, (whole, plain?: string, braced?: string, operator = '', word = '') => {
    const name = plain ?? braced;
    if (name === undefined || PLATFORM_VARIABLES.test(name)) {
      return whole;
    }
    const value = variables.env.get(name) ?? variables.args.get(name);
    const isUnset = value === undefined || (operator.startsWith(':') && value === '');
    if (operator.endsWith('+')) {
      return isUnset ? '' : expand(word, variables);
    }
    if (operator.endsWith('-') && isUnset) {
      return expand(word, variables);
    }
    return value ?? whole;
  });
}
