import { LambdaMicrovmsClient, RunMicrovmCommand } from '@aws-sdk/client-lambda-microvms';
import { SimulatedStacks } from './simulated-stack';
import { StackResource } from './stack-events';

const MINUTE = 60_000;

let stacks: SimulatedStacks;

afterEach(async () => stacks.simulator.stop());

async function start(...args: Parameters<typeof SimulatedStacks.start>): Promise<StackResource> {
  stacks = await SimulatedStacks.start(...args);
  return stacks.resource();
}

const followed = (content: string) => stacks.image(content, { followLatest: true });
const named = (content: string) => stacks.image(content);

/** The version a launch gets that names none. */
async function latest(): Promise<string> {
  const client = new LambdaMicrovmsClient();
  try {
    const { imageVersion } = await client.send(new RunMicrovmCommand({ imageIdentifier: stacks.imageArn }));
    return imageVersion!;
  } finally {
    client.destroy();
  }
}

async function deploy(image: StackResource, ...contents: string[]): Promise<void> {
  const [first, ...others] = contents;
  await image.create(followed(first));
  for (const content of others) {
    await image.update(followed(content));
  }
}

test('a rollback retires the versions after the one it returns to, one a tick, and builds nothing', async () => {
  const image = await start();
  await deploy(image, 'v1', 'v2', 'v3');
  const before = stacks.builds;
  stacks.simulator.calls.clear();
  const response = await image.rollBack(followed('v3'), followed('v1'));

  expect(response).toMatchObject({ Status: 'SUCCESS', Data: { ImageVersion: '1.0' }, ticks: 3 });
  expect(stacks.simulator.calls.of('UpdateMicrovmImageVersion').map(({ labels, body }) => [labels[1], body])).toEqual([
    ['3.0', { status: 'INACTIVE' }], ['2.0', { status: 'INACTIVE' }],
  ]);
  expect(await latest()).toBe('1.0');
  expect([before, stacks.builds]).toEqual([3, 0]);
});

test('a version that was retired is activated when it is asked for again, without a build', async () => {
  const image = await start();
  await deploy(image, 'v1', 'v2');
  await image.rollBack(followed('v2'), followed('v1'));
  const before = stacks.builds;

  expect(await image.update(followed('v2'))).toMatchObject({ Status: 'SUCCESS', Data: { ImageVersion: '2.0' } });
  expect(await latest()).toBe('2.0');
  expect(stacks.builds).toBe(before);
});

test('a new version retires nothing', async () => {
  const image = await start();
  await deploy(image, 'v1', 'v2');
  expect(stacks.simulator.calls.count('UpdateMicrovmImageVersion')).toBe(0);
});

test('by default a rollback leaves newer versions as they are: launches name theirs', async () => {
  const image = await start();
  await image.create(named('v1'));
  await image.update(named('v2'));
  expect(await image.rollBack(named('v2'), named('v1'))).toMatchObject({ Data: { ImageVersion: '1.0' }, ticks: 1 });
  expect(stacks.simulator.images[0].versions.map(({ status }) => status)).toEqual(['ACTIVE', 'ACTIVE']);
});

test('turning it on retires what is newer than the version served', async () => {
  const image = await start();
  await image.create(named('v1'));
  await image.update(named('v2'));
  await image.update(named('v1'));
  expect(await latest()).toBe('2.0');
  const before = stacks.builds;
  expect(await image.update(followed('v1'))).toMatchObject({ Status: 'SUCCESS', Data: { ImageVersion: '1.0' } });
  expect(await latest()).toBe('1.0');
  expect(stacks.builds).toBe(before);
});

test.each(['conflict', 'accepted'] as const)(
  'a cancelled update is waited for, since its version turns ACTIVE when it is built (tag writes meanwhile: %s)',
  async (tagWritesWhileUpdating) => {
    const image = await start({ readings: { tagWritesWhileUpdating } });
    await deploy(image, 'v1');
    await stacks.adapter.updateImage(stacks.imageArn, followed('v2'), 'cancelled');
    const before = stacks.builds;

    expect(await image.rollBack(followed('v2'), followed('v1'))).toMatchObject({ Status: 'SUCCESS', Data: { ImageVersion: '1.0' } });
    await stacks.simulator.clock.advance(10 * MINUTE);
    expect(stacks.simulator.images[0].versions.map(({ version, status }) => `${version} ${status}`)).toEqual(['1.0 ACTIVE', '2.0 INACTIVE']);
    expect(await latest()).toBe('1.0');
    expect(stacks.builds).toBe(before);
  },
);

test('a build that fails after its update was cancelled leaves nothing to retire', async () => {
  const image = await start({ readings: { updateFailedLaunches: true } });
  await deploy(image, 'v1');
  stacks.simulator.builds.plan({ failure: { kind: 'container' } });
  await stacks.adapter.updateImage(stacks.imageArn, followed('v2'), 'cancelled');
  expect(await image.rollBack(followed('v2'), followed('v1'))).toMatchObject({ Status: 'SUCCESS', Data: { ImageVersion: '1.0' } });
  expect(stacks.simulator.calls.count('UpdateMicrovmImageVersion')).toBe(0);
  expect(await latest()).toBe('1.0');
});

test('a build that is wedged is not waited for: it never ends well', async () => {
  const image = await start();
  await deploy(image, 'v1');
  stacks.simulator.builds.plan({ wedged: true });
  await stacks.adapter.updateImage(stacks.imageArn, followed('v2'), 'cancelled');
  const begun = stacks.simulator.clock.now();

  expect(await image.rollBack(followed('v2'), followed('v1'))).toMatchObject({ Status: 'SUCCESS', Data: { ImageVersion: '1.0' } });
  expect(stacks.simulator.clock.now() - begun).toBeLessThanOrEqual(10 * MINUTE + 7_000);
});

test('a version that cannot be retired in time fails the deployment, and says who gets it', async () => {
  const image = await start();
  await deploy(image, 'v1');
  stacks.simulator.builds.plan({ durationMs: 20 * MINUTE });
  await stacks.adapter.updateImage(stacks.imageArn, followed('v2'), 'cancelled');
  const response = await image.rollBack(followed('v2'), stacks.image('v1', { followLatest: true, buildTimeoutSeconds: 300 }));

  expect(response.Status).toBe('FAILED');
  expect(response.Reason).toContain('version 2.0 could not be retired, and a launch that names no version gets it instead of 1.0');
});
