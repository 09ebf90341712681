import { execFileSync } from 'node:child_process';
import * as path from 'node:path';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { App, Stack } from 'aws-cdk-lib';
import { describeDeployments } from './emulated-aws';
import { MicrovmImageDefinition, MicrovmImageReplica } from '../../src';
import { publishedFile, sourceIn } from '../../test/constructs/image-sources';
import { DeployedTemplate } from '../../test/iam/deployed-template';
import { installEmulator } from '../../tools/emulator/installation';

/** The AWS CLI as the CDK gives it to the function of its bucket deployments. */
const AWS_CLI_LAYER = require.resolve('@aws-cdk/asset-awscli-v1/lib/layer.zip');
const STACK_ID = 'arn:aws:cloudformation:us-east-1:000000000000:stack/App/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0';
const STAGING = 'cdk-hnb659fds-assets-000000000000-us-east-1';
/** Above 8 MB the CLI uploads in parts. */
const CODE = Buffer.alloc(9 * 1024 * 1024, 'code');

jest.setTimeout(120_000);

describeDeployments('the source of a golden image', (aws) => {
  const publisher = new Stack(new App(), 'Publisher');
  const { codeDigest } = sourceIn(publisher).definition;
  const published = DeployedTemplate.of(publisher, STACK_ID);
  const consumer = new Stack(new App(), 'Consumer');
  const [PUBLISHED] = published.logicalIds('AWS::S3::Bucket').map((id) => id.toLowerCase());
  new MicrovmImageReplica(consumer, 'Agents', { definition: MicrovmImageDefinition.fromJson(publishedFile(publisher, PUBLISHED)) });
  const copied = DeployedTemplate.of(consumer, STACK_ID);
  const [COPY] = copied.logicalIds('AWS::S3::Bucket').map((id) => id.toLowerCase());
  const key = `agents/${codeDigest}.zip`;

  let python: string;
  let s3: S3Client;
  beforeAll(async () => {
    python = await installEmulator();
    execFileSync(python, ['-m', 'zipfile', '-e', AWS_CLI_LAYER, path.join(aws.emulator.folder, 'layer')]);
    s3 = new S3Client({ ...aws.emulator.clientConfig, forcePathStyle: true });
    await Promise.all([PUBLISHED, COPY].map((Bucket) => s3.send(new CreateBucketCommand({ Bucket }))));
    await s3.send(new PutObjectCommand({ Bucket: STAGING, Key: `${codeDigest}.zip`, Body: CODE }));
  });
  afterAll(() => s3.destroy());

  function cli(args: string[], credentials: NodeJS.ProcessEnv = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' }): string {
    return execFileSync(python, [path.join(aws.emulator.folder, 'layer', 'awscli', 'aws'), ...args], {
      cwd: aws.emulator.folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        HOME: aws.emulator.folder,
        AWS_ENDPOINT_URL: aws.emulator.endpoint,
        AWS_REGION: 'us-east-1',
        AWS_DEFAULT_REGION: 'us-east-1',
        AWS_EC2_METADATA_DISABLED: 'true',
        AWS_CONFIG_FILE: '/dev/null',
        AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
        ...credentials,
      },
    });
  }

  /** Credentials of a role with the policies that the function of a template has. */
  function functionOf(template: DeployedTemplate, name: string): NodeJS.ProcessEnv {
    const trust = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { AWS: '*' }, Action: 'sts:AssumeRole' }] };
    cli(['iam', 'create-role', '--role-name', name, '--assume-role-policy-document', JSON.stringify(trust)]);
    template.policiesOf(template.role('ObjectCopierRole')).forEach((policy, index) => {
      cli(['iam', 'put-role-policy', '--role-name', name, '--policy-name', `policy-${index}`, '--policy-document', JSON.stringify(policy)]);
    });
    const assumed = cli(['sts', 'assume-role', '--role-arn', `arn:aws:iam::000000000000:role/${name}`, '--role-session-name', 'copy']);
    const { AccessKeyId, SecretAccessKey, SessionToken } = JSON.parse(assumed).Credentials;
    return { AWS_ACCESS_KEY_ID: AccessKeyId, AWS_SECRET_ACCESS_KEY: SecretAccessKey, AWS_SESSION_TOKEN: SessionToken };
  }

  /** The commands of the function, when it copies a file without extracting it. */
  function copy(from: string, to: string, credentials: NodeJS.ProcessEnv) {
    cli(['s3', 'cp', from, `contents-of-${to}/`, '--only-show-errors'], credentials);
    cli(['s3', 'sync', `contents-of-${to}`, `s3://${to}/agents`, '--only-show-errors'], credentials);
  }

  test('gets from the staging bucket of the publisher to the bucket of the consumer with the policies that each has, and not against its way', async () => {
    const publishing = functionOf(published, 'publisher');
    const consuming = functionOf(copied, 'consumer');
    copy(`s3://${STAGING}/${codeDigest}.zip`, PUBLISHED, publishing);
    copy(`s3://${PUBLISHED}/${key}`, COPY, consuming);
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: COPY, Key: key }));
    expect(Buffer.from(await Body!.transformToByteArray()).equals(CODE)).toBe(true);

    expect(() => copy(`s3://${STAGING}/${codeDigest}.zip`, COPY, consuming)).toThrow(/403/);
    expect(() => cli(['s3', 'cp', `contents-of-${COPY}/${codeDigest}.zip`, `s3://${PUBLISHED}/${key}`], consuming)).toThrow(/AccessDenied/);
    expect(() => cli(['s3', 'rm', `s3://${PUBLISHED}/${key}`], publishing)).toThrow(/AccessDenied/);
  });
});
