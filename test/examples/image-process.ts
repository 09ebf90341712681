import { SupervisedProcess } from '../../tools/processes/supervised-process';

/** What the app in an image listens with. */
export type Listener = 'app' | 'hooks';

/** The code of an image as a process of this machine, on loopback ports of its own. It takes them from HOST, PORT and HOOK_PORT. */
export class ImageProcess {
  /** Resolves when it listens: the code prints `app on <host>:<port>` and `hooks on <host>:<port>`. */
  public static async start(command: string, args: string[], folder: string, listeners: Listener[] = ['app', 'hooks']): Promise<ImageProcess> {
    const hosts = new Map<string, string>();
    let supervised: SupervisedProcess;
    await new Promise<void>((resolve, reject) => {
      supervised = new SupervisedProcess(command, args, {
        cwd: folder,
        env: { PATH: process.env.PATH, HOST: '127.0.0.1', PORT: '0', HOOK_PORT: '0', PYTHONDONTWRITEBYTECODE: '1' },
        onLine: (line) => {
          const [, listener, host] = /^(app|hooks) on (127\.0\.0\.1:\d+)$/.exec(line) ?? [];
          if (listener) {
            hosts.set(listener, host);
          }
          if (listeners.every((each) => hosts.has(each))) {
            resolve();
          }
        },
      });
      supervised.exited.then((code) => reject(new Error(`exit code ${code}: ${supervised.lines.join('\n')}`)), reject);
    });
    return new ImageProcess(supervised!, hosts);
  }

  private constructor(private readonly process: SupervisedProcess, private readonly hosts: Map<string, string>) {}

  /** The exit code. */
  public get exited(): Promise<number> {
    return this.process.exited;
  }

  /** What it printed. */
  public get lines(): string[] {
    return this.process.lines;
  }

  public host(listener: Listener): string {
    return this.hosts.get(listener)!;
  }

  /** Calls a hook as the service does, and returns the status of the answer. */
  public async hook(name: string, body = ''): Promise<number> {
    const response = await fetch(`http://${this.host('hooks')}/aws/lambda-microvms/runtime/v1/${name}`, { method: 'POST', body });
    return response.status;
  }

  public async stop(): Promise<void> {
    await this.process.stop();
  }
}
