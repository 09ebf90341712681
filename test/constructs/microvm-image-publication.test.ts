import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as ssm from 'aws-cdk-lib/aws-ssm';
import { CODE, ENV, imageIn, only, resources, stackOf, statementsOf, text, warnings } from './fixtures';
import {
  MicrovmImage, MicrovmImageChannel, MicrovmImagePublication, MicrovmImagePublicationProps, MicrovmLaunchProfile, MicrovmPublicationAttributes,
  MicrovmPublicationGrants, MicrovmSmokeTest,
} from '../../src';
import { CHANNEL_RESOURCE_TYPE, encodeRecord, PUBLICATION_RESOURCE_TYPE } from '../../src/custom-resources/microvm-image-publication/contract';
import { STACK_ID } from '../custom-resources/common/custom-resource';
import { ACCOUNT, DeployedTemplate, PARTITION, REGION } from '../iam/deployed-template';

const PARAMETERS = 'arn:<AWS::Partition>:ssm:<AWS::Region>:<AWS::AccountId>:parameter/microvm-images/agents';
/** In the account of `DeployedTemplate`. */
const PUBLISHED = `arn:${PARTITION}:lambda:${REGION}:${ACCOUNT}:microvm-image:agents-1f2e3d4c`;
const IMAGE = expect.stringMatching(/:microvm-image:Stack-[0-9a-f]{8}-Image-[0-9a-f]{8}$/);

function publicationIn(stack: Stack, props: Partial<MicrovmImagePublicationProps> = {}, id = 'Publication'): MicrovmImagePublication {
  return new MicrovmImagePublication(stack, id, { image: props.image ?? imageIn(stack), publicationName: 'agents', ...props });
}
/** The stack as CloudFormation reads it when a version of an image has been published. */
const deployed = (stack: Stack, version: string) => DeployedTemplate.of(stack, STACK_ID, {
  [`/microvm-images/agents/versions/${version}`]: encodeRecord({
    imageArn: PUBLISHED, version, baseImage: 'al2023-1:1', codeDigest: 'c0ffee', sourceRevision: 'a/b', builtAt: '2026-11-27T00:00:00Z', snapshots: [],
  }),
});
const handlerMay = (stack: Stack) => statementsOf(stack, 'LambdaMicrovmImagePublicationProviderIsCompleteRole');

describe('a publication', () => {
  test('publishes the version of this deployment, after its tests', () => {
    const stack = stackOf();
    const image = imageIn(stack);
    publicationIn(stack, { image, smokeTests: [new MicrovmSmokeTest(stack, 'SmokeTest', { image })], sourceRevision: 'c0ffee' });
    const { Properties, DependsOn } = only(stack, PUBLICATION_RESOURCE_TYPE);
    expect(text(Properties.ImageVersion)).toMatch(/^<Image\w+\.ImageVersion>$/);
    expect(Properties).toMatchObject({ Root: '/microvm-images/agents', Channels: ['candidate'], KeepRecords: 10, SourceRevision: 'c0ffee' });
    expect(DependsOn).toEqual(expect.arrayContaining([expect.stringMatching(/^SmokeTest[0-9A-F]{8}$/), expect.stringMatching(/^PublicationHandlerPolicy/)]));
    expect(warnings(stack)).toEqual([]);
  });

  test('lets the handler reach its parameters and its image, and nothing else', () => {
    const stack = stackOf();
    publicationIn(stack);
    expect(handlerMay(stack)).toEqual([
      { actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resources: [expect.stringMatching(/^<LambdaMicrovmImagePublicationProviderLogGroup\w+\.Arn>$/)] },
      { actions: ['ssm:GetParametersByPath'], resources: [PARAMETERS, `${PARAMETERS}/*`] },
      { actions: ['ssm:DeleteParameters', 'ssm:PutParameter'], resources: [`${PARAMETERS}/*`] },
      {
        actions: [
          'lambda:GetMicrovmImage', 'lambda:GetMicrovmImageBuild', 'lambda:GetMicrovmImageVersion', 'lambda:ListMicrovmImageBuilds',
          'lambda:ListTags', 'lambda:TagResource', 'lambda:UntagResource',
        ],
        resources: [IMAGE],
      },
    ]);
  });

  test('without a test says so', () => {
    const stack = stackOf();
    publicationIn(stack);
    expect(warnings(stack)).toEqual(['cdk-lambda-microvms:untestedPublication']);
  });

  test('tells the names of its parameters, and lets others read them', () => {
    const stack = stackOf();
    const publication = publicationIn(stack, { parameterPrefix: '/org/images' });
    expect([publication.channelParameterName('stable'), publication.recordParameterName('3.0')])
      .toEqual(['/org/images/agents/channels/stable', '/org/images/agents/versions/3.0']);
    const reader = new iam.Role(stack, 'Reader', { assumedBy: new iam.AccountRootPrincipal() });
    publication.grants.read(reader);
    const path = PARAMETERS.replace('/microvm-images', '/org/images');
    expect(statementsOf(stack, 'Reader')).toEqual([
      { actions: ['ssm:GetParameter', 'ssm:GetParameters', 'ssm:GetParametersByPath'], resources: [path, `${path}/*`] },
    ]);
  });

  test('keeps two tags of the image for itself', () => {
    const stack = stackOf();
    publicationIn(stack, { image: imageIn(stack, { tags: Object.fromEntries(Array.from({ length: 41 }, (_, index) => [`tag-${index}`, 'x'])) }) });
    expect(() => Template.fromStack(stack)).toThrow(/tags must be at most 40, got 41/);
  });

  test.each<[string, (stack: Stack) => unknown, RegExp]>([
    ['a name with a slash', (stack) => publicationIn(stack, { publicationName: 'a/b' }), /publicationName must be 1 to 64 letters.*got 'a\/b'/],
    ['a prefix without a slash', (stack) => publicationIn(stack, { parameterPrefix: 'images' }), /parameterPrefix must be a path.*got 'images'/],
    ['a prefix of AWS', (stack) => publicationIn(stack, { parameterPrefix: '/aws/images' }), /got '\/aws\/images'/],
    ['nine channels', (stack) => publicationIn(stack, { channels: Array.from({ length: 9 }, (_, index) => `c${index}`) }), /channels must be up to 8 different names, got 9/],
    ['a channel twice', (stack) => publicationIn(stack, { channels: ['a', 'a'] }), /different names, got 2: a, a/],
    ['a channel with a slash', (stack) => publicationIn(stack, { channels: ['a/b'] }), /channels must be 1 to 64 letters/],
    ['no record', (stack) => publicationIn(stack, { keepRecords: 0 }), /keepRecords must be a whole number from 1 to 20, got 0/],
    ['a description for a revision', (stack) => publicationIn(stack, { sourceRevision: 'x'.repeat(257) }), /sourceRevision must have at most 256 characters, got 257/],
    ['a second publication of an image', (stack) => {
      const { image } = publicationIn(stack);
      publicationIn(stack, { image, publicationName: 'other' }, 'Second');
    }, /image must have one publication, got a second one for 'Stack\/Image'/],
    ['a name twice', (stack) => {
      publicationIn(stack);
      publicationIn(stack, { image: imageIn(stack, {}, 'Other') }, 'Second');
    }, /publicationName must be unique in the account and region, got '\/microvm-images\/agents', which 'Stack\/Publication' has/],
    ['a test of another image', (stack) => publicationIn(stack, {
      smokeTests: [new MicrovmSmokeTest(stack, 'SmokeTest', { image: imageIn(stack, {}, 'Other') })],
    }), /smokeTests must be of the image that is published, 'Stack\/Image', got one of 'Stack\/Other'/],
    ['an image of another stack', (stack) => publicationIn(stack, {
      image: new MicrovmImage(new Stack(App.of(stack) as App, 'Other'), 'Image', { code: CODE }),
    }), /image must be in the stack of its publication 'Stack', got one of 'Other'/],
  ])('refuses %s', (_what, make, message) => {
    expect(() => make(stackOf())).toThrow(message);
  });
});

describe('a channel', () => {
  test('names a version, with the image its record tells', () => {
    const stack = stackOf();
    const channel = new MicrovmImageChannel(stack, 'Stable', { publicationName: 'agents', channel: 'stable', version: '3.0' });
    const { Properties, DependsOn } = only(stack, CHANNEL_RESOURCE_TYPE);
    expect(Properties).toMatchObject({ Root: '/microvm-images/agents', Channel: 'stable', ImageVersion: '3.0' });
    // Without it, the move would be denied at first, and so would the delete.
    expect(DependsOn).toContainEqual(expect.stringMatching(/^StableHandlerPolicy/));
    expect(deployed(stack, '3.0').all(CHANNEL_RESOURCE_TYPE)[0].ImageArn).toBe(PUBLISHED);
    expect(Object.values<any>(Template.fromStack(stack).findParameters('*'))).toContainEqual({ Type: 'AWS::SSM::Parameter::Value<String>', Default: '/microvm-images/agents/versions/3.0' });
    expect(stack.resolve(channel.imageVersion)).toEqual({ 'Fn::GetAtt': [expect.stringMatching(/^Stable/), 'ImageVersion'] });
  });

  test('may write one parameter, by a policy that is the same for every version once its record is read', () => {
    const [[policies, may], [others]] = ['3.0', '4.0'].map((version) => {
      const stack = stackOf();
      new MicrovmImageChannel(stack, 'Stable', { publicationName: 'agents', channel: 'stable', version });
      return [deployed(stack, version).all('AWS::IAM::Policy'), handlerMay(stack)] as const;
    });
    expect(others).toEqual(policies);
    expect(policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement)).toContainEqual({ Effect: 'Allow', Action: 'lambda:GetMicrovmImageVersion', Resource: PUBLISHED });
    expect(may.slice(1, 3)).toEqual([
      { actions: ['ssm:GetParameters'], resources: [`${PARAMETERS}/versions/*`, `${PARAMETERS}/channels/stable`] },
      { actions: ['ssm:DeleteParameters', 'ssm:PutParameter'], resources: [`${PARAMETERS}/channels/stable`] },
    ]);
  });

  test.each<[string, object, RegExp]>([
    ['a version without a dot', { version: '3' }, /imageVersion must have the form '3.0', got '3'/],
    ['a channel with a slash', { channel: 'a/b' }, /channel must be 1 to 64 letters/],
  ])('refuses %s', (_what, props, message) => {
    expect(() => new MicrovmImageChannel(stackOf(), 'Stable', { publicationName: 'agents', channel: 'stable', version: '3.0', ...props })).toThrow(message);
  });
});

describe('an image from a publication', () => {
  const consumed = (stack: Stack, attrs: Partial<MicrovmPublicationAttributes>) =>
    MicrovmImage.fromPublication(stack, 'Agents', { publicationName: 'agents', ...attrs });
  const launching = (stack: Stack, attrs: Partial<MicrovmPublicationAttributes>) => {
    const image = consumed(stack, attrs);
    const launcher = new iam.Role(stack, 'Launcher', { assumedBy: new iam.AccountRootPrincipal() });
    const profile = new MicrovmLaunchProfile(stack, 'Launch', { image });
    profile.grants.launcher(launcher);
    return { image, settings: JSON.stringify(stack.resolve(profile.toJson())) };
  };

  test('by channel: what the channel names when the stack is deployed', () => {
    const stack = stackOf();
    const { image, settings } = launching(stack, { channel: 'stable' });
    const list = { Ref: expect.stringContaining('microvmimagesagentschannelsstable') };
    expect(stack.resolve([image.imageArn, image.imageVersion])).toEqual([{ 'Fn::Select': [0, list] }, { 'Fn::Select': [1, list] }]);
    expect(Object.values<any>(Template.fromStack(stack).findParameters('*'))).toContainEqual({
      Type: 'AWS::SSM::Parameter::Value<List<String>>', Default: '/microvm-images/agents/channels/stable',
    });
    expect(settings).toContain('"Fn::Select"');
    expect(statementsOf(stack, 'Launcher').flatMap(({ actions }) => actions)).toEqual(expect.arrayContaining(['lambda:RunMicrovm', 'lambda:GetMicrovm']));
  });

  test('by version: the image its record names, also where the ARN is part of a JSON text', () => {
    const stack = stackOf();
    const image = consumed(stack, { version: '3.0' });
    expect(image.imageVersion).toBe('3.0');
    new MicrovmLaunchProfile(stack, 'Launch', { image }).toSsmParameter();
    new ssm.StringParameter(stack, 'Direct', { stringValue: image.imageArn });
    const [direct, settings] = deployed(stack, '3.0').all('AWS::SSM::Parameter').map(({ Value }) => Value).sort();
    expect(direct).toBe(PUBLISHED);
    expect(JSON.parse(settings)).toMatchObject({ imageIdentifier: PUBLISHED, imageVersion: '3.0' });
  });

  const arn = `arn:aws:lambda:${ENV.region}:${ENV.account}:microvm-image:agents-1`;
  const contextOf = (name: string, value: string) => ({
    context: { [`ssm:account=${ENV.account}:parameterName=/microvm-images/agents/${name}:region=${ENV.region}`]: value },
  });
  test.each([
    ['channel', { channel: 'stable' }, contextOf('channels/stable', `${arn},3.0,al2023-1:1,abc`)],
    ['version', { version: '3.0' }, contextOf('versions/3.0', JSON.stringify({ imageArn: arn, version: '3.0' }))],
  ])('pinned by %s: what the look-up found, in the template', (_what, attrs, app) => {
    const { image } = launching(stackOf({ env: ENV }, app), { ...attrs, pinAtSynth: true });
    expect([image.imageArn, image.imageVersion, image.imageName]).toEqual([arn, '3.0', 'agents-1']);
  });

  test('pinned, before the look-up: something that synthesizes, so that the CLI can look', () => {
    expect(() => launching(stackOf({ env: ENV }), { channel: 'stable', pinAtSynth: true })).not.toThrow();
  });

  test.each<[string, Partial<MicrovmPublicationAttributes>, RegExp, object?]>([
    ['neither channel nor version', {}, /either channel or version must be given, got neither/],
    ['both', { channel: 'a', version: '1.0' }, /got both, 'a' and '1.0'/],
    ['a parameter somebody else wrote', { channel: 'stable', pinAtSynth: true }, /must have been written by a MicrovmImagePublication, got 'hello'/, contextOf('channels/stable', 'hello')],
    ['a wrong version', { version: '3' }, /must have the form '3.0'/],
  ])('refuses %s', (_what, attrs, message, app = {}) => {
    expect(() => consumed(stackOf({ env: ENV }, app), attrs)).toThrow(message);
  });

  test('who reads the parameters at run time is given just that', () => {
    const stack = stackOf();
    const consumer = new iam.Role(stack, 'Consumer', { assumedBy: new iam.AccountRootPrincipal() });
    MicrovmPublicationGrants.fromPublicationName(stack, 'agents').read(consumer);
    expect(statementsOf(stack, 'Consumer').map(({ resources: [first] }) => first)).toEqual([PARAMETERS]);
    expect(Object.keys(resources(stack, 'AWS::Lambda::Function'))).toEqual([]);
  });
});
