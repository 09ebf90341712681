import { App, Duration, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { CODE, imageIn, only, resources, stackOf, statementsOf, text } from './fixtures';
import { MicrovmConnector, MicrovmHooks, MicrovmImage, MicrovmSmokeCheck, MicrovmSmokeTest, MicrovmSmokeTestProps } from '../../src';
import { SMOKE_TEST_RESOURCE_TYPE } from '../../src/custom-resources/microvm-smoke-test/contract';

const IMAGE = /^arn:<AWS::Partition>:lambda:<AWS::Region>:<AWS::AccountId>:microvm-image:Stack-[0-9a-f]{8}-Image-[0-9a-f]{8}$/;
const CONNECTOR = 'arn:<AWS::Partition>:lambda:<AWS::Region>:aws:network-connector:aws-network-connector';

function testIn(stack: Stack, props: Partial<MicrovmSmokeTestProps> = {}, id = 'SmokeTest'): MicrovmSmokeTest {
  return new MicrovmSmokeTest(stack, id, { image: props.image ?? imageIn(stack), ...props });
}
const resource = (stack: Stack) => only(stack, SMOKE_TEST_RESOURCE_TYPE);
const policy = (stack: Stack) => statementsOf(stack, 'LambdaMicrovmSmokeTestProviderIsCompleteRole');

test('a test asks for GET / on port 8080 of the version this deployment is about', () => {
  const stack = stackOf();
  testIn(stack);
  const { Properties } = resource(stack);
  expect(text(Properties.ImageVersion)).toMatch(/^<Image\w+\.ImageVersion>$/);
  expect(text(Properties.ExecutionRoleArn)).toMatch(/^<SmokeTestExecutionRole\w+\.Arn>$/);
  expect(Properties).toMatchObject({ Port: 8080, Path: '/', ExpectedStatus: 200, TimeoutInSeconds: 120, ServiceTimeout: 3600 });
  expect([Properties.IngressNetworkConnectors, Properties.EgressNetworkConnectors].map(([arn]: unknown[]) => text(arn)))
    .toEqual([`${CONNECTOR}:HTTP_INGRESS`, `${CONNECTOR}:INTERNET_EGRESS`]);
});

test('the role of the MicroVM may write its own log and nothing else, and can before the test begins', () => {
  const stack = stackOf();
  testIn(stack);
  expect(statementsOf(stack, 'SmokeTestExecutionRole')).toEqual([
    { actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resources: [expect.stringMatching(/:log-group:<SmokeTestLogGroup\w+>:\*$/)] },
  ]);
  expect(resource(stack).DependsOn).toEqual(expect.arrayContaining([expect.stringMatching(/^SmokeTestExecutionRoleDefaultPolicy/)]));
});

test('the handler may test exactly this image, with exactly this role and these connectors', () => {
  const stack = stackOf();
  testIn(stack);
  expect(policy(stack)).toEqual([
    { actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resources: [expect.stringMatching(/^<LambdaMicrovmSmokeTestProviderLogGroup\w+\.Arn>$/)] },
    { actions: ['lambda:ListMicrovms'], resources: ['*'] },
    {
      actions: [
        'lambda:CreateMicrovmAuthToken', 'lambda:GetMicrovm', 'lambda:GetMicrovmImage', 'lambda:ListTags', 'lambda:RunMicrovm',
        'lambda:TagResource', 'lambda:TerminateMicrovm', 'lambda:UntagResource',
      ],
      resources: [expect.stringMatching(IMAGE)],
    },
    { actions: ['iam:PassRole'], resources: [expect.stringMatching(/^<SmokeTestExecutionRole\w+\.Arn>$/)] },
    { actions: ['lambda:PassNetworkConnector'], resources: [`${CONNECTOR}:HTTP_INGRESS`, `${CONNECTOR}:INTERNET_EGRESS`] },
    { actions: ['logs:FilterLogEvents'], resources: [expect.stringMatching(/<SmokeTestLogGroup\w+>$/), expect.stringMatching(/<SmokeTestLogGroup\w+>:\*$/)] },
  ]);
});

test('a function as the check: the handler may invoke it, and asks no path', () => {
  const stack = stackOf();
  const fn = new lambda.Function(stack, 'Check', { runtime: lambda.Runtime.NODEJS_22_X, handler: 'x', code: lambda.Code.fromInline('x') });
  testIn(stack, { check: MicrovmSmokeCheck.fromFunction(fn, { port: 9090 }) });
  expect(policy(stack)).toContainEqual({ actions: ['lambda:InvokeFunction'], resources: [expect.stringMatching(/^<Check\w+\.Arn>$/)] });
  expect(resource(stack).Properties).toMatchObject({ Port: 9090, CheckFunctionArn: expect.anything() });
  expect(resource(stack).Properties).not.toHaveProperty('Path');
});

test('what the user gives', () => {
  const stack = stackOf();
  const egress = 'arn:aws:lambda:us-east-1:123456789012:network-connector:nc-1';
  testIn(stack, {
    image: imageIn(stack, { hooks: MicrovmHooks.onPort(9000, { ready: Duration.minutes(1), run: Duration.seconds(5) }) }),
    check: MicrovmSmokeCheck.http({ path: '/health?deep=1', port: 80, status: 204, bodyContains: 'ok' }),
    timeout: Duration.minutes(10),
    runHookPayload: '{}',
    egressConnector: MicrovmConnector.fromArn(egress),
    logGroup: logs.LogGroup.fromLogGroupName(stack, 'Mine', '/mine'),
  });
  expect(resource(stack).Properties).toMatchObject({
    Path: '/health?deep=1',
    Port: 80,
    ExpectedStatus: 204,
    ExpectedBody: 'ok',
    TimeoutInSeconds: 600,
    RunHookPayload: '{}',
    EgressNetworkConnectors: [egress],
    LogGroup: '/mine',
  });
});

test('the handler outlives a function that checks for minutes', () => {
  const stack = stackOf();
  testIn(stack);
  const [[, { Properties }]] = Object.entries(resources(stack, 'AWS::Lambda::Function')).filter(([id]) => /^LambdaMicrovmSmokeTestProviderIsComplete/.test(id));
  expect(Properties.Timeout).toBe(300);
});

test('ten tests share one provider', () => {
  const stack = stackOf();
  const image = imageIn(stack);
  Array.from({ length: 10 }, (_, index) => testIn(stack, { image }, `SmokeTest${index}`));
  expect(Object.keys(resources(stack, 'AWS::StepFunctions::StateMachine'))).toHaveLength(2);
});

test('each test keeps a tag of the image for itself', () => {
  const tags = Object.fromEntries(Array.from({ length: 42 }, (_, index) => [`tag-${index}`, 'x']));
  const stack = stackOf();
  testIn(stack, { image: imageIn(stack, { tags }) });
  expect(() => Template.fromStack(stack)).toThrow(/tags must be at most 41, got 42; the service allows 50 and the library keeps 9 for itself/);
});

test.each<[string, (stack: Stack) => unknown, RegExp]>([
  ['a path without a slash', () => MicrovmSmokeCheck.http({ path: 'health' }), /path must begin with '\/'.*got 'health'/],
  ['a path with whitespace', () => MicrovmSmokeCheck.http({ path: '/a b' }), /path must begin/],
  ['a status that is waited out', () => MicrovmSmokeCheck.http({ status: 503 }), /status must be from 200 to 599, and none of 429, 502, 503, 504.*got 503/],
  ['a status that is none', () => MicrovmSmokeCheck.http({ status: 99 }), /got 99/],
  ['port 0', () => MicrovmSmokeCheck.http({ port: 0 }), /port must be a whole number from 1 to 65535, got 0/],
  ['port 70000 of a function', (stack) => MicrovmSmokeCheck.fromFunction(lambda.Function.fromFunctionName(stack, 'Fn', 'fn'), { port: 70000 }), /got 70000/],
  ['an hour', (stack) => testIn(stack, { timeout: Duration.hours(1) }), /timeout must be 10 seconds to 30 minutes in whole seconds, got 1 hour/],
  ['an ingress connector', (stack) => testIn(stack, { egressConnector: MicrovmConnector.HTTP_INGRESS }), /egressConnector must be an egress connector/],
  ['a payload nobody takes', (stack) => testIn(stack, { runHookPayload: 'x' }), /runHookPayload must not be given for an image without a run hook/],
  ['an image of another stack', (stack) => testIn(stack, { image: new MicrovmImage(new Stack(App.of(stack) as App, 'Other'), 'Image', { code: CODE }) }), /image must be in the stack of its smoke test 'Stack', got one of 'Other'/],
])('%s is an error', (_what, make, message) => {
  expect(() => make(stackOf())).toThrow(message);
});
