import { HistoryWorld } from './history-world';
import { History, templateOf } from './random-history';
import { Answer, Delivery, Incoming, RequestDesk } from './request-desk';
import { Tag } from '../../../src/custom-resources/microvm-image/contract';
import { MicrovmSimulator } from '../../simulator';

const STACK = 'arn:aws:cloudformation:us-east-1:000000000000:stack/App/11111111-2222-3333-4444-555555555555';
const good = { type: 'good' } as const;
const plain = { type: 'deploy', stack: 0, fate: good, deliveredTwice: false, builds: [], ticks: [], rollbackTicks: [] } as const;

let simulator: MicrovmSimulator;

beforeEach(async () => {
  simulator = await MicrovmSimulator.start();
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: simulator.endpoint, AWS_REGION: simulator.region, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test',
  });
});
afterEach(async () => simulator.stop());

async function violationsOf(steps: unknown[], readings: History['readings'] = {}): Promise<string[]> {
  const world = new HistoryWorld(simulator);
  await world.play({ readings, steps: steps as History['steps'] });
  return world.violations;
}

function desk(): RequestDesk {
  simulator.artifacts.put('s3://assets/v1.zip', HistoryWorld.ARTIFACT);
  return new RequestDesk(simulator, HistoryWorld.clients().adapter, () => undefined, () => undefined);
}

async function finish(counter: RequestDesk, delivery: Delivery): Promise<Answer> {
  while (!delivery.response) {
    await counter.tick(delivery, {}, delivery);
    await simulator.clock.advance(7_000);
  }
  return delivery.response;
}

async function send(counter: RequestDesk, incoming: Omit<Incoming, 'stackId'>): Promise<Answer> {
  await simulator.clock.advance(1_000);
  return finish(counter, await counter.accept({ stackId: STACK, ...incoming }));
}

test('a Delete that follows a crash right after the create finds the image, although the first read does not tell of it yet', async () => {
  expect(await violationsOf(
    [{ ...plain, template: 0, ticks: [{ fault: { call: 2, kind: 'crashAfter' } }] }],
    { staleReadsAfterWrite: 1 },
  )).toEqual([]);
});

test('a Create delivered twice, one of them crashed before it made the image, leaves nothing behind', async () => {
  expect(await violationsOf([{
    ...plain, template: 0, deliveredTwice: true, ticks: [{ fault: { call: 0, kind: 'crashAfter' }, ghostsSleep: true }], rollbackTicks: [{ ghostsSleep: true }],
  }])).toEqual([]);
});

test('a rollback ends on the version served before, although the update before it was cancelled and polled on', async () => {
  expect(await violationsOf([
    { ...plain, template: 0 },
    { ...plain, template: 3, fate: { type: 'cancelled', afterTicks: 2 } },
    { ...plain, template: 4, fate: { type: 'siblingFails' }, builds: [{ durationMs: 7_000 }] },
  ])).toEqual([]);
});

test('a rename that waits for a build slot creates nothing once it was cancelled and rolled back', async () => {
  const counter = desk();
  const [before, after] = [templateOf(0, 0), templateOf(0, 7)];
  const created = await send(counter, { type: 'Create', requestId: 'create', properties: before });
  simulator.quotas.concurrentBuilds = 0;
  const waiting = await counter.accept({
    stackId: STACK, type: 'Update', requestId: 'rename', properties: after, old: before, physicalId: created.PhysicalResourceId,
  });
  await counter.tick(waiting, {}, waiting);
  const newId = simulator.imageArn(after.imageName);
  await send(counter, { type: 'Update', requestId: 'roll-back', properties: before, old: after, physicalId: newId });
  await send(counter, { type: 'Delete', requestId: 'clean-up', properties: after, physicalId: newId });
  simulator.quotas.concurrentBuilds = 10;
  await finish(counter, waiting);

  expect(simulator.images.map(({ name }) => name)).toEqual([before.imageName]);
});

test('a rename is rolled back although the image lost its owner tag; it still carries the tag of the stack', async () => {
  const counter = desk();
  const [before, after] = [templateOf(0, 0), templateOf(0, 7)];
  const created = await send(counter, { type: 'Create', requestId: 'create', properties: before });
  await counter.adapter.untag(created.PhysicalResourceId, [Tag.OWNER]);
  const back = await send(counter, {
    type: 'Update', requestId: 'roll-back', properties: before, old: after, physicalId: simulator.imageArn(after.imageName),
  });

  expect(back).toMatchObject({ Status: 'SUCCESS', Data: { ImageVersion: '1.0' } });
});

test('an image deleted while its first build is awaited is made again, and built', async () => {
  const counter = desk();
  const create = await counter.accept({ stackId: STACK, type: 'Create', requestId: 'create', properties: templateOf(0, 0) });
  await counter.tick(create, {}, create);
  await simulator.clock.advance(200_000);
  await counter.adapter.deleteImage(simulator.imageArn(templateOf(0, 0).imageName));
  await simulator.clock.advance(60_000);

  expect(await finish(counter, create)).toMatchObject({ Status: 'SUCCESS', Data: { ImageVersion: '1.0' } });
});

test('a rename that adopts an image takes no tags from it that the image before had', async () => {
  expect(await violationsOf([
    { ...plain, template: 2 },
    { ...plain, template: 10, engine: { adopt: true }, fate: { type: 'siblingFails' } },
  ])).toEqual([]);
});

test('a create with little time is not refused a name that is its own, read too late', async () => {
  expect(await violationsOf(
    [{ ...plain, template: 0, engine: { buildTimeoutSeconds: 120 }, ticks: [{}, { lateMs: 45_000 }] }],
    { staleReadsAfterWrite: 1 },
  )).toEqual([]);
});

test('a rollback ends on the version that a deployment did not wait for, although the update before it built another of the same inputs', async () => {
  expect(await violationsOf([
    { ...plain, template: 0, engine: { waitForBuild: false } },
    { ...plain, template: 0, stack: 1 },
    { ...plain, template: 3, deliveredTwice: true, ticks: [{ lateMs: 20_000 }, { lateMs: 20_000, fault: { call: 0, kind: 'crashAfter' } }] },
  ])).toEqual([]);
});

test.each(['accepted', 'conflict'] as const)(
  'a rollback ends on the version that a deployment did not wait for, and its refresh token is not forgotten (tag writes: %s)',
  async (tagWritesWhileUpdating) => {
    expect(await violationsOf([
      { ...plain, template: 3, engine: { waitForBuild: false } },
      { ...plain, template: 0, fate: { type: 'siblingFails' } },
    ], { tagWritesWhileUpdating })).toEqual([]);
  },
);

test('a rollback finds the version of a refresh token that could not be noted: the image took no tags when it was handed out', async () => {
  expect(await violationsOf([
    { ...plain, template: 3, builds: [{ durationMs: 7_000 }], ticks: [{}, { fault: { call: 2, kind: 'busy' } }] },
    { ...plain, template: 4, fate: { type: 'cancelled', afterTicks: 1 } },
  ], { tagWritesWhileUpdating: 'conflict' })).toEqual([]);
});
