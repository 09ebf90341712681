import { App, CfnParameter, CfnResource, Duration, Lazy, Size, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { DOCKERFILE, ENV, imageIn, imageResource, only, resources, stackOf, text, warnings } from './fixtures';
import {
  MicrovmBaseImage, MicrovmCode, MicrovmConnector, MicrovmHooks, MicrovmImage, MicrovmImageEngine, MicrovmImageProps,
  MicrovmLogging, MicrovmMemory, MicrovmOsCapability, RunningMicrovms,
} from '../../src';
import { decodeProperties } from '../../src/custom-resources/microvm-image/contract';

const att = (logicalId: string, attribute: string) => ({ 'Fn::GetAtt': [logicalId, attribute] });

describe('what the handler is told', () => {
  test('an image needs nothing but code', () => {
    const stack = stackOf();
    imageIn(stack);

    const { Properties } = imageResource(stack);
    expect({ ...Properties, ServiceToken: undefined, CodeArtifactUri: text(Properties.CodeArtifactUri) }).toEqual({
      ServiceToken: undefined,
      ServiceTimeout: 3600,
      ImageName: 'Stack-c3923d3b-Image-1aa4cb0b',
      BaseImageArn: { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':lambda:', { Ref: 'AWS::Region' }, ':aws:microvm-image:al2023-1']] },
      BuildRoleArn: { 'Fn::GetAtt': [expect.stringMatching(/^ImageBuildRole/), 'Arn'] },
      CodeArtifactUri: expect.stringMatching(/^s3:\/\/cdk-hnb659fds-assets-<AWS::AccountId>-<AWS::Region>\/[0-9a-f]{64}\.zip$/),
      MinimumMemoryInMiB: 2048,
      EgressNetworkConnectors: [{
        'Fn::Join': ['', [
          'arn:', { Ref: 'AWS::Partition' }, ':lambda:', { Ref: 'AWS::Region' }, ':aws:network-connector:aws-network-connector:INTERNET_EGRESS',
        ]],
      }],
      Logging: { LogGroup: { Ref: expect.stringMatching(/^ImageLogGroup/) } },
      KeepVersions: 5,
    });
  });

  test('what is said of the engine and is the default anyway changes nothing', () => {
    const propertiesWith = (engine?: MicrovmImageEngine) => {
      const stack = stackOf();
      imageIn(stack, { engine });
      return imageResource(stack).Properties;
    };
    const defaults = { runningMicrovms: RunningMicrovms.FAIL, keepVersions: 5, adopt: false, retainOnFailure: false, waitForBuild: true };
    expect(propertiesWith(MicrovmImageEngine.custom(defaults))).toEqual(propertiesWith());
  });

  test('every property arrives', () => {
    const stack = stackOf({ env: ENV });
    imageIn(stack, {
      imageName: 'golden_1',
      description: 'Runs code = safely @ 9:00 + more/less_x.y-z',
      baseImage: MicrovmBaseImage.managed('al2023-2').pinned('7'),
      memory: MicrovmMemory.of(Size.gibibytes(8)),
      hooks: MicrovmHooks.onPort(9000, {
        ready: Duration.hours(1),
        validate: Duration.minutes(2),
        run: Duration.seconds(1),
        resume: Duration.seconds(2),
        suspend: Duration.seconds(3),
        terminate: Duration.seconds(60),
      }),
      environment: { STAGE: 'prod' },
      egressConnector: MicrovmConnector.fromArn('arn:aws:lambda:us-east-1:123456789012:network-connector:nc-1'),
      additionalOsCapabilities: [MicrovmOsCapability.ALL],
      logging: MicrovmLogging.ownedLogGroup({ logStream: 'builds' }),
      tags: { team: 'a' },
      followLatest: true,
      engine: MicrovmImageEngine.custom({
        runningMicrovms: RunningMicrovms.TERMINATE,
        keepVersions: 47,
        retainOnFailure: true,
        buildTimeout: Duration.seconds(90),
        waitForBuild: false,
      }),
    });

    const { Properties } = imageResource(stack);
    expect(decodeProperties({ ...Properties, BuildRoleArn: 'x', CodeArtifactUri: 'x', BaseImageArn: text(Properties.BaseImageArn), Logging: { ...Properties.Logging, LogGroup: 'x' } }))
      .toEqual({
        imageName: 'golden_1',
        description: 'Runs code = safely @ 9:00 + more/less_x.y-z',
        baseImageArn: 'arn:<AWS::Partition>:lambda:us-east-1:aws:microvm-image:al2023-2',
        baseImageVersion: '7',
        buildRoleArn: 'x',
        codeArtifactUri: 'x',
        minimumMemoryInMiB: 8192,
        egressNetworkConnectors: ['arn:aws:lambda:us-east-1:123456789012:network-connector:nc-1'],
        additionalOsCapabilities: ['ALL'],
        environmentVariables: { STAGE: 'prod' },
        hooks: {
          port: 9000, readySeconds: 3600, validateSeconds: 120, runSeconds: 1, resumeSeconds: 2, suspendSeconds: 3, terminateSeconds: 60,
        },
        logging: { disabled: false, logGroup: 'x', logStream: 'builds' },
        tags: { team: 'a' },
        runningMicrovms: 'TERMINATE',
        keepVersions: 47,
        retainOnFailure: true,
        buildTimeoutSeconds: 90,
        waitForBuild: false,
        followLatest: true,
      });
  });

  test('a refresh token travels with the newest base image', () => {
    const stack = stackOf();
    imageIn(stack, { baseImage: MicrovmBaseImage.AL2023_1.newest({ refreshToken: '2026-11' }) });
    const { Properties } = imageResource(stack);
    expect(Properties.BaseImageRefreshToken).toBe('2026-11');
    expect(Properties.BaseImageVersion).toBeUndefined();
  });

  test('a change of the array or map after the call changes nothing', () => {
    const stack = stackOf();
    const environment: Record<string, string> = { A: '1' };
    const additionalOsCapabilities = [MicrovmOsCapability.ALL];
    imageIn(stack, { environment, additionalOsCapabilities });
    environment.B = '2';
    additionalOsCapabilities.pop();
    expect(imageResource(stack).Properties).toMatchObject({ EnvironmentVariables: { A: '1' }, AdditionalOsCapabilities: ['ALL'] });
    expect(imageResource(stack).Properties.EnvironmentVariables).not.toHaveProperty('B');
  });
});

describe('another stack', () => {
  const twoStacks = (props: Partial<MicrovmImageProps> = {}) => {
    const app = new App();
    const producer = new Stack(app, 'Producer');
    const consumer = new Stack(app, 'Consumer');
    const image = imageIn(producer, props);
    new CfnResource(consumer, 'User', { type: 'Test::User', properties: { Arn: image.imageArn, Version: image.imageVersion, Name: image.imageName } });
    new CfnResource(consumer, 'BaseUser', { type: 'Test::BaseUser', properties: { Version: image.baseImageVersion } });
    return { app, producer, consumer };
  };

  test('uses the version without an export, which would block the next build', () => {
    const { producer, consumer } = twoStacks();
    expect(JSON.stringify(Template.fromStack(producer).toJSON())).not.toContain('"Export"');
    const template = JSON.stringify(Template.fromStack(consumer).toJSON());
    expect(template).not.toContain('Fn::ImportValue');
    const [index, { 'Fn::Split': [separator, { 'Fn::Join': [joint, parts] }] }] = only(consumer, 'Test::User').Properties.Version['Fn::Select'];
    expect([index, separator, joint]).toEqual([0, '|', '|']);
    expect(parts).toEqual([
      { 'Fn::GetStackOutput': { StackName: 'Producer', Region: { Ref: 'AWS::Region' }, OutputName: expect.stringContaining('ImageVersion') } },
      expect.stringMatching(/^[0-9a-f]{16}$/),
    ]);
  });

  test('has another template when a new version is to be built, and only then: the CLI skips a stack that has the same one', () => {
    const template = (props?: Partial<MicrovmImageProps>) => Template.fromStack(twoStacks(props).consumer).toJSON();
    expect(template()).toEqual(template());
    expect(template({ tags: { team: 'a' }, followLatest: true })).toEqual(template());
    const engine = MicrovmImageEngine.custom({ keepVersions: 9, retainOnFailure: true, runningMicrovms: RunningMicrovms.TERMINATE });
    expect(template({ engine })).toEqual(template());
    expect(template({ description: 'Another' })).not.toEqual(template());
    expect(template({ code: MicrovmCode.fromInline({ dockerfile: `${DOCKERFILE}LABEL a=b\n` }) })).not.toEqual(template());
  });

  test('learns of a new base version in the same way', () => {
    const version = (props?: Partial<MicrovmImageProps>) => only(twoStacks(props).consumer, 'Test::BaseUser').Properties.Version;
    expect(version()).toEqual(version());
    expect(version({ baseImage: MicrovmBaseImage.AL2023_1.pinned('2') })).not.toEqual(version());
  });

  test('is deployed after the image', () => {
    const { producer, consumer } = twoStacks();
    Template.fromStack(consumer);
    expect(consumer.dependencies).toEqual([producer]);
  });

  test('of another account gets the ARN by its name', () => {
    const app = new App();
    const producer = new Stack(app, 'Producer', { env: ENV });
    const consumer = new Stack(app, 'Consumer', { env: { account: '210987654321', region: 'us-east-1' } });
    const image = imageIn(producer, { imageName: 'one' });
    new CfnResource(consumer, 'User', { type: 'Test::User', properties: { Arn: image.imageArn, Name: image.imageName } });
    expect(text(only(consumer, 'Test::User').Properties.Arn)).toBe('arn:<AWS::Partition>:lambda:us-east-1:123456789012:microvm-image:one');
    expect(only(consumer, 'Test::User').Properties.Name).toBe('one');
  });
});

describe('imports', () => {
  const arn = 'arn:aws:lambda:eu-west-1:123456789012:microvm-image:golden';

  test('know what the ARN says', () => {
    const image = MicrovmImage.fromImageArn(stackOf(), 'Golden', arn);
    expect(image).toMatchObject({ imageArn: arn, imageName: 'golden', microvmImageRef: { imageArn: arn }, env: { account: '123456789012', region: 'eu-west-1' } });
    expect(MicrovmImage.isMicrovmImage(image)).toBe(false);
  });

  test('know the version only when told', () => {
    const stack = stackOf();
    expect(MicrovmImage.fromImageAttributes(stack, 'Known', { imageArn: arn, imageVersion: '3.0' }).imageVersion).toBe('3.0');
    expect(() => MicrovmImage.fromImageArn(stack, 'Unknown', arn).imageVersion).toThrow(/MicrovmImage\.fromImageAttributes\(\)/);
  });

  test('take the name out of an ARN that only deployment knows', () => {
    const stack = stackOf();
    const parameter = new CfnParameter(stack, 'Arn');
    const image = MicrovmImage.fromImageArn(stack, 'Golden', parameter.valueAsString);
    expect(stack.resolve(image.imageName)).toEqual({ 'Fn::Select': [6, { 'Fn::Split': [':', { Ref: 'Arn' }] }] });
  });
});

test('values that only deployment knows pass every check', () => {
  const stack = stackOf({ env: ENV });
  const parameter = new CfnParameter(stack, 'Parameter').valueAsString;
  const number = new CfnParameter(stack, 'Number', { type: 'Number' }).valueAsNumber;
  imageIn(stack, {
    imageName: parameter,
    description: parameter,
    baseImage: MicrovmBaseImage.managed(parameter).pinned(parameter),
    memory: MicrovmMemory.of(Size.mebibytes(number)),
    hooks: MicrovmHooks.onPort(number, { ready: Duration.seconds(number), run: Duration.seconds(number) }),
    environment: { STAGE: parameter, LONG: Lazy.string({ produce: () => 'x' }) },
    egressConnector: MicrovmConnector.fromArn(parameter),
    logGroup: logs.LogGroup.fromLogGroupName(stack, 'Log', parameter),
    tags: { stage: parameter },
    code: MicrovmCode.fromBucket(s3.Bucket.fromBucketName(stack, 'Bucket', parameter), parameter),
  });
  const { Properties } = imageResource(stack);
  expect(Properties).toMatchObject({
    ImageName: { Ref: 'Parameter' },
    BaseImageVersion: { Ref: 'Parameter' },
    MinimumMemoryInMiB: { Ref: 'Number' },
    Hooks: { Port: { Ref: 'Number' }, ReadyTimeoutInSeconds: { Ref: 'Number' } },
    EgressNetworkConnectors: [{ Ref: 'Parameter' }],
  });
});

test('a stack in China has no ARN of another partition', () => {
  const stack = stackOf({ env: { account: '123456789012', region: 'cn-north-1' } }, { context: { 'cdk-lambda-microvms:additionalRegions': ['cn-north-1'] } });
  imageIn(stack, { egressConnector: MicrovmConnector.INTERNET_EGRESS }).grants.run(new iam.User(stack, 'User'));
  expect(JSON.stringify(Template.fromStack(stack).toJSON())).not.toContain('arn:aws:');
});

test('an organization can inject properties', () => {
  const app = new App({
    propertyInjectors: [{
      constructUniqueId: MicrovmImage.PROPERTY_INJECTION_ID,
      inject: (props: MicrovmImageProps) => ({ memory: MicrovmMemory.MIB_512, ...props }),
    }],
  });
  const stack = new Stack(app, 'Stack');
  imageIn(stack);
  expect(MicrovmImage.PROPERTY_INJECTION_ID).toBe('cdk-lambda-microvms.MicrovmImage');
  expect(imageResource(stack).Properties.MinimumMemoryInMiB).toBe(512);
});

test('an image is recognized, and nothing else is', () => {
  const stack = stackOf();
  expect(MicrovmImage.isMicrovmImage(imageIn(stack))).toBe(true);
  expect([stack, {}, null, undefined, 'x'].map((other) => MicrovmImage.isMicrovmImage(other))).toEqual([false, false, false, false, false]);
});

describe('warnings', () => {
  test('about a hook port that the Dockerfile does not expose', () => {
    const hooks = MicrovmHooks.onPort(7000, { ready: Duration.seconds(1) });
    const stack = stackOf();
    imageIn(stack, { hooks });
    expect(warnings(stack)).toEqual(['cdk-lambda-microvms:hookPortNotExposed']);
  });

  test('not when it does, and not when that cannot be told', () => {
    const stack = stackOf();
    imageIn(stack, { hooks: MicrovmHooks.onPort(9000, { ready: Duration.seconds(1) }) });
    imageIn(stack, {
      hooks: MicrovmHooks.onPort(7000, { ready: Duration.seconds(1) }),
      code: MicrovmCode.fromInline({ dockerfile: 'FROM scratch\nARG PORT\nEXPOSE $PORT' }),
    }, 'Variable');
    expect(warnings(stack)).toEqual([]);
  });

  test.each(['DB_PASSWORD', 'GITHUB_TOKEN', 'api_key', 'SECRET', 'STRIPE_SECRET_KEY'])('about %s, which looks like a secret', (key) => {
    const stack = stackOf();
    imageIn(stack, { environment: { [key]: 'x' } });
    expect(warnings(stack)).toEqual(['cdk-lambda-microvms:secretEnvironment']);
  });

  test.each(['DB_SECRET_ARN', 'MAX_TOKENS', 'TOKEN_COUNT', 'KEYBOARD', 'PASSWORD_FILE'])('not about %s, which names or counts one at most', (key) => {
    const stack = stackOf();
    imageIn(stack, { environment: { [key]: 'x' } });
    expect(warnings(stack)).toEqual([]);
  });

  test.each(['AWS_LAMBDA_LOG_LEVEL', 'AWS_DEFAULT_REGION', '_HANDLER'])('about %s, which Lambda functions reserve', (key) => {
    const stack = stackOf();
    imageIn(stack, { environment: { [key]: 'x' } });
    expect(warnings(stack)).toEqual(['cdk-lambda-microvms:reservedEnvironment']);
  });
});

test('what one image passes to a function is the exact version', () => {
  const stack = stackOf();
  const image = imageIn(stack);
  const fn = new lambda.Function(stack, 'Fn', { runtime: lambda.Runtime.NODEJS_24_X, handler: 'x', code: lambda.Code.fromInline('x') });
  fn.addEnvironment('IMAGE_VERSION', image.imageVersion);
  expect(Object.values(resources(stack, 'AWS::Lambda::Function')).find(({ Properties }) => Properties.Environment?.Variables.IMAGE_VERSION)!.Properties.Environment.Variables)
    .toEqual({ IMAGE_VERSION: att(stack.getLogicalId(image.node.defaultChild as CfnResource), 'ImageVersion') });
});
