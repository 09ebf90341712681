import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import { App, Aws, CfnParameter, Duration, Lazy, Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import * as ecr from 'aws-cdk-lib/aws-ecr';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks } from 'cdk-nag';
import { CODE, ENV, FLAGS, only, resources, stackOf, statements, text, warnings } from './fixtures';
import { COPY, handedOver, publicationIn, publishedFile, SOURCE_BUCKET, sourceIn } from './image-sources';
import {
  MicrovmBaseImage, MicrovmCode, MicrovmConnector, MicrovmHooks, MicrovmImageDefinition, MicrovmImageSource, MicrovmImageSourceGrants, MicrovmMemory,
  MicrovmOsCapability,
} from '../../src';
import { PUBLICATION_RESOURCE_TYPE } from '../../src/custom-resources/microvm-image-publication/contract';

const DIGEST = 'd'.repeat(64);
const CONNECTOR = 'arn:aws:lambda:us-east-1:123456789012:network-connector:vpc';

const copies = (stack: Stack) => Object.values(resources(stack, COPY)).map(({ Properties }) => Properties);

describe('a source', () => {
  test('is the code under its content hash, as CDK staged it', () => {
    const stack = stackOf();
    const source = sourceIn(stack);
    const [copy] = copies(stack).filter(({ Extract }) => !Extract);
    expect(copy).toMatchObject({ SourceObjectKeys: [`${source.definition.codeDigest}.zip`], DestinationBucketKeyPrefix: 'agents', Prune: false });
    expect(text(copy.SourceBucketNames[0])).toBe('cdk-hnb659fds-assets-<AWS::AccountId>-<AWS::Region>');
    expect(copy.RetainOnDelete).toBeUndefined();
  });

  test('and a file with all that a version is built from, and nothing of the account', () => {
    const stack = stackOf({ env: ENV });
    const source = sourceIn(stack, {
      imageName: 'golden',
      description: 'agents',
      baseImage: MicrovmBaseImage.AL2023_1.pinned('1'),
      memory: MicrovmMemory.MIB_4096,
      hooks: MicrovmHooks.onPort(9000, { ready: Duration.minutes(1), run: Duration.seconds(10) }),
      environment: { STAGE: 'prod' },
      additionalOsCapabilities: [MicrovmOsCapability.ALL],
      tags: { team: 'platform' },
    });
    expect(JSON.parse(publishedFile(stack))).toEqual({
      formatVersion: '1',
      publicationName: 'agents',
      bucketName: SOURCE_BUCKET,
      definitionDigest: source.definition.definitionDigest,
      definition: {
        codeDigest: source.definition.codeDigest,
        description: 'agents',
        baseImage: 'al2023-1',
        baseImageVersion: '1',
        memoryInMiB: 4096,
        egressConnector: 'INTERNET_EGRESS',
        additionalOsCapabilities: ['ALL'],
        environment: { STAGE: 'prod' },
        hooks: { port: 9000, readySeconds: 60, runSeconds: 10 },
      },
    });
    expect(publishedFile(stack)).not.toContain(ENV.account);
    expect(text(stack.resolve(source.definitionUrl))).toMatch(/^s3:\/\/<SourceBucket\w+>\/agents\/definition.json$/);
  });

  test('is read by its consumer as the publisher wrote it', () => {
    const stack = stackOf();
    const source = sourceIn(stack);
    const { publicationName, codeDigest, definitionDigest } = handedOver(stack);
    expect({ publicationName, codeDigest, definitionDigest }).toEqual({
      publicationName: 'agents', codeDigest: source.definition.codeDigest, definitionDigest: source.definition.definitionDigest,
    });
  });

  test('says that the way out is a connector of the account, not which', () => {
    const stack = stackOf();
    sourceIn(stack, { egressConnector: MicrovmConnector.fromArn(CONNECTOR) });
    expect(JSON.parse(publishedFile(stack)).definition).not.toHaveProperty('egressConnector');
  });

  test('is told of only when its version is published, and its code is there', () => {
    const stack = stackOf();
    sourceIn(stack);
    const all = resources(stack, COPY);
    const [[file], [code]] = [true, false].map((extract) => Object.keys(all).filter((id) => (all[id].Properties.Extract) === extract));
    const [publication] = Object.keys(resources(stack, PUBLICATION_RESOURCE_TYPE));
    expect(all[file].DependsOn).toEqual(expect.arrayContaining([code, publication]));
  });

  test('has the same digest in every account, region and stack, and whatever the order of the environment', () => {
    const digests = [{}, { env: ENV }, { env: { account: '210987654321', region: 'eu-west-1' }, stackName: 'other' }].map((props, index) => {
      const environment = index % 2 === 0 ? { A: '1', B: '2' } : { B: '2', A: '1' };
      return sourceIn(stackOf(props), { environment }).definition.definitionDigest;
    });
    expect(new Set(digests).size).toBe(1);
  });

  test('has the same digest wherever the code of the app lies', () => {
    const folders = ['one', 'two'].map((name) => {
      const folder = fs.mkdtempSync(path.join(os.tmpdir(), `microvm-source-${name}-`));
      fs.writeFileSync(path.join(folder, 'Dockerfile'), 'FROM public.ecr.aws/lambda/microvms:al2023-minimal\n');
      return folder;
    });
    const digests = folders.map((folder) => sourceIn(stackOf(), { code: MicrovmCode.fromAsset(folder) }).definition.definitionDigest);
    folders.forEach((folder) => fs.rmSync(folder, { recursive: true }));
    expect(digests[0]).toBe(digests[1]);
  });

  test('of a zip in a bucket is what its key says', () => {
    const stack = stackOf();
    const bucket = s3.Bucket.fromBucketName(stack, 'Releases', 'releases');
    const source = sourceIn(stack, { code: MicrovmCode.fromBucket(bucket, `agents/v1/${DIGEST}.zip`) });
    expect(source.definition.codeDigest).toBe(DIGEST);
    expect(copies(stack)[0]).toMatchObject({ SourceBucketNames: ['releases'], SourceObjectKeys: [`agents/v1/${DIGEST}.zip`] });
  });

  test.each([
    ['of a known environment', ENV, {}],
    ['of an unknown environment', undefined, {}],
    ['in a new app', undefined, FLAGS],
  ])('%s has no finding, and no warning', (_what, env, context) => {
    const stack = stackOf({ env }, { context });
    const source = sourceIn(stack, { code: MicrovmCode.fromInline({ dockerfile: 'FROM public.ecr.aws/lambda/microvms:al2023-minimal\n' }) });
    source.grants.read(new iam.OrganizationPrincipal('o-1234567890'));
    expect(new AwsSolutionsChecks().validateScope(stack).violations.map(({ ruleName }) => ruleName)).toEqual([]);
    expect(warnings(stack)).toEqual([]);
  });
});

describe('the bucket of a source', () => {
  test('is private, encrypted, versioned, and stays', () => {
    const stack = stackOf();
    sourceIn(stack);
    const bucket = only(stack, 'AWS::S3::Bucket');
    expect(bucket).toMatchObject({
      DeletionPolicy: 'Retain',
      Properties: {
        BucketEncryption: { ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }] },
        PublicAccessBlockConfiguration: { BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true },
        VersioningConfiguration: { Status: 'Enabled' },
      },
    });
    expect(only(stack, 'AWS::S3::BucketPolicy').Properties.PolicyDocument.Statement)
      .toEqual([expect.objectContaining({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } })]);
  });

  test('of the user takes the source too, with its key', () => {
    const stack = stackOf();
    const key = new kms.Key(stack, 'Key');
    const bucket = new s3.Bucket(stack, 'Mine', { encryptionKey: key });
    const source = sourceIn(stack, {}, { bucket });
    source.grants.read(new iam.AccountPrincipal('210987654321'));
    expect(copies(stack).map(({ DestinationBucketName }) => text(DestinationBucketName))).toEqual(Array(2).fill(expect.stringMatching(/^<Mine\w+>$/)));
    const keyPolicy = statements(only(stack, 'AWS::KMS::Key').Properties.KeyPolicy);
    expect(keyPolicy).toContainEqual({ actions: ['kms:Decrypt'], resources: ['*'] });
    const copier = Object.values(resources(stack, 'AWS::IAM::Policy')).flatMap(({ Properties }) => statements(Properties.PolicyDocument));
    expect(copier).toContainEqual({ actions: ['kms:Decrypt', 'kms:GenerateDataKey'], resources: [expect.stringMatching(/^<Key\w+\.Arn>$/)] });
  });

  test('which comes from elsewhere is not changed, and the warning says what it must allow', () => {
    const stack = stackOf();
    const source = sourceIn(stack, {}, { bucket: s3.Bucket.fromBucketName(stack, 'Elsewhere', 'elsewhere') });
    source.grants.read(new iam.OrganizationPrincipal('o-1234567890'));
    expect(warnings(stack)).toContain('cdk-lambda-microvms:importedSourceBucket');
    expect(Annotations.fromStack(stack).findWarning('*', Match.stringLikeRegexp("OrganizationPrincipal\\(o-1234567890\\) s3:GetObject on 'agents/\\*'"))).toHaveLength(1);
  });

  test('can be read by a role of the consumer that is told so by name', () => {
    const stack = stackOf();
    const role = new iam.Role(stack, 'Reader', { assumedBy: new iam.AccountRootPrincipal() });
    MicrovmImageSourceGrants.fromBucket(s3.Bucket.fromBucketName(stack, 'Elsewhere', 'elsewhere'), 'agents').read(role);
    expect(statements(only(stack, 'AWS::IAM::Policy').Properties.PolicyDocument))
      .toEqual([{ actions: ['s3:GetObject'], resources: ['arn:<AWS::Partition>:s3:::elsewhere/agents/*'] }]);
    expect(warnings(stack)).toEqual([]);
  });

  test.each<[string, iam.IGrantable]>([
    ['everybody', new iam.AnyPrincipal()],
    ['everybody, as a star', new iam.StarPrincipal()],
    ['everybody of an address', new iam.AnyPrincipal().withConditions({ IpAddress: { 'aws:SourceIp': '192.0.2.0/24' } })],
    ['everybody outside of an organisation', new iam.AnyPrincipal().withConditions({ StringNotEquals: { 'aws:PrincipalOrgID': 'o-1234567890' } })],
    ['everybody, among others', new iam.CompositePrincipal(new iam.AccountPrincipal('210987654321'), new iam.AnyPrincipal())],
  ])('is not opened to %s', (_who, grantee) => {
    expect(() => sourceIn(stackOf()).grants.read(grantee)).toThrow(/got everybody \('\*'\)/);
  });

  test.each<[string, iam.IGrantable]>([
    ['an organisation', new iam.OrganizationPrincipal('o-1234567890')],
    ['a unit of an organisation', new iam.AnyPrincipal().withConditions({ 'ForAnyValue:StringLike': { 'aws:PrincipalOrgPaths': 'o-1234567890/r-ab12/ou-ab12-1/*' } })],
    ['an account', new iam.AccountPrincipal('210987654321')],
    ['a role', new iam.ArnPrincipal('arn:aws:iam::210987654321:role/ci')],
  ])('is opened to %s', (_who, grantee) => {
    expect(sourceIn(stackOf()).grants.read(grantee).success).toBe(true);
  });
});

describe('a source is refused', () => {
  test.each<[string, (stack: Stack) => unknown, RegExp]>([
    ['in another stack than its publication', (stack) => new MicrovmImageSource(new Stack(App.of(stack) as App, 'Other'), 'Source', { publication: publicationIn(stack) }),
      /'Other', got one of 'Stack'/],
    ['of a container image in ECR', (stack) => sourceIn(stack, {
      code: MicrovmCode.fromEcrImage(ecr.Repository.fromRepositoryArn(stack, 'Repository', 'arn:aws:ecr:us-east-1:123456789012:repository/tools'), `sha256:${DIGEST}`),
    }), /repository\/tools/],
    ['of a zip that is not named after its content', (stack) => sourceIn(stack, { code: MicrovmCode.fromBucket(s3.Bucket.fromBucketName(stack, 'Releases', 'releases'), 'app.zip') }),
      /got 'app.zip'.*SHA-256/],
    ['of a zip whose name is not known', (stack) => sourceIn(stack, {
      code: MicrovmCode.fromBucket(s3.Bucket.fromBucketName(stack, 'Releases', 'releases'), new CfnParameter(stack, 'Key').valueAsString),
    }), /code must be named after its content/],
    ['with an environment of this deployment', (stack) => sourceIn(stack, { environment: { QUEUE: `arn:aws:sqs:us-east-1:${Aws.ACCOUNT_ID}:queue` } }),
      /environment must be known while synthesizing/],
    ['with a variable named by this deployment', (stack) => sourceIn(stack, { environment: { [new CfnParameter(stack, 'Name').valueAsString]: 'x' } }), /environment/],
    ['with a description of this deployment', (stack) => sourceIn(stack, { description: Lazy.string({ produce: () => 'x' }) }), /description/],
    ['with a hook port of this deployment', (stack) => sourceIn(stack, {
      hooks: MicrovmHooks.onPort(new CfnParameter(stack, 'Port', { type: 'Number' }).valueAsNumber, { ready: Duration.minutes(1) }),
    }), /hooks/],
    ['with a base image version of this deployment', (stack) => sourceIn(stack, { baseImage: MicrovmBaseImage.AL2023_1.pinned(new CfnParameter(stack, 'Base').valueAsString) }),
      /baseImageVersion/],
    ['under a name of this deployment', (stack) => new MicrovmImageSource(stack, 'Source', { publication: publicationIn(stack, {}, Aws.STACK_NAME) }),
      /publicationName/],
  ])('%s', (_what, make, message) => {
    expect(() => make(stackOf())).toThrow(message);
  });

  test('not for a private base image, but the warning says that no other account can build it', () => {
    const stack = stackOf();
    sourceIn(stack, { code: MicrovmCode.fromInline({ dockerfile: 'FROM 123456789012.dkr.ecr.us-east-1.amazonaws.com/tools:1 AS tools\nFROM scratch\nCOPY --from=tools /a /a\n' }) });
    expect(warnings(stack)).toContain('cdk-lambda-microvms:privateBaseInSource');
  });

  test('not for a private base image that no stage needs', () => {
    const stack = stackOf();
    sourceIn(stack, { code: MicrovmCode.fromInline({ dockerfile: 'FROM 123456789012.dkr.ecr.us-east-1.amazonaws.com/tools:1 AS tools\nFROM scratch\n' }) });
    expect(warnings(stack)).not.toContain('cdk-lambda-microvms:privateBaseInSource');
  });
});

describe('a definition', () => {
  const valid = (() => {
    const stack = stackOf();
    sourceIn(stack, { hooks: MicrovmHooks.onPort(9000, { ready: Duration.minutes(1) }) });
    return JSON.parse(publishedFile(stack));
  })();
  const changed = (change: (document: any) => void) => {
    const document = JSON.parse(JSON.stringify(valid));
    change(document);
    return JSON.stringify(document);
  };

  test('is read from a file', () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'microvm-definition-'));
    fs.writeFileSync(path.join(folder, 'agents.json'), JSON.stringify(valid));
    expect(MicrovmImageDefinition.fromFile(path.join(folder, 'agents.json')).definitionDigest).toBe(valid.definitionDigest);
    fs.writeFileSync(path.join(folder, 'agents.json'), 'x');
    expect(() => MicrovmImageDefinition.fromFile(path.join(folder, 'agents.json'))).toThrow(/agents\.json' must be the definition of an image, but it is no JSON/);
    expect(() => MicrovmImageDefinition.fromFile(path.join(folder, 'other.json'))).toThrow(/other\.json' is no file/);
    expect(() => MicrovmImageDefinition.fromFile(folder)).toThrow(/is no file/);
    fs.rmSync(folder, { recursive: true });
  });

  test.each<[string, string, RegExp]>([
    ['is no JSON', 'agents', /it is no JSON/],
    ['is no object', '[]', /expected an object/],
    ['is empty', 'null', /formatVersion is missing/],
    ['is of another format', changed((document) => { document.formatVersion = '2'; }), /formatVersion must be '1', got '2'; a newer release/],
    ['has no bucket', changed((document) => { delete document.bucketName; }), /bucketName is missing/],
    ['names a bucket with a wildcard', changed((document) => { document.bucketName = 'any*bucket'; }), /bucketName: expected the name of a bucket, got 'any\*bucket'/],
    ['has a wildcard for a name', changed((document) => { document.publicationName = '*'; }), /publicationName: expected 1 to 64 letters.*got '\*'/],
    ['has no definition', changed((document) => { delete document.definition; }), /codeDigest is missing/],
    ['has no code', changed((document) => { delete document.definition.codeDigest; }), /codeDigest is missing/],
    ['has another name for the code', changed((document) => { document.definition.codeDigest = 'latest'; }), /codeDigest: expected 64 hexadecimal digits, got 'latest'/],
    ['has no memory', changed((document) => { delete document.definition.memoryInMiB; }), /memoryInMiB is missing/],
    ['has a list for the environment', changed((document) => { document.definition.environment = ['A=1']; }), /environment: expected an object/],
    ['was changed by hand', changed((document) => { document.definition.memoryInMiB = 8192; }), /definitionDigest must be that of the definition, '[0-9a-f]{64}', got '[0-9a-f]{64}'; it was changed by hand/],
    ['has no digest', changed((document) => { delete document.definitionDigest; }), /definitionDigest is missing/],
    ['has a field of a newer release', changed((document) => { document.definition.gpu = 'one'; }), /definition\.gpu is not known; a newer release/],
    ['has a hook of a newer release', changed((document) => { document.definition.hooks.sleepSeconds = 1; }), /definition\.hooks\.sleepSeconds is not known/],
  ])('that %s is refused', (_what, json, message) => {
    expect(() => MicrovmImageDefinition.fromJson(json)).toThrow(message);
    expect(() => MicrovmImageDefinition.fromJson(json)).toThrow(/must be the definition of an image, but/);
  });
});

test('two sources of a stack are copied by one function', () => {
  const stack = stackOf();
  const publication = publicationIn(stack, { code: CODE });
  new MicrovmImageSource(stack, 'Source', { publication });
  new MicrovmImageSource(stack, 'Second', { publication });
  expect(Object.values(Template.fromStack(stack).findResources('AWS::Lambda::Function')).filter(({ Properties }) => Properties.Runtime.startsWith('python'))).toHaveLength(1);
});
