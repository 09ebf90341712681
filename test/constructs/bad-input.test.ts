import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import { CfnParameter, Duration, Lazy, RemovalPolicy, Size, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { zipSync } from 'fflate';
import { CODE, ENV, imageIn, stackOf } from './fixtures';
import {
  ExecutionRole, MicrovmBaseImage, MicrovmBuildRole, MicrovmCode, MicrovmConnector, MicrovmHooks, MicrovmImage, MicrovmImageEngine,
  MicrovmImageProps, MicrovmLogging, MicrovmMemory, MicrovmOsCapability, NetworkConnectorPolicy,
} from '../../src';

let directory: string;
beforeAll(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'microvm-bad-input-'));
  fs.mkdirSync(path.join(directory, 'no-dockerfile'));
  fs.mkdirSync(path.join(directory, 'lower-case'));
  fs.writeFileSync(path.join(directory, 'lower-case', 'dockerfile'), 'FROM scratch');
  fs.mkdirSync(path.join(directory, 'x86'));
  fs.writeFileSync(path.join(directory, 'x86', 'Dockerfile'), 'FROM --platform=linux/amd64 node:24');
  fs.writeFileSync(path.join(directory, 'code.tar'), 'x');
  fs.writeFileSync(path.join(directory, 'text.zip'), 'this is no zip archive');
  fs.writeFileSync(path.join(directory, 'nested.zip'), zipSync({ 'app/Dockerfile': Buffer.from('FROM scratch') }));
  fs.writeFileSync(path.join(directory, 'x86.zip'), zipSync({ Dockerfile: Buffer.from('FROM amd64/node:24') }));
  fs.writeFileSync(path.join(directory, 'good.zip'), zipSync({ Dockerfile: Buffer.from('FROM scratch') }));
});
afterAll(() => fs.rmSync(directory, { recursive: true }));

const file = (name: string) => path.join(directory, name);
const image = (props: () => Partial<MicrovmImageProps>) => (stack: Stack) => {
  imageIn(stack, props());
};
const code = (text: string) => image(() => ({ code: MicrovmCode.fromInline({ dockerfile: text }) }));
const asset = (name: string) => image(() => ({ code: MicrovmCode.fromAsset(file(name)) }));
const hooks = (port: number, timeouts: object) => image(() => ({ hooks: MicrovmHooks.onPort(port, timeouts) }));
const numbered = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`KEY${index}`, 'x']));
const ready = { ready: Duration.seconds(1) };

/** What is wrong, how to write it, and what the message must tell: the property, the value and the limit. */
const WRONG: Array<[string, (stack: Stack) => void, string[]]> = [
  ['a name with a space', image(() => ({ imageName: 'my image' })), ['imageName', "'my image'", '1 to 64 letters']],
  ['a name of 65 characters', image(() => ({ imageName: 'a'.repeat(65) })), ['imageName', 'a'.repeat(65), '1 to 64']],
  ['an empty name', image(() => ({ imageName: '' })), ['imageName', "''", '1 to 64']],
  ['parentheses in the description', image(() => ({ description: 'sandbox (beta)' })), ['description', "'sandbox (beta)'", 'letters, digits, spaces', '"("']],
  ['a line break in the description', image(() => ({ description: 'one\ntwo' })), ['description', '"\\n"', 'letters, digits, spaces']],
  ['1.5 GiB of memory', image(() => ({ memory: MicrovmMemory.of(Size.mebibytes(1536)) })), ['memory', '1536 MiB', '512, 1024, 2048, 4096, 8192']],
  ['16 GiB of memory', image(() => ({ memory: MicrovmMemory.of(Size.gibibytes(16)) })), ['memory', '16384 MiB', '8192']],
  ['51 environment variables', image(() => ({ environment: numbered(51) })), ['environment', '51', 'at most 50']],
  ['an environment variable with a space', image(() => ({ environment: { 'MY KEY': 'x' } })), ['environment', "'MY KEY'", '1 to 256', 'whitespace']],
  ['an environment variable without a name', image(() => ({ environment: { '': 'x' } })), ['environment', "''", '1 to 256']],
  ['an environment variable name of 257 characters', image(() => ({ environment: { ['K'.repeat(257)]: 'x' } })), ['environment', 'KKK', '1 to 256']],
  ['an environment variable value of 4097 characters', image(() => ({ environment: { KEY: 'x'.repeat(4097) } })), ["'KEY'", '4097', 'at most 4096']],
  ['AWS_REGION in the environment', image(() => ({ environment: { AWS_REGION: 'us-east-1' } })), ['environment', "'AWS_REGION'", 'refuses']],
  ['an environment of more than 64 KB in all', image(() => ({ environment: Object.fromEntries(Object.keys(numbered(20)).map((key) => [key, 'x'.repeat(4000)])) })), ['properties', '65536 bytes', 'environment']],
  ['an ingress connector as egress', image(() => ({ egressConnector: MicrovmConnector.HTTP_INGRESS })), ['egressConnector', 'HTTP_INGRESS', 'must be an egress connector']],
  ['a connector by its bare name', image(() => ({ egressConnector: MicrovmConnector.fromArn('INTERNET_EGRESS') })), ['network connector ARN', "'INTERNET_EGRESS'", 'arn:<partition>:lambda:']],
  ['a connector ARN with a slash', image(() => ({ egressConnector: MicrovmConnector.fromArn('arn:aws:lambda:us-east-1:123456789012:network-connector/nc-1') })), ['network connector ARN', 'network-connector/nc-1', 'network-connector:<id>']],
  ['a connector for another compute type', (stack) => {
    const vpc = new ec2.Vpc(stack, 'Vpc', { natGateways: 0 });
    const connector = new lambda.NetworkConnector(stack, 'Connector', {
      configuration: lambda.NetworkConnectorConfiguration.vpcEgress({
        vpc,
        vpcSubnets: { subnetType: ec2.SubnetType.PUBLIC },
        computeType: lambda.NetworkConnectorComputeType.WEB_FUNCTION,
        securityGroups: [new ec2.SecurityGroup(stack, 'Group', { vpc })],
      }),
    });
    imageIn(stack, { egressConnector: MicrovmConnector.fromNetworkConnector(connector) });
  }, ['network connector', "'WebFunction'", "'MicroVm'"]],
  ['hooks on port 0', hooks(0, ready), ['hook port', 'got 0', '1 to 65535']],
  ['hooks on port 65536', hooks(65536, ready), ['hook port', 'got 65536', '1 to 65535']],
  ['hooks on half a port', hooks(80.5, ready), ['hook port', 'got 80.5', 'whole number']],
  ['hooks without a hook', hooks(9000, {}), ['hooks', 'got none', 'at least 1']],
  ['a hook of running MicroVMs without ready', hooks(9000, { run: Duration.seconds(1) }), ["'ready'", 'got only run', 'run, resume, suspend, terminate']],
  ['the terminate hook without ready', hooks(9000, { terminate: Duration.seconds(1) }), ["'ready'", 'got only terminate', 'add ready']],
  ['the suspend and resume hooks without ready', hooks(9000, { suspend: Duration.seconds(1), resume: Duration.seconds(1) }), ["'ready'", 'got only suspend, resume', 'add ready']],
  ['a validate timeout of more than an hour', hooks(9000, { validate: Duration.seconds(3601) }), ["'validate'", '1 hour 1 second', '1 to 3600']],
  ['a terminate timeout of more than a minute', hooks(9000, { ...ready, terminate: Duration.seconds(61) }), ["'terminate'", '1 minute 1 second', '1 to 60']],
  ['a ready timeout of more than an hour', hooks(9000, { ready: Duration.seconds(3601) }), ["'ready'", '1 hour 1 second', '1 to 3600']],
  ['a run timeout of more than a minute', hooks(9000, { ...ready, run: Duration.seconds(61) }), ["'run'", '1 minute 1 second', '1 to 60']],
  ['a suspend timeout of nothing', hooks(9000, { ...ready, suspend: Duration.seconds(0) }), ["'suspend'", '0 seconds', '1 to 60']],
  ['a timeout of half a second', hooks(9000, { ready: Duration.millis(500) }), ["'ready'", '500 millis', 'whole number of seconds']],
  ['the base version as the service writes it', image(() => ({ baseImage: MicrovmBaseImage.AL2023_1.pinned('1.0') })), ['base image version', "'1.0'", "use '1'"]],
  ['a base version called latest', image(() => ({ baseImage: MicrovmBaseImage.AL2023_1.pinned('latest') })), ['base image version', "'latest'", 'whole number']],
  ['a base image by its ARN', image(() => ({ baseImage: MicrovmBaseImage.managed('arn:aws:lambda:us-east-1:aws:microvm-image:al2023-1') })), ['base image name', 'arn:aws', '1 to 64']],
  ['an empty refresh token', image(() => ({ baseImage: MicrovmBaseImage.AL2023_1.newest({ refreshToken: '' }) })), ['refreshToken', "''", 'at least 1']],
  ['code that does not exist', asset('nowhere'), ['code', 'nowhere', 'does not exist']],
  ['a directory without a Dockerfile', asset('no-dockerfile'), ['code', 'no-dockerfile', "'Dockerfile' at its root"]],
  ['a Dockerfile in lower case', asset('lower-case'), ['code', 'lower-case', "named 'Dockerfile'"]],
  ['an archive that is no zip', asset('code.tar'), ['code', 'code.tar', "'.zip'"]],
  ['a file that only says it is a zip', asset('text.zip'), ['code', 'text.zip', 'central directory']],
  ['a zip with the Dockerfile in a folder', asset('nested.zip'), ['code', 'nested.zip', 'at its root']],
  ['a zip for x86', asset('x86.zip'), ['Dockerfile', "'amd64/node:24'", 'linux/arm64']],
  ['exclude patterns for a zip', image(() => ({ code: MicrovmCode.fromAsset(file('good.zip'), { exclude: ['x'] }) })), ['exclude', 'good.zip', 'are for directories']],
  ['a directory for x86', asset('x86'), ['Dockerfile', "'--platform=linux/amd64'", 'linux/arm64']],
  ['a tag for x86', code('FROM public.ecr.aws/lambda/nodejs:24-x86_64'), ['Dockerfile', '24-x86_64', 'linux/arm64']],
  ['a last stage built on a stage for x86', code('FROM --platform=linux/amd64 a AS base\nFROM base'), ['Dockerfile', '--platform=linux/amd64', 'linux/arm64']],
  ['a Dockerfile without FROM', code('RUN true'), ['Dockerfile', 'got none', 'FROM']],
  ['a Dockerfile that only deployment knows', (stack) => imageIn(stack, { code: MicrovmCode.fromInline({ dockerfile: new CfnParameter(stack, 'P').valueAsString }) }), ['inline code', "'Dockerfile'", 'while synthesizing']],
  ['a file outside of the code', image(() => ({ code: MicrovmCode.fromInline({ dockerfile: 'FROM a', files: { '../x': '' } }) })), ['files', "'../x'", 'inside the code']],
  ['a second Dockerfile', image(() => ({ code: MicrovmCode.fromInline({ dockerfile: 'FROM a', files: { './Dockerfile': '' } }) })), ['files', "'./Dockerfile'", "other than 'Dockerfile'"]],
  ['a wildcard in a key', (stack) => imageIn(stack, { code: MicrovmCode.fromBucket(s3.Bucket.fromBucketName(stack, 'B', 'bucket'), 'code/*.zip') }), ['key', "'code/*.zip'", "without whitespace, '*' and '?'"]],
  ['a question mark in a key', (stack) => imageIn(stack, { code: MicrovmCode.fromBucket(s3.Bucket.fromBucketName(stack, 'B', 'bucket'), 'code?.zip') }), ['key', "'code?.zip'", "'?'"]],
  ['an empty key', (stack) => imageIn(stack, { code: MicrovmCode.fromBucket(s3.Bucket.fromBucketName(stack, 'B', 'bucket'), '') }), ['key', "''", '1 to 1024']],
  ['a log group with a space', (stack) => imageIn(stack, { logGroup: logs.LogGroup.fromLogGroupName(stack, 'L', 'my logs') }), ['logGroup', "'my logs'", '1 to 512']],
  ['a log group and logging', (stack) => imageIn(stack, { logGroup: new logs.LogGroup(stack, 'L'), logging: MicrovmLogging.disabled() }), ['logGroup', 'logging', 'not both']],
  ['a log stream with a colon', image(() => ({ logging: MicrovmLogging.ownedLogGroup({ logStream: 'a:b' }) })), ['logStream', "'a:b'", '1 to 512']],
  ['a log stream of 513 characters', image(() => ({ logging: MicrovmLogging.ownedLogGroup({ logStream: 's'.repeat(513) }) })), ['logStream', 'sss', '1 to 512']],
  ['a tag key of 129 characters', image(() => ({ tags: { ['k'.repeat(129)]: 'x' } })), ['tag key', 'kkk', '1 to 128']],
  ['43 tags', image(() => ({ tags: numbered(43) })), ['tags', '43', 'at most 42']],
  ['a tag of the library', image(() => ({ tags: { 'microvm-cdk:owner': 'x' } })), ['tag key', "'microvm-cdk:owner'", 'reserved']],
  ['a tag of AWS', image(() => ({ tags: { 'AWS:x': 'y' } })), ['tag key', "'AWS:x'", 'reserved']],
  ['a tag value of 257 characters', image(() => ({ tags: { team: 'x'.repeat(257) } })), ["tag 'team'", 'xxx', 'at most 256']],
  ['a tag value with a comma', image(() => ({ tags: { team: 'a,b' } })), ["tag 'team'", "'a,b'", 'letters, digits, spaces']],
  ['a snapshot on removal', image(() => ({ removalPolicy: RemovalPolicy.SNAPSHOT })), ['removalPolicy', "'snapshot'", 'DESTROY, RETAIN']],
  ['one version to keep', image(() => ({ engine: MicrovmImageEngine.custom({ keepVersions: 1 }) })), ['keepVersions', '2 (', '47', 'got 1']],
  ['48 versions to keep', image(() => ({ engine: MicrovmImageEngine.custom({ keepVersions: 48 }) })), ['keepVersions', '47', 'got 48']],
  ['two and a half versions to keep', image(() => ({ engine: MicrovmImageEngine.custom({ keepVersions: 2.5 }) })), ['keepVersions', 'whole number', '2.5']],
  ['a build timeout of 59 seconds', image(() => ({ engine: MicrovmImageEngine.custom({ buildTimeout: Duration.seconds(59) }) })), ['buildTimeout', '1 to 55 minutes', '59 seconds']],
  ['a build timeout of 55 minutes and a second', image(() => ({ engine: MicrovmImageEngine.custom({ buildTimeout: Duration.seconds(3301) }) })), ['buildTimeout', '1 to 55 minutes', '55 minutes 1 second']],
  ['a build timeout of an hour', image(() => ({ engine: MicrovmImageEngine.custom({ buildTimeout: Duration.hours(1) }) })), ['buildTimeout', '1 to 55 minutes', '1 hour']],
  ['a build timeout in fractions of a second', image(() => ({ engine: MicrovmImageEngine.custom({ buildTimeout: Duration.millis(60_500) }) })), ['buildTimeout', 'whole seconds']],
  ['an adoption without a name', (stack) => imageIn(stack, { logGroup: new logs.LogGroup(stack, 'L'), engine: MicrovmImageEngine.custom({ adopt: true }) }), ['adopt', 'imageName']],
  ['an adoption with a log group of its own', image(() => ({ imageName: 'golden', engine: MicrovmImageEngine.custom({ adopt: true }) })), ['adopt', 'logGroup']],
  ['an image ARN with a slash', (stack) => MicrovmImage.fromImageArn(stack, 'I', 'arn:aws:lambda:us-east-1:123456789012:microvm-image/x'), ['imageArn', 'microvm-image/x', 'microvm-image:<name>']],
  ['an image version without its minor part', (stack) => MicrovmImage.fromImageAttributes(stack, 'I', { imageArn: 'arn:aws:lambda:us-east-1:123456789012:microvm-image:x', imageVersion: '3' }), ['imageVersion', "'3'", "'3.0'"]],
  ['a build role for no image', (stack) => new MicrovmBuildRole(stack, 'R', { sourceImageNames: [] }), ['sourceImageNames', '[]', 'at least 1', 'leave it out']],
  ['an execution role for no image', (stack) => new ExecutionRole(stack, 'R', { sourceImages: [] }), ['sourceImages', '[]', 'at least 1', 'leave it out']],
  ['a build role for an image name with a space', (stack) => new MicrovmBuildRole(stack, 'R', { sourceImageNames: ['a b'] }), ['sourceImageNames', "'a b'", '1 to 64']],
  ['a connector policy of nothing', (stack) => new NetworkConnectorPolicy(stack, 'P', {}), ['connectors', 'got 0', 'at least 1']],
  ['a connector policy of one and any', (stack) => new NetworkConnectorPolicy(stack, 'P', { anyConnector: true, connectors: [MicrovmConnector.NO_INGRESS] }), ['connectors', 'got 1', 'not both']],
  ['a grant to launch without connectors', (stack) => {
    const one = imageIn(stack);
    one.grants.run(one.buildRole, { connectors: [] });
  }, ['connectors', 'got 0', 'at least 1']],
  ['a grant to launch with every ingress and one more', (stack) => {
    const one = imageIn(stack);
    one.grants.run(one.buildRole, { connectors: [MicrovmConnector.ALL_INGRESS, MicrovmConnector.SHELL_INGRESS, MicrovmConnector.INTERNET_EGRESS] });
  }, ['connectors', 'ALL_INGRESS', 'got 3', '2 of them ingress', 'remove']],
  ['a name twice', (stack) => {
    imageIn(stack, { imageName: 'golden' }, 'One');
    imageIn(stack, { imageName: 'golden' }, 'Two');
  }, ['imageName', "'golden'", "'Stack/One'", 'unique', 'rename']],
  ['a bucket of another region', () => {
    const stack = stackOf({ env: ENV });
    const bucket = s3.Bucket.fromBucketAttributes(stack, 'B', { bucketName: 'bucket', region: 'eu-west-1' });
    imageIn(stack, { code: MicrovmCode.fromBucket(bucket, 'code.zip') });
  }, ['code', "'us-east-1'", "'eu-west-1'", 'copy the zip']],
  ['a policy variable in a key', (stack) => imageIn(stack, { code: MicrovmCode.fromBucket(s3.Bucket.fromBucketName(stack, 'B', 'bucket'), 'a${x}.zip') }), ['key', "'a${x}.zip'", "'${'", 'rename']],
  ['a slash before a key', (stack) => imageIn(stack, { code: MicrovmCode.fromBucket(s3.Bucket.fromBucketName(stack, 'B', 'bucket'), '/a.zip') }), ['key', "'/a.zip'", "'/' at its start", 'rename']],
  ['a connector of another region', () => imageIn(stackOf({ env: ENV }), {
    egressConnector: MicrovmConnector.fromArn('arn:aws:lambda:eu-west-1:123456789012:network-connector:nc-1'),
  }), ['egressConnector', "'us-east-1'", 'eu-west-1', 'make a connector']],
  ['a capability twice', image(() => ({ additionalOsCapabilities: [MicrovmOsCapability.ALL, MicrovmOsCapability.ALL] })), ['additionalOsCapabilities', "'ALL', 'ALL'", 'at most once', 'remove']],
  ['a capability that there is not', image(() => ({ additionalOsCapabilities: ['SYS_ADMIN' as any] })), ['additionalOsCapabilities', "'SYS_ADMIN'", 'must be ALL', 'remove']],
  ['an environment variable that is not set', image(() => ({ environment: { KEY: undefined! } })), ["environment variable 'KEY'", 'undefined', 'a string', 'leave it out']],
  ['a tag that is not set', image(() => ({ tags: { team: undefined! } })), ["tag 'team'", 'undefined', 'a string', 'leave the tag out']],
  ['no code', image(() => ({ code: undefined })), ['code must be', 'undefined', 'MicrovmCode.fromAsset()']],
  ['code as a path', image(() => ({ code: 'image' as any })), ['code must be', "'image'", 'MicrovmCode.fromAsset()']],
  ['memory as a number', image(() => ({ memory: 2048 as any })), ['memory must be', '2048', 'MicrovmMemory.of()']],
  ['memory as a size', image(() => ({ memory: Size.gibibytes(2) as any })), ['memory must be', 'another object', 'MicrovmMemory.of()']],
  ['hooks as an object', image(() => ({ hooks: { port: 9000 } as any })), ['hooks must be', 'another object', 'MicrovmHooks.onPort()']],
  ['a base image as a name', image(() => ({ baseImage: 'al2023-1' as any })), ['baseImage must be', "'al2023-1'", 'MicrovmBaseImage.AL2023_1']],
  ['a connector as an ARN', image(() => ({ egressConnector: 'arn:x' as any })), ['egressConnector must be', "'arn:x'", 'MicrovmConnector']],
  ['logging as a word', image(() => ({ logging: false as any })), ['logging must be', 'false', 'MicrovmLogging.ownedLogGroup()']],
  ['an engine as a word', image(() => ({ engine: 'custom' as any })), ['engine must be', "'custom'", 'MicrovmImageEngine.custom()']],
  ['a file that is a folder, too', image(() => ({ code: MicrovmCode.fromInline({ dockerfile: 'FROM a', files: { 'a': '', 'a/b': '' } }) })), ['files', "'a' and 'a/b'", 'rename']],
  ['a folder called Dockerfile', image(() => ({ code: MicrovmCode.fromInline({ dockerfile: 'FROM a', files: { 'Dockerfile/x': '' } }) })), ['files', "'Dockerfile' and 'Dockerfile/x'", 'rename']],
  ['a file twice', image(() => ({ code: MicrovmCode.fromInline({ dockerfile: 'FROM a', files: { 'a': '', './a': '' } }) })), ['files', "'a' and './a'", 'rename']],
  ['a folder as a file', image(() => ({ code: MicrovmCode.fromInline({ dockerfile: 'FROM a', files: { 'a/': '' } }) })), ['files', "'a/'", 'relative paths']],
  ['a file without content', image(() => ({ code: MicrovmCode.fromInline({ dockerfile: 'FROM a', files: { a: undefined! } }) })), ['inline code', "'a' is undefined", 'a string']],
];

test.each(WRONG)('%s fails the synth and says so', (_what, make, parts) => {
  const stack = stackOf();
  let message = '';
  try {
    make(stack);
    Template.fromStack(stack);
  } catch (error) {
    message = (error as Error).message;
  }
  for (const part of parts) {
    expect(message).toContain(part);
  }
  // One line that fits into a terminal; the place comes with the error itself.
  expect(message.split('\n').filter((line) => line.trim() !== '').length).toBeLessThanOrEqual(2);
});

test('an error of a property carries the path of its construct', () => {
  const stack = stackOf();
  let error: any;
  try {
    imageIn(stack, { imageName: 'my image' });
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toMatchObject({ constructPath: 'Stack/Image', type: 'validation' });
});

describe('regions', () => {
  const inRegion = (region: string, context = {}) => stackOf({ env: { account: '123456789012', region } }, { context });

  test('without the service fail the synth', () => {
    expect(() => imageIn(inRegion('sa-east-1'))).toThrow(/region 'sa-east-1' is not known to have Lambda MicroVMs.*cdk-lambda-microvms:additionalRegions/);
  });

  test.each([
    'us-east-1', 'us-east-2', 'us-west-2', 'eu-west-1', 'eu-central-1', 'eu-north-1', 'ap-northeast-1', 'ap-south-1', 'ap-southeast-1', 'ap-southeast-2',
  ])('with the service pass: %s', (region) => {
    expect(() => imageIn(inRegion(region))).not.toThrow();
  });

  test.each([[['sa-east-1']], ['sa-east-1'], ['ca-central-1,sa-east-1']])('can be added by context, as a list or as text: %j', (additional) => {
    expect(() => imageIn(inRegion('sa-east-1', { 'cdk-lambda-microvms:additionalRegions': additional }))).not.toThrow();
    expect(() => imageIn(inRegion('sa-east', { 'cdk-lambda-microvms:additionalRegions': additional }))).toThrow(/region 'sa-east'/);
  });
});

test('a name may be used again in another stack, and all managed ways in may be passed by a policy', () => {
  imageIn(stackOf(), { imageName: 'golden' });
  const stack = stackOf();
  imageIn(stack, { imageName: 'golden' }).grants.run(new iam.User(stack, 'User'), { connectors: [MicrovmConnector.ALL_INGRESS, MicrovmConnector.INTERNET_EGRESS] });
  new NetworkConnectorPolicy(stack, 'Policy', { connectors: [MicrovmConnector.ALL_INGRESS, MicrovmConnector.SHELL_INGRESS] });
  expect(() => Template.fromStack(stack)).not.toThrow();
});

test('names and values at the limits pass', () => {
  const stack = stackOf();
  imageIn(stack, {
    imageName: 'a'.repeat(64),
    environment: { ...numbered(48), ['K'.repeat(256)]: Lazy.string({ produce: () => 'x' }), LONG: 'x'.repeat(4096) },
    hooks: MicrovmHooks.onPort(65535, { ready: Duration.hours(1), validate: Duration.hours(1), run: Duration.minutes(1) }),
    logging: MicrovmLogging.ownedLogGroup({ logStream: 's'.repeat(512) }),
    engine: MicrovmImageEngine.custom({ keepVersions: 47, buildTimeout: Duration.minutes(55) }),
    tags: { ...Object.fromEntries(Array.from({ length: 41 }, (_, index) => [`tag${index}`, ''])), ['k'.repeat(128)]: 'v'.repeat(256) },
    code: CODE,
  });
  imageIn(stack, {
    imageName: 'a',
    hooks: MicrovmHooks.onPort(1, { validate: Duration.seconds(1) }),
    engine: MicrovmImageEngine.custom({ keepVersions: 2, buildTimeout: Duration.minutes(1) }),
  }, 'Least');
  expect(() => Template.fromStack(stack)).not.toThrow();
});
