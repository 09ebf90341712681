import { Publisher, ROOT } from './publisher';
import { PUBLICATION_RESOURCE_TYPE, PublicationProperties } from '../../../src/custom-resources/microvm-image-publication/contract';
import { isComplete } from '../../../src/custom-resources/microvm-image-publication/handler/is-complete';
import { SdkAdapter } from '../../../src/custom-resources/microvm-image-publication/handler/sdk-adapter';
import { FaultSpec } from '../../simulator';
import { STACK_ID } from '../common/custom-resource';
import { Killer, Moment } from '../common/killer';
import { Crash } from '../microvm-image/scripted-service';
import { stringified } from '../microvm-image/stack-events';

const BUS = 'arn:aws:events:us-east-1:000000000000:event-bus/default';
const PUBLISHED = 'MicroVM Image Published';
const PROMOTED = 'MicroVM Image Promoted';
const MINUTE = 60_000;

let world: Publisher;
beforeEach(async () => {
  world = await Publisher.start();
});
afterEach(async () => world.stop());

/** A publication whose events somebody wants. */
const announced = (version: string, more: Partial<PublicationProperties> = {}) => world.properties(version, { eventBusArn: BUS, ...more });
const events = () => world.simulator.events.map(({ type, detail }) => [type, detail.channel, detail.imageVersion, detail.previousVersion]);
const ids = () => world.simulator.events.map(({ detail }) => detail.id);
const warnings = (text: string) => world.logged.map((line) => JSON.parse(line)).filter(({ warning }) => warning === text);
const aMinuteLater = async () => world.simulator.clock.advance(MINUTE);

test('what is published is told once it is done: the record, and each channel, to the bus', async () => {
  world.store.onWrite = () => expect(world.simulator.events).toEqual([]);
  await world.publication().create(announced('1.0', { channels: ['candidate', 'nightly'], sourceRevision: 'c0ffee' }));
  const detailOfAll = {
    id: expect.stringMatching(/^[0-9a-f]{32}$/),
    imageArn: world.imageArn,
    imageName: world.imageArn.split(':').pop(),
    imageVersion: '1.0',
    stackName: 'App',
    publicationName: 'agents',
  };
  const eventOf = (type: string, detail: object) => ({
    bus: BUS, source: 'cdk-lambda-microvms', type, resources: [world.imageArn], detail: { ...detailOfAll, ...detail },
  });
  expect(world.simulator.events).toEqual([
    eventOf(PUBLISHED, { parameterName: `${ROOT}/versions/1.0`, sourceRevision: 'c0ffee', codeDigest: expect.stringMatching(/^[0-9a-f]{64}$/) }),
    eventOf(PROMOTED, { parameterName: `${ROOT}/channels/candidate`, channel: 'candidate' }),
    eventOf(PROMOTED, { parameterName: `${ROOT}/channels/nightly`, channel: 'nightly' }),
  ]);
  expect(new Set(ids()).size).toBe(3);
});

test('nobody who asks for no events gets any, and nothing is asked for their sake', async () => {
  const publication = world.publication();
  await publication.create(world.properties('1.0'));
  await world.tested.build(2);
  await publication.update(world.properties('2.0'));
  expect(world.simulator.calls.count('PutEvents')).toBe(0);
  expect(world.store.calls.filter(({ operation }) => operation === 'GetParameters')).toEqual([]);
});

test('a channel tells where it is and where it was: a new version, and the way back, which publishes nothing', async () => {
  const publication = world.publication();
  await publication.create(announced('1.0'));
  await world.tested.build(2);
  await publication.update(announced('2.0'));
  await aMinuteLater();
  await publication.rollBack(announced('1.0'));
  expect(events()).toEqual([
    [PUBLISHED, undefined, '1.0', undefined], [PROMOTED, 'candidate', '1.0', undefined],
    [PUBLISHED, undefined, '2.0', undefined], [PROMOTED, 'candidate', '2.0', '1.0'],
    [PROMOTED, 'candidate', '1.0', '2.0'],
  ]);
  expect(new Set(ids()).size).toBe(5);
});

test('where a channel was is what it named, not what the deployment before published', async () => {
  const publication = world.publication();
  await publication.create(announced('1.0'));
  for (const version of [2, 3]) {
    await world.tested.build(version);
  }
  // A base image refresh publishes in between, and the template does not know.
  await publication.send('Update', announced('2.0'), announced('1.0'), ROOT);
  await publication.update(announced('3.0'));
  expect(events().pop()).toEqual([PROMOTED, 'candidate', '3.0', '2.0']);
});

test('a deployment that publishes nothing tells nothing, also the one that turns the events on', async () => {
  const publication = world.publication();
  await publication.create(world.properties('1.0'));
  await aMinuteLater();
  await publication.update(announced('1.0'));
  await publication.update(announced('1.0', { sourceRevision: 'later', keepRecords: 5 }));
  await publication.delete();
  expect(events()).toEqual([]);
});

test('a publication that fails tells nothing of what it wrote, and the one after tells all', async () => {
  const publication = world.publication();
  const denied = { error: { type: 'AccessDeniedException', message: 'no', status: 400 } };
  world.store.faults.inject({ operation: 'PutParameter', ...denied, times: 1_000, when: ({ body }) => String(body!.Name).includes('/channels/') });
  expect(await publication.create(announced('1.0'))).toMatchObject({ Status: 'FAILED' });
  expect(events()).toEqual([]);
  world.store.faults.clear();
  await publication.create(announced('1.0'));
  expect(events()).toEqual([[PUBLISHED, undefined, '1.0', undefined], [PROMOTED, 'candidate', '1.0', undefined]]);
});

test('what was withdrawn and is published again has other events, although all of it has the same names', async () => {
  for (let time = 0; time < 2; time++) {
    const publication = world.publication();
    await publication.create(announced('1.0'));
    await publication.delete();
    await aMinuteLater();
  }
  expect(events()).toHaveLength(4);
  expect(new Set(ids()).size).toBe(4);
});

test('a channel that is moved by itself tells of each move, and of no other channel', async () => {
  const publication = world.publication();
  await publication.create(world.properties('1.0'));
  await world.tested.build(2);
  await publication.update(world.properties('2.0'));
  const stable = world.channel();
  const wanted = (version: string) => world.channelProperties(version, { eventBusArn: BUS });
  await stable.create(wanted('1.0'));
  await stable.update(wanted('2.0'));
  await aMinuteLater();
  await stable.update({ ...wanted('2.0'), Unknown: 'another request' });
  await stable.delete();
  expect(events()).toEqual([[PROMOTED, 'stable', '1.0', undefined], [PROMOTED, 'stable', '2.0', '1.0']]);
  expect(world.simulator.events[1]).toMatchObject({
    bus: BUS, resources: [world.imageArn], detail: { stackName: 'App', publicationName: 'agents', parameterName: `${ROOT}/channels/stable` },
  });
});

describe('a step that is cut short and runs again', () => {
  let adapter: SdkAdapter;
  beforeEach(() => (adapter = new SdkAdapter()));
  const now = () => world.simulator.clock.now();

  /** The steps of an update from 1.0 to 2.0, of which Lambda kills one. Whether it did. */
  async function publishKilled(root: string, call: number, moment: Moment): Promise<boolean> {
    const killer = new Killer();
    const properties = { root, channels: ['candidate', 'nightly'] };
    await world.publication().create(world.properties('1.0', properties));
    await aMinuteLater();
    killer.arm(call, moment);
    const event = {
      RequestType: 'Update' as const,
      RequestId: root,
      StackId: STACK_ID,
      LogicalResourceId: 'Publication',
      ResourceType: PUBLICATION_RESOURCE_TYPE,
      PhysicalResourceId: root,
      ResourceProperties: stringified(announced('2.0', properties)) as Record<string, unknown>,
      AcceptedAt: new Date(now()).toISOString(),
    };
    for (let done = false; !done;) {
      done = await killer.race(async (watched) => isComplete(event, watched(adapter), now, () => undefined)).then(
        ({ IsComplete }) => IsComplete,
        (error) => {
          expect(error).toBeInstanceOf(Crash);
          return false;
        },
      );
      await world.simulator.clock.advance(7_000);
    }
    return killer.disarm();
  }

  test.each<Moment>(['before', 'after'])('loses no event, whichever of its calls it was killed %s, and tells the same again by the same id', async (moment) => {
    await world.tested.build(2);
    let kills = 0;
    for (let struck = true; struck; kills += struck ? 1 : 0) {
      const told = world.simulator.events.length;
      struck = await publishKilled(`/microvm-images/${moment}-${kills}`, kills, moment);
      const new_ = world.simulator.events.slice(told);
      expect([kills, ...new Set(new_.map(({ type, detail }) => `${type} ${detail.channel ?? ''} ${detail.previousVersion ?? ''}`))]).toEqual(
        [kills, `${PUBLISHED}  `, `${PROMOTED} candidate 1.0`, `${PROMOTED} nightly 1.0`]);
      expect(new Set(new_.map(({ detail }) => detail.id)).size).toBe(3);
    }
    expect(kills).toBeGreaterThan(12);
  }, 120_000);

  test('tells of a record whose answer got lost', async () => {
    world.store.faults.inject({ operation: 'PutParameter', lostResponse: true, times: 1, when: ({ body }) => String(body!.Name).includes('/versions/') });
    await world.publication().create(announced('1.0'));
    expect(events()[0]).toEqual([PUBLISHED, undefined, '1.0', undefined]);
  });
});

describe('EventBridge that', () => {
  const fault = (spec: Omit<FaultSpec, 'operation'>) => () => void world.simulator.faults.inject({ operation: 'PutEvents', times: 99, ...spec });
  test.each<[string, () => void]>([
    ['throttles', fault({ error: { type: 'ThrottlingException', status: 400, message: 'Rate exceeded' } })],
    ['breaks', fault({ error: { type: 'InternalException', status: 500 } })],
    ['denies', fault({ error: { type: 'AccessDeniedException', status: 400, message: 'not authorized to perform: events:PutEvents' } })],
    ['refuses what is in the call', () => world.simulator.refuseEvents('ThrottlingException')],
  ])('%s changes nothing of what is published, and the log says what is lost', async (_what, break_) => {
    break_();
    expect(await world.publication().create(announced('1.0'))).toMatchObject({ Status: 'SUCCESS', Data: { ImageVersion: '1.0' } });
    expect(world.channels).toEqual({ candidate: '1.0' });
    expect(warnings('event not put')).toEqual([PUBLISHED, PROMOTED].map((event) =>
      expect.objectContaining({ event, eventId: expect.any(String), error: expect.any(String) })));
    expect(events()).toEqual([]);
  });
});

test('where a channel was is left out when it cannot be read, and the log says so', async () => {
  const publication = world.publication();
  await publication.create(announced('1.0'));
  await world.tested.build(2);
  world.store.faults.inject({ operation: 'GetParameters', times: 99, error: { type: 'AccessDeniedException', message: 'no', status: 400 } });
  expect(await publication.update(announced('2.0'))).toMatchObject({ Status: 'SUCCESS' });
  expect(events().pop()).toEqual([PROMOTED, 'candidate', '2.0', undefined]);
  expect(warnings('previous versions not read')).toHaveLength(1);
});
