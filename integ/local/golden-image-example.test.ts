import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { SFNClient } from '@aws-sdk/client-sfn';
import { GetParametersByPathCommand, SSMClient } from '@aws-sdk/client-ssm';
import { describeDeployments } from './emulated-aws';
import { runStateMachine } from './state-machine-run';

jest.setTimeout(300_000);

const ROOT = '/microvm-images/agents';
const POLLS = 200;
const POLL_INTERVAL_MS = 50;

// The tests are one story: each begins where the one before it ended.
describeDeployments('the golden-image example', (aws) => {
  let app: string;
  let cloudFormation: CloudFormationClient;
  let ssm: SSMClient;
  let sfn: SFNClient;
  let stateMachineArn: string;

  beforeAll(() => {
    app = path.join(aws.emulator.folder, 'golden-image');
    cpSync(path.join(__dirname, '..', '..', 'examples', 'golden-image'), app, { recursive: true });
    cloudFormation = new CloudFormationClient(aws.emulator.clientConfig);
    ssm = new SSMClient(aws.emulator.clientConfig);
    sfn = new SFNClient({ ...aws.emulator.clientConfig, disableHostPrefix: true });
  });
  afterAll(() => [cloudFormation, ssm, sfn].forEach((client) => client?.destroy()));

  const cdk = async (...args: string[]) => {
    const { exitCode, lines } = await aws.emulator.cdk(args, { cwd: app, env: { CDK_VALIDATION: 'false' } });
    const verdict = lines.findIndex((line) => line.includes('❌'));
    // The CLI wraps and indents.
    return { exitCode, said: lines.slice(Math.max(0, verdict)).join(' ').replace(/\s+/g, ' ') };
  };
  const deploy = (...stacks: string[]) => cdk(
    'deploy', ...stacks, '--exclusively', '--require-approval', 'never', '--concurrency', '2', '--outputs-file', 'outputs.json');
  const edit = (file: string, from: RegExp, to: string) => {
    const text = readFileSync(path.join(app, file), 'utf8');
    expect(text).toMatch(from);
    writeFileSync(path.join(app, file), text.replace(from, to));
  };

  /** @returns the outputs of the stacks */
  async function deployed(...stacks: string[]): Promise<Record<string, Record<string, string>>> {
    const { exitCode, said } = await deploy(...stacks);
    expect({ exitCode, said: exitCode === 0 ? '' : said }).toEqual({ exitCode: 0, said: '' });
    return JSON.parse(readFileSync(path.join(app, 'outputs.json'), 'utf8'));
  }

  const changeApp = (status: string, edition: number) =>
    edit('image/server.mjs', /status: '\w+',( edition: \d,)?/, `status: '${status}', edition: ${edition},`);

  /** Commits and deploys, as the platform team does. */
  async function publish(edition: number): Promise<void> {
    changeApp('ok', edition);
    ({ GoldenImage: { RefreshStateMachine: stateMachineArn } } = await deployed('GoldenImage'));
  }

  /** @returns the versions the two teams launch afterwards */
  async function promote(version: string): Promise<Record<string, string>> {
    edit('app.ts', /STABLE = '[\d.]+'/, `STABLE = '${version}'`);
    const { FollowingTeam, PinnedTeam } = await deployed('GoldenImageStable', 'FollowingTeam', 'PinnedTeam');
    return { following: JSON.parse(FollowingTeam.Settings).imageVersion, pinned: JSON.parse(PinnedTeam.Settings).imageVersion };
  }

  async function refresh(): Promise<string | undefined> {
    const { status, cause, states } = await runStateMachine(sfn, stateMachineArn, { force: false });
    expect({ status, cause }).toEqual({ status: 'SUCCEEDED', cause: undefined });
    return states.pop();
  }

  /** @returns how many builds the service was asked for, and how many MicroVMs */
  async function counting(action: () => Promise<unknown>): Promise<{ builds: number; launches: number }> {
    aws.emulator.simulator.calls.clear();
    await action();
    return { builds: aws.emulator.buildsStarted, launches: aws.emulator.simulator.calls.count('RunMicrovm') };
  }

  /** Of the stacks there are, by name. */
  async function statuses(): Promise<Record<string, string>> {
    const { Stacks } = await cloudFormation.send(new DescribeStacksCommand({}));
    return Object.fromEntries(Stacks!.map(({ StackName, StackStatus }) => [StackName!, StackStatus!]));
  }

  async function parameters(): Promise<Record<string, string>> {
    const { Parameters } = await ssm.send(new GetParametersByPathCommand({ Path: ROOT, Recursive: true }));
    return Object.fromEntries(Parameters!.map(({ Name, Value }) => [Name!.slice(ROOT.length), Value!]));
  }

  async function channels() {
    const { '/channels/candidate': candidate, '/channels/stable': stable } = await parameters();
    return { candidate: candidate?.split(',')[1], stable: stable?.split(',')[1] };
  }

  async function until(condition: () => boolean): Promise<void> {
    for (let poll = 0; !condition() && poll < POLLS; poll++) {
      await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
    }
    expect(condition()).toBe(true);
  }

  const baseImageOf = async (version: string) => JSON.parse((await parameters())[`/versions/${version}`]).baseImage;
  const runningMicrovms = () => aws.emulator.simulator.microvms.filter(({ state }) => !/^TERMINAT/.test(state));

  test('teams that deploy before anything is published are told which parameter they miss', async () => {
    const [following, pinned] = [await deploy('FollowingTeam'), await deploy('PinnedTeam')];
    expect([following.exitCode, pinned.exitCode]).toEqual([1, 1]);
    expect(following.said).toContain(`${ROOT}/channels/stable`);
    expect(pinned.said).toContain(`${ROOT}/versions/1.0`);
    expect(Object.keys(await statuses())).toEqual(['CDKToolkit']);
  });

  test('publish, promote, roll back, refresh with a new base image and without one: 1, 0, 0, 1, 0 builds', async () => {
    const published = await counting(() => publish(1));
    expect(await channels()).toEqual({ candidate: '1.0', stable: undefined });

    const promoted = await counting(() => promote('1.0'));
    expect(await channels()).toEqual({ candidate: '1.0', stable: '1.0' });

    expect(await counting(() => publish(2))).toEqual({ builds: 1, launches: 1 });
    expect(await channels()).toEqual({ candidate: '2.0', stable: '1.0' });

    const rolledBack = await counting(async () => {
      expect(await promote('2.0')).toEqual({ following: '2.0', pinned: '1.0' });
      expect(await channels()).toEqual({ candidate: '2.0', stable: '2.0' });
      expect(await promote('1.0')).toEqual({ following: '1.0', pinned: '1.0' });
      expect(await channels()).toEqual({ candidate: '2.0', stable: '1.0' });
    });

    aws.emulator.simulator.publishBaseImage('2');
    const refreshed = await counting(async () => expect(await refresh()).toBe('Refreshed'));
    expect(await channels()).toEqual({ candidate: '3.0', stable: '1.0' });
    expect([await baseImageOf('2.0'), await baseImageOf('3.0')]).toEqual(['al2023-1:1', 'al2023-1:2']);

    const notRefreshed = await counting(async () => expect(await refresh()).toBe('Nothing to do'));

    const steps = [published, promoted, rolledBack, refreshed, notRefreshed];
    expect(steps.map(({ builds }) => builds)).toEqual([1, 0, 0, 1, 0]);
    // Whatever was built was tested, and nothing else.
    expect(steps.map(({ launches }) => launches)).toEqual([1, 0, 0, 1, 0]);
    expect(runningMicrovms()).toEqual([]);
  });

  test('a version that fails its smoke test is not published: the stack rolls back without a build and tells what the app answered', async () => {
    const before = await parameters();
    changeApp('broken', 3);
    const counted = await counting(async () => {
      const { exitCode, said } = await deploy('GoldenImage');
      expect(exitCode).toBe(1);
      expect(said).toMatch(/Version 4\.0 of MicroVM image '[\w-]+' failed its smoke test: GET \/health on port 8080 answered 200 without '"status":"ok"'/);
      expect(said).toContain('in the body: \'{"status":"broken","edition":3,"path":"/health"}\'');
      expect(said).toMatch(/Log group \S+ ends: [^']*GET \/health\. Hint:/);
    });
    // Those of version 4.0.
    expect(counted).toEqual({ builds: 1, launches: 1 });
    expect(await statuses()).toMatchObject({ GoldenImage: 'UPDATE_ROLLBACK_COMPLETE' });
    expect(await parameters()).toEqual(before);
    expect(runningMicrovms()).toEqual([]);
  });

  test('a base image that moves during a refresh is the next refresh\'s', async () => {
    const { simulator } = aws.emulator;
    simulator.publishBaseImage('3');
    const build = simulator.faults.inject({ operation: 'UpdateMicrovmImage', hold: 'before' });
    const counted = await counting(async () => {
      const running = refresh();
      await until(() => build.fired > 0);
      simulator.publishBaseImage('4');
      build.release();
      expect(await running).toBe('Refreshed');
    });
    expect(counted).toEqual({ builds: 1, launches: 1 });
    expect(await channels()).toEqual({ candidate: '5.0', stable: '1.0' });
    expect(await baseImageOf('5.0')).toBe('al2023-1:3');

    expect(await counting(refresh)).toEqual({ builds: 1, launches: 1 });
    expect(await channels()).toEqual({ candidate: '6.0', stable: '1.0' });
    expect(await baseImageOf('6.0')).toBe('al2023-1:4');
    expect(await counting(refresh)).toEqual({ builds: 0, launches: 0 });
  });

  test('a refreshed version that fails its smoke test is not published', async () => {
    const { simulator } = aws.emulator;
    const before = await parameters();
    simulator.publishBaseImage('5');
    simulator.respond('*', () => ({ status: 500, body: 'boom' }));
    const { status, cause } = await runStateMachine(sfn, stateMachineArn, { force: false });
    expect(status).toBe('FAILED');
    expect(cause).toContain('failed its smoke test: GET /health on port 8080 answered 500 instead of 200: \'boom\'');
    expect(await parameters()).toEqual(before);
    expect(runningMicrovms()).toEqual([]);
  });

  test('destroyed, it leaves no MicroVM, no image and no parameter', async () => {
    const { exitCode } = await cdk('destroy', '--all', '--force');
    expect(exitCode).toBe(0);
    expect(runningMicrovms()).toEqual([]);
    expect(aws.emulator.simulator.images).toEqual([]);
    expect(await parameters()).toEqual({});
    expect(Object.values(await statuses())).not.toContain('DELETE_FAILED');
  });
}, { simulator: { guests: { mode: 'process' } } });
