import { posix } from 'node:path';
import { Archive } from './artifact';
import { execForm, Instruction, parseDockerfile } from './dockerfile';

/** A file system: contents by absolute path. */
type Files = Map<string, Uint8Array>;

/** What the container of an image holds and starts, as far as its Dockerfile and the archive alone tell. */
export interface Container {
  /** What COPY and ADD put there. What a base image or a RUN would add is not among it. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly workingDirectory: string;
  readonly environment: Readonly<Record<string, string>>;
  /** ENTRYPOINT and CMD together, in words. Empty when the Dockerfile has neither. */
  readonly command: readonly string[];
}

/** Puts the container of an artifact together, without running anything. */
export function assembleContainer(archive: Archive): Container {
  const context: Files = new Map([...archive].filter(([path]) => !path.endsWith('/')).map(([path, content]) => [`/${path}`, content]));
  const stages: Stage[] = [];
  const named = new Map<string, Stage>();
  const instructions = parseDockerfile(Buffer.from(archive.get('Dockerfile')!).toString());
  for (const instruction of instructions) {
    if (instruction.keyword === 'FROM') {
      const [base, , name] = instruction.args.split(/\s+/).filter((word) => !word.startsWith('--'));
      const stage = new Stage(context, named, named.get(base.toLowerCase()));
      [String(stages.push(stage) - 1), ...(name ? [name.toLowerCase()] : [])].forEach((key) => named.set(key, stage));
    } else {
      stages[stages.length - 1]?.apply(instruction);
    }
  }
  return stages[stages.length - 1];
}

class Stage implements Container {
  public readonly files: Files;
  public readonly environment: Record<string, string>;
  public workingDirectory: string;
  private readonly args: Record<string, string> = {};
  private entrypoint: readonly string[];
  private cmd: readonly string[];

  constructor(private readonly context: Files, private readonly stages: ReadonlyMap<string, Stage>, base?: Stage) {
    this.files = new Map(base?.files);
    this.environment = { ...base?.environment };
    this.workingDirectory = base?.workingDirectory ?? '/';
    this.entrypoint = base?.entrypoint ?? [];
    this.cmd = base?.cmd ?? [];
  }

  public get command(): readonly string[] {
    return [...this.entrypoint, ...this.cmd];
  }

  public apply({ keyword, args, heredoc }: Instruction): void {
    switch (keyword) {
      case 'WORKDIR':
        this.workingDirectory = posix.resolve(this.workingDirectory, this.expanded(args));
        break;
      case 'ENV':
        Object.assign(this.environment, this.assignments(args));
        break;
      case 'ARG':
        Object.assign(this.args, this.assignments(args));
        break;
      case 'ENTRYPOINT':
        this.entrypoint = words(args);
        this.cmd = [];
        break;
      case 'CMD':
        this.cmd = words(args);
        break;
      case 'COPY':
      case 'ADD':
        this.copy(args, heredoc);
    }
  }

  private copy(args: string, heredoc?: string): void {
    const origin = /(?:^|\s)--from=(\S+)/.exec(args)?.[1];
    const from = origin === undefined ? this.context : this.stages.get(origin.toLowerCase())?.files ?? new Map<string, Uint8Array>();
    const paths = words(args.replace(/^(--\S+\s+)+/, '')).map((path) => this.expanded(path));
    const sources = paths.slice(0, -1);
    const named = paths[paths.length - 1];
    const target = posix.resolve(this.workingDirectory, named);
    if (heredoc !== undefined) {
      this.files.set(target, Buffer.from(`${heredoc}\n`));
      return;
    }
    const found = sources.flatMap((source) => matches(from, source));
    const intoFolder = /(^|\/)\.{0,2}$/.test(named) || sources.length > 1 || found.length > 1
      || [...this.files.keys()].some((path) => path.startsWith(`${target}/`));
    for (const { content, name, isInFolder } of found) {
      this.files.set(intoFolder || isInFolder ? posix.join(target, name) : target, content);
    }
  }

  /** `KEY=value KEY2="a value"`, or the old `KEY value`. */
  private assignments(args: string): Record<string, string> {
    const pairs = [...args.matchAll(/([^\s=]+)=("(?:\\.|[^"\\])*"|'[^']*'|(?:\\.|\S)*)/g)];
    if (!/^\S+=/.test(args)) {
      const [, key, value] = /^(\S+)\s*(.*)$/s.exec(args)!;
      return value === '' ? {} : { [key]: this.expanded(value) };
    }
    return Object.fromEntries(pairs.map(([, key, value]) => [key, this.expanded(value.replace(/^(["'])(.*)\1$/s, '$2'))]));
  }

  private expanded(text: string): string {
    return text.replace(/\$(?:\{(\w+)(?::-([^}]*))?\}|(\w+))/g,
      (_, braced?: string, fallback?: string, bare?: string) => this.environment[braced ?? bare!] ?? this.args[braced ?? bare!] ?? fallback ?? '');
  }
}

interface Match { readonly content: Uint8Array; readonly name: string; readonly isInFolder: boolean }

/** The files a COPY source names: a file, a pattern, or all that is in a folder. */
function matches(files: Files, source: string): Match[] {
  const wanted = posix.resolve('/', source);
  const pattern = new RegExp(`^${wanted.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '[^/]*').replace(/\?/g, '[^/]')}(/.*)?$`);
  return [...files].flatMap(([path, content]) => {
    const inside = wanted === '/' ? path : pattern.exec(path)?.[1];
    const found = wanted === '/' || pattern.test(path);
    return found ? [{ content, name: inside ?? posix.basename(path), isInFolder: inside !== undefined }] : [];
  });
}

/** The words of the exec form, or of a shell line without quoting inside words. */
function words(text: string): string[] {
  const line = (text.match(/"[^"]*"|'[^']*'|\S+/g) ?? []).map((word) => word.replace(/^(["'])(.*)\1$/s, '$2'));
  return execForm(text) ?? (line[0] === 'exec' ? line.slice(1) : line);
}
