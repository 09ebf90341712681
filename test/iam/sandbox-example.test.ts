import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import * as sdk from '@aws-sdk/client-lambda-microvms';
import { App } from 'aws-cdk-lib';
import { isAllowed, resourceTags } from './access';
import { buildImages } from './deployed-images';
import { ACCOUNT, DeployedTemplate, PolicyDocument, REGION } from './deployed-template';
import type { LaunchRequest } from '../../examples/sandbox/launcher';
import { SandboxStack } from '../../examples/sandbox/sandbox-stack';
import { SupervisedProcess } from '../../tools/processes/supervised-process';
import { MicrovmSimulator } from '../simulator';

const stackId = (name: string, uuid: string) => `arn:aws:cloudformation:${REGION}:${ACCOUNT}:stack/${name}/${uuid}`;
const NEIGHBOUR_UUID = '99999999-2222-3333-4444-555555555555';
const ASSETS = `arn:aws:s3:::cdk-hnb659fds-assets-${ACCOUNT}-${REGION}`;
const MANAGED_CONNECTOR = `arn:aws:lambda:${REGION}:aws:network-connector:aws-network-connector`;

const folder = mkdtempSync(path.join(tmpdir(), 'sandbox-example-'));
let simulator: MicrovmSimulator;
let template: DeployedTemplate;
let launcherPolicies: PolicyDocument[];
let launcher: { readonly bundle: string; readonly environment: Record<string, string> };
let imageArn: string;

/** The example as deployed: its image built in the simulator, its launcher bundled as it is uploaded. */
beforeAll(async () => {
  simulator = await MicrovmSimulator.start({ advance: { mode: 'reads', reads: 1 } });
  const service = { AWS_ENDPOINT_URL: simulator.endpoint, AWS_REGION: REGION, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };
  Object.assign(process.env, service);
  const app = new App();
  template = DeployedTemplate.of(new SandboxStack(app, 'Sandbox'), stackId('Sandbox', '11111111-2222-3333-4444-555555555555'));
  [imageArn] = await buildImages(template, simulator);
  simulator.respond('*', () => ({ status: 200, body: '{"stdout":"1"}' }));

  const { Code, Environment } = template.properties(template.logicalIds('AWS::Lambda::Function').find((id) => id.startsWith('Launcher'))!);
  const ca = path.join(folder, 'ca.pem');
  writeFileSync(ca, simulator.endpointCa);
  launcher = {
    bundle: path.join(app.synth().directory, `asset.${path.basename(Code.S3Key, '.zip')}`, 'index.js'),
    environment: { ...service, ...Environment.Variables, NODE_EXTRA_CA_CERTS: ca, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
  };
  launcherPolicies = template.policiesOf(template.role('LauncherRole'));
}, 60_000);
afterAll(async () => {
  await simulator.stop();
  rmSync(folder, { recursive: true });
});

/** What the launcher returns. It runs in a process of its own, because trust in the CA of the endpoints is a setting of one. */
async function launch(request: LaunchRequest) {
  const call = `require(${JSON.stringify(launcher.bundle)}).handler(${JSON.stringify(request)})`;
  const script = `${call}.then((result) => console.log(JSON.stringify(result)))`;
  const run = new SupervisedProcess(process.execPath, ['-e', script], { cwd: folder, env: { PATH: process.env.PATH, ...launcher.environment } });
  expect([await run.exited, ...run.lines.slice(0, -1)]).toEqual([0]);
  return JSON.parse(run.lines[0]);
}

test('the launcher may make every call it makes, with all that the service checks for it', async () => {
  simulator.calls.clear();
  const kept = await launch({ code: '1', keep: true });
  expect(await launch({ code: '1', microvmId: kept.microvmId })).toMatchObject({ microvmId: kept.microvmId, result: { stdout: '1' } });
  await launch({ code: '1' });

  expect(new Set(simulator.calls.all.map(({ operation }) => operation))).toEqual(new Set([
    'RunMicrovm', 'CreateMicrovmAuthToken', 'SuspendMicrovm', 'GetMicrovm', 'ResumeMicrovm', 'TerminateMicrovm',
  ]));
  const checks = simulator.calls.all.flatMap(({ requires }) => requires);
  expect(checks).toContainEqual({ action: 'iam:PassRole', resource: template.roleArn(template.role('ExecutionRole')) });
  for (const { action, resource } of checks) {
    expect([action, resource, await isAllowed(launcherPolicies, action, resource)]).toEqual([action, resource, true]);
  }
}, 60_000);

test('the launcher may not open a shell, change the image or pass another role', async () => {
  const refused: Array<[string, string]> = [
    ...['UpdateMicrovmImage', 'DeleteMicrovmImage', 'CreateMicrovmShellAuthToken'].map((name): [string, string] => [`lambda:${name}`, imageArn]),
    ['iam:PassRole', template.roleArn(template.role('ImageBuildRole'))],
    ['iam:PassRole', `arn:aws:iam::${ACCOUNT}:role/Admin`],
  ];
  for (const [action, resource] of refused) {
    expect([action, resource, await isAllowed(launcherPolicies, action, resource)]).toEqual([action, resource, false]);
  }
});

describe('a neighbour, here the same example in another stack', () => {
  /** Each principal of the example, with something it may do: a role that may do nothing would pass any test. */
  const PRINCIPALS: Array<[string, string, () => string]> = [
    ['ImageBuildRole', 's3:GetObject', () => `${ASSETS}/${path.basename(imageOf(template).CodeArtifactUri)}`],
    ['ExecutionRole', 'logs:PutLogEvents', () => streams('MicrovmLogs')],
    ['LauncherRole', 'lambda:RunMicrovm', () => imageArn],
    ['ProviderOnEventRole', 'logs:PutLogEvents', () => streams('LambdaMicrovmImageProviderLogGroup')],
    ['ProviderIsCompleteRole', 'lambda:UpdateMicrovmImage', () => imageArn],
    ['ProviderFrameworkOnEventRole', 'lambda:InvokeFunction', () => fn('ProviderOnEvent')],
    ['ProviderFrameworkWaiterRole', 'lambda:InvokeFunction', () => fn('ProviderIsComplete')],
    ['ProviderFrameworkwaiterstatemachineRole', 'lambda:InvokeFunction', () => fn('ProviderFrameworkframeworkisComplete')],
  ];
  const ARNS = {
    function: (name: string) => `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${name}`,
    streams: (name: string) => `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:${name}:log-stream:any`,
  };
  const imageOf = (stack: DeployedTemplate) => stack.properties(stack.logicalIds('Custom::LambdaMicrovmImage')[0]);
  const idOf = (type: string, part: string) => template.logicalIds(type).find((id) => id.includes(part))!;
  const fn = (part: string) => ARNS.function(idOf('AWS::Lambda::Function', part));
  const streams = (part: string) => ARNS.streams(idOf('AWS::Logs::LogGroup', part));

  /** Calls that the service authorizes on `*` or on a managed image. */
  const ON_NO_IMAGE = ['CreateMicrovmImage', 'ListMicrovms', 'ListMicrovmImages', 'ListManagedMicrovmImages', 'ListManagedMicrovmImageVersions'];
  const MICROVM_ACTIONS = Object.keys(sdk).filter((name) => /^[A-Z]\w+Command$/.test(name)).map((name) => name.replace(/Command$/, ''))
    .filter((name) => !ON_NO_IMAGE.includes(name)).map((name) => `lambda:${name}`);

  /** What the neighbour owns, and what could be done to it. CloudFormation puts the name of the stack into generated names. */
  function possessions(): Array<[string, string[]]> {
    const neighbour = DeployedTemplate.of(new SandboxStack(new App(), 'Neighbour'), stackId('Neighbour', NEIGHBOUR_UUID));
    const named = (type: string) => neighbour.logicalIds(type).map((id) => `Neighbour-${id}`);
    const imageName = imageOf(neighbour).ImageName;
    const logGroups = [...named('AWS::Logs::LogGroup'), `/aws/lambda-microvms/${imageName}`].map(ARNS.streams);
    return [
      [simulator.imageArn(imageName), MICROVM_ACTIONS],
      ...neighbour.logicalIds('AWS::IAM::Role').map((id): [string, string[]] => [
        neighbour.roleArn(id).replace(/[^/]+$/, `Neighbour-${id}`), ['iam:PassRole', 'iam:PutRolePolicy', 'iam:UpdateAssumeRolePolicy', 'sts:AssumeRole'],
      ]),
      ...[`arn:aws:lambda:${REGION}:${ACCOUNT}:network-connector:nc-1`, `${MANAGED_CONNECTOR}:SHELL_INGRESS`, `${MANAGED_CONNECTOR}:ALL_INGRESS`]
        .map((arn): [string, string[]] => [arn, ['lambda:PassNetworkConnector']]),
      [`${ASSETS}/neighbour.zip`, ['s3:GetObject', 's3:PutObject', 's3:DeleteObject']],
      [ASSETS, ['s3:ListBucket', 's3:PutBucketPolicy']],
      ...logGroups.map((arn): [string, string[]] => [arn, ['logs:CreateLogStream', 'logs:PutLogEvents', 'logs:GetLogEvents', 'logs:DeleteLogStream']]),
      ...logGroups.map((arn): [string, string[]] => [arn.replace(/:log-stream:.*/, ''), ['logs:FilterLogEvents', 'logs:CreateLogGroup', 'logs:DeleteLogGroup']]),
      ...named('AWS::Lambda::Function').map((name): [string, string[]] => [
        ARNS.function(name), ['lambda:InvokeFunction', 'lambda:GetFunction', 'lambda:UpdateFunctionCode', 'lambda:UpdateFunctionConfiguration'],
      ]),
      ...named('AWS::StepFunctions::StateMachine').map((name): [string, string[]] => [
        `arn:aws:states:${REGION}:${ACCOUNT}:stateMachine:${name}`, ['states:StartExecution', 'states:UpdateStateMachine'],
      ]),
    ];
  }

  let neighbours: Array<[string, string[]]>;
  beforeAll(() => { neighbours = possessions(); }, 60_000);

  test('is looked at by every role of the example', () => {
    expect(template.logicalIds('AWS::IAM::Role').sort()).toEqual(PRINCIPALS.map(([part]) => template.role(part)).sort());
  });

  test.each(PRINCIPALS)('%s may do its own work, and nothing to the neighbour', async (part, action, resource) => {
    const policies = template.policiesOf(template.role(part));
    expect(await isAllowed(policies, action, resource())).toBe(true);

    const allowed: string[] = [];
    for (const [arn, actions] of neighbours) {
      const tags = arn.includes(':microvm-image:') ? resourceTags({ 'microvm-cdk:stack': NEIGHBOUR_UUID }) : {};
      for (const each of actions) {
        if (await isAllowed(policies, each, arn, tags)) {
          allowed.push(`${each} on ${arn}`);
        }
      }
    }
    // Whose an image is, its tags tell, which come with the image: docs/permissions.md.
    const known = part === 'ProviderIsCompleteRole' ? [expect.stringMatching(/^lambda:GetMicrovmImage on .*:microvm-image:Neighbour-/)] : [];
    expect(allowed).toEqual(known);
  });
});

test('the sandboxed code gets credentials that write logs and do nothing else', async () => {
  const policies = template.policiesOf(template.role('ExecutionRole'));
  expect(policies.flatMap((policy) => policy.Statement).flatMap((statement) => statement.Action)).toEqual(['logs:CreateLogStream', 'logs:PutLogEvents']);
  expect(await isAllowed(policies, 'lambda:RunMicrovm', imageArn)).toBe(false);
});

test('every trust is confined to the service on behalf of this account', () => {
  for (const id of ['ImageBuildRole', 'ExecutionRole']) {
    const [statement, ...more] = template.properties(template.role(id)).AssumeRolePolicyDocument.Statement;
    expect(more).toEqual([]);
    expect(statement).toMatchObject({
      Effect: 'Allow',
      Principal: { Service: 'lambda.amazonaws.com' },
      Condition: { StringEquals: { 'aws:SourceAccount': ACCOUNT } },
    });
    expect([...statement.Action].sort()).toEqual(['sts:AssumeRole', 'sts:TagSession']);
  }
});
