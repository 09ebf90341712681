import { App, Duration, IPropertyInjector, PropertyInjectors, RemovalPolicy, Size, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks } from 'cdk-nag';
import * as fc from 'fast-check';
import { ENV, FLAGS, imageResource, only, resources, stackOf, statements, text, warnings } from './fixtures';
import { COPY, handedOver, SOURCE_BUCKET, sourceIn } from './image-sources';
import {
  BaseImageRefresh, MicrovmBaseImage, MicrovmConnector, MicrovmHooks, MicrovmImage, MicrovmImageDefinition, MicrovmImageEngine, MicrovmImageProps,
  MicrovmImagePublication, MicrovmImageReplica, MicrovmImageReplicaProps, MicrovmImageSource, MicrovmLaunchProfile, MicrovmMemory,
  MicrovmOsCapability, MicrovmSmokeTest,
} from '../../src';
import { encodeDocument } from '../../src/constructs/private/image-definition';
import { decodeProperties } from '../../src/custom-resources/microvm-image/contract';
import { desiredConfig } from '../../src/custom-resources/microvm-image/handler/config';
import { lintFindings, templateFile } from '../examples/clean-template';

const ELSEWHERE = { account: '210987654321', region: 'eu-west-1' };
const CONNECTOR = 'arn:aws:lambda:us-east-1:123456789012:network-connector:vpc';

/** The definition of a golden image of another account and region, as its file says. */
function definitionOf(image: Partial<MicrovmImageProps> = {}): MicrovmImageDefinition {
  const stack = stackOf({ env: ENV });
  sourceIn(stack, image);
  return handedOver(stack);
}

function replicaIn(stack: Stack, props: Partial<MicrovmImageReplicaProps> = {}): MicrovmImageReplica {
  return new MicrovmImageReplica(stack, 'Agents', { definition: props.definition ?? definitionOf(), ...props });
}

/** What the version would be built from, as the handler compares versions, without what belongs to an account or region. */
function builtFrom(stack: Stack) {
  const isIntrinsic = (value: any) => ['Fn::Join', 'Fn::GetAtt', 'Fn::Sub', 'Ref'].some((name) => value?.[name]);
  const properties = JSON.parse(JSON.stringify(imageResource(stack).Properties), (_key, value) => (isIntrinsic(value) ? text(value) : value));
  const { buildRoleArn: _role, logging: _logging, ...config } = desiredConfig(decodeProperties(properties));
  const { baseImageArn, codeArtifactUri, egressNetworkConnectors, ...rest } = config;
  return {
    ...rest,
    code: codeArtifactUri.split('/').pop(),
    baseImage: baseImageArn.split(':').pop(),
    egress: egressNetworkConnectors.map((arn) => arn.split(':').pop()),
  };
}

const imageSettings: fc.Arbitrary<Partial<MicrovmImageProps>> = fc.record({
  description: fc.constantFrom(undefined, 'agents'),
  baseImage: fc.constantFrom(undefined, MicrovmBaseImage.AL2023_1, MicrovmBaseImage.managed('al2027-1').pinned('3')),
  memory: fc.constantFrom(undefined, MicrovmMemory.MIB_512, MicrovmMemory.of(Size.gibibytes(8))),
  environment: fc.constantFrom<Record<string, string> | undefined>(undefined, {}, { STAGE: 'prod', EMPTY: '' }),
  additionalOsCapabilities: fc.constantFrom(undefined, [], [MicrovmOsCapability.ALL]),
  hooks: fc.constantFrom(undefined, MicrovmHooks.onPort(9000, { validate: Duration.hours(1) }), MicrovmHooks.onPort(8080, {
    ready: Duration.minutes(2), run: Duration.seconds(1), resume: Duration.seconds(2), suspend: Duration.seconds(3), terminate: Duration.minutes(1),
  })),
});

/** Everything a definition can hold. */
const EVERYTHING: Partial<MicrovmImageProps> = {
  description: 'agents',
  baseImage: MicrovmBaseImage.AL2023_1.pinned('1'),
  memory: MicrovmMemory.MIB_1024,
  environment: { STAGE: 'prod' },
  additionalOsCapabilities: [MicrovmOsCapability.ALL],
  hooks: MicrovmHooks.onPort(8080, {
    ready: Duration.seconds(1),
    validate: Duration.seconds(2),
    run: Duration.seconds(3),
    resume: Duration.seconds(4),
    suspend: Duration.seconds(5),
    terminate: Duration.seconds(6),
  }),
};

describe('a replica', () => {
  test('builds exactly what its publisher builds, whatever that is', () => {
    fc.assert(fc.property(imageSettings, (settings) => {
      const publisher = stackOf({ env: ENV });
      const source = sourceIn(publisher, settings);
      const consumer = stackOf({ env: ELSEWHERE });
      const replica = replicaIn(consumer, { definition: handedOver(publisher) });
      expect(builtFrom(consumer)).toEqual(builtFrom(publisher));
      expect([replica.codeDigest, replica.definitionDigest]).toEqual([source.definition.codeDigest, source.definition.definitionDigest]);
    }), { numRuns: 5, examples: [[EVERYTHING]] });
  });

  test('builds from its own copy, after it was made', () => {
    const stack = stackOf({ env: ELSEWHERE });
    const { codeDigest } = replicaIn(stack);
    const [[copyId, copy]] = Object.entries(resources(stack, COPY));
    expect(copy.Properties).toMatchObject({
      SourceBucketNames: [SOURCE_BUCKET], SourceObjectKeys: [`agents/${codeDigest}.zip`], Extract: false, Prune: false, DestinationBucketKeyPrefix: 'agents',
    });
    const { Properties, DependsOn } = imageResource(stack);
    expect(text(Properties.CodeArtifactUri)).toBe(`s3://${text(copy.Properties.DestinationBucketName)}/agents/${codeDigest}.zip`);
    expect(DependsOn).toContain(copyId);
  });

  test('is an image: tested, published, refreshed and launched like any other', () => {
    const stack = stackOf();
    const image = replicaIn(stack);
    const smokeTest = new MicrovmSmokeTest(stack, 'SmokeTest', { image });
    const publication = new MicrovmImagePublication(stack, 'Publication', { image, publicationName: 'agents', smokeTests: [smokeTest] });
    new BaseImageRefresh(stack, 'Refresh', { image, smokeTests: [smokeTest], publication });
    const launcher = new iam.Role(stack, 'Launcher', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
    new MicrovmLaunchProfile(stack, 'Launch', { image }).grants.launch(launcher);
    expect(MicrovmImage.isMicrovmImage(image)).toBe(true);
    expect(() => Template.fromStack(stack)).not.toThrow();
  });

  test('can be the source of further ones, with the same digest', () => {
    const definition = definitionOf({ memory: MicrovmMemory.MIB_4096 });
    const stack = stackOf({ env: ELSEWHERE });
    const publication = new MicrovmImagePublication(stack, 'Publication', { image: replicaIn(stack, { definition }), publicationName: 'agents-eu' });
    expect(new MicrovmImageSource(stack, 'Source', { publication }).definition.definitionDigest).toBe(definition.definitionDigest);
  });

  test('has its own name, tags, role and engine', () => {
    const stack = stackOf();
    replicaIn(stack, {
      definition: definitionOf({ baseImage: MicrovmBaseImage.AL2023_1.pinned('1') }),
      imageName: 'agents-eu',
      tags: { team: 'eu' },
      buildRole: new iam.Role(stack, 'Mine', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') }),
      engine: MicrovmImageEngine.cloudFormation(),
    });
    const image = only(stack, 'AWS::Lambda::MicrovmImage');
    expect(image.Properties).toMatchObject({ Name: 'agents-eu', BuildRoleArn: { 'Fn::GetAtt': [expect.stringMatching(/^Mine/), 'Arn'] } });
    expect(image.Properties.Tags).toContainEqual({ Key: 'team', Value: 'eu' });
    expect(image.DependsOn).toEqual(expect.arrayContaining(Object.keys(resources(stack, COPY))));
  });

  test('can have another way out than the publisher', () => {
    const stack = stackOf();
    const definition = definitionOf({ egressConnector: MicrovmConnector.fromArn(CONNECTOR) });
    expect(() => replicaIn(stack, { definition })).toThrow(/egressConnector must be given for 'Agents'.*no other account can use/);
    new MicrovmImageReplica(stack, 'Connected', { definition, egressConnector: MicrovmConnector.fromArn('arn:aws:lambda:eu-west-1:210987654321:network-connector:vpc') });
    expect(imageResource(stack).Properties.EgressNetworkConnectors).toEqual(['arn:aws:lambda:eu-west-1:210987654321:network-connector:vpc']);
  });

  test('in the app of the publisher needs no file', () => {
    const app = new App();
    const publisher = new Stack(app, 'Publisher', { env: ENV });
    const { definition } = sourceIn(publisher);
    const consumer = new Stack(app, 'Consumer', { env: ELSEWHERE });
    replicaIn(consumer, { definition });
    const bucketName = only(publisher, 'AWS::S3::Bucket').Properties.BucketName;
    expect(bucketName).toMatch(/^publisher[a-z]+bucket[0-9a-f]+$/);
    expect(Object.values(resources(consumer, COPY))[0].Properties.SourceBucketNames).toEqual([bucketName]);
  });

  test('takes what an organisation injects into images, and into replicas', () => {
    const injector = (constructUniqueId: string, tags: Record<string, string>): IPropertyInjector => ({
      constructUniqueId, inject: (props) => ({ ...props, tags: { ...props.tags, ...tags } }),
    });
    const stack = stackOf();
    PropertyInjectors.of(stack).add(
      injector(MicrovmImage.PROPERTY_INJECTION_ID, { owner: 'platform' }),
      injector(MicrovmImageReplica.PROPERTY_INJECTION_ID, { origin: 'agents' }),
    );
    replicaIn(stack);
    expect(imageResource(stack).Properties.Tags).toEqual({ owner: 'platform', origin: 'agents' });
  });

  test.each([
    ['of a known environment', ELSEWHERE, {}],
    ['of an unknown environment', undefined, {}],
    ['in a new app', undefined, FLAGS],
  ])('%s has no finding, and no warning', (_what, env, context) => {
    const stack = stackOf({ env }, { context });
    replicaIn(stack);
    expect(new AwsSolutionsChecks().validateScope(stack).violations.map(({ ruleName }) => ruleName)).toEqual([]);
    expect(warnings(stack)).toEqual([]);
  });
});

describe('the copy of a replica', () => {
  test('goes with the image, with all that is in it', () => {
    const stack = stackOf();
    replicaIn(stack);
    expect(only(stack, 'AWS::S3::Bucket').DeletionPolicy).toBe('Delete');
    expect(only(stack, 'Custom::S3AutoDeleteObjects').Properties.BucketName).toEqual({ Ref: Object.keys(resources(stack, 'AWS::S3::Bucket'))[0] });
  });

  test('stays when the image does', () => {
    const stack = stackOf();
    replicaIn(stack, { removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE });
    expect(only(stack, 'AWS::S3::Bucket').DeletionPolicy).toBe('RetainExceptOnCreate');
    expect(resources(stack, 'Custom::S3AutoDeleteObjects')).toEqual({});
  });

  test('is in a bucket of the user, and the build may decrypt it', () => {
    const stack = stackOf();
    const key = new kms.Key(stack, 'Key');
    replicaIn(stack, { bucket: new s3.Bucket(stack, 'Mine', { encryptionKey: key }) });
    const role = Object.entries(resources(stack, 'AWS::IAM::Policy')).find(([id]) => id.startsWith('AgentsBuildRole'))![1];
    expect(statements(role.Properties.PolicyDocument)).toContainEqual({ actions: ['kms:Decrypt'], resources: [expect.stringMatching(/^<Key\w+\.Arn>$/)] });
    expect(text(imageResource(stack).Properties.CodeArtifactUri)).toMatch(/^s3:\/\/<Mine\w+>\/agents\/[0-9a-f]{64}\.zip$/);
  });

  test('decrypts with the key of the publisher', () => {
    const stack = stackOf();
    const keyArn = 'arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab';
    const sourceBucket = s3.Bucket.fromBucketAttributes(stack, 'Publisher', { bucketName: SOURCE_BUCKET, encryptionKey: kms.Key.fromKeyArn(stack, 'Key', keyArn) });
    replicaIn(stack, { sourceBucket });
    const copier = Object.entries(resources(stack, 'AWS::IAM::Policy')).find(([id]) => id.startsWith('AgentsCodeCopyPolicy'))![1];
    expect(statements(copier.Properties.PolicyDocument)).toContainEqual({ actions: ['kms:Decrypt'], resources: [keyArn] });
  });
});

describe('a replica is refused', () => {
  const document = () => definitionOf()._document;
  const tampered = (change: object) => {
    const { definition, ...rest } = document();
    return MicrovmImageDefinition.fromJson(encodeDocument({ ...rest, definition: { ...definition, ...change } }));
  };
  test.each<[string, (stack: Stack) => unknown, RegExp]>([
    ['with a bucket of another region', (stack) => replicaIn(stack, { bucket: s3.Bucket.fromBucketAttributes(stack, 'Mine', { bucketName: 'mine', region: 'us-east-1' }) }),
      /code must be in a bucket of the image's region 'eu-west-1', got one of 'us-east-1'/],
    ['with an ingress connector', (stack) => replicaIn(stack, { egressConnector: MicrovmConnector.HTTP_INGRESS }), /egressConnector must be an egress connector/],
    ['whose definition names an ingress connector', (stack) => replicaIn(stack, { definition: tampered({ egressConnector: 'HTTP_INGRESS' }) }), /egressConnector must be an egress connector/],
    ['whose definition has another amount of memory', (stack) => replicaIn(stack, { definition: tampered({ memoryInMiB: 1536 }) }), /memory must be one of 512.*got 1536/],
    ['whose definition has an unknown capability', (stack) => replicaIn(stack, { definition: tampered({ additionalOsCapabilities: ['SYS_ADMIN'] }) }), /additionalOsCapabilities must be ALL/],
    ['whose definition has a hook that takes too long', (stack) => replicaIn(stack, { definition: tampered({ hooks: { port: 1, readySeconds: 3601 } }) }), /hook timeout 'ready'/],
    ['in a region without the service', () => replicaIn(stackOf({ env: { ...ELSEWHERE, region: 'eu-west-3' } })), /region 'eu-west-3' is not known to have Lambda MicroVMs/],
  ])('%s', (_what, make, message) => {
    expect(() => make(stackOf({ env: ELSEWHERE }))).toThrow(message);
  });
});

test('the templates of publisher and consumer satisfy cfn-lint', async () => {
  const app = new App();
  const publisher = new Stack(app, 'Publisher');
  sourceIn(publisher).grants.read(new iam.OrganizationPrincipal('o-1234567890'));
  const consumer = new Stack(app, 'Consumer');
  replicaIn(consumer);
  for (const stack of [publisher, consumer]) {
    expect(await lintFindings(templateFile(stack)) ?? '').toBe('');
  }
}, 180_000);
