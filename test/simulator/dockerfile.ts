import { Archive, BuildProblem } from './artifact';
import { runShell } from './dockerfile-shell';

export interface Instruction {
  readonly line: number;
  readonly keyword: string;
  readonly args: string;
  readonly heredoc?: string;
}

const KEYWORDS = new Set(['FROM', 'RUN', 'CMD', 'LABEL', 'MAINTAINER', 'EXPOSE', 'ENV', 'ADD', 'COPY', 'ENTRYPOINT', 'VOLUME', 'USER',
  'WORKDIR', 'ARG', 'ONBUILD', 'STOPSIGNAL', 'HEALTHCHECK', 'SHELL']);
const FOREIGN_PLATFORM = /^linux\/(amd64|386|arm\/|ppc64le|s390x|riscv64)|^windows/;

/** Reads a Dockerfile into instructions: comments, continuation lines and here-documents. */
export function parseDockerfile(text: string): Instruction[] {
  const lines = text.split(/\r?\n/);
  const instructions: Instruction[] = [];
  for (let index = 0; index < lines.length; index++) {
    const first = index + 1;
    if (/^\s*(#|$)/.test(lines[index])) {
      continue;
    }
    let logical = lines[index].trim();
    while (logical.endsWith('\\') && index + 1 < lines.length) {
      index += 1;
      logical = logical.slice(0, -1) + (/^\s*#/.test(lines[index]) ? '\\' : lines[index].trim());
    }
    const [, keyword, args] = /^(\S+)\s*(.*)$/s.exec(logical)!;
    const upper = keyword.toUpperCase();
    if (!KEYWORDS.has(upper)) {
      throw failed([`dockerfile parse error on line ${first}: unknown instruction: ${keyword}`]);
    }
    if (args === '') {
      throw failed([`dockerfile parse error on line ${first}: ${upper} requires at least one argument`]);
    }
    const marker = /^(RUN|COPY|ADD)$/.test(upper) ? /<<-?["']?([A-Za-z_]\w*)["']?/.exec(args) : null;
    const heredoc: string[] = [];
    if (marker) {
      while (++index < lines.length && lines[index].trim() !== marker[1]) {
        heredoc.push(lines[index]);
      }
      if (index >= lines.length) {
        throw failed([`dockerfile parse error on line ${first}: unterminated heredoc`]);
      }
    }
    instructions.push({ line: first, keyword: upper, args, heredoc: marker ? heredoc.join('\n') : undefined });
  }
  if (instructions.length === 0) {
    throw failed(['the Dockerfile (Dockerfile) cannot be empty']);
  }
  return instructions;
}

/** Works through the Dockerfile and returns what BuildKit would print; throws with the printed lines when it would fail. */
export function buildContainer(archive: Archive, architecture: string = 'linux/arm64'): string[] {
  const text = Buffer.from(archive.get('Dockerfile')!).toString();
  const header = ['#1 [internal] load build definition from Dockerfile', `#1 transferring dockerfile: ${text.length}B done`, '#1 DONE 0.0s'];
  try {
    const instructions = parseDockerfile(text);
    return [...header, ...new ContainerBuild(archive, text.split(/\r?\n/), architecture).run(instructions)];
  } catch (error) {
    throw error instanceof BuildProblem ? new BuildProblem(error.kind, error.detail, [...header, ...error.logLines]) : error;
  }
}

class ContainerBuild {
  private readonly log: string[] = [];
  private readonly stages = new Set<string>();
  private stageCount = 0;
  private vertex = 1;

  constructor(private readonly archive: Archive, private readonly source: readonly string[], private readonly architecture: string) {
  }

  public run(instructions: readonly Instruction[]): string[] {
    const early = instructions.find(({ keyword }) => keyword !== 'ARG');
    if (early?.keyword !== 'FROM') {
      throw this.stop(early, early ? 'no build stage in current context' : 'file with no instructions');
    }
    const steps = instructions.filter(({ keyword }) => ['FROM', 'RUN', 'COPY', 'ADD', 'WORKDIR'].includes(keyword));
    steps.forEach((instruction, index) => {
      const title = `[${index + 1}/${steps.length}] ${instruction.keyword} ${instruction.args}`;
      this.vertex += 1;
      this.log.push(`#${this.vertex} ${title}`);
      this.step(instruction, title);
      this.log.push(`#${this.vertex} DONE 0.1s`);
    });
    this.log.push(`#${this.vertex + 1} exporting to image`, `#${this.vertex + 1} exporting layers done`, `#${this.vertex + 1} DONE 0.3s`);
    return this.log;
  }

  private step(instruction: Instruction, title: string): void {
    if (instruction.keyword === 'FROM') {
      this.from(instruction);
    } else if (instruction.keyword === 'RUN') {
      this.runCommand(instruction, title);
    } else if (instruction.keyword !== 'WORKDIR' && instruction.heredoc === undefined) {
      this.copy(instruction);
    }
  }

  private from(instruction: Instruction): void {
    const words = instruction.args.split(/\s+/);
    const platform = words.filter((word) => word.startsWith('--platform=')).map((word) => word.slice('--platform='.length))[0];
    const [image, as, stage] = words.filter((word) => !word.startsWith('--'));
    if (!image || (as && as.toUpperCase() !== 'AS')) {
      throw this.stop(instruction, `dockerfile parse error on line ${instruction.line}: FROM requires either one or three arguments`);
    }
    if (platform && FOREIGN_PLATFORM.test(platform)) {
      throw this.stop(instruction, `exec /bin/sh: exec format error: the platform of ${image} (${platform}) does not match ${this.architecture}`);
    }
    if (!this.stages.has(image.toLowerCase()) && !image.includes('$') && image.replace(/[:@].*$/, '') !== image.replace(/[:@].*$/, '').toLowerCase()) {
      throw this.stop(instruction, `failed to parse stage name "${image}": invalid reference format: repository name must be lowercase`);
    }
    this.stages.add(String(this.stageCount++));
    if (stage) {
      this.stages.add(stage.toLowerCase());
    }
  }

  private runCommand(instruction: Instruction, title: string): void {
    const flagless = instruction.args.replace(/^(--\S+\s+)+/, '');
    const exec = execForm(flagless);
    const command = instruction.heredoc ?? exec?.join(' ') ?? flagless;
    const { output, status } = runShell(command);
    output.forEach((line) => this.log.push(`#${this.vertex} 0.1 ${line}`));
    if (status !== 0) {
      const process = exec ? command : `/bin/sh -c ${flagless}`;
      throw this.stop(instruction, `process "${process}" did not complete successfully: exit code: ${status}`,
        [` > ${title}:`, ...output.map((line) => `0.1 ${line}`)]);
    }
  }

  private copy(instruction: Instruction): void {
    if (/(^|\s)--from=/.test(instruction.args)) {
      // Another stage or image, whose files nobody here knows.
      return;
    }
    const flagless = instruction.args.replace(/^(--\S+\s+)+/, '');
    const words = execForm(flagless) ?? flagless.split(/\s+/);
    if (words.length < 2) {
      throw this.stop(instruction, `dockerfile parse error on line ${instruction.line}: ${instruction.keyword} requires at least two arguments`);
    }
    for (const source of words.slice(0, -1)) {
      if (!/^(https?:|git@)/.test(source) && !source.includes('$') && !this.contains(source)) {
        throw this.stop(instruction, `failed to compute cache key: failed to calculate checksum of ref: "/${normal(source)}": not found`);
      }
    }
  }

  private contains(source: string): boolean {
    const wanted = normal(source);
    const pattern = new RegExp(`^${wanted.split('*').map((part) => part.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\?/g, '[^/]')).join('[^/]*')}(/|$)`);
    return wanted === '' || [...this.archive.keys()].some((path) => pattern.test(path));
  }

  private stop(instruction: Instruction | undefined, message: string, excerpt: readonly string[] = []): BuildProblem {
    const line = instruction?.line ?? 1;
    const around = this.source.slice(Math.max(0, line - 2), line + 1).map((text, index) => {
      const number = Math.max(1, line - 1) + index;
      return `${String(number).padStart(4)} | ${number === line ? '>>> ' : '    '}${text}`;
    });
    return failed([
      ...this.log,
      `#${this.vertex} ERROR: ${message}`,
      ...(excerpt.length > 0 ? ['------', ...excerpt, '------'] : []),
      `Dockerfile:${line}`,
      '--------------------',
      ...around,
      '--------------------',
      `ERROR: failed to build: failed to solve: ${message}`,
    ], message);
  }
}

/** The words of a JSON array; like Docker, takes anything else for a shell line. */
export function execForm(args: string): string[] | undefined {
  try {
    const words = JSON.parse(args);
    return Array.isArray(words) ? words.map(String) : undefined;
  } catch {
    return undefined;
  }
}

function normal(source: string): string {
  return source.replace(/^(\.?\/)+/, '').replace(/\/+$/, '').replace(/^\.$/, '');
}

function failed(logLines: readonly string[], detail: string = logLines[0]): BuildProblem {
  return new BuildProblem('container', detail, logLines.length === 1 ? [`ERROR: failed to build: failed to solve: ${logLines[0]}`] : logLines);
}
