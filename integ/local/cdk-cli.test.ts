import { mkdirSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { describeDeployments } from './emulated-aws';
import { BROKEN_DOCKERFILE, DOCKERFILE_2, DOCKERFILE_3, Scenario } from './image-app';
import { CdkRun } from '../../tools/emulator';

jest.setTimeout(120_000);

describeDeployments('the CDK CLI', (aws) => {
  let folder: string;

  beforeAll(() => {
    folder = path.join(aws.emulator.folder, 'cli');
    mkdirSync(folder);
  });
  beforeEach(() => aws.emulator.simulator.calls.clear());

  const cdk = (command: string, scenario: Scenario, ...options: string[]): Promise<CdkRun> => aws.emulator.cdk(
    [command, '--all', '--output', folder, ...options],
    { cwd: __dirname, env: { SCENARIO: JSON.stringify(scenario), CDK_VALIDATION: 'false' } },
  );
  const deploy = (scenario: Scenario, ...options: string[]) =>
    cdk('deploy', scenario, '--require-approval', 'never', '--outputs-file', path.join(folder, 'outputs.json'), ...options);
  const succeeds = async (run: Promise<CdkRun>) => {
    const { exitCode, lines } = await run;
    expect({ exitCode, lines: exitCode === 0 ? [] : lines }).toEqual({ exitCode: 0, lines: [] });
    return lines;
  };
  const outputs = () => JSON.parse(readFileSync(path.join(folder, 'outputs.json'), 'utf8'));
  const builds = () => aws.emulator.buildsStarted;
  const imageNames = () => aws.emulator.simulator.images.map(({ name }) => name);

  test('deploys, deploys a change, finds nothing to do, renames and destroys', async () => {
    const scenario = (imageName: string, dockerfile?: string): Scenario => ({ stackName: 'Cli', images: { A: { imageName, dockerfile } } });

    await succeeds(deploy(scenario('cli-first')));
    expect(outputs()).toEqual({ Cli: { AVersion: '1.0' } });
    await succeeds(deploy(scenario('cli-first', DOCKERFILE_2)));
    expect(outputs()).toEqual({ Cli: { AVersion: '2.0' } });
    expect(builds()).toBe(2);

    const unchanged = await succeeds(deploy(scenario('cli-first', DOCKERFILE_2)));
    expect(unchanged.join('\n')).toContain('(no changes)');
    expect(builds()).toBe(2);

    await succeeds(deploy(scenario('cli-second', DOCKERFILE_2)));
    expect(outputs()).toEqual({ Cli: { AVersion: '1.0' } });
    expect(imageNames()).toEqual(['cli-second']);

    await succeeds(cdk('destroy', scenario('cli-second'), '--force'));
    expect(imageNames()).toEqual([]);
  });

  test('says why a build failed', async () => {
    const failed = await deploy({ stackName: 'CliFails', images: { A: { dockerfile: BROKEN_DOCKERFILE } } });

    expect(failed.exitCode).not.toBe(0);
    // The CLI wraps and indents.
    const said = failed.lines.join(' ').replace(/\s+/g, ' ');
    expect(said).toContain('version 1.0 failed to build');
    expect(said).toContain('COPY missing.json /');
    expect(said).toContain('Hint:');
  });

  test('a second stack that uses the version gets the new one with each deployment of new code', async () => {
    const scenario = (dockerfile?: string): Scenario => ({ stackName: 'CliTwo', images: { A: { dockerfile } }, consumer: true });
    // CloudFormation resolves Fn::GetStackOutput while it executes a change set, and takes a value whose expression
    // changed for changed. The emulator's change sets resolve the expressions of before and after at once, to the same.
    const deployDirectly = (state: Scenario) => deploy(state, '--method', 'direct');

    await succeeds(deploy(scenario()));
    expect(outputs()).toMatchObject({ CliTwo: { AVersion: '1.0' }, CliTwoConsumer: { Version: '1.0' } });
    await succeeds(deployDirectly(scenario(DOCKERFILE_2)));
    expect(outputs()).toMatchObject({ CliTwo: { AVersion: '2.0' }, CliTwoConsumer: { Version: '2.0' } });
    await succeeds(deployDirectly(scenario(DOCKERFILE_3)));
    expect(outputs()).toMatchObject({ CliTwo: { AVersion: '3.0' }, CliTwoConsumer: { Version: '3.0' } });
    expect(builds()).toBe(3);
  });
});
