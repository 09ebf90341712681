import { App, CfnParameter, Duration, InjectionContext, IPropertyInjector, PropertyInjectors, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as ssm from 'aws-cdk-lib/aws-ssm';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import * as tasks from 'aws-cdk-lib/aws-stepfunctions-tasks';
import * as fc from 'fast-check';
import { bareImageIn, ENV, imageIn, imageResource, only, resources, stackOf, statementsOf, text } from './fixtures';
import { ExecutionRole, MicrovmConnector, MicrovmHooks, MicrovmImage, MicrovmLaunchProfile, MicrovmLaunchProfileProps } from '../../src';
import { checkShape } from '../simulator/validation';

const MANAGED = 'arn:<AWS::Partition>:lambda:<AWS::Region>:aws:network-connector:aws-network-connector:';
const GOLDEN = 'arn:aws:lambda:us-east-1:123456789012:microvm-image:golden';
const VPC_CONNECTOR = 'arn:aws:lambda:us-east-1:123456789012:network-connector:nc-1';
const RUN_HOOK = MicrovmHooks.onPort(9000, { ready: Duration.minutes(1), run: Duration.seconds(5) });
const WHOLE = { maxIdleDuration: Duration.minutes(15), suspendedDuration: Duration.hours(1), autoResume: true };

function functionIn(stack: Stack, id = 'Launcher'): lambda.Function {
  return new lambda.Function(stack, id, { runtime: lambda.Runtime.NODEJS_24_X, handler: 'x', code: lambda.Code.fromInline('x') });
}

function profileIn(stack: Stack, props: Partial<MicrovmLaunchProfileProps> = {}): MicrovmLaunchProfile {
  return new MicrovmLaunchProfile(stack, 'Launch', { image: props.image ?? imageIn(stack, { hooks: RUN_HOOK }), ...props });
}

/** What the code of the launcher reads, intrinsic functions written as text. */
function variable(stack: Stack, name = 'MICROVM_LAUNCH'): any {
  const [launcher] = Object.entries(resources(stack, 'AWS::Lambda::Function')).filter(([id]) => id.startsWith('Launcher')).map(([, fn]) => fn);
  return JSON.parse(text(launcher.Properties.Environment.Variables[name]));
}

function inputOf(props: Partial<MicrovmLaunchProfileProps>): any {
  const stack = stackOf();
  profileIn(stack, props).addToFunction(functionIn(stack));
  return variable(stack);
}

describe('what a launch gets', () => {
  test('every setting, by the names of the API', () => {
    const stack = stackOf();
    const logGroup = new logs.LogGroup(stack, 'RunLogs');
    const executionRole = new ExecutionRole(stack, 'Execution', { logGroup });
    const profile = profileIn(stack, {
      executionRole,
      ingressConnectors: [MicrovmConnector.HTTP_INGRESS, MicrovmConnector.SHELL_INGRESS],
      egressConnector: MicrovmConnector.fromArn(VPC_CONNECTOR),
      idlePolicy: WHOLE,
      maximumDuration: Duration.hours(2),
      logGroup,
      runHookPayload: '{"tenant":"a \\"quoted\\" one"}',
    });
    profile.addToFunction(functionIn(stack));
    expect(variable(stack)).toEqual({
      imageIdentifier: expect.stringMatching(/^<Image\w+>$/),
      imageVersion: expect.stringMatching(/^<Image\w+\.ImageVersion>$/),
      executionRoleArn: expect.stringMatching(/^<Execution\w+\.Arn>$/),
      ingressNetworkConnectors: [`${MANAGED}HTTP_INGRESS`, `${MANAGED}SHELL_INGRESS`],
      egressNetworkConnectors: [VPC_CONNECTOR],
      idlePolicy: { maxIdleDurationSeconds: 900, suspendedDurationSeconds: 3600, autoResumeEnabled: true },
      maximumDurationInSeconds: 7200,
      logging: { cloudWatch: { logGroup: expect.stringMatching(/^<RunLogs\w+>$/) } },
      runHookPayload: '{"tenant":"a \\"quoted\\" one"}',
    });
  });

  test('of an image alone: no way in, the way out of the image, and what else the service gives', () => {
    expect(inputOf({})).toEqual({
      imageIdentifier: expect.stringMatching(/^<Image\w+>$/),
      imageVersion: expect.stringMatching(/^<Image\w+\.ImageVersion>$/),
      ingressNetworkConnectors: [`${MANAGED}NO_INGRESS`],
      egressNetworkConnectors: [`${MANAGED}INTERNET_EGRESS`],
    });
  });

  test('of an image from elsewhere: its way out stays its own', () => {
    const stack = stackOf();
    const image = MicrovmImage.fromImageAttributes(stack, 'Golden', { imageArn: GOLDEN, imageVersion: '3.0' });
    expect(profileIn(stack, { image }).egressConnector).toBeUndefined();
    profileIn(stackOf(), { image }).addToFunction(functionIn(stack));
    expect(variable(stack)).toEqual({ imageIdentifier: GOLDEN, imageVersion: '3.0', ingressNetworkConnectors: [`${MANAGED}NO_INGRESS`] });
  });

  test('logging can be off', () => {
    expect(inputOf({ disableLogging: true }).logging).toEqual({ disabled: {} });
  });

  test('a connector that is named twice is sent once', () => {
    const { HTTP_INGRESS } = MicrovmConnector;
    expect(inputOf({ ingressConnectors: [HTTP_INGRESS, HTTP_INGRESS] }).ingressNetworkConnectors).toEqual([`${MANAGED}HTTP_INGRESS`]);
  });

  test('a profile renders no resource', () => {
    const stack = stackOf();
    profileIn(stack, { image: MicrovmImage.fromImageAttributes(stack, 'Golden', { imageArn: GOLDEN, imageVersion: '3.0' }) });
    expect(Template.fromStack(stack).toJSON().Resources).toBeUndefined();
  });
});

describe('the version', () => {
  test('an older one can be named, whose hooks are not known', () => {
    const stack = stackOf();
    expect(profileIn(stack, { image: imageIn(stack), imageVersion: '2.0', runHookPayload: 'x' }).imageVersion).toBe('2.0');
  });

  test('is given for an import that does not know it', () => {
    const stack = stackOf();
    const image = MicrovmImage.fromImageArn(stack, 'Golden', GOLDEN);
    expect(() => profileIn(stack, { image })).toThrow(/imported without it.*give the launch profile an imageVersion/);
    expect(profileIn(stackOf(), { image, imageVersion: '3.0' }).imageVersion).toBe('3.0');
  });

  test('is given for a bare CfnMicrovmImage', () => {
    const stack = stackOf();
    const image = bareImageIn(stack);
    expect(() => profileIn(stack, { image })).toThrow(/imageVersion must be given.*attrLatestActiveImageVersion/);
    const profile = new MicrovmLaunchProfile(stack, 'Versioned', { image, imageVersion: image.attrLatestActiveImageVersion });
    expect(JSON.parse(text(stack.resolve(profile.toJson())))).toEqual({
      imageIdentifier: expect.stringMatching(/^<Bare(\.ImageArn)?>$/),
      imageVersion: '<Bare.LatestActiveImageVersion>',
      ingressNetworkConnectors: [`${MANAGED}NO_INGRESS`],
    });
  });

  test('of an image of another stack reaches that stack without an export, and changes its template with the content', () => {
    const template = (description: string) => {
      const app = new App();
      const [images, users] = [new Stack(app, 'Images'), new Stack(app, 'Users')];
      const profile = profileIn(users, { image: imageIn(images, { description }) });
      profile.addToFunction(functionIn(users));
      profile.toSsmParameter();
      return { own: Template.fromStack(images).toJSON(), users: JSON.stringify(Template.fromStack(users).toJSON()) };
    };
    const [before, after] = [template('one'), template('two')];
    expect(JSON.stringify(before.own.Outputs)).not.toContain('"Export"');
    expect(before.users).toContain('Fn::GetStackOutput');
    expect(before.users).not.toContain('Fn::ImportValue');
    expect(after.users).not.toBe(before.users);
  });
});

describe('connectors', () => {
  test('those of builds and those of launches are kept apart', () => {
    const stack = stackOf();
    const image = imageIn(stack, { egressConnector: MicrovmConnector.fromArn(VPC_CONNECTOR.replace('nc-1', 'nc-build')) });
    const profile = profileIn(stack, { image, egressConnector: MicrovmConnector.fromArn(VPC_CONNECTOR) });
    profile.addToFunction(functionIn(stack));
    const passes = (role: string) => statementsOf(stack, role).find(({ actions }) => actions.includes('lambda:PassNetworkConnector'))!.resources;
    expect(imageResource(stack).Properties.EgressNetworkConnectors).toEqual([VPC_CONNECTOR.replace('nc-1', 'nc-build')]);
    expect(passes('LambdaMicrovmImageProviderIsCompleteRole')).toEqual([VPC_CONNECTOR.replace('nc-1', 'nc-build')]);
    expect(variable(stack).egressNetworkConnectors).toEqual([VPC_CONNECTOR]);
    expect(passes('Launcher')).toEqual([`${MANAGED}NO_INGRESS`, VPC_CONNECTOR]);
  });

  test('the egress connector of the image is the usual one, named', () => {
    const stack = stackOf();
    const image = imageIn(stack, { egressConnector: MicrovmConnector.fromArn(VPC_CONNECTOR) });
    profileIn(stack, { image }).addToFunction(functionIn(stack));
    expect(variable(stack).egressNetworkConnectors).toEqual([VPC_CONNECTOR]);
  });
});

describe('the log group', () => {
  const writes = (stack: Stack, role: string) => statementsOf(stack, role).filter(({ actions }) => actions.includes('logs:PutLogEvents'));

  test.each([
    ['an ExecutionRole', (stack: Stack) => new ExecutionRole(stack, 'Execution')],
    ['one that may write already', (stack: Stack, logGroup: logs.LogGroup) => new ExecutionRole(stack, 'Execution', { logGroup })],
    ['a plain role', (stack: Stack) => new iam.Role(stack, 'Execution', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') })],
  ])('a role of the stack may write to it, once and to no other: %s', (_what, roleIn) => {
    const stack = stackOf();
    const logGroup = new logs.LogGroup(stack, 'RunLogs', { logGroupName: '/run' });
    profileIn(stack, { executionRole: roleIn(stack, logGroup), logGroup });
    expect(writes(stack, 'Execution')).toEqual([{
      actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      resources: [expect.stringMatching(/^arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:log-group:<RunLogs\w+>:\*$/)],
    }]);
  });

  test('a role of another stack is left alone, since each stack would wait for the other', () => {
    const app = new App();
    const [roles, users] = [new Stack(app, 'Roles'), new Stack(app, 'Users')];
    const executionRole = new ExecutionRole(roles, 'Execution');
    const image = MicrovmImage.fromImageAttributes(users, 'Golden', { imageArn: GOLDEN, imageVersion: '3.0' });
    const profile = profileIn(users, { image, executionRole, logGroup: new logs.LogGroup(users, 'RunLogs') });
    profile.addToFunction(functionIn(users));
    app.synth();
    expect(writes(roles, 'Execution')).toEqual([]);
  });

  test('an imported role is left alone', () => {
    const stack = stackOf();
    const executionRole = iam.Role.fromRoleArn(stack, 'Execution', 'arn:aws:iam::123456789012:role/mine');
    profileIn(stack, { executionRole, logGroup: new logs.LogGroup(stack, 'RunLogs') });
    expect(Object.keys(resources(stack, 'AWS::IAM::Policy')).filter((id) => id.startsWith('Execution'))).toEqual([]);
  });
});

describe('handing over', () => {
  test('a function gets one variable, under the name of your choice, and the permission to launch', () => {
    const stack = stackOf();
    const grant = profileIn(stack).addToFunction(functionIn(stack), { environmentVariable: 'BROWSER' });
    expect(grant.success).toBe(true);
    expect(variable(stack, 'BROWSER').imageVersion).toMatch(/ImageVersion>$/);
    expect(statementsOf(stack, 'Launcher').flatMap(({ actions }) => actions)).toEqual(['lambda:RunMicrovm', 'lambda:PassNetworkConnector']);
  });

  test('a function can launch from two profiles', () => {
    const stack = stackOf();
    const launcher = functionIn(stack);
    const image = imageIn(stack);
    new MicrovmLaunchProfile(stack, 'One', { image }).addToFunction(launcher);
    const two = new MicrovmLaunchProfile(stack, 'Two', { image, ingressConnectors: [MicrovmConnector.HTTP_INGRESS] });
    expect(() => two.addToFunction(launcher)).toThrow(/environmentVariable must be unique.*'MICROVM_LAUNCH'/);
    two.addToFunction(launcher, { environmentVariable: 'MICROVM_LAUNCH_PUBLIC' });
    two.addToFunction(functionIn(stack, 'Other'));
    expect(variable(stack, 'MICROVM_LAUNCH_PUBLIC').ingressNetworkConnectors).toEqual([`${MANAGED}HTTP_INGRESS`]);
    expect(variable(stack).ingressNetworkConnectors).toEqual([`${MANAGED}NO_INGRESS`]);
  });

  test('an SSM parameter and the JSON hold the same as the variable', () => {
    const stack = stackOf();
    const profile = profileIn(stack, { idlePolicy: WHOLE });
    profile.addToFunction(functionIn(stack));
    const parameter = profile.toSsmParameter({ parameterName: '/sandbox/launch' });
    parameter.grantRead(new iam.Role(stack, 'Task', { assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com') }));
    expect(only(stack, 'AWS::SSM::Parameter').Properties.Name).toBe('/sandbox/launch');
    expect(JSON.parse(text(only(stack, 'AWS::SSM::Parameter').Properties.Value))).toEqual(variable(stack));
    expect(JSON.parse(text(stack.resolve(profile.toJson())))).toEqual(variable(stack));
    expect(statementsOf(stack, 'Task').flatMap(({ actions }) => actions)).toContain('ssm:GetParameter');
  });

  test.each([
    ['JSONPath', 'Parameters', sfn.QueryLanguage.JSON_PATH, { 'RunHookPayload.$': '$.payload' }],
    ['JSONata', 'Arguments', sfn.QueryLanguage.JSONATA, { RunHookPayload: '{% $states.input.payload %}' }],
  ])('a Step Functions task takes it under capitalized names, in %s', (_what, place, queryLanguage, payload) => {
    const stack = stackOf();
    const profile = profileIn(stack, { idlePolicy: WHOLE, disableLogging: true, maximumDuration: Duration.hours(1), runHookPayload: 'usual' });
    const task = new tasks.CallAwsService(stack, 'Run', {
      service: 'lambdamicrovms',
      action: 'runMicrovm',
      iamAction: 'lambda:RunMicrovm',
      iamResources: [profile.image.microvmImageRef.imageArn],
      queryLanguage,
      parameters: {
        ...profile.toStepFunctionsParameters(),
        RunHookPayload: queryLanguage === sfn.QueryLanguage.JSONATA ? Object.values(payload)[0] : sfn.JsonPath.stringAt('$.payload'),
      },
    });
    new sfn.StateMachine(stack, 'Machine', { definitionBody: sfn.DefinitionBody.fromChainable(task) });
    const machine = Object.entries(resources(stack, 'AWS::StepFunctions::StateMachine')).find(([id]) => id.startsWith('Machine'))![1];
    expect(JSON.parse(text(machine.Properties.DefinitionString)).States.Run[place]).toEqual({
      ImageIdentifier: expect.stringMatching(/^<Image\w+>$/),
      ImageVersion: expect.stringMatching(/^<Image\w+\.ImageVersion>$/),
      IngressNetworkConnectors: [`${MANAGED}NO_INGRESS`],
      EgressNetworkConnectors: [`${MANAGED}INTERNET_EGRESS`],
      IdlePolicy: { MaxIdleDurationSeconds: 900, SuspendedDurationSeconds: 3600, AutoResumeEnabled: true },
      MaximumDurationInSeconds: 3600,
      Logging: { Disabled: {} },
      ...payload,
    });
  });

  test.each([
    ['a function', (profile: MicrovmLaunchProfile, stack: Stack) => profile.addToFunction(functionIn(stack)), "'MICROVM_LAUNCH'", 'toSsmParameter()'],
    ['a standard parameter', (profile: MicrovmLaunchProfile) => profile.toSsmParameter(), 'SSM parameter', 'tier ADVANCED'],
  ])('what does not fit fails the synth: the longest payload and the rest in %s', (_what, handOver, what, remedy) => {
    const stack = stackOf();
    handOver(profileIn(stack, { runHookPayload: 'x'.repeat(4096) }), stack);
    let message = '';
    try {
      Template.fromStack(stack);
    } catch (error) {
      message = (error as Error).message;
    }
    for (const part of [what, 'at most 4096 bytes', 'shorten runHookPayload', remedy]) {
      expect(message).toContain(part);
    }
  });

  test('the longest payload fits into an advanced parameter', () => {
    const stack = stackOf();
    profileIn(stack, { runHookPayload: 'x'.repeat(4096) }).toSsmParameter({ tier: ssm.ParameterTier.ADVANCED });
    expect(only(stack, 'AWS::SSM::Parameter').Properties.Tier).toBe('Advanced');
  });
});

describe('limits', () => {
  const seconds = (most: number) => fc.oneof(fc.integer({ min: 0, max: most }), fc.constantFrom(0, 1, 59, 60, 28800, 28801));

  test('what passes the synth, the constraints of the service accept, and the other way round', () => {
    const stack = stackOf();
    const image = imageIn(stack, { hooks: RUN_HOOK });
    let runs = 0;
    const characters = fc.integer({ min: 0, max: 5000 });
    fc.assert(fc.property(seconds(40_000), seconds(100_000), seconds(40_000), characters, (idle, suspended, maximum, length) => {
      const make = () => new MicrovmLaunchProfile(stack, `Launch${runs++}`, {
        image,
        idlePolicy: { maxIdleDuration: Duration.seconds(idle), suspendedDuration: Duration.seconds(suspended), autoResume: false },
        maximumDuration: Duration.seconds(maximum),
        runHookPayload: 'x'.repeat(length),
      });
      const input = {
        imageIdentifier: GOLDEN,
        idlePolicy: { maxIdleDurationSeconds: idle, suspendedDurationSeconds: suspended, autoResumeEnabled: false },
        maximumDurationInSeconds: maximum,
        runHookPayload: 'x'.repeat(length),
      };
      // The model has no upper limit for the idle time; the documentation has.
      const accepted = idle <= 28800 && succeeds(() => checkShape('RunMicrovm', input));
      expect(succeeds(make)).toBe(accepted);
    }), { numRuns: 300 });
  });

  test('nothing that only deployment knows is refused', () => {
    const stack = stackOf({ env: ENV });
    const token = (name: string) => new CfnParameter(stack, name).valueAsString;
    const number = (name: string) => new CfnParameter(stack, name, { type: 'Number' }).valueAsNumber;
    const profile = new MicrovmLaunchProfile(stack, 'Launch', {
      image: MicrovmImage.fromImageAttributes(stack, 'Golden', { imageArn: token('Image'), imageVersion: token('Version') }),
      executionRole: iam.Role.fromRoleArn(stack, 'Execution', token('Role')),
      ingressConnectors: [MicrovmConnector.fromArn(token('Ingress')), MicrovmConnector.fromArn(token('More'))],
      egressConnector: MicrovmConnector.fromArn(token('Egress')),
      idlePolicy: { maxIdleDuration: Duration.seconds(number('Idle')), suspendedDuration: Duration.seconds(number('Suspended')), autoResume: true },
      maximumDuration: Duration.seconds(number('Maximum')),
      logGroup: logs.LogGroup.fromLogGroupName(stack, 'RunLogs', token('Logs')),
      runHookPayload: token('Payload'),
    });
    const user = new iam.User(stack, 'User');
    profile.grants.shell(user);
    profile.grants.launcher(user);
    profile.addToFunction(functionIn(stack));
    expect(() => Template.fromStack(stack)).not.toThrow();
  });
});

/** What is wrong, the settings, and what the message must tell: the property, the value and the remedy. */
const WRONG: Array<[string, (stack: Stack) => Partial<MicrovmLaunchProfileProps>, string[]]> = [
  ['no ingress connector', () => ({ ingressConnectors: [] }), ['ingressConnectors', '[]', 'public', 'NO_INGRESS']],
  ['an egress connector as ingress', () => ({ ingressConnectors: [MicrovmConnector.INTERNET_EGRESS] }), ['ingressConnectors', 'INTERNET_EGRESS', 'egressConnector']],
  ['a VPC connector as ingress', () => ({ ingressConnectors: [MicrovmConnector.fromArn(VPC_CONNECTOR)] }), ['ingressConnectors', VPC_CONNECTOR]],
  ['an ingress connector as egress', () => ({ egressConnector: MicrovmConnector.NO_INGRESS }), ['egressConnector', 'NO_INGRESS', 'ingressConnectors']],
  ['every way in and one more', () => ({ ingressConnectors: [MicrovmConnector.SHELL_INGRESS, MicrovmConnector.ALL_INGRESS] }), ['ingressConnectors', 'ALL_INGRESS', 'got 2', 'HTTP_INGRESS']],
  ['no way in and one', () => ({ ingressConnectors: [MicrovmConnector.NO_INGRESS, MicrovmConnector.HTTP_INGRESS] }), ['ingressConnectors', 'NO_INGRESS', 'got 2', 'remove']],
  ['an idle time of less than a minute', () => ({ idlePolicy: { ...WHOLE, maxIdleDuration: Duration.seconds(59) } }), ['maxIdleDuration', 'from 60 to 28800', '59 seconds']],
  ['an idle time of more than eight hours', () => ({ idlePolicy: { ...WHOLE, maxIdleDuration: Duration.seconds(28801) } }), ['maxIdleDuration', '60 to 28800', '8 hours 1 second']],
  ['a suspended time of half a second', () => ({ idlePolicy: { ...WHOLE, suspendedDuration: Duration.millis(500) } }), ['suspendedDuration', 'whole number', '500 millis']],
  ['an idle policy without its suspended time', () => ({ idlePolicy: { ...WHOLE, suspendedDuration: undefined! } }), ['suspendedDuration', 'undefined']],
  ['an idle policy without its idle time', () => ({ idlePolicy: { ...WHOLE, maxIdleDuration: undefined! } }), ['maxIdleDuration', 'undefined']],
  ['an idle policy that does not say what resumes', () => ({ idlePolicy: { ...WHOLE, autoResume: undefined! } }), ['autoResume', 'undefined', 'true or false']],
  ['a life of nothing', () => ({ maximumDuration: Duration.seconds(0) }), ['maximumDuration', '1 to 28800', '0 seconds']],
  ['a life of more than eight hours', () => ({ maximumDuration: Duration.hours(9) }), ['maximumDuration', '28800', '9 hours']],
  ['a log group without a role', (stack) => ({ logGroup: new logs.LogGroup(stack, 'L') }), ['logGroup', 'executionRole', 'refuses']],
  ['a log group and no logging', (stack) => ({ logGroup: new logs.LogGroup(stack, 'L'), disableLogging: true, executionRole: new ExecutionRole(stack, 'R') }), ['logGroup', 'disableLogging', 'remove one']],
  ['a log group with a space', (stack) => ({ logGroup: logs.LogGroup.fromLogGroupName(stack, 'L', 'my logs'), executionRole: new ExecutionRole(stack, 'R') }), ['logGroup', "'my logs'", '1 to 512']],
  ['a payload that is too long', () => ({ runHookPayload: 'x'.repeat(4097) }), ['runHookPayload', '4096 characters', 'got 4097']],
  ['a payload without a run hook', (stack) => ({ image: imageIn(stack, { hooks: MicrovmHooks.onPort(80, { ready: Duration.minutes(1) }) }, 'Hookless'), runHookPayload: 'x' }), ['runHookPayload', 'run hook', 'hooks of the image']],
  ['a payload without any hook', (stack) => ({ image: imageIn(stack, {}, 'Hookless'), runHookPayload: 'x' }), ['runHookPayload', 'run hook']],
  ['a version without its minor part', () => ({ imageVersion: '3' }), ['imageVersion', "'3.0'", "'3'"]],
  ['an image of another region', (stack) => ({ image: MicrovmImage.fromImageArn(stack, 'I', GOLDEN.replace('us-east-1', 'eu-west-1')), imageVersion: '1.0' }), ['image', 'region', "'us-east-1'", "'eu-west-1'"]],
  ['an image of another account', (stack) => ({ image: MicrovmImage.fromImageArn(stack, 'I', GOLDEN.replace(/\d{12}/, '999999999999')), imageVersion: '1.0' }), ['image', 'account', "'999999999999'"]],
  ['a role of another account', (stack) => ({ executionRole: iam.Role.fromRoleArn(stack, 'R', 'arn:aws:iam::999999999999:role/mine') }), ['executionRole', 'account', "'999999999999'"]],
  ['an ingress connector of another region', () => ({ ingressConnectors: [MicrovmConnector.fromArn('arn:aws:lambda:eu-west-1:aws:network-connector:aws-network-connector:HTTP_INGRESS')] }), ['ingressConnectors', 'region', "'eu-west-1'"]],
  ['an egress connector of another region', () => ({ egressConnector: MicrovmConnector.fromArn(VPC_CONNECTOR.replace('us-east-1', 'eu-west-1')) }), ['egressConnector', 'region', "'eu-west-1'"]],
  ['an egress connector of another account', () => ({ egressConnector: MicrovmConnector.fromArn(VPC_CONNECTOR.replace(/\d{12}/, '999999999999')) }), ['egressConnector', 'account', "'999999999999'"]],
  ['a log group of another region', (stack) => ({ logGroup: logs.LogGroup.fromLogGroupArn(stack, 'L', 'arn:aws:logs:eu-west-1:123456789012:log-group:mine'), executionRole: new ExecutionRole(stack, 'R') }), ['logGroup', 'region', "'eu-west-1'"]],
];

test.each(WRONG)('%s fails the synth and says so', (_what, props, parts) => {
  const stack = stackOf({ env: ENV });
  let message = '';
  try {
    profileIn(stack, props(stack));
  } catch (error) {
    message = (error as Error).message;
  }
  for (const part of parts) {
    expect(message).toContain(part);
  }
});

test('an error about a payload does not repeat it', () => {
  const stack = stackOf();
  expect(() => profileIn(stack, { runHookPayload: 's3cret'.repeat(1000) })).toThrow(expect.objectContaining({ message: expect.not.stringContaining('s3cret') }));
});

test('an organisation can set defaults by property injection', () => {
  class ShortLives implements IPropertyInjector {
    public readonly constructUniqueId = MicrovmLaunchProfile.PROPERTY_INJECTION_ID;

    public inject(props: MicrovmLaunchProfileProps, _context: InjectionContext) {
      return { maximumDuration: Duration.minutes(10), ...props };
    }
  }
  const stack = stackOf();
  PropertyInjectors.of(stack).add(new ShortLives());
  profileIn(stack).addToFunction(functionIn(stack));
  expect(variable(stack).maximumDurationInSeconds).toBe(600);
});

function succeeds(action: () => unknown): boolean {
  try {
    action();
    return true;
  } catch {
    return false;
  }
}
