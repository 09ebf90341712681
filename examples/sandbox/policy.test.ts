import { App } from 'aws-cdk-lib';
import { MicrovmAssertions } from 'cdk-lambda-microvms';
import { SandboxStack } from './sandbox-stack';

// What the security team wants to hold whatever the app becomes. No account is needed.
const LAUNCHER = 'Sandbox/LauncherRole';
const BUILDER = 'Sandbox/LambdaMicrovmImageProvider/IsCompleteRole';

let access: MicrovmAssertions;

beforeAll(() => {
  // Policies do not depend on the code of functions, so it need not be bundled.
  const app = new App({ context: { 'aws:cdk:bundling-stacks': [] } });
  new SandboxStack(app, 'Sandbox');
  access = MicrovmAssertions.fromStage(app);
}, 60_000);

test('the launcher alone runs MicroVMs, talks to them and ends them', () => {
  expect(access.images).toEqual(['Sandbox/Image']);
  for (const image of access.images) {
    access.assertAllows(LAUNCHER, 'lambda:RunMicrovm', image);
    access.assertOnlyMayRun(image, [LAUNCHER]);
    access.assertOnlyMay('lambda:CreateMicrovmAuthToken', image, [LAUNCHER]);
    access.assertOnlyMay('lambda:TerminateMicrovm', image, [LAUNCHER]);
  }
});

test('nobody opens a shell', () => {
  for (const image of access.images) {
    access.assertOnlyMay('lambda:CreateMicrovmShellAuthToken', image, []);
  }
  access.assertOnlyMay('lambda:PassNetworkConnector', 'SHELL_INGRESS', []);
});

test('images are changed and deleted by the deployment alone', () => {
  for (const action of ['lambda:UpdateMicrovmImage', 'lambda:UpdateMicrovmImageVersion', 'lambda:DeleteMicrovmImage', 'lambda:TagResource']) {
    for (const image of access.images) {
      access.assertOnlyMay(action, image, [BUILDER]);
    }
  }
});

test('MicroVMs are reachable, on purpose: the launcher passes these connectors and no other', () => {
  expect(access.isIngressPublic('Sandbox/Image')).toBe(true);
  access.assertOnlyConnectors(LAUNCHER, ['HTTP_INGRESS', 'INTERNET_EGRESS']);
  access.assertOnlyConnectors(BUILDER, ['INTERNET_EGRESS']);
});

test('code in a MicroVM runs nothing itself, and passes no role on', () => {
  access.assertOnlyMay('iam:PassRole', 'Sandbox/ExecutionRole', [LAUNCHER]);
  access.assertDenies('Sandbox/ExecutionRole', 'lambda:RunMicrovm', 'Sandbox/Image');
  access.assertDenies('Sandbox/ExecutionRole', 'lambda:ListMicrovms', '*');
  access.assertDenies('Sandbox/ExecutionRole', 's3:GetObject', 'arn:aws:s3:::any-bucket/any-key');
  access.assertOnlyConnectors('Sandbox/ExecutionRole', []);
});

test('a neighbour stays out of reach', () => {
  for (const principal of access.principals) {
    access.assertDenies(principal, 'lambda:RunMicrovm', 'arn:aws:lambda:eu-west-1:111122223333:microvm-image:neighbour');
  }
});

test('Lambda assumes roles of MicroVMs for this account only', () => {
  access.assertTrustsConfined();
});
