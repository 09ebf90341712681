import { App } from 'aws-cdk-lib';
import { isAllowed } from './access';
import { buildImages } from './deployed-images';
import { ACCOUNT, DeployedTemplate, PolicyDocument, REGION } from './deployed-template';
import { SandboxStack } from '../../examples/sandbox/sandbox-stack';
import { MicrovmSimulator } from '../simulator';

const STACK_ID = `arn:aws:cloudformation:${REGION}:${ACCOUNT}:stack/Sandbox/11111111-2222-3333-4444-555555555555`;

let simulator: MicrovmSimulator;
let template: DeployedTemplate;
let launcherPolicies: PolicyDocument[];
let imageArn: string;

/** The example as deployed: its image built in the simulator, its launcher's environment in this process. */
beforeAll(async () => {
  simulator = await MicrovmSimulator.start({ advance: { mode: 'reads', reads: 1 } });
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: simulator.endpoint, AWS_REGION: REGION, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test',
  });
  template = DeployedTemplate.of(new SandboxStack(new App(), 'Sandbox'), STACK_ID);
  [imageArn] = await buildImages(template, simulator);
  simulator.respond(imageArn.split(':').pop()!, () => ({ status: 200, body: '{"stdout":"1"}' }));

  const launcher = template.logicalIds('AWS::Lambda::Function').find((id) => id.startsWith('Launcher'))!;
  Object.assign(process.env, template.properties(launcher).Environment.Variables, { IMAGE_VERSION: '1.0' });
  launcherPolicies = template.policiesOf(template.role('LauncherRole'));
}, 60_000);
afterAll(async () => simulator.stop());

test('the launcher may make every call it makes, with all that the service checks for it', async () => {
  // Its client takes the endpoint from the environment when it is made.
  const { handler } = jest.requireActual<typeof import('../../examples/sandbox/launcher')>('../../examples/sandbox/launcher');
  simulator.calls.clear();
  expect(await handler({ code: '1' })).toMatchObject({ result: { stdout: '1' } });

  expect(simulator.calls.all.map(({ operation }) => operation)).toEqual(['RunMicrovm', 'CreateMicrovmAuthToken', 'TerminateMicrovm']);
  const checks = simulator.calls.all.flatMap(({ requires }) => requires);
  expect(checks).toContainEqual({ action: 'iam:PassRole', resource: template.roleArn(template.role('ExecutionRole')) });
  for (const { action, resource } of checks) {
    expect([action, resource, await isAllowed(launcherPolicies, action, resource)]).toEqual([action, resource, true]);
  }
});

test('the launcher may do nothing of it to a neighbour', async () => {
  const neighbour = imageArn.replace(/[^:]+$/, 'neighbour');
  const refused: Array<[string, string]> = [
    ...['RunMicrovm', 'CreateMicrovmAuthToken', 'TerminateMicrovm', 'SuspendMicrovm', 'GetMicrovm'].map((name): [string, string] => [`lambda:${name}`, neighbour]),
    ...['UpdateMicrovmImage', 'DeleteMicrovmImage', 'CreateMicrovmShellAuthToken'].map((name): [string, string] => [`lambda:${name}`, imageArn]),
    ['iam:PassRole', template.roleArn(template.role('ImageBuildRole'))],
    ['iam:PassRole', `arn:aws:iam::${ACCOUNT}:role/Admin`],
    ['lambda:PassNetworkConnector', `arn:aws:lambda:${REGION}:aws:network-connector:aws-network-connector:SHELL_INGRESS`],
    ['lambda:PassNetworkConnector', `arn:aws:lambda:${REGION}:${ACCOUNT}:network-connector:nc-1`],
  ];
  for (const [action, resource] of refused) {
    expect([action, resource, await isAllowed(launcherPolicies, action, resource)]).toEqual([action, resource, false]);
  }
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
