import { App, CfnResource, NestedStack, PhysicalName, RemovalPolicy, Stack, Stage, Tags } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { imageIn, imageResource, resources, stackOf, statementsOf, warnings } from './fixtures';
import { MicrovmBuildRole, MicrovmCode, MicrovmImage, MicrovmLogging } from '../../src';
import { RESOURCE_TYPE } from '../../src/custom-resources/microvm-image/contract';

const att = (logicalId: string, attribute: string) => ({ 'Fn::GetAtt': [logicalId, attribute] });
const nameOf = (image: MicrovmImage) => /microvm-image:(.*)$/.exec(image._policyArn)![1];

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
