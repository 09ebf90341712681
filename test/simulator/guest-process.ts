import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { BuildHook, Guest, GuestSpec, HookOutcome, RuntimeHook } from './guests';
import { SupervisedProcess } from '../../tools/processes/supervised-process';

const HOOK_ROOT = '/aws/lambda-microvms/runtime/v1/';
const PORTS_PRELOAD = path.join(__dirname, 'guest-ports.cjs');
const POLL_MS = 50;
const RETRY_503_MS = 200;
const GREETING_MS = 1_000;
/** Without a ready hook the service waits for a while (8.2). Here: until it listens, which some never do. */
const HOOKLESS_START_MS = 3_000;

/**
 * A guest that is a Node process of this machine. It is not a container, and no VM: it has this machine's Node, user, network and file
 * system, and nothing of its base image. It listens on loopback only, and cannot outlive this process.
 */
export class GuestProcess implements Guest {
  /** Why the command of an image cannot be run here; undefined when it can. */
  public static obstacle(command: readonly string[]): string | undefined {
    if (command.length === 0) {
      return 'the Dockerfile has no CMD';
    }
    return /^(.*\/)?node(js)?$/.test(command[0]) ? undefined : `the CMD of the image is: ${command.join(' ')}`;
  }

  private readonly process: SupervisedProcess;
  private readonly root = mkdtempSync(path.join(tmpdir(), 'microvm-guest-'));
  private readonly ports = path.join(this.root, '.ports');
  private exit?: number;
  private linesTaken = 0;
  private isGreeted = false;

  constructor(private readonly spec: GuestSpec) {
    const { container, environment } = spec;
    mkdirSync(this.ports);
    mkdirSync(this.onThisMachine(container.workingDirectory), { recursive: true });
    for (const [file, content] of container.files) {
      mkdirSync(path.dirname(this.onThisMachine(file)), { recursive: true });
      writeFileSync(this.onThisMachine(file), content);
    }
    const own = { ...container.environment, ...environment };
    const [, ...args] = container.command.map((word) => container.files.has(word) ? this.onThisMachine(word) : word);
    this.process = new SupervisedProcess(process.execPath, args, {
      cwd: this.onThisMachine(container.workingDirectory),
      temporaryFolder: this.root,
      env: {
        ...own,
        PATH: process.env.PATH,
        HOME: this.root,
        NODE_OPTIONS: `${own.NODE_OPTIONS ?? ''} --require "${PORTS_PRELOAD}"`.trim(),
        MICROVM_PORTS: this.ports,
        // A MicroVM has the credentials of its execution role. These must not be taken for them.
        AWS_EC2_METADATA_DISABLED: 'true',
        AWS_CONFIG_FILE: '/dev/null',
        AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      },
    });
    void this.process.exited.then((code) => { this.exit = code; }, () => { this.exit = 127; });
  }

  public get exitCode(): number | undefined {
    return this.exit;
  }

  public async start(): Promise<HookOutcome | undefined> {
    if (this.spec.hooks.isEnabled('ready')) {
      return this.call('ready');
    }
    const deadline = Date.now() + HOOKLESS_START_MS;
    while (Date.now() < deadline && this.exit === undefined && !await this.listens()) {
      await delay(POLL_MS);
    }
    return undefined;
  }

  public async call(hook: BuildHook | RuntimeHook, body?: string): Promise<HookOutcome | undefined> {
    const { hooks } = this.spec;
    if (!hooks.isEnabled(hook)) {
      return undefined;
    }
    const asksAgain = hook === 'ready' || hook === 'validate';
    const deadline = Date.now() + hooks.timeoutSeconds(hook) * 1000;
    // The answer of one that has ended is not waited for.
    while (Date.now() < deadline && this.exit === undefined) {
      const port = this.localPort(hooks.port);
      const status = port && await this.post(port, hook, body, deadline - Date.now());
      if (status && !(status === 503 && asksAgain)) {
        return status;
      }
      await delay(Math.max(0, Math.min(status ? RETRY_503_MS : POLL_MS, deadline - Date.now())));
    }
    return 'timed-out';
  }

  public localPort(port: number): number | undefined {
    try {
      return Number(readFileSync(path.join(this.ports, String(port)), 'utf8')) || undefined;
    } catch {
      return undefined;
    }
  }

  public freeze(): void {
    this.process.signal('SIGSTOP');
  }

  public thaw(): void {
    this.process.signal('SIGCONT');
  }

  public takeLines(): string[] {
    const lines = this.process.lines.slice(this.linesTaken);
    this.linesTaken += lines.length;
    return lines;
  }

  public async end(): Promise<void> {
    this.process.signal('SIGKILL');
    await this.process.stop().catch(() => undefined);
  }

  private async listens(): Promise<boolean> {
    try {
      return readdirSync(this.ports).length > 0;
    } catch {
      // Its folder goes with it.
      await this.process.exited.catch(() => undefined);
      return false;
    }
  }

  private onThisMachine(file: string): string {
    return path.join(this.root, file);
  }

  /** The status, or undefined when there was none. */
  private async post(port: number, hook: string, body: string | undefined, timeoutMs: number): Promise<number | undefined> {
    await this.greet(port);
    return new Promise((resolve) => {
      const call = request({
        host: '127.0.0.1',
        port,
        path: HOOK_ROOT + hook,
        method: 'POST',
        agent: false,
        signal: AbortSignal.timeout(Math.max(1, timeoutMs)),
        headers: body === undefined ? { 'content-length': 0 } : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      call.once('error', () => resolve(undefined));
      call.end(body);
    });
  }

  /** The port of the hooks is greeted in TLS before HTTP is spoken there (8.2). */
  private async greet(port: number): Promise<void> {
    if (this.isGreeted) {
      return;
    }
    this.isGreeted = true;
    await new Promise<void>((resolve) => {
      const greeting = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false, timeout: GREETING_MS });
      const done = () => {
        greeting.destroy();
        resolve();
      };
      greeting.once('secureConnect', done).once('error', done).once('timeout', done).once('close', done);
    });
  }
}
