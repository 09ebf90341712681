import { ChildProcess, spawn } from 'node:child_process';
import * as path from 'node:path';
import { createInterface } from 'node:readline';

const SUPERVISOR = path.join(__dirname, 'supervise.mjs');

export interface SupervisedProcessOptions {
  readonly cwd: string;
  /** The whole environment: nothing of ours is passed on by itself. */
  readonly env: NodeJS.ProcessEnv;
  /** Removed when the process has ended. */
  readonly temporaryFolder?: string;
  readonly onLine?: (line: string) => void;
}

/** A command which cannot outlive this process, however this process ends: see `supervise.mjs`. */
export class SupervisedProcess {
  /** Stops every one that runs, and lets no other start: what waits for them then fails, and cleans up behind itself. */
  public static stopAll(): void {
    SupervisedProcess.closed = true;
    SupervisedProcess.live.forEach((each) => each.child.stdin!.end());
  }

  private static readonly live = new Set<SupervisedProcess>();
  private static closed = false;

  /** What it printed, both streams together. */
  public readonly lines: string[] = [];
  /** The exit code. */
  public readonly exited: Promise<number>;
  private readonly child: ChildProcess;

  constructor(command: string, args: readonly string[], options: SupervisedProcessOptions) {
    if (SupervisedProcess.closed) {
      throw new Error(`stopping: ${command} is not started`);
    }
    this.child = spawn(process.execPath, [SUPERVISOR, options.temporaryFolder ?? '', command, ...args], {
      cwd: options.cwd,
      env: options.env,
      stdio: ['pipe', 'pipe', 'pipe'],
      // Out of the terminal's process group, so that Ctrl-C reaches us first.
      detached: true,
    });
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      createInterface({ input: stream }).on('line', (line) => {
        this.lines.push(line);
        options.onLine?.(line);
      });
    }
    // It may have ended when we write to it.
    this.child.stdin!.on('error', () => {});
    SupervisedProcess.live.add(this);
    this.exited = new Promise((resolve, reject) => {
      this.child.once('error', reject);
      this.child.once('close', (code) => {
        SupervisedProcess.live.delete(this);
        resolve(code ?? 1);
      });
    });
  }

  public get isRunning(): boolean {
    return SupervisedProcess.live.has(this);
  }

  /** Sends a signal to the command and all it started. */
  public signal(name: NodeJS.Signals): void {
    if (this.isRunning) {
      this.child.stdin!.write(`${name}\n`);
    }
  }

  public async stop(): Promise<void> {
    this.child.stdin!.end();
    await this.exited;
  }
}
