import { App, NestedStack, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as logs from 'aws-cdk-lib/aws-logs';
import { imageIn, imageResource, resources, stackOf, Statement, statementsOf, text } from './fixtures';
import { MicrovmBuildRole, MicrovmConnector, MicrovmImageEngine, MicrovmLogging, RunningMicrovms } from '../../src';
import { RESOURCE_TYPE } from '../../src/custom-resources/microvm-image/contract';

const PREFIX = 'Stack-c3923d3b';
const IMAGES = 'arn:<AWS::Partition>:lambda:<AWS::Region>:<AWS::AccountId>:microvm-image:';
const LOG_GROUPS = 'arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:log-group:';
const READ = [
  'lambda:GetMicrovmImageBuild', 'lambda:ListMicrovmImageBuilds', 'lambda:ListMicrovmImageVersions', 'lambda:ListTags',
];
const OWN_IMAGES = [
  ...READ,
  'lambda:DeleteMicrovmImage', 'lambda:DeleteMicrovmImageVersion', 'lambda:TagResource', 'lambda:UntagResource',
  'lambda:UpdateMicrovmImage', 'lambda:UpdateMicrovmImageVersion',
];
const THIS_STACK = {
  StringEquals: { 'aws:ResourceTag/microvm-cdk:stack': { 'Fn::Select': [2, { 'Fn::Split': ['/', { Ref: 'AWS::StackId' }] }] } },
};

const policy = (stack: Stack) => statementsOf(stack, 'LambdaMicrovmImageProviderIsCompleteRole');
const allowing = (stack: Stack, action: string): Statement[] => policy(stack).filter(({ actions }) => actions.includes(action));
const functionsOf = (stack: Stack) => Object.entries(resources(stack, 'AWS::Lambda::Function'));
const functionNamed = (stack: Stack, id: RegExp) => functionsOf(stack).find(([logicalId]) => id.test(logicalId))![1].Properties;

test('the policy of the polling handler is this and no more', () => {
  const stack = stackOf();
  imageIn(stack);
  expect(policy(stack)).toEqual([
    { actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resources: [expect.stringMatching(/^<LambdaMicrovmImageProviderLogGroup\w+\.Arn>$/)] },
    { actions: OWN_IMAGES, resources: [`${IMAGES}${PREFIX}-*`] },
    { actions: OWN_IMAGES, resources: [`${IMAGES}*`], condition: THIS_STACK },
    { actions: ['lambda:GetMicrovmImage'], resources: [`${IMAGES}*`] },
    { actions: ['lambda:CreateMicrovmImage', 'lambda:ListMicrovms'], resources: ['*'] },
    { actions: ['lambda:ListManagedMicrovmImageVersions'], resources: ['arn:<AWS::Partition>:lambda:<AWS::Region>:aws:microvm-image:*'] },
    { actions: ['iam:PassRole'], resources: [`arn:<AWS::Partition>:iam::<AWS::AccountId>:role/cdk-lambda-microvms/<AWS::Region>/${PREFIX}/*`] },
    { actions: ['logs:FilterLogEvents'], resources: [`${LOG_GROUPS}/aws/lambda-microvms/${PREFIX}-*`] },
    {
      actions: ['lambda:PassNetworkConnector'],
      resources: ['arn:<AWS::Partition>:lambda:<AWS::Region>:aws:network-connector:aws-network-connector:INTERNET_EGRESS'],
    },
  ]);
});

test('the accepting handler may write logs and nothing else', () => {
  const stack = stackOf();
  imageIn(stack);
  expect(statementsOf(stack, 'LambdaMicrovmImageProviderOnEventRole').map(({ actions }) => actions)).toEqual([['logs:CreateLogStream', 'logs:PutLogEvents']]);
});

test('twenty images with generated names share one provider and one policy, as big as that of one image', () => {
  const [one, twenty] = [1, 20].map((count) => {
    const stack = stackOf();
    Array.from({ length: count }, (_, index) => imageIn(stack, {}, `Image${index}`));
    return stack;
  });
  expect(policy(twenty)).toEqual(policy(one));
  expect(functionsOf(twenty)).toHaveLength(5);
  expect(new Set(Object.values(resources(twenty, RESOURCE_TYPE)).map(({ Properties }) => text(Properties.ServiceToken))).size).toBe(1);
});

test('the fixed part of a stack is 14 resources and a log group', () => {
  const stack = stackOf();
  imageIn(stack);
  const ids = Object.keys(Template.fromStack(stack).toJSON().Resources).filter((id) => id.startsWith('LambdaMicrovmImageProvider'));
  expect(ids).toHaveLength(15);
});

test('a nested stack has a provider and a name prefix of its own', () => {
  const stack = stackOf();
  imageIn(stack);
  const nested = new NestedStack(stack, 'Nested');
  imageIn(nested);
  expect(functionsOf(nested)).toHaveLength(5);
  expect(allowing(nested, 'lambda:TagResource')[0].resources).toEqual([expect.stringMatching(/microvm-image:Stack-[0-9a-f]{8}-\*$/)]);
  expect(allowing(nested, 'lambda:TagResource')).not.toEqual(allowing(stack, 'lambda:TagResource'));
});

describe('what one image adds to the policy', () => {
  test('a chosen name: tagging and looking at that image, and its build log', () => {
    const stack = stackOf();
    imageIn(stack, { imageName: 'golden' });
    expect(policy(stack)).toContainEqual({ actions: [...READ, 'lambda:TagResource'], resources: [`${IMAGES}golden`] });
    expect(allowing(stack, 'logs:FilterLogEvents')[0].resources).toEqual([
      `${LOG_GROUPS}/aws/lambda-microvms/${PREFIX}-*`, `${LOG_GROUPS}/aws/lambda-microvms/golden`, `${LOG_GROUPS}/aws/lambda-microvms/golden:*`,
    ]);
    expect(allowing(stack, 'lambda:UpdateMicrovmImage').map(({ resources: [resource] }) => resource)).toEqual([`${IMAGES}${PREFIX}-*`, `${IMAGES}*`]);
  });

  test('two chosen names: both', () => {
    const stack = stackOf();
    imageIn(stack, { imageName: 'one' }, 'One');
    imageIn(stack, { imageName: 'two' }, 'Two');
    expect(policy(stack)).toContainEqual({ actions: [...READ, 'lambda:TagResource'], resources: [`${IMAGES}one`, `${IMAGES}two`] });
  });

  test('a brought role: passing that role, once', () => {
    const stack = stackOf();
    const buildRole = new iam.Role(stack, 'Mine', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
    imageIn(stack, { buildRole }, 'One');
    imageIn(stack, { buildRole }, 'Two');
    expect(allowing(stack, 'iam:PassRole')[0].resources).toEqual([expect.stringContaining(':role/cdk-lambda-microvms/'), expect.stringMatching(/^<Mine\w+\.Arn>$/)]);
  });

  test('a MicrovmBuildRole of the same stack: nothing, it is under the path', () => {
    const stack = stackOf();
    imageIn(stack, { buildRole: new MicrovmBuildRole(stack, 'Mine') });
    expect(allowing(stack, 'iam:PassRole')[0].resources).toHaveLength(1);
  });

  test('a MicrovmBuildRole whose path an organization sets: passing that role', () => {
    const app = new App({
      propertyInjectors: [{ constructUniqueId: iam.Role.PROPERTY_INJECTION_ID, inject: (props) => ({ ...props, path: '/org/' }) }],
    });
    const stack = new Stack(app, 'Stack');
    imageIn(stack);
    expect(allowing(stack, 'iam:PassRole')[0].resources).toContainEqual(expect.stringMatching(/^<ImageBuildRole\w+\.Arn>$/));
  });

  test('a MicrovmBuildRole of another stack: passing that role', () => {
    const app = new App();
    const stack = new Stack(app, 'Stack');
    imageIn(stack, { buildRole: new MicrovmBuildRole(new Stack(app, 'Roles'), 'Mine') });
    expect(allowing(stack, 'iam:PassRole')[0].resources).toHaveLength(2);
  });

  test('a connector: passing it, once', () => {
    const stack = stackOf();
    const egressConnector = MicrovmConnector.fromArn('arn:aws:lambda:us-east-1:123456789012:network-connector:nc-1');
    imageIn(stack, { egressConnector }, 'One');
    imageIn(stack, { egressConnector }, 'Two');
    imageIn(stack, {}, 'Three');
    expect(allowing(stack, 'lambda:PassNetworkConnector').map(({ resources: passed }) => passed)).toEqual([[
      'arn:aws:lambda:us-east-1:123456789012:network-connector:nc-1',
      'arn:<AWS::Partition>:lambda:<AWS::Region>:aws:network-connector:aws-network-connector:INTERNET_EGRESS',
    ]]);
  });

  test('a brought log group: reading it', () => {
    const stack = stackOf();
    imageIn(stack, { logGroup: logs.LogGroup.fromLogGroupName(stack, 'Mine', '/mine') });
    expect(allowing(stack, 'logs:FilterLogEvents')[0].resources).toEqual([
      `${LOG_GROUPS}/aws/lambda-microvms/${PREFIX}-*`, `${LOG_GROUPS}/mine`, `${LOG_GROUPS}/mine:*`,
    ]);
  });

  test('no logs: nothing', () => {
    const stack = stackOf();
    imageIn(stack, { imageName: 'golden', logging: MicrovmLogging.disabled() });
    expect(allowing(stack, 'logs:FilterLogEvents')[0].resources).toHaveLength(1);
  });

  test('the wish to terminate MicroVMs, and only that: terminating them', () => {
    const stack = stackOf();
    imageIn(stack, {}, 'One');
    expect(allowing(stack, 'lambda:TerminateMicrovm')).toEqual([]);
    const other = stackOf();
    imageIn(other, {}, 'One');
    imageIn(other, { engine: MicrovmImageEngine.custom({ runningMicrovms: RunningMicrovms.TERMINATE }) }, 'Two');
    expect(allowing(other, 'lambda:TerminateMicrovm')).toEqual([
      { actions: [...OWN_IMAGES, 'lambda:TerminateMicrovm'], resources: [`${IMAGES}${PREFIX}-*`] },
      { actions: [...OWN_IMAGES, 'lambda:TerminateMicrovm'], resources: [`${IMAGES}*`], condition: THIS_STACK },
    ]);
  });
});

test('the policy is in the role itself, so the handler never runs without it', () => {
  const stack = stackOf();
  imageIn(stack);
  const attached = Object.values(resources(stack, 'AWS::IAM::Policy')).flatMap(({ Properties }) => Properties.Roles.map(text));
  expect(attached.filter((role: string) => /IsCompleteRole|OnEventRole[^D]/.test(role) && !role.includes('Framework'))).toEqual([]);
});

test('no function may create a log group, and all write to the one of the provider', () => {
  const stack = stackOf();
  imageIn(stack);
  const template = JSON.stringify(Template.fromStack(stack).toJSON());
  expect(template).not.toContain('logs:CreateLogGroup');
  expect(template).not.toContain('AWSLambdaBasicExecutionRole');
  const groups = functionsOf(stack).map(([, { Properties }]) => text(Properties.LoggingConfig.LogGroup));
  expect([...new Set(groups)]).toEqual([expect.stringMatching(/^<LambdaMicrovmImageProviderLogGroup\w+>$/)]);
  const [, group] = Object.entries(resources(stack, 'AWS::Logs::LogGroup')).find(([id]) => id.startsWith('LambdaMicrovmImageProvider'))!;
  expect(group).toMatchObject({ Properties: { RetentionInDays: 30 }, DeletionPolicy: 'Delete' });
});

test('the handlers run on arm64 with memory to spare', () => {
  const stack = stackOf();
  imageIn(stack);
  const handler = { Runtime: 'nodejs24.x', Architectures: ['arm64'], Handler: 'index.handler', MemorySize: 512 };
  expect(functionNamed(stack, /^LambdaMicrovmImageProviderOnEvent/)).toMatchObject({ ...handler, Timeout: 60 });
  expect(functionNamed(stack, /^LambdaMicrovmImageProviderIsComplete/)).toMatchObject({ ...handler, Timeout: 120 });
});

test('the waiter asks every 7 seconds for 57 minutes, and CloudFormation waits an hour', () => {
  const stack = stackOf();
  imageIn(stack);
  const [machine] = Object.values(resources(stack, 'AWS::StepFunctions::StateMachine'));
  const definition = JSON.parse(text(machine.Properties.DefinitionString));
  const [retry] = Object.values<any>(definition.States)[0].Retry;
  expect(retry).toMatchObject({ IntervalSeconds: 7, MaxAttempts: 490, BackoffRate: 1 });
  expect(imageResource(stack).Properties.ServiceTimeout).toBe(3600);
});

test('neither the framework nor its state machine logs events, which carry the response URL', () => {
  const stack = stackOf();
  imageIn(stack);
  const [machine] = Object.values(resources(stack, 'AWS::StepFunctions::StateMachine'));
  expect(machine.Properties.LoggingConfiguration).toBeUndefined();
  const framework = functionsOf(stack).filter(([id]) => id.includes('framework'));
  expect(framework.map(([, { Properties }]) => Properties.LoggingConfig.ApplicationLogLevel)).toEqual(['FATAL', 'FATAL', 'FATAL']);
});
