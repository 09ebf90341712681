import { App, Stack } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import { isAllowed } from './access';
import { DeployedTemplate, REGION, ACCOUNT } from './deployed-template';
import { MicrovmCode, MicrovmImage, MicrovmImageChannel, MicrovmImagePublication, MicrovmImagePublicationProps, MicrovmSmokeTest } from '../../src';
import { CHANNEL_RESOURCE_TYPE, PUBLICATION_RESOURCE_TYPE, recordName } from '../../src/custom-resources/microvm-image-publication/contract';
import { SMOKE_TEST_RESOURCE_TYPE } from '../../src/custom-resources/microvm-smoke-test/contract';
import { STACK_ID } from '../custom-resources/common/custom-resource';
import { imageProperties } from '../custom-resources/microvm-image/stack-events';
import { Publisher, ROOT } from '../custom-resources/microvm-image-publication/publisher';

const IMAGE = imageProperties().imageName;

let world: Publisher;
beforeEach(async () => {
  world = await Publisher.start();
  world.simulator.calls.clear();
});
afterEach(async () => world.stop());

function publisherTemplate(more: string[] = [], use: (publication: MicrovmImagePublication) => void = () => undefined): DeployedTemplate {
  const stack = new Stack(new App(), 'App');
  for (const name of [IMAGE, ...more]) {
    const image = new MicrovmImage(stack, name, { imageName: name, code: MicrovmCode.fromInline({ dockerfile: 'FROM scratch\n' }) });
    const smokeTest = new MicrovmSmokeTest(stack, `${name}Test`, { image });
    const publication = new MicrovmImagePublication(stack, `${name}Publication`, { image, publicationName: name === IMAGE ? 'agents' : name, smokeTests: [smokeTest] });
    use(publication);
  }
  return DeployedTemplate.of(stack, STACK_ID);
}

function channelTemplate(use: (channel: MicrovmImageChannel) => void = () => undefined): DeployedTemplate {
  const stack = new Stack(new App(), 'App');
  use(new MicrovmImageChannel(stack, 'Stable', { publicationName: 'agents', channel: 'stable', version: '1.0' }));
  return DeployedTemplate.of(stack, STACK_ID, { [recordName(ROOT, '1.0')]: world.store.values[recordName(ROOT, '1.0')] });
}

/** Every call since the last time, with what IAM checks for it, that the role may not make. */
async function denied(template: DeployedTemplate, provider: string): Promise<string[]> {
  const policies = template.policiesOf(template.role(`${provider}IsCompleteRole`));
  const checks = [...world.simulator.calls.all, ...world.store.calls].flatMap(({ requires }) => requires);
  world.simulator.calls.clear();
  world.store.calls = [];
  expect(checks.length).toBeGreaterThan(0);
  const verdicts = await Promise.all(checks.map(async ({ action, resource }) =>
    (await isAllowed(policies, action, resource) ? [] : [`${action} on ${resource}`])));
  return [...new Set(verdicts.flat())];
}

/** The properties of the only resource of a type, of the image or with others beside it. */
function properties(template: DeployedTemplate, type: string): Record<string, unknown> {
  const [first] = template.logicalIds(type);
  const { ServiceToken: _token, ServiceTimeout: _timeout, ...rest } = template.properties(first);
  return rest;
}

test('the handler of smoke tests may do what it does: a test that passes, one that fails, and a delete', async () => {
  const template = publisherTemplate();
  const smokeTest = world.tested.test();
  const asked = properties(template, SMOKE_TEST_RESOURCE_TYPE);
  world.simulator.logs.create(asked.LogGroup as string, world.simulator.clock.now());
  expect(await smokeTest.create(asked)).toMatchObject({ Status: 'SUCCESS' });
  world.simulator.respond('*', () => ({ status: 500 }));
  expect(await smokeTest.update({ ...asked, Path: '/other' })).toMatchObject({ Status: 'FAILED' });
  expect(await smokeTest.delete()).toMatchObject({ Status: 'SUCCESS' });
  expect(world.simulator.calls.count('FilterLogEvents')).toBe(1);
  expect(await denied(template, 'SmokeTestProvider')).toEqual([]);
});

test('the handler of publications may do what it does: publish, publish the next, and withdraw', async () => {
  const template = publisherTemplate();
  const publication = world.publication();
  const asked = { ...properties(template, PUBLICATION_RESOURCE_TYPE), ImageVersion: '1.0' };
  expect(await publication.create(asked)).toMatchObject({ Status: 'SUCCESS' });
  await world.tested.build(2);
  world.simulator.calls.clear();
  expect(await publication.update({ ...asked, ImageVersion: '2.0', KeepRecords: 1 })).toMatchObject({ Status: 'SUCCESS' });
  expect(await publication.delete()).toMatchObject({ Status: 'SUCCESS' });
  expect(await denied(template, 'PublicationProvider')).toEqual([]);
});

describe('with events', () => {
  const bus = (name: string, region = REGION, account = ACCOUNT) => `arn:aws:events:${region}:${account}:event-bus/${name}`;
  const mine = events.EventBus.fromEventBusArn(new Stack(), 'Mine', bus('mine'));

  function publicationTemplate(use: (publication: MicrovmImagePublication) => void, props: Partial<MicrovmImagePublicationProps> = {}) {
    const stack = new Stack(new App(), 'App');
    const image = new MicrovmImage(stack, 'Image', { imageName: IMAGE, code: MicrovmCode.fromInline({ dockerfile: 'FROM scratch\n' }) });
    use(new MicrovmImagePublication(stack, 'Publication', { image, publicationName: 'agents', ...props }));
    return DeployedTemplate.of(stack, STACK_ID);
  }

  test('the handler of publications may tell where the channels are and were', async () => {
    const template = publicationTemplate((publication) => publication.onPromoted('Rule'));
    const publication = world.publication();
    const asked = { ...properties(template, PUBLICATION_RESOURCE_TYPE), ImageVersion: '1.0' };
    await publication.create(asked);
    await world.tested.build(2);
    world.simulator.calls.clear();
    await publication.update({ ...asked, ImageVersion: '2.0' });
    expect(world.simulator.events.at(-1)).toMatchObject({ bus: bus('default'), detail: { imageVersion: '2.0', previousVersion: '1.0' } });
    expect(await denied(template, 'PublicationProvider')).toEqual([]);
  });

  test('the handler of channels may tell where one is and was', async () => {
    await world.publication().create(world.properties('1.0'));
    const template = channelTemplate((channel) => channel.onPromoted('Rule'));
    const channel = world.channel();
    const asked = properties(template, CHANNEL_RESOURCE_TYPE);
    await channel.create(asked);
    await world.tested.build(2);
    await world.publication().send('Update', world.properties('2.0'), world.properties('1.0'), ROOT);
    world.simulator.calls.clear();
    world.store.calls = [];
    await channel.update({ ...asked, ImageVersion: '2.0' });
    expect(world.simulator.events.at(-1)).toMatchObject({ detail: { channel: 'stable', imageVersion: '2.0', previousVersion: '1.0' } });
    expect(await denied(template, 'PublicationProvider')).toEqual([]);
  });

  test.each<[string, () => DeployedTemplate, string, string[]]>([
    ['a rule is made', () => publicationTemplate((publication) => publication.onPublished('Rule')), bus('default'), [bus('mine')]],
    [
      'a bus is given', () => publicationTemplate(() => undefined, { eventBus: mine }), bus('mine'),
      [bus('default'), bus('mine2'), bus('mine', 'eu-west-1'), bus('mine', REGION, '999999999999')],
    ],
    ['nobody wants them', () => publicationTemplate(() => undefined), '', [bus('default')]],
  ])('when %s, the handler may put those of this library there, and nothing else or elsewhere', async (_when, make, there, neighbours) => {
    const template = make();
    const mayPut = async (role: string, resource: string, source = 'cdk-lambda-microvms') =>
      isAllowed(template.policiesOf(role), 'events:PutEvents', resource, { 'events:source': [source] });
    const handler = template.role('PublicationProviderIsCompleteRole');
    for (const role of template.logicalIds('AWS::IAM::Role')) {
      expect([role, there !== '' && await mayPut(role, there)]).toEqual([role, there !== '' && role === handler]);
    }
    expect(there !== '' && await mayPut(handler, there, 'somebody.else')).toBe(false);
    for (const neighbour of neighbours) {
      expect([neighbour, await mayPut(handler, neighbour)]).toEqual([neighbour, false]);
    }
    expect(await isAllowed(template.policiesOf(handler), 'ssm:GetParameters', `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/microvm-images/neighbour/channels/stable`)).toBe(false);
  });
});

test('the handler of channels may do what it does: move one and close it', async () => {
  await world.publication().create(world.properties('1.0'));
  world.simulator.calls.clear();
  world.store.calls = [];
  const template = channelTemplate();
  const channel = world.channel();
  expect(await channel.create(properties(template, CHANNEL_RESOURCE_TYPE))).toMatchObject({ Status: 'SUCCESS' });
  expect(await channel.delete()).toMatchObject({ Status: 'SUCCESS' });
  expect(await denied(template, 'PublicationProvider')).toEqual([]);
});

describe('they may not', () => {
  const image = (name: string) => `arn:aws:lambda:${REGION}:${ACCOUNT}:microvm-image:${name}`;
  const parameter = (name: string) => `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter${name}`;
  test.each<[string, string, string]>([
    ['SmokeTestProvider', 'lambda:RunMicrovm', image('neighbour')],
    ['SmokeTestProvider', 'lambda:TerminateMicrovm', image('neighbour')],
    ['SmokeTestProvider', 'lambda:CreateMicrovmShellAuthToken', image(IMAGE)],
    ['SmokeTestProvider', 'lambda:UpdateMicrovmImage', image(IMAGE)],
    ['SmokeTestProvider', 'lambda:DeleteMicrovmImageVersion', image(IMAGE)],
    ['SmokeTestProvider', 'iam:PassRole', `arn:aws:iam::${ACCOUNT}:role/Admin`],
    ['SmokeTestProvider', 'lambda:PassNetworkConnector', `arn:aws:lambda:${REGION}:aws:network-connector:aws-network-connector:ALL_INGRESS`],
    ['SmokeTestProvider', 'ssm:PutParameter', parameter(`${ROOT}/channels/stable`)],
    ['PublicationProvider', 'ssm:PutParameter', parameter('/microvm-images/neighbour/channels/stable')],
    ['PublicationProvider', 'ssm:PutParameter', parameter('/microvm-images/agents-too/owner')],
    ['PublicationProvider', 'ssm:GetParameters', parameter('/secrets/database')],
    ['PublicationProvider', 'lambda:RunMicrovm', image(IMAGE)],
    ['PublicationProvider', 'lambda:DeleteMicrovmImageVersion', image(IMAGE)],
    ['PublicationProvider', 'lambda:TagResource', image('neighbour')],
  ])('%s: %s on %s', async (provider, action, resource) => {
    const template = publisherTemplate();
    expect(await isAllowed(template.policiesOf(template.role(`${provider}IsCompleteRole`)), action, resource)).toBe(false);
  });

  test.each<[string, string]>([
    ['ssm:PutParameter', parameter(`${ROOT}/channels/candidate`)],
    ['ssm:PutParameter', parameter(`${ROOT}/versions/1.0`)],
    ['ssm:DeleteParameters', parameter(`${ROOT}/owner`)],
    ['lambda:TagResource', image(IMAGE)],
  ])('a stack that only moves a channel: %s on %s', async (action, resource) => {
    await world.publication().create(world.properties('1.0'));
    const template = channelTemplate();
    expect(await isAllowed(template.policiesOf(template.role('PublicationProviderIsCompleteRole')), action, resource)).toBe(false);
  });
});

test('ten golden images of a stack, with the longest names and with events, fit into what IAM allows a role', () => {
  const names = Array.from({ length: 9 }, (_, index) => `${'x'.repeat(62)}-${index}`);
  const template = publisherTemplate(names, (publication) => publication.onPromoted('Promoted'));
  for (const provider of ['SmokeTestProvider', 'PublicationProvider']) {
    expect(JSON.stringify(template.policiesOf(template.role(`${provider}IsCompleteRole`))).length).toBeLessThan(10_240);
  }
});
