import { execFile } from 'child_process';
import { readFileSync } from 'fs';
import { join } from 'path';
import { promisify } from 'util';
import { LambdaMicrovmsClient, GetMicrovmCommand, RunMicrovmCommand, TerminateMicrovmCommand } from '@aws-sdk/client-lambda-microvms';
import { App } from 'aws-cdk-lib';
import { allowed, Check, DeployedExample } from './deployed-example';
import { LaunchersStack } from '../../examples/launchers/launchers-stack';
import { EmulatorUnavailable, installPythonPackage } from '../../tools/emulator/installation';

const EXAMPLE = join(__dirname, '..', '..', 'examples', 'launchers');
const URL = 'https://example.com/file';

let example: DeployedExample;
let client: LambdaMicrovmsClient;
let imageArn: string;

beforeAll(async () => {
  example = await DeployedExample.of(new LaunchersStack(new App({ context: { 'aws:cdk:bundling-stacks': [] } }), 'Launchers'));
  client = new LambdaMicrovmsClient({});
  [imageArn] = example.imageArns;
}, 60_000);
afterAll(async () => {
  client.destroy();
  await example.stop();
});
beforeEach(() => example.simulator.calls.clear());

/** All launch with the settings of the profile, and each with a job of its own. */
function expectLaunch(job = URL): Check[] {
  const [{ body }, ...more] = example.simulator.calls.of('RunMicrovm');
  expect(more).toEqual([]);
  expect(body).toMatchObject({
    imageIdentifier: imageArn,
    imageVersion: '1.0',
    executionRoleArn: example.roleArn('JobRole'),
    ingressNetworkConnectors: [expect.stringMatching(/:NO_INGRESS$/)],
    egressNetworkConnectors: [expect.stringMatching(/:INTERNET_EGRESS$/)],
    maximumDurationInSeconds: 600,
    logging: { cloudWatch: { logGroup: expect.any(String) } },
  });
  expect(JSON.parse((body as any).runHookPayload)).toEqual({ url: job });
  return example.takeChecks();
}

async function expectExactly(role: string, checks: Check[]) {
  expect(checks.map(({ action }) => action)).toContain('iam:PassRole');
  expect(await allowed(example.policiesOf(role), checks)).toEqual(checks);
  expect(await allowed(example.policiesOf(role), example.neighboursOf(imageArn, checks))).toEqual([]);
  expect(await allowed(example.policiesOf(role), [
    'TerminateMicrovm', 'SuspendMicrovm', 'CreateMicrovmAuthToken', 'CreateMicrovmShellAuthToken',
  ].map((name) => ({ action: `lambda:${name}`, resource: imageArn })))).toEqual([]);
}

test('the TypeScript function launches, and its role allows exactly that', async () => {
  Object.assign(process.env, example.environmentOf('TypeScript'));
  const { handler } = jest.requireActual<typeof import('../../examples/launchers/typescript')>('../../examples/launchers/typescript');
  expect(await handler({ url: URL })).toEqual({ microvmId: expect.stringMatching(/^microvm-/), imageVersion: '1.0' });
  await expectExactly('TypeScriptRole', expectLaunch());
});

test('the Python function launches with the boto3 of its requirements, and its role allows exactly that', async () => {
  let python: string;
  try {
    python = await installPythonPackage(readFileSync(join(EXAMPLE, 'python', 'requirements.txt'), 'utf8').trim());
  } catch (error) {
    if (error instanceof EmulatorUnavailable) {
      process.stderr.write(`SKIPPED: the Python function: ${error.message}\n`);
      return;
    }
    throw error;
  }
  const call = `import index, json; print(json.dumps(index.handler({"url": "${URL}"}, None)))`;
  const { stdout } = await promisify(execFile)(python, ['-c', call], {
    cwd: join(EXAMPLE, 'python'),
    env: { ...process.env, ...example.environmentOf('Python'), AWS_DEFAULT_REGION: process.env.AWS_REGION, PYTHONDONTWRITEBYTECODE: '1' },
  });
  expect(JSON.parse(stdout)).toEqual({ microvmId: expect.stringMatching(/^microvm-/), imageVersion: '1.0' });
  await expectExactly('PythonRole', expectLaunch());
}, 120_000);

test('the container gets the settings as a secret, launches with them, and its roles allow exactly that', async () => {
  const { template } = example;
  const [container] = template.properties(template.logicalIds('AWS::ECS::TaskDefinition')[0]).ContainerDefinitions;
  const [parameter] = template.logicalIds('AWS::SSM::Parameter');
  expect(container.Secrets).toEqual([{ Name: 'MICROVM_LAUNCH', ValueFrom: `arn:aws:ssm:us-east-1:000000000000:parameter/${parameter}` }]);
  const [shell, flag, script, name] = container.EntryPoint;
  expect([shell, flag, name]).toEqual(['sh', '-c', 'launch']);
  const settings = template.properties(parameter).Value;
  // A program called aws that prints its arguments, one a line.
  const { stdout } = await promisify(execFile)('sh', ['-c', `aws() { printf '%s\\n' "$@"; }; ${script}`, name, ...container.Command], {
    env: { ...process.env, MICROVM_LAUNCH: settings },
  });
  expect(stdout.trim().split('\n')).toEqual([
    'lambda-microvms', 'run-microvm', '--region', 'us-east-1', '--cli-input-json', settings, '--run-hook-payload', container.Command[0],
  ]);

  await client.send(new RunMicrovmCommand({ ...JSON.parse(settings), runHookPayload: container.Command[0] }));
  await expectExactly('TaskTaskRole', expectLaunch('https://aws.amazon.com/robots.txt'));
  const read = [{ action: 'ssm:GetParameters', resource: `arn:aws:ssm:us-east-1:000000000000:parameter/${parameter}` }];
  expect(await allowed(example.policiesOf('TaskExecutionRole'), read)).toEqual(read);
  expect(await allowed(example.policiesOf('TaskExecutionRole'), [
    { action: 'ssm:GetParameters', resource: `${read[0].resource}2` },
    { action: 'lambda:RunMicrovm', resource: imageArn },
  ])).toEqual([]);
});

test('the state machine launches and looks, and its role allows exactly that', async () => {
  const { template } = example;
  const machine = example.logicalId('AWS::StepFunctions::StateMachine', 'Machine');
  const { States: states } = JSON.parse(template.properties(machine).DefinitionString);
  const { Launch: launch, Look: look } = states;
  expect(launch.Resource).toBe('arn:aws:states:::aws-sdk:lambdamicrovms:runMicrovm');
  expect(look).toMatchObject({ Resource: 'arn:aws:states:::aws-sdk:lambdamicrovms:getMicrovm', Parameters: { 'MicrovmIdentifier.$': '$.MicrovmId' } });
  const { 'RunHookPayload.$': payload, 'ClientToken.$': token, ...settings } = launch.Parameters;
  expect(payload).toBe('States.JsonToString($)');
  expect(token).toBe("States.Hash($$.Execution.Id, 'SHA-256')");

  const { microvmId } = await client.send(new RunMicrovmCommand({ ...lowerCased(settings), runHookPayload: JSON.stringify({ url: URL }) }));
  const launched = expectLaunch();
  await client.send(new GetMicrovmCommand({ microvmIdentifier: microvmId }));
  await expectExactly('MachineStateMachineRole', [...launched, ...example.takeChecks()]);

  // The states it looks for are the ones the service tells.
  await client.send(new TerminateMicrovmCommand({ microvmIdentifier: microvmId }));
  await client.send(new GetMicrovmCommand({ microvmIdentifier: microvmId }));
  const { state } = await client.send(new GetMicrovmCommand({ microvmIdentifier: microvmId }));
  expect(JSON.stringify(states['Ended?'].Choices)).toContain(`"StringEquals":"${state}"`);
});

test('what the MicroVMs do with their credentials is write their log', async () => {
  expect(example.policiesOf('JobRole').flatMap(({ Statement }) => Statement).flatMap(({ Action }) => Action))
    .toEqual(['logs:CreateLogStream', 'logs:PutLogEvents']);
});

/** Names of Step Functions parameters begin with a capital. */
function lowerCased(value: any): any {
  return typeof value !== 'object' || Array.isArray(value) ? value
    : Object.fromEntries(Object.entries(value).map(([name, entry]) => [name[0].toLowerCase() + name.slice(1), lowerCased(entry)]));
}
