import { RefreshRun } from './refresh-run';
import { SimulatedStacks } from './simulated-stack';
import { StackResource } from './stack-events';
import { ImageProperties } from '../../../src/custom-resources/microvm-image/contract';
import { baseImageAge, daysLeft } from '../../../src/custom-resources/microvm-image/handler/base-images';

const NOW = Date.UTC(2026, 10, 20);
const DAY = 86_400_000;

describe('the days MicroVMs still run on a base image', () => {
  test.each<[string, string | undefined, number, number]>([
    ['available', 'AVAILABLE', 400, 90],
    ['of which the service tells no status', undefined, 400, 90],
    ['deprecated this very moment', 'DEPRECATED', 0, 89],
    ['deprecated a day ago', 'DEPRECATED', 1, 89],
    ['deprecated 60 days ago', 'DEPRECATED', 60, 30],
    ['deprecated longer than that lasts', 'DEPRECATED', 200, 0],
    ['expiring since today', 'EXPIRING', 0, 30],
    ['expiring for 29 days', 'EXPIRING', 29, 1],
    ['expired', 'EXPIRED', 0, 0],
    ['recalled', 'RECALLED', 0, 0],
    ['in a status of a later day', 'WITHDRAWN', 0, 0],
  ])('%s', (_what, status, age, days) => {
    expect(daysLeft('1', [{ version: '2', status: 'AVAILABLE' }, { version: '1', status, updatedAt: NOW - age * DAY }], NOW)).toBe(days);
  });

  test('are none when the service lists it no more', () => {
    expect(daysLeft('1', [{ version: '2', status: 'AVAILABLE' }], NOW)).toBe(0);
  });

  test('are counted from now when nobody knows since when', () => {
    expect(daysLeft('1', [{ version: '1', status: 'EXPIRING' }], NOW)).toBe(30);
  });
});

test.each<[string, string | undefined, number | undefined, number | undefined]>([
  ['out for a day and a half', '1', NOW - 1.5 * DAY, 1.5],
  ['that comes out tomorrow, by the clock of the service', '1', NOW + DAY, 0],
  ['of which the service tells no date', '1', undefined, undefined],
  ['that the service lists no more', '3', NOW, undefined],
  ['that nobody knows', undefined, NOW, undefined],
])('the age of a base image %s', (_what, version, createdAt, age) => {
  expect(baseImageAge(version, [{ version: '2.0', createdAt: NOW }, { version: '1.0', createdAt }], NOW)).toBe(age);
});

describe('a look at the base image', () => {
  let stacks: SimulatedStacks;
  let stack: StackResource;
  let v1: ImageProperties;

  beforeEach(async () => {
    stacks = await SimulatedStacks.start();
    stack = stacks.resource();
    v1 = stacks.image('v1');
    await stack.create(v1);
    stacks.simulator.calls.clear();
  });
  afterEach(async () => stacks.simulator.stop());

  const look = async (force = false) => {
    stacks.logged.length = 0;
    const result = await new RefreshRun(stacks, v1).check(force);
    const metric = stacks.logged.map((line) => JSON.parse(line)).find(({ _aws }) => _aws);
    return { ...result, days: metric?.BaseImageDaysLeft, age: metric?.BaseImageAge, dimension: metric?.ImageName };
  };

  test.each([
    [{ throttle: true }, 'Unavailable', /^Whether image 'app-1234abcd-image-5678efab' needs a refresh is not known: GetMicrovmImage was refused: Rate exceeded\. Hint: the next refresh looks again\.$/],
    [{ http502: true }, 'Unavailable', /GetMicrovmImage was refused: the service answered HTTP 502/],
    [{ error: { type: 'AccessDeniedException', message: 'no', status: 403 } }, 'Verdict', /GetMicrovmImage was refused: no\. Hint: look for a permissions boundary/],
  ])('that the service does not allow says so, and builds nothing: %j is %s', async (fault, name, message) => {
    stacks.simulator.faults.inject({ operation: 'GetMicrovmImage', times: 5, ...fault });
    await expect(look(true)).rejects.toMatchObject({ name, message: expect.stringMatching(message) });
    expect(stacks.simulator.calls.mutations()).toEqual([]);
  });

  test('changes nothing, and measures the days left of the version served', async () => {
    expect(await look()).toMatchObject({ Due: false, Event: null, days: 90, dimension: SimulatedStacks.IMAGE });
    stacks.simulator.publishBaseImage('2');
    stacks.simulator.retireBaseImage('1', 'EXPIRING', stacks.simulator.clock.now() - 10 * DAY);
    expect(await look()).toMatchObject({ Due: true, days: 20, Why: 'base image version 2 is newer than 1' });
    expect(stacks.simulator.calls.mutations()).toEqual([]);
  });

  test('measures how long the base image of the version served has been out', async () => {
    const { age } = await look();
    await stacks.simulator.clock.advance(3 * DAY);
    expect((await look()).age).toBeCloseTo(age + 3, 1);
    stacks.simulator.publishBaseImage('2');
    await RefreshRun.of(stacks, v1);
    expect((await look()).age).toBeLessThan(1);
  });

  test('measures the refreshed version once there is one', async () => {
    stacks.simulator.publishBaseImage('2');
    stacks.simulator.retireBaseImage('1', 'RECALLED');
    expect(await look()).toMatchObject({ days: 0 });
    await RefreshRun.of(stacks, v1);
    expect(await look()).toMatchObject({ Due: false, days: 90 });
  });

  test.each(['EXPIRING', 'EXPIRED', 'RECALLED'])('builds on nothing that is %s', async (status) => {
    stacks.simulator.publishBaseImage('2');
    stacks.simulator.retireBaseImage('2', status);
    expect(await look()).toMatchObject({ Due: false, Why: 'base image version 1 is the newest' });
  });

  test('says so when no base image is left', async () => {
    ['1', '0'].forEach((version) => stacks.simulator.retireBaseImage(version, 'EXPIRED'));
    expect(await look()).toMatchObject({ Due: false, Why: 'no version of the base image can be built on', days: 0 });
  });

  test('leaves an image of somebody else alone', async () => {
    await stacks.adapter.tag(stacks.imageArn, { 'microvm-cdk:owner': 'f'.repeat(32) });
    expect(await look(true)).toMatchObject({ Due: false, Why: 'it does not belong to this stack' });
  });
});
