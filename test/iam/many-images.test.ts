import { App, Stack } from 'aws-cdk-lib';
import * as ecr from 'aws-cdk-lib/aws-ecr';
import * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { isAllowed, resourceTags } from './access';
import { ACCOUNT, DeployedTemplate, PolicyDocument, REGION } from './deployed-template';
import {
  MicrovmBaseImage, MicrovmBuildRole, MicrovmCode, MicrovmConnector, MicrovmImage, MicrovmImageEngine, MicrovmImageProps, MicrovmLogging,
  RunningMicrovms,
} from '../../src';
import { formatImageArn, RESOURCE_TYPE, Tag } from '../../src/custom-resources/microvm-image/contract';

const IMAGES = 100;
/** IAM's limit for all inline policies of a role, white space not counted. */
const INLINE_POLICIES_OF_A_ROLE = 10_240;
/** The service has no resource for these. */
const WITHOUT_RESOURCE = ['ecr:GetAuthorizationToken', 'lambda:CreateMicrovmImage', 'lambda:ListMicrovms'];
const HANDLER = 'IsCompleteRole';
const NATIVE = 'AWS::Lambda::MicrovmImage';
const DIGEST = `sha256:${'0a'.repeat(32)}`;

const arnOf = (service: string, resource: string) => `arn:aws:${service}:${REGION}:${ACCOUNT}:${resource}`;

/** Every way to set an image up that changes what somebody may do. Those that are shared are few, as in a real stack. */
function setUps(stack: Stack): Array<(index: number) => Partial<MicrovmImageProps>> {
  const encryptionKey = kms.Key.fromKeyArn(stack, 'Key', arnOf('kms', `key/${stack.stackName}`));
  const bucket = s3.Bucket.fromBucketAttributes(stack, 'Artifacts', { bucketName: `${stack.stackName.toLowerCase()}-artifacts`, encryptionKey });
  const brought = new iam.Role(stack, 'Brought', { roleName: `${stack.stackName}-brought`, assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
  const shared = new MicrovmBuildRole(stack, 'Shared');
  const group = new logs.LogGroup(stack, 'Builds', { logGroupName: `/${stack.stackName}/builds` });
  const bus = new events.EventBus(stack, 'Bus');
  const pinned = MicrovmBaseImage.AL2023_1.pinned('1');
  return [
    () => ({}),
    () => ({ buildRole: brought }),
    () => ({ buildRole: shared }),
    (index) => ({ egressConnector: MicrovmConnector.fromArn(arnOf('lambda', `network-connector:${stack.stackName}-${index % 3}`)) }),
    () => ({ engine: MicrovmImageEngine.cloudFormation({ keepVersions: 3 }), baseImage: pinned }),
    (index) => ({
      code: MicrovmCode.fromEcrImage(ecr.Repository.fromRepositoryName(stack, `Repository${index}`, `${stack.stackName.toLowerCase()}-${index}`), DIGEST),
    }),
    (index) => ({ code: MicrovmCode.fromBucket(bucket, `images/${index}.zip`) }),
    (index) => ({ imageName: `${stack.stackName.toLowerCase()}-golden-${index}`, engine: MicrovmImageEngine.custom({ runningMicrovms: RunningMicrovms.TERMINATE }) }),
    () => ({ logGroup: group }),
    () => ({ logging: MicrovmLogging.disabled(), eventBus: bus }),
  ];
}

/** A hundred images of all kinds in one stack. */
function synthesize(stackName: string): DeployedTemplate {
  const stack = new Stack(new App(), stackName, { env: { account: ACCOUNT, region: REGION } });
  const kinds = setUps(stack);
  for (let index = 0; index < IMAGES; index++) {
    const code = MicrovmCode.fromInline({ dockerfile: `FROM scratch\nLABEL of=${stackName}-${index}\n` });
    new MicrovmImage(stack, `Image${index}x`, { code, ...kinds[index % kinds.length](index) });
  }
  return DeployedTemplate.of(stack, `arn:aws:cloudformation:${REGION}:${ACCOUNT}:stack/${stackName}/${stackName}-1111-2222-3333-444444444444`);
}

/** One image of a template, with all that belongs to it. */
interface Deployed {
  readonly arn: string;
  readonly tags: Record<string, string>;
  readonly builtByHandler: boolean;
  readonly buildRoleArn: string;
  readonly connectorArn: string;
  readonly artifactArn: string;
  readonly logGroupArn?: string;
  readonly repositoryArn?: string;
  readonly keyArn?: string;
}

function imagesOf(template: DeployedTemplate): Deployed[] {
  const [, stackName, stack] = template.stackId.split('/');
  const deployed = (name: string, roleArn: string, [connectorArn]: string[], uri: string, tag: string, logGroup?: string): Deployed => {
    const index = /Image(\d+)x|-golden-(\d+)$/.exec(name)!.slice(1).find((digits) => digits !== undefined);
    return {
      arn: formatImageArn({ partition: 'aws', region: REGION, account: ACCOUNT, imageName: name }),
      tags: resourceTags({ [tag]: stack }),
      builtByHandler: tag === Tag.STACK,
      buildRoleArn: roleArn,
      connectorArn,
      artifactArn: `arn:aws:s3:::${uri.slice('s3://'.length)}`,
      logGroupArn: logGroup && arnOf('logs', `log-group:${logGroup}`),
      repositoryArn: Number(index) % 10 === 5 ? arnOf('ecr', `repository/${stackName.toLowerCase()}-${index}`) : undefined,
      keyArn: uri.includes('-artifacts/') ? arnOf('kms', `key/${stackName}`) : undefined,
    };
  };
  return [
    ...template.all(RESOURCE_TYPE).map(({ ImageName, BuildRoleArn, EgressNetworkConnectors, CodeArtifactUri, Logging }) =>
      deployed(ImageName, BuildRoleArn, EgressNetworkConnectors, CodeArtifactUri, Tag.STACK, Logging.LogGroup)),
    ...template.all(NATIVE).map(({ Name, BuildRoleArn, EgressNetworkConnectors, CodeArtifact, Logging }) =>
      deployed(Name, BuildRoleArn, EgressNetworkConnectors, CodeArtifact.Uri, Tag.UPKEEP, Logging.CloudWatch.LogGroup)),
  ];
}

/** The first of each kind. */
function oneOfEachKind(template: DeployedTemplate): Deployed[] {
  return imagesOf(template).filter(({ arn }) => /Image\dx|golden-7$/.test(arn));
}

const app = synthesize('App');
const neighbour = synthesize('Neighbour');
const listOf = (value: string | string[]): string[] => [value].flat();
const handler = app.policiesOf(app.role(HANDLER));

/** Whether policies allow an action on something. */
type Case = [policies: PolicyDocument[], action: string, arn: string | undefined, allowed: boolean, context?: Record<string, string>];

/** Those that are not as expected. There is none where there is no such thing. */
async function unexpected(cases: Case[]): Promise<string[]> {
  const verdicts = await Promise.all(cases.map(async ([policies, action, arn, allowed, context]) =>
    (arn === undefined || await isAllowed(policies, action, arn, context) === allowed ? [] : [`${action} on ${arn}: not ${allowed}`])));
  return verdicts.flat();
}

const roles = new Map(app.logicalIds('AWS::IAM::Role').map((id) => [app.roleArn(id), app.policiesOf(id)]));

test('it is a hundred images of all kinds', () => {
  expect(imagesOf(app)).toHaveLength(IMAGES);
  expect(new Set(imagesOf(app).map(({ arn }) => arn)).size).toBe(IMAGES);
  expect(imagesOf(app).filter(({ builtByHandler }) => !builtByHandler)).toHaveLength(IMAGES / 10);
});

test('the policies of every role fit', () => {
  const size = (policies: PolicyDocument[]) => policies.map((policy) => JSON.stringify(policy).length).reduce((a, b) => a + b, 0);
  expect([...roles].filter(([, policies]) => size(policies) > INLINE_POLICIES_OF_A_ROLE).map(([arn]) => arn)).toEqual([]);
});

describe('no statement of a role', () => {
  const statements = [...roles.values()].flat().flatMap(({ Statement }) => Statement);

  test('allows more than it names', () => {
    expect(statements.filter(({ Effect, Action, NotAction, NotResource }) =>
      Effect !== 'Allow' || NotAction || NotResource || listOf(Action).some((action) => action.includes('*')))).toEqual([]);
  });

  test('is for every resource, where the service has one', () => {
    const open = statements.filter(({ Resource }) => listOf(Resource).includes('*')).flatMap(({ Action }) => listOf(Action));
    expect([...new Set(open)].sort()).toEqual(WITHOUT_RESOURCE);
  });

  test('is for all images without a condition, but to see whether one is there and whose it is', () => {
    const everyImage = `arn:aws:lambda:${REGION}:${ACCOUNT}:microvm-image:*`;
    const open = statements.filter(({ Resource, Condition }) => listOf(Resource).includes(everyImage) && Condition === undefined)
      .flatMap(({ Action }) => listOf(Action));
    expect([...new Set(open)].sort()).toEqual(['lambda:GetMicrovmImage', 'lambda:ListTags']);
  });
});

test('the handler reaches each of its images and all that belongs to it', async () => {
  expect(await unexpected(imagesOf(app).flatMap(({ arn, tags, builtByHandler, buildRoleArn, connectorArn, logGroupArn }): Case[] => [
    [handler, 'lambda:DeleteMicrovmImageVersion', arn, true, tags],
    ...(builtByHandler ? [
      [handler, 'lambda:UpdateMicrovmImage', arn, true, tags],
      [handler, 'iam:PassRole', buildRoleArn, true],
      [handler, 'lambda:PassNetworkConnector', connectorArn, true],
      [handler, 'logs:FilterLogEvents', logGroupArn, true],
    ] satisfies Case[] : []),
  ]))).toEqual([]);
});

test('the handler reaches nothing of the same images in another stack', async () => {
  const changes = [
    'DeleteMicrovmImage', 'DeleteMicrovmImageVersion', 'TagResource', 'TerminateMicrovm', 'UntagResource', 'UpdateMicrovmImage', 'UpdateMicrovmImageVersion',
  ];
  const everybodys = imagesOf(app).map(({ connectorArn }) => connectorArn);
  expect(await unexpected(oneOfEachKind(neighbour).flatMap(({ arn, tags, buildRoleArn, connectorArn, logGroupArn }): Case[] => [
    ...changes.flatMap((change): Case[] => [[handler, `lambda:${change}`, arn, false, tags], [handler, `lambda:${change}`, arn, false]]),
    [handler, 'iam:PassRole', buildRoleArn, false],
    [handler, 'lambda:PassNetworkConnector', everybodys.includes(connectorArn) ? undefined : connectorArn, false],
    [handler, 'logs:FilterLogEvents', logGroupArn, false],
  ]))).toEqual([]);
});

test('each build role reads the code of its images and writes their logs, and nothing of others', async () => {
  const stream = (group?: string) => group && `${group}:log-stream:any`;
  const reach = ({ artifactArn, logGroupArn, repositoryArn }: Deployed, policies: PolicyDocument[], allowed: boolean): Case[] => [
    [policies, 's3:GetObject', artifactArn, allowed],
    [policies, 'logs:PutLogEvents', stream(logGroupArn), allowed],
    [policies, 'ecr:BatchGetImage', repositoryArn, allowed],
  ];
  expect(await unexpected(imagesOf(app).flatMap((image) => reach(image, roles.get(image.buildRoleArn)!, true)))).toEqual([]);

  const others = [...oneOfEachKind(app), ...oneOfEachKind(neighbour)];
  expect(await unexpected(oneOfEachKind(app).flatMap((image) => others.filter(({ buildRoleArn }) => buildRoleArn !== image.buildRoleArn)
    .flatMap((other) => reach(other, roles.get(image.buildRoleArn)!, false))))).toEqual([]);
});

test('each build role decrypts with the key of the bucket its code is in, and with no other', () => {
  const decryptable = (policies: PolicyDocument[]) => policies.flatMap(({ Statement }) => Statement)
    .filter(({ Action }) => listOf(Action).some((action) => action.startsWith('kms:'))).flatMap(({ Action, Resource }) => [Action, Resource]);
  for (const { buildRoleArn, keyArn } of imagesOf(app)) {
    expect(decryptable(roles.get(buildRoleArn)!)).toEqual(keyArn === undefined ? [] : ['kms:Decrypt', keyArn]);
  }
});
