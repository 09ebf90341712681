import { spawnSync } from 'node:child_process';
import * as path from 'node:path';
import { bundleHandlers, Emulator, EmulatorOptions } from '../../tools/emulator';

const INSTALL = path.join(__dirname, '..', '..', 'tools', 'emulator', 'install.ts');

/**
 * A suite against one bootstrapped emulator of its own. Where the emulator cannot be installed the suite is skipped, and
 * a line says why.
 */
export function describeDeployments(name: string, suite: (aws: EmulatedAws) => void, options: EmulatorOptions = {}): void {
  // In a process of its own, because jest wants to know now whether there are tests to run.
  const installation = spawnSync(process.execPath, ['--import', 'tsx', INSTALL], { encoding: 'utf8' });
  if (installation.status !== 0) {
    process.stderr.write(`SKIPPED: ${name}: ${installation.stderr.trim()}\n`);
    describe.skip(name, () => suite(new EmulatedAws(options)));
    return;
  }
  describe(name, () => {
    const aws = new EmulatedAws(options);
    beforeAll(() => aws.start(), 60_000);
    afterAll(() => aws.stop(), 20_000);
    suite(aws);
  });
}

export class EmulatedAws {
  private running?: Emulator;

  constructor(private readonly options: EmulatorOptions) {
  }

  public get emulator(): Emulator {
    return this.running!;
  }

  public async start(): Promise<void> {
    await bundleHandlers();
    this.running = await Emulator.start(this.options);
    await this.running.bootstrap();
  }

  public async stop(): Promise<void> {
    await this.running?.stop();
  }
}
