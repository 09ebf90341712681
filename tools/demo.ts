import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { bundleHandlers, CdkRun, Emulator, SupervisedProcess } from './emulator';
import type { LaunchRequest } from '../examples/sandbox/launcher';

const EXAMPLE = path.join(__dirname, '..', 'examples', 'sandbox');

interface Step {
  readonly name: string;
  readonly seconds: number;
  readonly builds: number;
  readonly result: string;
}

/** Deploys the sandbox example into the emulator with the real CDK CLI, and checks on the way that all is as promised. */
class Demo {
  private readonly app: string;
  private readonly steps: Step[] = [];
  private readonly lambda: LambdaClient;

  constructor(private readonly emulator: Emulator) {
    this.app = path.join(emulator.folder, 'sandbox');
    cpSync(EXAMPLE, this.app, { recursive: true });
    this.lambda = new LambdaClient(emulator.clientConfig);
  }

  public async play(): Promise<readonly Step[]> {
    await this.step('bootstrap', 0, async () => {
      await this.emulator.bootstrap();
      return 'ready';
    });
    await this.step('deploy the example', 1, async () => `version ${await this.deploy()}`);
    await this.step('launch a MicroVM', 0, () => this.launch('1.0'));
    await this.step('keep one, and wake it', 0, () => this.roundTrip());

    this.edit('image/server.mjs', 'body: { ...await', 'body: { edition: 2, ...await');
    await this.step('change the app, deploy', 1, async () => `version ${await this.deploy()}`);
    await this.step('launch a MicroVM', 0, () => this.launch('2.0'));
    await this.step('deploy, nothing changed', 0, async () => `version ${await this.deploy()}`);

    this.edit('image/Dockerfile', 'COPY *.mjs ./', 'COPY *.mjs missing.json ./');
    await this.step('deploy a broken Dockerfile', 1, () => this.deployBroken(/version 3\.0/, /missing\.json/));
    this.edit('image/Dockerfile', 'COPY *.mjs missing.json ./', 'COPY *.mjs ./');
    this.edit('image/hooks.mjs', 'stdout === \'42\\n\' ? 200 : 500', 'stdout === \'43\\n\' ? 200 : 500');
    await this.step('deploy an app that fails', 1, () => this.deployBroken(/version 4\.0/, /Validate hook check failed/));
    await this.step('launch after the rollback', 0, () => this.launch('2.0'));
    await this.step('destroy', 0, () => this.destroy());
    return this.steps;
  }

  public stop(): void {
    this.lambda.destroy();
  }

  /** @param builds how many versions it must start to build */
  private async step(name: string, builds: number, action: () => Promise<string>): Promise<void> {
    console.log(`\n● ${name}`);
    const started = performance.now();
    const before = this.emulator.buildsStarted;
    const result = await action();
    const step = { name, result, builds: this.emulator.buildsStarted - before, seconds: (performance.now() - started) / 1000 };
    expect(step.builds === builds, `${name}: expected ${builds} builds, got ${step.builds}`);
    this.steps.push(step);
    console.log(`  ${result} (${step.seconds.toFixed(1)} s)`);
  }

  private async deploy(): Promise<string> {
    const run = await this.cdk('deploy', '--require-approval', 'never', '--outputs-file', 'outputs.json');
    expect(run.exitCode === 0, `cdk deploy failed:\n${run.lines.slice(-30).join('\n')}`);
    return this.outputs().ImageVersion;
  }

  private async launch(version: string): Promise<string> {
    const { imageVersion, result } = await this.invoke({ code: 'console.log("6 x 7 =", 6 * 7)' });
    expect(imageVersion === version && result.stdout === '6 x 7 = 42\n', `unexpected answer of the launcher: ${JSON.stringify(result)}`);
    this.expectStates(/^TERMINAT/);
    return `version ${imageVersion}${result.edition ? `, edition ${result.edition}` : ''} says "${result.stdout.trim()}"`;
  }

  /** Runs a MicroVM, sends it code, suspends it; resumes it, sends it more code, terminates it. */
  private async roundTrip(): Promise<string> {
    const first = await this.invoke({ code: 'console.log("hello")', keep: true });
    this.expectStates(/^TERMINAT/, /^SUSPENDED$/);
    const second = await this.invoke({ code: 'console.log("again")', microvmId: first.microvmId });
    this.expectStates(/^TERMINAT/, /^TERMINAT/);
    const said = [first, second].map(({ microvmId, result }) => `${microvmId === first.microvmId} ${result.run} ${result.stdout.trim()}`);
    expect(said.join() === 'true 1 hello,true 2 again', `unexpected answers of the launcher: ${said.join()}`);
    return 'suspended after "hello", resumed with its memory, terminated after "again"';
  }

  private async invoke(request: LaunchRequest): Promise<{ microvmId: string; imageVersion: string; result: Record<string, any> }> {
    const { FunctionError, Payload } = await this.lambda.send(new InvokeCommand({
      FunctionName: this.outputs().LauncherName,
      Payload: JSON.stringify(request),
    }));
    const answer = Buffer.from(Payload ?? []).toString();
    expect(!FunctionError, `the launcher failed: ${answer}`);
    return JSON.parse(answer);
  }

  /** Of all MicroVMs of the version launched last, in the order of their launches. */
  private expectStates(...expected: RegExp[]): void {
    const states = this.emulator.simulator.microvms.map(({ state }) => state);
    const fit = states.slice(-expected.length).every((state, index) => expected[index].test(state));
    expect(fit && states.slice(0, -expected.length).every((state) => /^TERMINAT/.test(state)), `the MicroVMs are ${states.join(', ')}`);
  }

  private async deployBroken(...causes: RegExp[]): Promise<string> {
    const run = await this.cdk('deploy', '--require-approval', 'never');
    const output = run.lines.join('\n');
    expect(run.exitCode !== 0, 'a deployment of something broken succeeded');
    expect(causes.every((cause) => cause.test(output)), `the error does not name the cause:\n${output}`);
    console.log('\n  What the user sees:\n');
    errorShown(run.lines).forEach((line) => console.log(`    ${line}`));
    console.log();
    return 'failed as it should, rolled back without a build';
  }

  private async destroy(): Promise<string> {
    const run = await this.cdk('destroy', '--force');
    expect(run.exitCode === 0, `cdk destroy failed:\n${run.lines.slice(-30).join('\n')}`);
    expect(this.emulator.simulator.images.length === 0, 'an image is left');
    return 'nothing left';
  }

  private cdk(...args: string[]): Promise<CdkRun> {
    // Of the events those that tell the story, without their long logical ids.
    const onLine = (line: string) => /^\S+ \| .*(Custom::|CloudFormation::Stack|FAILED)/.test(line)
      && console.log(`  ${line.replace(/ {2,}/g, ' ').slice(0, 118)}`);
    return this.emulator.cdk(args, { cwd: this.app, onLine });
  }

  private outputs(): Record<string, string> {
    return JSON.parse(readFileSync(path.join(this.app, 'outputs.json'), 'utf8')).Sandbox;
  }

  private edit(file: string, from: string, to: string): void {
    const target = path.join(this.app, file);
    const text = readFileSync(target, 'utf8');
    expect(text.includes(from), `${file} does not contain "${from}": the demo no longer fits the example`);
    writeFileSync(target, text.replace(from, to));
  }
}

/** The CLI's account of the failure, less the emulated framework's own stack trace: on AWS the reason ends before it. */
function errorShown(lines: readonly string[]): string[] {
  const from = lines.findIndex((line) => line.includes('❌'));
  const tail = lines.slice(from < 0 ? -20 : from);
  const stack = tail.findIndex((line) => /^\s+at\b/.test(line));
  return tail.slice(0, stack < 0 ? undefined : stack).filter((line) => line.trim());
}

function expect(condition: boolean, complaint: string): asserts condition {
  if (!condition) {
    throw new Error(complaint);
  }
}

function table(steps: readonly Step[]): string {
  const rows = [['Step', 'Seconds', 'Builds', 'Result'],
    ...steps.map(({ name, seconds, builds, result }) => [name, seconds.toFixed(1), String(builds), result])];
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column])).join('  ').trimEnd()).join('\n');
}

function portAsked(args: readonly string[]): number | undefined {
  if (args.length === 0) {
    return undefined;
  }
  const port = args.length === 2 && args[0] === '--port' ? Number(args[1]) : NaN;
  expect(Number.isInteger(port) && port > 0 && port < 65536, `usage: npm run demo [-- --port <1 to 65535>], got: ${args.join(' ')}`);
  return port;
}

async function main(): Promise<void> {
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  const progress = (line: string) => console.log(`● ${line}`);
  let emulator: Emulator | undefined;
  let demo: Demo | undefined;
  let interrupted: string | undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      interrupted = signal;
      console.log(`\n${signal}: stopping`);
      SupervisedProcess.stopAll();
    });
  }
  try {
    await bundleHandlers(progress);
    emulator = await Emulator.start({
      port: portAsked(process.argv.slice(2)),
      progress,
      // The snippets of the example keep the user of this process: others may not be able to read its Node.
      simulator: { guests: { mode: 'process', environment: { SNIPPET_UID: '' } } },
    });
    progress(`emulator on ${emulator.endpoint}, MicroVMs API on ${emulator.simulator.endpoint}`);
    progress('what the image starts runs as a process of this machine: not in a container, and not in a VM');
    demo = new Demo(emulator);
    const steps = await demo.play();
    console.log(`\n${table(steps)}`);
  } catch (error) {
    process.exitCode = interrupted ? 130 : 1;
    console.error(interrupted ? 'The demo was stopped before its end.' : `\nThe demo failed: ${(error as Error).message}`);
  } finally {
    demo?.stop();
    await emulator?.stop();
  }
}

void main();
