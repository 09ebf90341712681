import { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as logs from 'aws-cdk-lib/aws-logs';
import { imageIn, stackOf, statementsOf } from './fixtures';
import { ExecutionRole, MicrovmConnector, MicrovmLaunchGrants, MicrovmLaunchProfile, MicrovmLaunchProfileProps } from '../../src';

const IMAGE = 'arn:<AWS::Partition>:lambda:<AWS::Region>:<AWS::AccountId>:microvm-image:golden';
const CONNECTOR = 'arn:<AWS::Partition>:lambda:<AWS::Region>:aws:network-connector:aws-network-connector:';
const LOGS = 'arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:log-group:/run';

const LAUNCH = [
  { actions: ['lambda:RunMicrovm'], resources: [IMAGE] },
  { actions: ['lambda:PassNetworkConnector'], resources: [`${CONNECTOR}NO_INGRESS`, `${CONNECTOR}INTERNET_EGRESS`] },
];
const MANAGE = [
  { actions: ['lambda:GetMicrovm', 'lambda:ResumeMicrovm', 'lambda:SuspendMicrovm', 'lambda:TerminateMicrovm'], resources: [IMAGE] },
  { actions: ['lambda:ListMicrovms'], resources: ['*'] },
];
const CONNECT = [{ actions: ['lambda:CreateMicrovmAuthToken'], resources: [IMAGE] }];
const OBSERVE = [{ actions: ['lambda:GetMicrovm'], resources: [IMAGE] }, { actions: ['lambda:ListMicrovms'], resources: ['*'] }];

function profileIn(stack: Stack, props: Partial<MicrovmLaunchProfileProps> = {}): MicrovmLaunchProfile {
  return new MicrovmLaunchProfile(stack, 'Launch', { image: imageIn(stack, { imageName: 'golden' }), ...props });
}

function granted(
  grant: (grants: MicrovmLaunchGrants, grantee: iam.IGrantable) => iam.Grant,
  props: (stack: Stack) => Partial<MicrovmLaunchProfileProps> = () => ({}),
) {
  const stack = stackOf();
  const grantee = new iam.Role(stack, 'Grantee', { assumedBy: new iam.AccountRootPrincipal() });
  expect(grant(profileIn(stack, props(stack)).grants, grantee).success).toBe(true);
  return statementsOf(stack, 'Grantee');
}

test('launch: run the image and pass exactly what the profile names', () => {
  expect(granted((grants, grantee) => grants.launch(grantee))).toEqual(LAUNCH);
  expect(granted((grants, grantee) => grants.launch(grantee), (stack) => ({
    executionRole: new ExecutionRole(stack, 'Execution'),
    ingressConnectors: [MicrovmConnector.HTTP_INGRESS, MicrovmConnector.SHELL_INGRESS],
    egressConnector: MicrovmConnector.fromArn('arn:aws:lambda:us-east-1:123456789012:network-connector:nc-1'),
  }))).toEqual([
    LAUNCH[0],
    {
      actions: ['lambda:PassNetworkConnector'],
      resources: [`${CONNECTOR}HTTP_INGRESS`, `${CONNECTOR}SHELL_INGRESS`, 'arn:aws:lambda:us-east-1:123456789012:network-connector:nc-1'],
    },
    { actions: ['iam:PassRole'], resources: [expect.stringMatching(/^<Execution\w+\.Arn>$/)] },
  ]);
});

test('connect, control and manage: as the image grants them', () => {
  expect(granted((grants, grantee) => grants.connect(grantee))).toEqual(CONNECT);
  expect(granted((grants, grantee) => grants.control(grantee))).toEqual(MANAGE.slice(0, 1));
  expect(granted((grants, grantee) => grants.manage(grantee))).toEqual(MANAGE);
});

test('shell: only when the profile lets one in', () => {
  const ingressConnectors = [MicrovmConnector.HTTP_INGRESS, MicrovmConnector.SHELL_INGRESS];
  expect(granted((grants, grantee) => grants.shell(grantee), () => ({ ingressConnectors })))
    .toEqual([{ actions: ['lambda:CreateMicrovmShellAuthToken'], resources: [IMAGE] }]);
  for (const other of [undefined, [MicrovmConnector.HTTP_INGRESS], [MicrovmConnector.ALL_INGRESS]]) {
    expect(() => granted((grants, grantee) => grants.shell(grantee), () => ({ ingressConnectors: other })))
      .toThrow(/ingressConnectors must have SHELL_INGRESS/);
  }
});

test('observe: look at MicroVMs and read what they log, and nothing more', () => {
  expect(granted((grants, grantee) => grants.observe(grantee))).toEqual(OBSERVE);
  expect(granted((grants, grantee) => grants.observe(grantee), (stack) => ({
    executionRole: new ExecutionRole(stack, 'Execution'),
    logGroup: logs.LogGroup.fromLogGroupName(stack, 'Logs', '/run'),
  }))).toEqual([
    ...OBSERVE,
    { actions: ['logs:DescribeLogStreams', 'logs:FilterLogEvents', 'logs:GetLogEvents'], resources: [LOGS, `${LOGS}:*`] },
  ]);
});

test.each([
  ['no way in', undefined, []],
  ['a shell only', [MicrovmConnector.SHELL_INGRESS], []],
  ['HTTP', [MicrovmConnector.HTTP_INGRESS], CONNECT],
  ['every way in', [MicrovmConnector.ALL_INGRESS], CONNECT],
])('launcher: launch and manage, and connect where there is something to connect to: %s', (_what, ingressConnectors, connect) => {
  const [run, pass, ...rest] = granted((grants, grantee) => grants.launcher(grantee), () => ({ ingressConnectors }));
  expect(run).toEqual(LAUNCH[0]);
  expect(pass.resources).toEqual([...(ingressConnectors ?? [MicrovmConnector.NO_INGRESS])
    .map((connector) => expect.stringMatching(connector.arnIn(stackOf()).split(':').pop()!)), `${CONNECTOR}INTERNET_EGRESS`]);
  expect(rest).toEqual([...MANAGE, ...connect]);
});

test('a grantee that can have no policy gets nothing, and the grant says so', () => {
  const { grants } = profileIn(stackOf());
  expect(grants.launcher(new iam.ServicePrincipal('states.amazonaws.com')).success).toBe(false);
});
