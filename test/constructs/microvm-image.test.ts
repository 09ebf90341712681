import { App, CfnParameter, CfnResource, Duration, Lazy, NestedStack, PhysicalName, RemovalPolicy, Size, Stack, Stage, Tags } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { DOCKERFILE, ENV, imageIn, imageResource, only, resources, stackOf, statementsOf, text, warnings } from './fixtures';
import {
  MicrovmBaseImage, MicrovmBuildRole, MicrovmCode, MicrovmConnector, MicrovmHooks, MicrovmImage, MicrovmImageEngine, MicrovmImageProps,
  MicrovmLogging, MicrovmMemory, MicrovmOsCapability, RunningMicrovms,
} from '../../src';
import { decodeProperties, RESOURCE_TYPE } from '../../src/custom-resources/microvm-image/contract';

const att = (logicalId: string, attribute: string) => ({ 'Fn::GetAtt': [logicalId, attribute] });
const nameOf = (image: MicrovmImage) => /microvm-image:(.*)$/.exec(image._policyArn)![1];

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

describe('names', () => {
  // Deployed images carry these names. A change here replaces every image of every user.
  test('generated names never change', () => {
    const app = new App();
    const plain = new Stack(app, 'Plain');
    const long = new Stack(app, 'Long', { stackName: 'a-stack-name-that-is-longer-than-the-limit' });
    const nested = new NestedStack(plain, 'Nested');
    const staged = new Stack(new Stage(app, 'Prod'), 'Plain');
    expect([
      imageIn(plain),
      imageIn(plain, {}, 'Second image, of two'),
      imageIn(new Construct(plain, 'A'), {}, 'AVeryLongConstructIdThatIsCut'),
      imageIn(long),
      imageIn(nested),
      imageIn(staged),
    ].map(nameOf)).toEqual([
      'Plain-fdc94bf7-Image-1aa4cb0b',
      'Plain-fdc94bf7-Second-image-of-two-51da4032',
      'Plain-fdc94bf7-A-AVeryLongConstructIdThatIsCut-f2f2f519',
      'a-stack-name-that-is-lon-91f85194-Image-1aa4cb0b',
      'Plain-84d28bbb-Image-1aa4cb0b',
      'Prod-Plain-17cdb57a-Image-1aa4cb0b',
    ]);
  });

  test('a generated name fits, whatever the ids are', () => {
    const stack = stackOf({ stackName: 'S'.repeat(128) });
    const image = imageIn(stack, {}, `${'ünïcödé '.repeat(30)}`);
    expect(nameOf(image)).toMatch(/^[a-zA-Z0-9-_]{1,64}$/);
  });

  test('the marker for a physical name that is generated when needed means a generated name', () => {
    expect(nameOf(imageIn(stackOf(), { imageName: PhysicalName.GENERATE_IF_NEEDED }))).toBe('Stack-c3923d3b-Image-1aa4cb0b');
  });

  test('attributes come from the deployed image', () => {
    const stack = stackOf();
    const image = imageIn(stack);
    const id = stack.getLogicalId(image.node.defaultChild as CfnResource);
    expect(stack.resolve([image.imageArn, image.imageName, image.imageVersion, image.baseImageVersion, image.microvmImageRef.imageArn])).toEqual([
      { Ref: id }, att(id, 'ImageName'), att(id, 'ImageVersion'), att(id, 'BaseImageVersion'), { Ref: id },
    ]);
  });
});

// CloudFormation deletes and builds anew what gets another logical id.
test('logical ids never change', () => {
  const stack = stackOf();
  imageIn(stack);
  expect(Object.keys(Template.fromStack(stack).toJSON().Resources).sort()).toEqual([
    'Image9D742C96',
    'ImageBuildRoleD5EA47B8',
    'ImageBuildRoleDefaultPolicy9AAC4CFE',
    'ImageLogGroup6EB105D4',
    'LambdaMicrovmImageProviderFrameworkOnEventRole3A93469F',
    'LambdaMicrovmImageProviderFrameworkOnEventRoleDefaultPolicyECB8A73B',
    'LambdaMicrovmImageProviderFrameworkWaiterRole0F767E4D',
    'LambdaMicrovmImageProviderFrameworkWaiterRoleDefaultPolicyBF5333F5',
    'LambdaMicrovmImageProviderFrameworkframeworkisComplete93697FCC',
    'LambdaMicrovmImageProviderFrameworkframeworkonEventA0EC1F6F',
    'LambdaMicrovmImageProviderFrameworkframeworkonTimeout6EA13103',
    'LambdaMicrovmImageProviderFrameworkwaiterstatemachineFF89FBC6',
    'LambdaMicrovmImageProviderFrameworkwaiterstatemachineRole61883330',
    'LambdaMicrovmImageProviderFrameworkwaiterstatemachineRoleDefaultPolicyC30717C2',
    'LambdaMicrovmImageProviderIsCompleteC55E3195',
    'LambdaMicrovmImageProviderIsCompleteRoleD362E635',
    'LambdaMicrovmImageProviderLogGroup8DBBEE84',
    'LambdaMicrovmImageProviderOnEventD69D7C08',
    'LambdaMicrovmImageProviderOnEventRole7908E78B',
  ]);
});

test('an image adds at most 4 resources, and 1 with a shared role and log group', () => {
  const count = (stack: Stack) => Object.keys(Template.fromStack(stack).toJSON().Resources).length;
  const stacks = [1, 2].map((images) => {
    const stack = stackOf();
    Array.from({ length: images }, (_, index) => imageIn(stack, {}, `Image${index}`));
    return stack;
  });
  expect(count(stacks[1]) - count(stacks[0])).toBe(4);

  const shared = [1, 2].map((images) => {
    const stack = stackOf();
    const buildRole = new MicrovmBuildRole(stack, 'Role');
    const logGroup = new logs.LogGroup(stack, 'Log');
    Array.from({ length: images }, (_, index) => imageIn(stack, { buildRole, logGroup }, `Image${index}`));
    return stack;
  });
  expect(count(shared[1]) - count(shared[0])).toBe(1);
});

describe('order', () => {
  const imageDependencies = (stack: Stack) => imageResource(stack).DependsOn ?? [];

  test('the policy of its own build role is in place before the image', () => {
    const stack = stackOf();
    imageIn(stack);
    expect(imageDependencies(stack)).toEqual([expect.stringMatching(/^ImageBuildRoleDefaultPolicy/)]);
  });

  test.each([
    ['a MicrovmBuildRole', (stack: Stack) => new MicrovmBuildRole(stack, 'Mine')],
    ['an iam.Role', (stack: Stack) => new iam.Role(stack, 'Mine', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') })],
  ])('so is the policy of %s that was brought', (_what, role) => {
    const stack = stackOf();
    imageIn(stack, { buildRole: role(stack) });
    expect(imageDependencies(stack)).toEqual([expect.stringMatching(/^MineDefaultPolicy/)]);
  });

  test('the log group comes before the image and goes after it', () => {
    const stack = stackOf();
    imageIn(stack);
    expect(imageResource(stack).Properties.Logging.LogGroup).toEqual({ Ref: Object.keys(resources(stack, 'AWS::Logs::LogGroup')).find((id) => id.startsWith('Image')) });
  });

  test('a role may be granted the image it builds, without a cycle', () => {
    const stack = stackOf();
    const image = imageIn(stack);
    image.grants.run(image.buildRole);
    expect(imageDependencies(stack)).toEqual([expect.stringMatching(/^ImageBuildRoleDefaultPolicy/)]);
    expect(statementsOf(stack, 'ImageBuildRole').find(({ actions }) => actions.includes('lambda:RunMicrovm'))!.resources)
      .toEqual(['arn:<AWS::Partition>:lambda:<AWS::Region>:<AWS::AccountId>:microvm-image:Stack-c3923d3b-Image-1aa4cb0b']);
  });
});

describe('the build role', () => {
  test('reads exactly its code and writes to exactly its log group', () => {
    const stack = stackOf();
    imageIn(stack, { imageName: 'one' });
    expect(statementsOf(stack, 'ImageBuildRole')).toEqual([
      {
        actions: ['s3:GetObject'],
        resources: [expect.stringMatching(/^arn:<AWS::Partition>:s3:::cdk-hnb659fds-assets-<AWS::AccountId>-<AWS::Region>\/[0-9a-f]{64}\.zip$/)],
      },
      {
        actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        resources: ['arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:log-group:/aws/lambda-microvms/one:*'],
      },
    ]);
  });

  test('may write no logs when logging is off', () => {
    const stack = stackOf();
    const image = imageIn(stack, { logging: MicrovmLogging.disabled() });
    expect(image.logGroup).toBeUndefined();
    expect(imageResource(stack).Properties.Logging).toEqual({ Disabled: true });
    expect(statementsOf(stack, 'ImageBuildRole').flatMap(({ actions }) => actions)).toEqual(['s3:GetObject']);
    expect(Object.keys(resources(stack, 'AWS::Logs::LogGroup'))).toEqual([expect.stringMatching(/^LambdaMicrovmImageProvider/)]);
  });

  test('that is imported is left alone, with a warning about what it must be allowed', () => {
    const stack = stackOf();
    imageIn(stack, { buildRole: iam.Role.fromRoleArn(stack, 'Imported', 'arn:aws:iam::123456789012:role/mine') });
    expect(Object.keys(resources(stack, 'AWS::IAM::Policy')).filter((id) => id.startsWith('Imported'))).toEqual([]);
    expect(warnings(stack)).toEqual(['cdk-lambda-microvms:importedBuildRole']);
    Annotations.fromStack(stack).hasWarning('/Stack/Image', Match.stringLikeRegexp(
      "'arn:aws:iam::123456789012:role/mine'.*sts:AssumeRole, sts:TagSession.*s3:GetObject on .*logs:CreateLogStream and logs:PutLogEvents on .*",
    ));
  });

  test('that takes no policies is left alone, with the same warning and nothing to wait for', () => {
    const stack = stackOf();
    const key = new kms.Key(stack, 'Key');
    imageIn(stack, {
      buildRole: new iam.Role(stack, 'Mine', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') }).withoutPolicyUpdates(),
      code: MicrovmCode.fromBucket(new s3.Bucket(stack, 'Bucket', { encryptionKey: key }), 'b.zip'),
    });
    expect(statementsOf(stack, 'Mine')).toEqual([]);
    expect(imageResource(stack).DependsOn).toBeUndefined();
    expect(warnings(stack)).toEqual(['cdk-lambda-microvms:importedBuildRole']);
    Annotations.fromStack(stack).hasWarning('/Stack/Image', Match.stringLikeRegexp('is not changed by this app.*s3:GetObject on .*b.zip'));
  });

  test('that is a plain role of this app is granted, without a warning', () => {
    const stack = stackOf();
    imageIn(stack, { buildRole: new iam.Role(stack, 'Mine', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') }) });
    expect(statementsOf(stack, 'Mine').map(({ actions }) => actions)).toEqual([['s3:GetObject'], ['logs:CreateLogStream', 'logs:PutLogEvents']]);
    expect(imageResource(stack).DependsOn).toEqual([expect.stringMatching(/^MineDefaultPolicy/)]);
    expect(warnings(stack)).toEqual([]);
  });

  test('of this app draws no warning', () => {
    const stack = stackOf();
    imageIn(stack, { buildRole: new MicrovmBuildRole(stack, 'Role') });
    expect(warnings(stack)).toEqual([]);
  });

  test('of another stack is granted there, and its stack is deployed first', () => {
    const app = new App();
    const roles = new Stack(app, 'Roles');
    const images = new Stack(app, 'Images');
    imageIn(images, { buildRole: new MicrovmBuildRole(roles, 'Mine') });
    expect(statementsOf(roles, 'Mine').map(({ actions }) => actions)).toEqual([['s3:GetObject'], ['logs:CreateLogStream', 'logs:PutLogEvents']]);
    expect(images.dependencies).toEqual([roles]);
  });
});

describe('the log group', () => {
  const group = (stack: Stack) => Object.entries(resources(stack, 'AWS::Logs::LogGroup')).find(([id]) => id.startsWith('ImageLogGroup'))![1];

  test('is named after the image, keeps a month and goes with the stack', () => {
    const stack = stackOf();
    imageIn(stack, { imageName: 'one' });
    expect(group(stack)).toEqual({
      Type: 'AWS::Logs::LogGroup',
      Properties: { LogGroupName: '/aws/lambda-microvms/one', RetentionInDays: 30 },
      DeletionPolicy: 'Delete',
      UpdateReplacePolicy: 'Delete',
    });
  });

  test('follows the options', () => {
    const stack = stackOf();
    const key = new kms.Key(stack, 'Key');
    imageIn(stack, {
      logging: MicrovmLogging.ownedLogGroup({ retention: logs.RetentionDays.ONE_DAY, removalPolicy: RemovalPolicy.RETAIN, encryptionKey: key }),
    });
    expect(group(stack)).toMatchObject({ Properties: { RetentionInDays: 1, KmsKeyId: { 'Fn::GetAtt': [expect.stringMatching(/^Key/), 'Arn'] } }, DeletionPolicy: 'Retain' });
  });

  test('of the user is used as it is', () => {
    const stack = stackOf();
    const mine = new logs.LogGroup(stack, 'Mine', { logGroupName: '/mine' });
    const image = imageIn(stack, { logGroup: mine });
    expect(image.logGroup).toBe(mine);
    expect(imageResource(stack).Properties.Logging).toEqual({ LogGroup: stack.resolve(mine.logGroupName) });
    expect(statementsOf(stack, 'ImageBuildRole')[1].resources).toEqual([expect.stringMatching(/:log-group:<Mine[0-9A-F]+>:\*$/)]);
    expect(Object.keys(resources(stack, 'AWS::Logs::LogGroup'))).toHaveLength(2);
  });
});

describe('removal', () => {
  test('deletes the image and its log group by default', () => {
    const stack = stackOf();
    imageIn(stack);
    expect(imageResource(stack)).toMatchObject({ DeletionPolicy: 'Delete', UpdateReplacePolicy: 'Delete' });
  });

  test('can keep them', () => {
    const stack = stackOf();
    imageIn(stack, { removalPolicy: RemovalPolicy.RETAIN });
    expect(imageResource(stack)).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
    expect(Object.entries(resources(stack, 'AWS::Logs::LogGroup')).find(([id]) => id.startsWith('Image'))![1]).toMatchObject({ DeletionPolicy: 'Retain' });
  });

  test('keeps the image but not the log group when told so', () => {
    const stack = stackOf();
    imageIn(stack, { removalPolicy: RemovalPolicy.RETAIN, logging: MicrovmLogging.ownedLogGroup({ removalPolicy: RemovalPolicy.DESTROY }) });
    expect(imageResource(stack).DeletionPolicy).toBe('Retain');
    expect(Object.entries(resources(stack, 'AWS::Logs::LogGroup')).find(([id]) => id.startsWith('Image'))![1].DeletionPolicy).toBe('Delete');
  });
});

describe('tags', () => {
  test('of the image and of its stack arrive, the nearer one first', () => {
    const stack = stackOf();
    const image = imageIn(stack, { tags: { team: 'a', kept: 'yes' } });
    Tags.of(stack).add('stage', 'prod');
    Tags.of(stack).add('team', 'b');
    Tags.of(image).add('team', 'c');
    expect(imageResource(stack).Properties.Tags).toEqual({ kept: 'yes', stage: 'prod', team: 'c' });
  });

  test('can be kept off by resource type', () => {
    const stack = stackOf();
    imageIn(stack);
    Tags.of(stack).add('stage', 'prod', { excludeResourceTypes: [RESOURCE_TYPE] });
    expect(imageResource(stack).Properties.Tags).toBeUndefined();
  });

  test.each(['microvm-cdk:owner', 'aws:x'])('with the reserved key %s fail the synth when they come from above', (key) => {
    const stack = stackOf();
    imageIn(stack);
    Tags.of(stack).add(key, 'x');
    expect(() => Template.fromStack(stack)).toThrow(`[Stack/Image] tag key '${key}' must not start with 'microvm-cdk:' or 'aws:', which are reserved; rename it`);
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
