import { Aspects, CfnOutput, Duration, RemovalPolicy, Stack, Tags } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import { CODE, imageIn, only, resources, statementsOf, stackOf, text } from './fixtures';
import {
  CloudFormationEngineOptions, MicrovmBaseImage, MicrovmCode, MicrovmHooks, MicrovmImageEngine, MicrovmImageProps, MicrovmLogging, MicrovmMemory,
  MicrovmOsCapability, RunningMicrovms,
} from '../../src';
import { UPKEEP_RESOURCE_TYPE } from '../../src/custom-resources/microvm-image/contract';

const TYPE = 'AWS::Lambda::MicrovmImage';
const pinned = MicrovmBaseImage.AL2023_1.pinned('1');
const THIS_STACK = { 'Fn::Select': [2, { 'Fn::Split': ['/', { Ref: 'AWS::StackId' }] }] };

function nativeIn(stack: Stack, props: Partial<MicrovmImageProps> = {}, options?: CloudFormationEngineOptions) {
  return imageIn(stack, { baseImage: pinned, engine: MicrovmImageEngine.cloudFormation(options), ...props });
}

/** The upkeep of the only image, made of some props. */
function upkeepOf(props: Partial<MicrovmImageProps>, options: CloudFormationEngineOptions = { keepVersions: 5 }): any {
  const stack = stackOf();
  nativeIn(stack, props, options);
  return only(stack, UPKEEP_RESOURCE_TYPE);
}

test('renders every setting of an image as CloudFormation knows it', () => {
  const stack = stackOf();
  const key = new kms.Key(stack, 'Key');
  nativeIn(stack, {
    imageName: 'golden',
    description: 'the golden one',
    memory: MicrovmMemory.MIB_4096,
    environment: { LEVEL: 'info', MODE: 'fast' },
    additionalOsCapabilities: [MicrovmOsCapability.ALL],
    hooks: MicrovmHooks.onPort(9000, { ready: Duration.minutes(5), resume: Duration.seconds(2) }),
    tags: { team: 'a' },
  }, { kmsKey: key });

  const { Properties } = only(stack, TYPE);
  expect(Properties).toEqual({
    Name: 'golden',
    Description: 'the golden one',
    BaseImageArn: { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':lambda:', { Ref: 'AWS::Region' }, ':aws:microvm-image:al2023-1']] },
    BaseImageVersion: '1',
    BuildRoleArn: { 'Fn::GetAtt': [expect.stringMatching(/^ImageBuildRole/), 'Arn'] },
    CodeArtifact: { Uri: expect.anything() },
    Logging: { CloudWatch: { LogGroup: { Ref: expect.stringMatching(/^ImageLogGroup/) } } },
    EgressNetworkConnectors: [expect.anything()],
    CpuConfigurations: [{ Architecture: 'ARM_64' }],
    Resources: [{ MinimumMemoryInMiB: 4096 }],
    AdditionalOsCapabilities: ['ALL'],
    Hooks: {
      Port: 9000,
      MicrovmImageHooks: { Ready: 'ENABLED', ReadyTimeoutInSeconds: 300, Validate: 'DISABLED' },
      MicrovmHooks: { Run: 'DISABLED', Resume: 'ENABLED', ResumeTimeoutInSeconds: 2, Suspend: 'DISABLED', Terminate: 'DISABLED' },
    },
    EnvironmentVariables: [{ Key: 'LEVEL', Value: 'info' }, { Key: 'MODE', Value: 'fast' }],
    KmsKeyIdentifier: { 'Fn::GetAtt': [expect.stringMatching(/^Key/), 'Arn'] },
    Tags: [{ Key: 'team', Value: 'a' }],
  });
});

test('renders what CloudFormation requires and the user leaves out, and logging that is off', () => {
  const stack = stackOf();
  nativeIn(stack, { logging: MicrovmLogging.disabled() });

  expect(only(stack, TYPE).Properties).toMatchObject({
    Description: '', Logging: { Disabled: true }, AdditionalOsCapabilities: [], EnvironmentVariables: [], Hooks: {},
  });
});

test('brings no function, and waits for the policy of the build role and for the log group', () => {
  const stack = stackOf();
  nativeIn(stack);

  expect(resources(stack, 'AWS::Lambda::Function')).toEqual({});
  expect(Object.keys(Template.fromStack(stack).toJSON().Resources).map((id) => id.replace(/[0-9A-F]{8}$/, '')).sort())
    .toEqual(['Image', 'ImageBuildRole', 'ImageBuildRoleDefaultPolicy', 'ImageLogGroup']);
  expect(only(stack, TYPE).DependsOn).toEqual([expect.stringMatching(/^ImageBuildRoleDefaultPolicy/)]);
});

test('has the attributes and the grants of any image', () => {
  const stack = stackOf();
  const image = nativeIn(stack);
  image.grants.read(new iam.Role(stack, 'Reader', { assumedBy: new iam.AccountRootPrincipal() }));
  const logicalId = Object.keys(resources(stack, TYPE))[0];

  expect(stack.resolve([image.imageArn, image.imageName, image.imageVersion, image.baseImageVersion])).toEqual([
    { Ref: logicalId },
    { 'Fn::Select': [6, { 'Fn::Split': [':', { Ref: logicalId }] }] },
    { 'Fn::GetAtt': [logicalId, 'LatestActiveImageVersion'] },
    '1',
  ]);
  expect(statementsOf(stack, 'Reader').map(({ actions }) => actions)).toContainEqual(expect.arrayContaining(['lambda:GetMicrovmImage']));
});

test('a version in another stack changes with the content, so that its consumers are updated', () => {
  const consumerOf = (code: MicrovmCode) => {
    const stack = stackOf();
    const other = new Stack(stack.node.root as any, 'Consumer');
    new CfnOutput(other, 'Version', { value: nativeIn(stack, { code }).imageVersion });
    return JSON.stringify(Template.fromStack(other).toJSON().Outputs);
  };
  expect(consumerOf(CODE)).not.toBe(consumerOf(MicrovmCode.fromInline({ dockerfile: 'FROM other\n' })));
  expect(consumerOf(CODE)).toBe(consumerOf(CODE));
  expect(consumerOf(CODE)).toContain('LatestActiveImageVersion');
});

test.each([['no base image', undefined], ['the newest one', MicrovmBaseImage.AL2023_1.newest({ refreshToken: 'may' })]])(
  'refuses %s, and names both ways out', (_what, baseImage) => {
    expect(() => nativeIn(stackOf(), { baseImage })).toThrow(
      /needs a pinned baseImage, got the newest; pin one, such as MicrovmBaseImage\.AL2023_1\.pinned\('1'\), or use MicrovmImageEngine\.custom\(\)/);
  });

test('has no limit on the size of its properties: no function is handed them', () => {
  const stack = stackOf();
  nativeIn(stack, { environment: Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`KEY${index}`, 'x'.repeat(4096)])) });
  expect(() => Template.fromStack(stack)).not.toThrow();
});

test('takes the tags of the app, and none under the key of the library', () => {
  const stack = stackOf();
  nativeIn(stack, { tags: { team: 'a' } }, { keepVersions: 5 });
  Tags.of(stack).add('cost', '1');
  expect(only(stack, TYPE).Properties.Tags).toEqual([
    { Key: 'cost', Value: '1' }, { Key: 'microvm-cdk:upkeep', Value: THIS_STACK }, { Key: 'team', Value: 'a' },
  ]);

  const other = stackOf();
  nativeIn(other, {}, { keepVersions: 5 });
  Tags.of(other).add('microvm-cdk:upkeep', 'mine');
  expect(() => Template.fromStack(other)).toThrow(/tag key 'microvm-cdk:upkeep' must not start with/);
});

describe('the upkeep', () => {
  test('comes only when it is asked for', () => {
    const upkeeps = (options?: CloudFormationEngineOptions) => {
      const stack = stackOf();
      nativeIn(stack, {}, options);
      return Object.values(resources(stack, UPKEEP_RESOURCE_TYPE)).length;
    };
    expect([undefined, { runningMicrovms: RunningMicrovms.FAIL }, { runningMicrovms: RunningMicrovms.TERMINATE }, { keepVersions: 3 }].map(upkeeps))
      .toEqual([0, 0, 1, 1]);
  });

  test('goes after the image on the way up, and knows what to do', () => {
    const { Properties, DependsOn } = upkeepOf({ imageName: 'golden' }, { keepVersions: 3, runningMicrovms: RunningMicrovms.TERMINATE });
    expect(DependsOn).toEqual([expect.stringMatching(/^Image[0-9A-F]{8}$/)]);
    expect(Properties).toEqual({
      ServiceToken: expect.anything(),
      ServiceTimeout: 3600,
      ImageName: 'golden',
      Content: expect.stringMatching(/^[0-9a-f]{16}$/),
      KeepVersions: 3,
      RunningMicrovms: 'TERMINATE',
    });
  });

  test('runs again when the image is built, and only then', () => {
    const content = (props: Partial<MicrovmImageProps>, options?: CloudFormationEngineOptions) => upkeepOf(props, options).Properties.Content;
    const before = content({});
    expect(content({ tags: { team: 'a' }, followLatest: true })).toBe(before);
    expect(content({ description: 'new' })).not.toBe(before);
    const keyed = (keyId: string) => content({}, {
      keepVersions: 5, kmsKey: kms.Key.fromKeyArn(new Stack(), 'Key', `arn:aws:kms:eu-west-1:123456789012:key/${keyId}`),
    });
    expect(new Set([keyed('a'), keyed('b'), content({}, { keepVersions: 5 })]).size).toBe(3);
    expect(content({ baseImage: MicrovmBaseImage.AL2023_1.pinned('2') })).not.toBe(before);
  });

  test.each([
    [RemovalPolicy.DESTROY, 'Delete'], [RemovalPolicy.RETAIN, 'Retain'], [RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE, 'RetainExceptOnCreate'],
  ])('stays with an image whose removal policy is %s', (removalPolicy, DeletionPolicy) => {
    expect(upkeepOf({ removalPolicy })).toMatchObject({ DeletionPolicy });
  });

  test('stays with an image whose removal policy was changed afterwards', () => {
    const stack = stackOf();
    const image = nativeIn(stack, {}, { keepVersions: 5 });
    Aspects.of(stack).add({ visit: (node) => (node === image ? image.applyRemovalPolicy(RemovalPolicy.RETAIN) : undefined) });
    expect(only(stack, UPKEEP_RESOURCE_TYPE)).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
  });

  test('lets the handler reach the images that carry the tag of its stack, and terminate MicroVMs only when asked to', () => {
    const stackWith = (options: CloudFormationEngineOptions) => {
      const stack = stackOf();
      nativeIn(stack, {}, options);
      return stack;
    };
    const tagged = (stack: Stack, action: string) => statementsOf(stack, 'LambdaMicrovmImageProviderIsCompleteRole')
      .filter(({ actions, condition }) => actions.includes(action) && condition?.StringEquals['aws:ResourceTag/microvm-cdk:upkeep'] !== undefined);
    const pruning = stackWith({ keepVersions: 5 });
    expect(tagged(pruning, 'lambda:DeleteMicrovmImageVersion')).toEqual([{
      actions: [
        'lambda:GetMicrovmImageBuild', 'lambda:ListMicrovmImageBuilds', 'lambda:ListMicrovmImageVersions', 'lambda:ListTags',
        'lambda:DeleteMicrovmImageVersion',
      ],
      resources: ['arn:<AWS::Partition>:lambda:<AWS::Region>:<AWS::AccountId>:microvm-image:*'],
      condition: { StringEquals: { 'aws:ResourceTag/microvm-cdk:upkeep': THIS_STACK } },
    }]);
    expect(tagged(pruning, 'lambda:TerminateMicrovm')).toEqual([]);
    expect(tagged(stackWith({ runningMicrovms: RunningMicrovms.TERMINATE }), 'lambda:TerminateMicrovm')).toHaveLength(1);
  });
});

test.each([1, 48, 2.5])('keepVersions must not be %s', (keepVersions) => {
  expect(() => MicrovmImageEngine.cloudFormation({ keepVersions })).toThrow(/keepVersions must be a whole number from 2 .* to 47, got/);
});

test('a key is passed on as it is', () => {
  const stack = stackOf();
  nativeIn(stack, {}, { kmsKey: kms.Key.fromKeyArn(stack, 'Key', 'arn:aws:kms:us-east-1:123456789012:key/abc') });
  expect(text(only(stack, TYPE).Properties.KmsKeyIdentifier)).toBe('arn:aws:kms:us-east-1:123456789012:key/abc');
});
