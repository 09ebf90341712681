import { randomUUID } from 'crypto';
import { RunMicrovmCommand, LambdaMicrovmsClient, SuspendMicrovmCommand, TerminateMicrovmCommand } from '@aws-sdk/client-lambda-microvms';
import { SimulatedStacks } from './simulated-stack';
import { encodeUpkeep, RunningMicrovms, Tag, UpkeepProperties } from '../../../src/custom-resources/microvm-image/contract';
import { desiredConfig } from '../../../src/custom-resources/microvm-image/handler/config';
import { SimulatorOptions } from '../../simulator';

const STACK = '11111111-2222-3333-4444-555555555555';
const STACK_ID = `arn:aws:cloudformation:us-east-1:000000000000:stack/App/${STACK}`;
const HOUR = 3_600_000;
const { IMAGE } = SimulatedStacks;

let stacks: SimulatedStacks;
let client: LambdaMicrovmsClient;

async function start(options?: SimulatorOptions) {
  stacks = await SimulatedStacks.start(options);
  client = new LambdaMicrovmsClient();
}

beforeEach(async () => start());
afterEach(async () => stacks.simulator.stop());

/** An image as CloudFormation makes it, with so many versions, one every so often. */
async function build(versions: number, every = 12 * HOUR, { name = IMAGE, tags = { [Tag.UPKEEP]: STACK } as Record<string, string> } = {}) {
  const arn = stacks.simulator.imageArn(name);
  for (let version = 1; version <= versions; version++) {
    const config = desiredConfig(stacks.image(`content-${version}`));
    await (version === 1 ? stacks.adapter.createImage(name, config, tags, randomUUID()) : stacks.adapter.updateImage(arn, config, randomUUID()));
    await stacks.simulator.clock.advance(every);
  }
  stacks.simulator.calls.clear();
}

/** A request for the upkeep, from its message to its answer. */
async function send(type: 'Create' | 'Update' | 'Delete', upkeep: Partial<UpkeepProperties>, physicalId = stacks.imageArn) {
  const properties = encodeUpkeep({ imageName: IMAGE, content: '0', runningMicrovms: RunningMicrovms.FAIL, ...upkeep });
  return stacks.upkeep(type, STACK_ID, physicalId, { ServiceToken: 'token', ...properties });
}

async function run(name = IMAGE): Promise<string> {
  const { microvmId } = await client.send(new RunMicrovmCommand({ imageIdentifier: stacks.simulator.imageArn(name) }));
  return microvmId!;
}

const states = () => stacks.simulator.microvms.map(({ state }) => state);
const clear = { runningMicrovms: RunningMicrovms.TERMINATE };

describe('after a build', () => {
  test('deletes the oldest versions, and keeps as many as asked', async () => {
    await build(7);
    const response = await send('Create', { keepVersions: 2 });

    expect(response).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: stacks.imageArn });
    expect(await stacks.versions()).toEqual(['6.0', '7.0']);
    // CloudFormation's next update would be refused while a delete settles.
    expect(stacks.simulator.images[0].state).not.toBe('UPDATING');
    expect(stacks.simulator.calls.count('CreateMicrovmImage', 'UpdateMicrovmImage', 'TagResource', 'UntagResource', 'DeleteMicrovmImage')).toBe(0);
  });

  test('deletes no version that a MicroVM runs', async () => {
    await build(2);
    await run();
    await build(0);
    for (const version of ['3', '4', '5', '6']) {
      await stacks.adapter.updateImage(stacks.imageArn, desiredConfig(stacks.image(version)), randomUUID());
      await stacks.simulator.clock.advance(2 * HOUR);
    }
    await stacks.simulator.clock.advance(4 * HOUR);
    await run();
    await send('Update', { keepVersions: 2 });

    const inUse = stacks.simulator.microvms.filter(({ state }) => state !== 'TERMINATED').map(({ imageVersion }) => imageVersion);
    expect(await stacks.versions()).toEqual(expect.arrayContaining(inUse));
  });

  test('deletes none superseded lately, until the quota is near: then the oldest', async () => {
    await build(10, 300_000);
    await send('Update', { keepVersions: 2 });
    expect(await stacks.versions()).toHaveLength(10);

    await build(0);
    for (let version = 11; version <= 49; version++) {
      await stacks.adapter.updateImage(stacks.imageArn, desiredConfig(stacks.image(`content-${version}`)), randomUUID());
      await stacks.simulator.clock.advance(300_000);
    }
    await send('Update', { keepVersions: 2 });
    const left = await stacks.versions();
    expect(left.length).toBeLessThan(48);
    expect(left).not.toContain('1.0');
    expect(left).toContain('49.0');
  });

  test('deletes failed versions', async () => {
    await build(1);
    stacks.simulator.builds.plan({ failure: { kind: 'container' } });
    await stacks.adapter.updateImage(stacks.imageArn, desiredConfig(stacks.image('bad')), randomUUID());
    await stacks.simulator.clock.advance(HOUR);
    await stacks.adapter.updateImage(stacks.imageArn, desiredConfig(stacks.image('good')), randomUUID());
    await stacks.simulator.clock.advance(HOUR);
    await send('Update', { keepVersions: 5 });

    expect(await stacks.versions()).toEqual(['1.0', '3.0']);
  });

  test.each([
    ['refuses to delete a version', { operation: 'DeleteMicrovmImageVersion', error: { type: 'ValidationException', message: 'no', status: 400 } }],
    ['denies every look', { operation: 'ListMicrovmImageVersions', error: { type: 'AccessDeniedException', message: 'no', status: 403 } }],
    ['finds nothing', { operation: 'ListMicrovmImageVersions', error: { type: 'ResourceNotFoundException', message: 'no', status: 404 } }],
  ])('fails no deployment when the service %s', async (_what, fault) => {
    await build(7);
    stacks.simulator.faults.inject({ ...fault, times: 10_000 });

    expect(await send('Update', { keepVersions: 2 })).toMatchObject({ Status: 'SUCCESS' });
    expect(stacks.logged.join('\n')).toMatch(/\d+ versions remain|old versions remain: \w+ for image .* was refused: no/);
  });

  test('waits for an image that is being built, and takes no part in it', async () => {
    await build(7);
    stacks.simulator.builds.plan({ durationMs: 14_000 });
    await stacks.adapter.updateImage(stacks.imageArn, desiredConfig(stacks.image('next')), randomUUID());
    await send('Update', { keepVersions: 2 });

    expect(stacks.logged[0]).toContain('"state":"UPDATING"');
    expect(await stacks.versions()).toEqual(['7.0', '8.0']);
  });

  test('leaves an image alone that does not carry the tag of the stack', async () => {
    await build(7, 12 * HOUR, { tags: { [Tag.UPKEEP]: 'another stack' } });
    expect(await send('Update', { keepVersions: 2 })).toMatchObject({ Status: 'SUCCESS' });
    expect(await stacks.versions()).toHaveLength(7);
  });
});

describe('before a delete', () => {
  test('terminates running and suspended MicroVMs, and ends when CloudFormation can delete the image', async () => {
    await build(2, HOUR);
    const ids = [await run(), await run(), await run()];
    await stacks.simulator.clock.advance(60_000);
    await client.send(new SuspendMicrovmCommand({ microvmIdentifier: ids[0] }));
    await stacks.simulator.clock.advance(60_000);
    expect(states().sort()).toEqual(['RUNNING', 'RUNNING', 'SUSPENDED']);

    expect(await send('Delete', clear)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: stacks.imageArn });
    await expect(stacks.adapter.deleteImage(stacks.imageArn)).resolves.toBeUndefined();
  });

  test('waits for a MicroVM that somebody has just terminated', async () => {
    await build(1, HOUR);
    await client.send(new TerminateMicrovmCommand({ microvmIdentifier: await run() }));
    expect(states()).toEqual(['TERMINATING']);

    expect(await send('Delete', clear)).toMatchObject({ Status: 'SUCCESS' });
    await expect(stacks.adapter.deleteImage(stacks.imageArn)).resolves.toBeUndefined();
  });

  test('terminates more than one call a second allows', async () => {
    await build(1, HOUR);
    for (let count = 0; count < 25; count++) {
      await run();
    }
    expect(await send('Delete', clear)).toMatchObject({ Status: 'SUCCESS' });
    expect(states().filter((state) => state !== 'TERMINATED')).toEqual([]);
  });

  test.each([
    ['was not told to', { runningMicrovms: RunningMicrovms.FAIL }, { [Tag.UPKEEP]: STACK }],
    ['finds the tag gone: the upkeep leaves, and the image stays', clear, {}],
    ['finds the tag of another stack', clear, { [Tag.UPKEEP]: '99999999-2222-3333-4444-555555555555' }],
  ])('terminates nothing when it %s', async (_what, upkeep, tags) => {
    await build(1, HOUR, { tags });
    await run();
    expect(await send('Delete', upkeep)).toMatchObject({ Status: 'SUCCESS' });
    expect(stacks.simulator.calls.count('TerminateMicrovm')).toBe(0);
  });

  test('terminates nothing on the word of a tag that has just been taken away, and still shows', async () => {
    await stacks.simulator.stop();
    await start({ readings: { staleReadsAfterWrite: 2 } });
    await build(1, HOUR);
    await run();
    await stacks.simulator.clock.advance(60_000);
    await stacks.adapter.untag(stacks.imageArn, [Tag.UPKEEP]);

    expect(await send('Delete', clear)).toMatchObject({ Status: 'SUCCESS' });
    expect(stacks.simulator.calls.count('TerminateMicrovm')).toBe(0);
  });

  test('leaves the MicroVMs of other images alone', async () => {
    await build(1, HOUR);
    await build(1, HOUR, { name: 'other' });
    await run('other');
    await run();
    await send('Delete', clear);

    expect(stacks.simulator.microvms.filter(({ state }) => state !== 'TERMINATED').map(({ imageArn }) => imageArn)).toEqual([stacks.simulator.imageArn('other')]);
  });

  test('is done when there is no image', async () => {
    expect(await send('Delete', clear)).toMatchObject({ Status: 'SUCCESS', ticks: 1 });
    expect(await send('Delete', clear, 'App-Upkeep-1ABCDEFGHIJKL')).toMatchObject({ Status: 'SUCCESS' });
  });

  test('says why when MicroVMs do not go', async () => {
    await build(1, HOUR);
    await run();
    stacks.simulator.faults.inject({ operation: 'TerminateMicrovm', error: { type: 'ConflictException', message: 'not now', status: 409 }, times: 10_000 });
    const response = await send('Delete', clear);

    expect(response.Status).toBe('FAILED');
    expect(response.Reason).toMatch(/TerminateMicrovm for image .* was refused: not now\. Hint: /);
  });
});

test('an image under a new name is another image: the one before is cleared when its upkeep is deleted', async () => {
  await build(1, HOUR);
  await build(1, HOUR, { name: 'renamed' });
  await run();
  const renamed = await send('Update', { imageName: 'renamed', ...clear });
  expect(renamed).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: stacks.simulator.imageArn('renamed') });
  expect(stacks.simulator.calls.count('TerminateMicrovm')).toBe(0);

  await send('Delete', clear);
  expect(states()).toEqual(['TERMINATED']);
});
