import { App, Stack } from 'aws-cdk-lib';
import * as logs from 'aws-cdk-lib/aws-logs';
import { strToU8, zipSync } from 'fflate';
import { MicrovmCode, MicrovmImage, MicrovmImageEngine, MicrovmImageProps, RunningMicrovms } from '../../src';
import { decodeProperties, ImageProperties, RESOURCE_TYPE } from '../../src/custom-resources/microvm-image/contract';
import { isComplete } from '../../src/custom-resources/microvm-image/handler/is-complete';
import { acceptRequest } from '../../src/custom-resources/microvm-image/handler/request';
import { SdkAdapter } from '../../src/custom-resources/microvm-image/handler/sdk-adapter';
import { ProviderFramework } from '../custom-resources/microvm-image/provider-framework';
import { StackResource, stringified } from '../custom-resources/microvm-image/stack-events';
import { MicrovmSimulator } from '../simulator';
import { isAllowed, resourceTags } from './access';
import { ACCOUNT, DeployedTemplate, REGION } from './deployed-template';

const STACK_ID = `arn:aws:cloudformation:${REGION}:${ACCOUNT}:stack/App/11111111-2222-3333-4444-555555555555`;
const HANDLER = 'IsCompleteRole';

let simulator: MicrovmSimulator;

beforeEach(async () => {
  simulator = await MicrovmSimulator.start();
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: simulator.endpoint, AWS_REGION: REGION, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test',
  });
});
afterEach(async () => simulator.stop());

type Images = Record<string, Partial<MicrovmImageProps>>;

/** The stack `App` with these images, as CloudFormation would deploy it. */
function synthesize(images: Images): DeployedTemplate {
  const stack = new Stack(new App(), 'App');
  for (const [id, props] of Object.entries(images)) {
    new MicrovmImage(stack, id, { code: MicrovmCode.fromInline({ dockerfile: `FROM scratch\nLABEL of=${id}\n` }), ...props });
  }
  return DeployedTemplate.of(stack, STACK_ID);
}

/** The properties the handler gets for the image whose logical id starts so. */
function propertiesOf(template: DeployedTemplate, id: string): ImageProperties {
  const logicalId = template.logicalIds(RESOURCE_TYPE).find((candidate) => candidate.startsWith(id))!;
  const properties = decodeProperties(stringified(template.properties(logicalId)) as Record<string, unknown>);
  simulator.artifacts.put(properties.codeArtifactUri, zipSync({ Dockerfile: strToU8('FROM scratch\n') }));
  return properties;
}

function resource(logicalId: string): StackResource {
  const framework = new ProviderFramework({
    onEvent: async (event) => acceptRequest(event, simulator.clock.now()),
    isComplete: async (event) => {
      remember();
      return isComplete(event, new SdkAdapter(), () => simulator.clock.now(), () => undefined);
    },
  }, () => simulator.clock.advance(7_000));
  return new StackResource(framework, STACK_ID, logicalId);
}

/** Tags as they were last seen: a deleted image has none any more. */
const seenTags = new Map<string, Record<string, string>>();
function remember(): void {
  simulator.images.forEach((image) => seenTags.set(image.arn, image.tags));
}

/** Every call of the handler since the last time, with what IAM checks for it, judged by the policy in force. */
async function denied(template: DeployedTemplate): Promise<string[]> {
  const policies = template.policiesOf(template.role(HANDLER));
  const checks = simulator.calls.all.flatMap((call) => call.requires);
  simulator.calls.clear();
  expect(checks.length).toBeGreaterThan(0);
  const verdicts = await Promise.all(checks.map(async ({ action, resource: arn }) =>
    (await isAllowed(policies, action, arn, resourceTags(seenTags.get(arn) ?? {})) ? [] : [`${action} on ${arn}`])));
  return [...new Set(verdicts.flat())];
}

describe('the handler may do what it does', () => {
  test.each([
    ['a generated name', {}],
    ['a name of the user\'s', { imageName: 'golden' }],
    ['MicroVMs to terminate', { engine: MicrovmImageEngine.custom({ runningMicrovms: RunningMicrovms.TERMINATE }) }],
  ])('create, update, change tags, fail, roll back and delete an image with %s', async (_what, props) => {
    const one = synthesize({ Image: props });
    const two = synthesize({ Image: { ...props, description: 'two', tags: { team: 'b' } } });
    const image = resource('Image');

    expect(await image.create(propertiesOf(one, 'Image'))).toMatchObject({ Status: 'SUCCESS' });
    expect(await denied(one)).toEqual([]);

    simulator.builds.plan({ failure: { kind: 'container' } });
    expect(await image.update(propertiesOf(two, 'Image'))).toMatchObject({ Status: 'FAILED' });
    expect(await denied(two)).toEqual([]);

    expect(await image.rollBack(propertiesOf(two, 'Image'), propertiesOf(one, 'Image'))).toMatchObject({ Status: 'SUCCESS' });
    expect(await denied(one)).toEqual([]);

    expect(await image.delete()).toMatchObject({ Status: 'SUCCESS' });
    expect(await denied(one)).toEqual([]);
  });

  test('prune the versions of an image', async () => {
    const keeping = (description: string, keepVersions: number) =>
      synthesize({ Image: { imageName: 'golden', description, engine: MicrovmImageEngine.custom({ keepVersions }) } });
    const image = resource('Image');
    await image.create(propertiesOf(keeping('one', 47), 'Image'));
    for (const description of ['two', 'three', 'four']) {
      await simulator.clock.advance(12 * 3_600_000);
      await image.update(propertiesOf(keeping(description, 47), 'Image'));
    }
    await simulator.clock.advance(12 * 3_600_000);
    simulator.calls.clear();

    const last = keeping('five', 2);
    expect(await image.update(propertiesOf(last, 'Image'))).toMatchObject({ Status: 'SUCCESS' });
    expect(simulator.calls.count('DeleteMicrovmImageVersion')).toBe(2);
    // Once for each of those versions, and once for the metric of the versions in use.
    expect(simulator.calls.count('ListMicrovms')).toBe(3);
    expect(await denied(last)).toEqual([]);
  });

  test('adopt an image, build it and release it, the last under a policy that no longer knows its name', async () => {
    const adopted = (description: string) => {
      const stack = new Stack(new App(), 'App');
      new MicrovmImage(stack, 'Image', {
        code: MicrovmCode.fromInline({ dockerfile: 'FROM scratch\n' }),
        imageName: 'golden',
        description,
        logGroup: logs.LogGroup.fromLogGroupName(stack, 'Logs', '/golden'),
        engine: MicrovmImageEngine.custom({ adopt: true }),
      });
      return DeployedTemplate.of(stack, STACK_ID);
    };
    const before = propertiesOf(adopted('by hand'), 'Image');
    await new SdkAdapter().createImage('golden', before, {}, 'by-hand');
    await simulator.clock.advance(300_000);
    simulator.calls.clear();
    const image = resource('Image');

    // The image carries the stack's tag from its first write on; that write itself goes by the name.
    expect(await image.create(propertiesOf(adopted('by the stack'), 'Image'))).toMatchObject({ Status: 'SUCCESS', Data: { ImageVersion: '2.0' } });
    expect(await denied(adopted('by the stack'))).toEqual([]);
    expect(await image.delete()).toMatchObject({ Status: 'SUCCESS' });
    expect(simulator.images).toHaveLength(1);
    expect(await denied(synthesize({ Kept: {} }))).toEqual([]);
  });

  test('leave an image whose addition failed, under the policy from before', async () => {
    const after = synthesize({ Kept: {}, Added: { imageName: 'added', engine: MicrovmImageEngine.custom({ retainOnFailure: true }) } });
    simulator.builds.plan({ failure: { kind: 'container' } });
    const added = resource('Added');
    const response = await added.send('Create', propertiesOf(after, 'Added'));
    expect(await denied(after)).toEqual([]);

    expect(await added.send('Delete', propertiesOf(after, 'Added'), undefined, response.PhysicalResourceId)).toMatchObject({ Status: 'SUCCESS' });
    expect(simulator.images.map(({ state }) => state)).toEqual(['CREATE_FAILED']);
    expect(await denied(synthesize({ Kept: {} }))).toEqual([]);
  });

  test.each([['generated', {}], ['chosen', { imageName: 'golden' }]])(
    'delete an image with a %s name that left the stack, under the policy that no longer knows it', async (_what, props) => {
      const both = synthesize({ Kept: {}, Removed: props });
      const after = synthesize({ Kept: {} });
      const removed = resource('Removed');
      await removed.create(propertiesOf(both, 'Removed'));
      simulator.calls.clear();

      expect(await removed.delete()).toMatchObject({ Status: 'SUCCESS' });
      expect(await denied(after)).toEqual([]);
    });

  test('delete the old image of a renamed one', async () => {
    const before = synthesize({ Image: { imageName: 'old' } });
    const after = synthesize({ Image: { imageName: 'new' } });
    const image = resource('Image');
    await image.create(propertiesOf(before, 'Image'));
    simulator.calls.clear();

    expect(await image.update(propertiesOf(after, 'Image'))).toMatchObject({ Status: 'SUCCESS' });
    expect(simulator.images.map(({ name }) => name)).toEqual(['new']);
    expect(await denied(after)).toEqual([]);
  });

  test('delete an image whose addition is rolled back, under the policy from before', async () => {
    const before = synthesize({ Kept: {} });
    const after = synthesize({ Kept: {}, Added: { imageName: 'added' } });
    const added = resource('Added');
    await added.create(propertiesOf(after, 'Added'));
    simulator.calls.clear();

    expect(await added.delete()).toMatchObject({ Status: 'SUCCESS' });
    expect(await denied(before)).toEqual([]);
  });
});

describe('the handler may not', () => {
  const NEIGHBOUR = `arn:aws:lambda:${REGION}:${ACCOUNT}:microvm-image:neighbour`;
  const foreignTags = resourceTags({ 'microvm-cdk:stack': '99999999-0000-0000-0000-000000000000' });

  test.each([
    'lambda:UpdateMicrovmImage', 'lambda:DeleteMicrovmImage', 'lambda:UpdateMicrovmImageVersion', 'lambda:DeleteMicrovmImageVersion',
    'lambda:TagResource', 'lambda:UntagResource', 'lambda:GetMicrovmImageVersion', 'lambda:RunMicrovm', 'lambda:TerminateMicrovm',
    'lambda:CreateMicrovmAuthToken',
  ])('call %s on the image of another stack, or on one of nobody', async (action) => {
    const template = synthesize({ Image: {}, Named: { imageName: 'golden' } });
    const policies = template.policiesOf(template.role(HANDLER));

    expect(await isAllowed(policies, action, NEIGHBOUR, foreignTags)).toBe(false);
    expect(await isAllowed(policies, action, NEIGHBOUR)).toBe(false);
  });

  test('terminate MicroVMs of its own images unless told to', async () => {
    const template = synthesize({ Image: {} });
    const { imageName } = propertiesOf(template, 'Image');
    const arn = `arn:aws:lambda:${REGION}:${ACCOUNT}:microvm-image:${imageName}`;

    expect(await isAllowed(template.policiesOf(template.role(HANDLER)), 'lambda:TerminateMicrovm', arn)).toBe(false);
  });

  test('pass a role, a connector or read a log group of somebody else', async () => {
    const template = synthesize({ Image: {} });
    const policies = template.policiesOf(template.role(HANDLER));
    const refused: Array<[string, string]> = [
      ['iam:PassRole', `arn:aws:iam::${ACCOUNT}:role/Admin`],
      ['iam:PassRole', `arn:aws:iam::${ACCOUNT}:role/cdk-lambda-microvms/${REGION}/Other-12345678/BuildRole`],
      ['iam:PassRole', template.roleArn(template.role('ImageBuildRole')).replace(REGION, 'eu-west-1')],
      ['lambda:PassNetworkConnector', `arn:aws:lambda:${REGION}:${ACCOUNT}:network-connector:nc-1`],
      ['lambda:PassNetworkConnector', `arn:aws:lambda:${REGION}:aws:network-connector:aws-network-connector:ALL_INGRESS`],
      ['logs:FilterLogEvents', `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:/aws/lambda-microvms/neighbour:*`],
    ];
    for (const [action, arn] of refused) {
      expect([action, arn, await isAllowed(policies, action, arn)]).toEqual([action, arn, false]);
    }
  });
});

describe('a stack with 100 images', () => {
  /** IAM's limit for all inline policies of a role, white space not counted. */
  const INLINE_POLICIES_OF_A_ROLE = 10_240;
  const templateOf = (count: number) => synthesize(Object.fromEntries(Array.from({ length: count }, (_, index) => [`Image${index}`, {}])));
  const size = (template: DeployedTemplate, role: string) => JSON.stringify(template.policiesOf(role)).length;

  test('has a handler whose policy is as large as with one, and far from the limit', () => {
    const [one, hundred] = [templateOf(1), templateOf(100)];
    expect(size(hundred, hundred.role(HANDLER))).toBe(size(one, one.role(HANDLER)));
    expect(size(hundred, hundred.role(HANDLER))).toBeLessThan(INLINE_POLICIES_OF_A_ROLE / 2);
  });

  test('reaches each of them, and nothing of another stack', async () => {
    const template = templateOf(100);
    const policies = template.policiesOf(template.role(HANDLER));
    const names = template.logicalIds(RESOURCE_TYPE).map((id) => template.properties(id).ImageName as string);
    expect(new Set(names).size).toBe(100);
    const reach = async (action: string, arn: string) => [action, arn, await isAllowed(policies, action, arn)];
    for (const name of names) {
      const arn = simulator.imageArn(name);
      expect(await reach('lambda:UpdateMicrovmImage', arn)).toEqual(['lambda:UpdateMicrovmImage', arn, true]);
    }
    const neighbours: Array<[string, string]> = [
      ['lambda:UpdateMicrovmImage', simulator.imageArn('App-00000000-Image0')],
      ['lambda:DeleteMicrovmImage', simulator.imageArn('Other-image')],
      ['lambda:TagResource', simulator.imageArn('Other-image')],
      ['iam:PassRole', `arn:aws:iam::${ACCOUNT}:role/cdk-lambda-microvms/${REGION}/App-00000000/BuildRole`],
      ['iam:PassRole', template.roleArn(template.role(HANDLER))],
      ['logs:FilterLogEvents', `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:/aws/lambda-microvms/Other-image:*`],
    ];
    for (const [action, arn] of neighbours) {
      expect(await reach(action, arn)).toEqual([action, arn, false]);
    }
  });
});

describe('the build role', () => {
  test('reads its own artifact and writes its own log streams, and nothing beside them', async () => {
    const template = synthesize({ Image: {}, Other: {} });
    const policies = template.policiesOf(template.role('ImageBuildRole'));
    const own = propertiesOf(template, 'Image');
    const other = propertiesOf(template, 'Other');
    const object = (uri: string) => `arn:aws:s3:::${uri.slice('s3://'.length)}`;
    const streams = (group: string) => `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:${group}:log-stream:any`;

    const cases: Array<[string, string, boolean]> = [
      ['s3:GetObject', object(own.codeArtifactUri), true],
      ['s3:GetObject', object(other.codeArtifactUri), false],
      ['logs:PutLogEvents', streams(own.logging.logGroup!), true],
      ['logs:PutLogEvents', streams(other.logging.logGroup!), false],
      ['logs:CreateLogGroup', `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:${own.logging.logGroup}`, false],
      ['s3:PutObject', object(own.codeArtifactUri), false],
    ];
    for (const [action, arn, expected] of cases) {
      expect([action, arn, await isAllowed(policies, action, arn)]).toEqual([action, arn, expected]);
    }
  });
});
