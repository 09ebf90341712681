import { runSimulation } from '@cloud-copilot/iam-simulate';
import { App, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { isAllowed } from './access';
import { buildImages } from './deployed-images';
import { ACCOUNT, DeployedTemplate, PolicyDocument } from './deployed-template';
import { MicrovmImageReplica } from '../../src';
import { recordName } from '../../src/custom-resources/microvm-image-publication/contract';
import { handedOver, SOURCE_BUCKET, sourceIn } from '../constructs/image-sources';
import { STACK_ID } from '../custom-resources/common/custom-resource';
import { Publisher, ROOT } from '../custom-resources/microvm-image-publication/publisher';

const TEAM = '210987654321';
const STRANGER = '333333333333';
const ORGANISATION = 'o-1234567890';

const publisher = new Stack(new App(), 'Publisher');
const source = sourceIn(publisher);
source.grants.read(new iam.AccountPrincipal(TEAM));
const publisherTemplate = DeployedTemplate.of(publisher, STACK_ID);
const definition = handedOver(publisher);

const consumer = new Stack(new App(), 'Consumer');
new MicrovmImageReplica(consumer, 'Agents', { definition });
const consumerTemplate = DeployedTemplate.of(consumer, STACK_ID);

const bucketOf = (template: DeployedTemplate) => template.logicalIds('AWS::S3::Bucket')[0].toLowerCase();
const object = (bucket: string, key: string) => `arn:aws:s3:::${bucket}/${key}`;
const CODE_KEY = `agents/${definition.codeDigest}.zip`;
const PUBLISHED = bucketOf(publisherTemplate);
const COPY = bucketOf(consumerTemplate);
const STAGING = 'cdk-hnb659fds-assets-000000000000-us-east-1';

describe.each<[string, DeployedTemplate, Array<[string, string, boolean]>]>([
  ['a publisher', publisherTemplate, [
    ['s3:GetObject', object(STAGING, `${definition.codeDigest}.zip`), true],
    ['s3:GetObject', object(STAGING, 'template.json'), false],
    ['s3:PutObject', object(PUBLISHED, CODE_KEY), true],
    ['s3:PutObject', object(PUBLISHED, 'agents/definition.json'), true],
    ['s3:ListBucket', `arn:aws:s3:::${PUBLISHED}`, true],
    ['s3:PutObject', object(PUBLISHED, `agents-too/${definition.codeDigest}.zip`), false],
    ['s3:DeleteObject', object(PUBLISHED, CODE_KEY), false],
    ['s3:PutBucketPolicy', `arn:aws:s3:::${PUBLISHED}`, false],
    ['s3:PutObject', object(STAGING, `${definition.codeDigest}.zip`), false],
    ['s3:GetObject', object('payroll', 'agents/salaries.csv'), false],
  ]],
  ['a consumer', consumerTemplate, [
    ['s3:GetObject', object(SOURCE_BUCKET, CODE_KEY), true],
    ['s3:PutObject', object(COPY, CODE_KEY), true],
    ['s3:ListBucket', `arn:aws:s3:::${COPY}`, true],
    ['s3:GetObject', object(SOURCE_BUCKET, 'agents/definition.json'), false],
    ['s3:GetObject', object(SOURCE_BUCKET, `agents-too/${definition.codeDigest}.zip`), false],
    ['s3:GetObject', object(SOURCE_BUCKET, `${definition.codeDigest}.zip`), false],
    ['s3:GetObject', object(`${SOURCE_BUCKET}-too`, CODE_KEY), false],
    ['s3:ListBucket', `arn:aws:s3:::${SOURCE_BUCKET}`, false],
    ['s3:PutObject', object(SOURCE_BUCKET, CODE_KEY), false],
    ['s3:DeleteObject', object(COPY, CODE_KEY), false],
    ['s3:GetObject', object(STAGING, `${definition.codeDigest}.zip`), false],
  ]],
])('the function that copies for %s', (_who, template, cases) => {
  test.each(cases)('%s on %s is allowed: %s', async (action, resource, allowed) => {
    expect(await isAllowed(template.policiesOf(template.role('ObjectCopierRole')), action, resource)).toBe(allowed);
  });
});

test('the build of a consumer reads its own copy, and nothing of the publisher', async () => {
  const policies = consumerTemplate.policiesOf(consumerTemplate.role('BuildRole'));
  expect(await isAllowed(policies, 's3:GetObject', object(COPY, CODE_KEY))).toBe(true);
  expect(await isAllowed(policies, 's3:GetObject', object(COPY, `agents/${'0'.repeat(64)}.zip`))).toBe(false);
  expect(await isAllowed(policies, 's3:GetObject', object(SOURCE_BUCKET, CODE_KEY))).toBe(false);
});

/** Whether somebody of another account, who is allowed everything there, may do this to the bucket of a publisher. */
async function isLetIn(
  template: DeployedTemplate, account: string, action: string, key: string, organisation?: string, secure = true,
): Promise<boolean> {
  const [policy] = template.logicalIds('AWS::S3::BucketPolicy').map((id) => template.properties(id).PolicyDocument as PolicyDocument);
  const everything = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] };
  const response = await runSimulation({
    request: {
      principal: `arn:aws:iam::${account}:role/ci`,
      action,
      resource: { resource: object(bucketOf(template), key), accountId: ACCOUNT },
      contextVariables: { 'aws:SecureTransport': String(secure), ...(organisation && { 'aws:PrincipalOrgID': organisation }) },
    },
    identityPolicies: [{ name: 'everything', policy: everything }],
    serviceControlPolicies: [],
    resourceControlPolicies: [],
    resourcePolicy: policy,
  }, {});
  if (response.resultType === 'error') {
    throw new Error(JSON.stringify(response.errors));
  }
  return response.overallResult === 'Allowed';
}

describe('the bucket of a publisher', () => {
  test.each<[string, string, string, boolean, boolean]>([
    [TEAM, 's3:GetObject', CODE_KEY, true, true],
    [TEAM, 's3:GetObject', 'agents/definition.json', true, true],
    [TEAM, 's3:GetObject', CODE_KEY, false, false],
    [TEAM, 's3:GetObject', 'agents-too/definition.json', true, false],
    [TEAM, 's3:PutObject', CODE_KEY, true, false],
    [TEAM, 's3:DeleteObject', CODE_KEY, true, false],
    [STRANGER, 's3:GetObject', CODE_KEY, true, false],
    [STRANGER, 's3:GetObject', 'agents/definition.json', true, false],
  ])('lets the account %s %s %s (with TLS: %s): %s', async (account, action, key, secure, allowed) => {
    expect(await isLetIn(publisherTemplate, account, action, key, undefined, secure)).toBe(allowed);
  });

  test('lets an organisation in, and nobody else', async () => {
    const stack = new Stack(new App(), 'Publisher');
    sourceIn(stack).grants.read(new iam.OrganizationPrincipal(ORGANISATION));
    const template = DeployedTemplate.of(stack, STACK_ID);
    expect(await isLetIn(template, TEAM, 's3:GetObject', CODE_KEY, ORGANISATION)).toBe(true);
    expect(await isLetIn(template, TEAM, 's3:GetObject', CODE_KEY, 'o-0987654321')).toBe(false);
    expect(await isLetIn(template, STRANGER, 's3:GetObject', CODE_KEY)).toBe(false);
    expect(await isLetIn(template, TEAM, 's3:GetObject', 'other/definition.json', ORGANISATION)).toBe(false);
    expect(await isLetIn(template, TEAM, 's3:PutObject', CODE_KEY, ORGANISATION)).toBe(false);
  });

  test('that holds several sources opens one of them', async () => {
    const stack = new Stack(new App(), 'Publisher');
    const bucket = new s3.Bucket(stack, 'Sources');
    sourceIn(stack, {}, { bucket }).grants.read(new iam.AccountPrincipal(TEAM));
    const template = DeployedTemplate.of(stack, STACK_ID);
    expect(await isLetIn(template, TEAM, 's3:GetObject', CODE_KEY)).toBe(true);
    expect(await isLetIn(template, TEAM, 's3:GetObject', `other/${definition.codeDigest}.zip`)).toBe(false);
  });
});

test('the record of a replica that is published holds the digest of the publisher', async () => {
  const world = await Publisher.start();
  try {
    const [imageArn] = await buildImages(consumerTemplate, world.simulator);
    expect(await world.publication().create(world.properties('1.0', { imageArn }))).toMatchObject({ Status: 'SUCCESS' });
    expect(JSON.parse(world.store.values[recordName(ROOT, '1.0')])).toMatchObject({ imageArn, codeDigest: source.definition.codeDigest });
  } finally {
    await world.stop();
  }
});
