import { LambdaMicrovmsClient, RunMicrovmCommand } from '@aws-sdk/client-lambda-microvms';
import { SimulatedStacks } from './simulated-stack';
import { StackResource } from './stack-events';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const OTHER_STACK = 'arn:aws:cloudformation:us-east-1:000000000000:stack/Other/99999999-2222-3333-4444-555555555555';

let stacks: SimulatedStacks;

afterEach(async () => stacks.simulator.stop());

async function start(...args: Parameters<typeof SimulatedStacks.start>): Promise<StackResource> {
  stacks = await SimulatedStacks.start(...args);
  return stacks.resource();
}

/** Builds the image by hand, as somebody did before there was a stack. */
async function buildByHand(content: string, tags: Record<string, string> = {}): Promise<void> {
  await stacks.adapter.createImage(SimulatedStacks.IMAGE, stacks.image(content), tags, 'by-hand');
  await stacks.simulator.clock.advance(5 * MINUTE);
}

async function launch(imageVersion?: string): Promise<string> {
  const client = new LambdaMicrovmsClient();
  const { microvmId } = await client.send(new RunMicrovmCommand({ imageIdentifier: stacks.imageArn, imageVersion }));
  client.destroy();
  return microvmId!;
}

describe('keepVersions', () => {
  const keep = (content: string, keepVersions = 2) => stacks.image(content, { keepVersions });

  async function deploy(image: StackResource, from: number, to: number, every: number, keepVersions = 2): Promise<void> {
    for (let index = from; index <= to; index++) {
      await stacks.simulator.clock.advance(every);
      expect(await image.update(keep(`v${index}`, keepVersions))).toMatchObject({ Status: 'SUCCESS', Data: { ImageVersion: `${index}.0` } });
    }
  }

  test('leaves that many, the new one included, and the one before the last', async () => {
    const image = await start();
    await image.create(keep('v1'));
    await deploy(image, 2, 6, 9 * HOUR);
    expect(await stacks.versions()).toEqual(['4.0', '5.0', '6.0']);

    await deploy(image, 7, 11, 9 * HOUR, 4);
    expect(await stacks.versions()).toEqual(['8.0', '9.0', '10.0', '11.0']);
  });

  test('deletes at most three before a build, one after the other and before the PUT', async () => {
    const image = await start();
    await image.create(keep('v1', 47));
    await deploy(image, 2, 9, 9 * HOUR, 47);
    stacks.simulator.calls.clear();
    await deploy(image, 10, 10, 9 * HOUR);

    expect(await stacks.versions()).toEqual(['4.0', '5.0', '6.0', '7.0', '8.0', '9.0', '10.0']);
    const changes = stacks.simulator.calls.all.map(({ operation }) => operation).filter((name) => /^(DeleteMicrovmImageVersion|UpdateMicrovmImage)$/.test(name));
    expect(changes).toEqual([...Array(3).fill('DeleteMicrovmImageVersion'), 'UpdateMicrovmImage']);
    expect(stacks.simulator.calls.all.filter(({ operation, outcome }) => operation === 'DeleteMicrovmImageVersion' && outcome.status >= 400)).toEqual([]);
  });

  test('deletes nothing in a rollback, in a no-op and when a version is reused', async () => {
    const image = await start();
    await image.create(keep('v1', 47));
    await deploy(image, 2, 9, 9 * HOUR, 47);
    await stacks.simulator.clock.advance(9 * HOUR);
    stacks.simulator.calls.clear();
    await image.rollBack(keep('v9'), keep('v8'));
    await image.update(keep('v8', 2));
    await image.update(keep('v3'));

    expect(stacks.simulator.calls.count('DeleteMicrovmImageVersion')).toBe(0);
    expect(stacks.simulator.calls.count('ListMicrovms')).toBe(0);
  });

  test('60 updates within an hour, each built in seconds, never meet a full image', async () => {
    const image = await start();
    const begun = stacks.simulator.clock.now();
    let most = 0;
    await image.create(keep('v1', 5));
    for (let index = 2; index <= 60; index++) {
      stacks.simulator.builds.plan({ durationMs: 10_000 });
      expect(await image.update(keep(`v${index}`, 5))).toMatchObject({ Status: 'SUCCESS', Data: { ImageVersion: `${index}.0` } });
      most = Math.max(most, stacks.simulator.images[0].versions.length);
    }
    expect(stacks.simulator.clock.now() - begun).toBeLessThan(HOUR);
    expect(most).toBeLessThan(50);
    expect((await stacks.versions()).slice(-2)).toEqual(['59.0', '60.0']);
  });

  test('keeps a version that a MicroVM runs, until it is terminated', async () => {
    const image = await start();
    await image.create(keep('v1', 47));
    await deploy(image, 2, 5, 9 * HOUR, 47);
    await stacks.simulator.clock.advance(9 * HOUR);
    const microvmId = await launch('1.0');
    await deploy(image, 6, 6, HOUR);
    expect(await stacks.versions()).toEqual(['1.0', '4.0', '5.0', '6.0']);

    await stacks.adapter.terminateMicrovm(microvmId);
    await deploy(image, 7, 7, HOUR);
    expect(await stacks.versions()).not.toContain('1.0');
  });

  test('names the versions and MicroVMs that leave no room', async () => {
    const image = await start({ quotas: { versionsPerImage: 50 } });
    await image.create(keep('v1'));
    const microvms: string[] = [];
    for (let index = 2; index <= 50; index++) {
      stacks.simulator.builds.plan({ durationMs: 1 });
      microvms.push(await launch());
      expect(await image.update(keep(`v${index}`))).toMatchObject({ Status: 'SUCCESS' });
    }
    const response = await image.update(keep('v51'));

    expect(response.Status).toBe('FAILED');
    expect(response.Reason).toContain(`has as many versions as the service allows, and all that could be deleted are in use: 1.0 (${microvms[0]})`);
    expect(response.Reason).toContain('terminate these MicroVMs');
    expect(response.ticks).toBe(1);
    expect(response.bytes).toBeLessThan(4_096);
  });

  test('a delete that the service does not finish in time holds no further ones up, but the build comes after it', async () => {
    const image = await start();
    await image.create(keep('v1', 47));
    await deploy(image, 2, 6, 9 * HOUR, 47);
    await stacks.simulator.clock.advance(9 * HOUR);
    stacks.simulator.deletions.plan({ version: '1.0', durationMs: 3 * MINUTE });
    expect(await image.update(keep('v7'))).toMatchObject({ Status: 'SUCCESS', Data: { ImageVersion: '7.0' } });

    expect(stacks.simulator.calls.count('DeleteMicrovmImageVersion')).toBe(1);
    expect(await stacks.versions()).toEqual(['2.0', '3.0', '4.0', '5.0', '6.0', '7.0']);
  });

  test('a delete that fails costs tries, not the deployment', async () => {
    const image = await start();
    await image.create(keep('v1', 47));
    await deploy(image, 2, 6, 9 * HOUR, 47);
    await stacks.simulator.clock.advance(9 * HOUR);
    for (let count = 0; count < 3; count++) {
      stacks.simulator.deletions.plan({ version: '1.0', fails: true });
    }
    expect(await image.update(keep('v7'))).toMatchObject({ Status: 'SUCCESS', Data: { ImageVersion: '7.0' } });
    expect(stacks.simulator.calls.count('DeleteMicrovmImageVersion')).toBe(3);
  });

  test('failed versions go with the next build but one', async () => {
    const image = await start();
    await image.create(keep('v1', 47));
    stacks.simulator.builds.plan({ failure: { kind: 'container' } });
    await image.update(keep('broken', 47));
    await image.update(keep('v3', 47));
    expect(await stacks.versions()).toEqual(['1.0', '2.0', '3.0']);
    await image.update(keep('v4', 47));
    expect(await stacks.versions()).toEqual(['1.0', '3.0', '4.0']);
  });
});

describe('adopt', () => {
  const adopting = (content: string) => stacks.image(content, { adopt: true });

  test('takes over an image nobody owns, without a build when it is as asked for, and leaves it on delete', async () => {
    const image = await start();
    await buildByHand('v1', { team: 'shop' });
    expect(await image.create(adopting('v1'))).toMatchObject({ Status: 'SUCCESS', Data: { ImageVersion: '1.0' } });
    expect(stacks.builds).toBe(1);
    expect(stacks.tags).toMatchObject({ 'team': 'shop', 'microvm-cdk:stack-name': 'App', 'microvm-cdk:adopted': '1.0' });

    expect(await image.update(adopting('v2'))).toMatchObject({ Status: 'SUCCESS', Data: { ImageVersion: '2.0' } });
    expect(await image.delete()).toMatchObject({ Status: 'SUCCESS' });
    expect(stacks.tags).toEqual({ team: 'shop' });
    expect(await stacks.versions()).toEqual(['1.0', '2.0']);
    expect(stacks.simulator.calls.count('DeleteMicrovmImage')).toBe(0);
  });

  test('a released image can be adopted by another stack', async () => {
    const image = await start();
    await buildByHand('v1');
    await image.create(adopting('v1'));
    await image.delete();
    expect(await stacks.resource(OTHER_STACK).create(adopting('v1'))).toMatchObject({ Status: 'SUCCESS', Data: { ImageVersion: '1.0' } });
    expect(stacks.builds).toBe(1);
  });

  test('a failed adoption leaves a live image as it was', async () => {
    const image = await start();
    await buildByHand('v1');
    stacks.simulator.builds.plan({ failure: { kind: 'container' } });
    expect(await image.create(adopting('v2'))).toMatchObject({ Status: 'FAILED' });

    expect(Object.keys(stacks.tags).filter((key) => key.startsWith('microvm-cdk:'))).toEqual([]);
    expect(await stacks.versions()).toContain('1.0');
    expect(stacks.simulator.calls.count('DeleteMicrovmImage')).toBe(0);
  });

  test('an image of another stack is refused with and without the option, one of nobody only without', async () => {
    const image = await start();
    await image.create(stacks.image('v1'));
    expect((await stacks.resource(OTHER_STACK).create(adopting('v1'))).Reason).toContain("belongs to stack 'App'");
    await image.delete();

    await buildByHand('v1');
    expect((await image.create(stacks.image('v1'))).Reason).toContain('adopt: true');
    expect(stacks.tags).toEqual({});
  });

  test('a release waits for a build that is under way', async () => {
    const image = await start();
    await buildByHand('v1');
    await image.create(adopting('v1'));
    await stacks.adapter.updateImage(stacks.imageArn, stacks.image('v9'), 'under-way');
    expect(await image.delete()).toMatchObject({ Status: 'SUCCESS' });
    expect(stacks.tags).toEqual({});
  });
});

describe('retainOnFailure', () => {
  const retaining = (content: string) => stacks.image(content, { retainOnFailure: true });

  test('leaves the image of a failed first create, and the same resource repairs it', async () => {
    const image = await start();
    stacks.simulator.builds.plan({ failure: { kind: 'container' } });
    expect(await image.create(retaining('v1'))).toMatchObject({ Status: 'FAILED' });
    expect(stacks.simulator.images.map(({ state }) => state)).toEqual(['CREATE_FAILED']);

    expect(await image.create(retaining('v2'))).toMatchObject({ Status: 'SUCCESS', Data: { ImageVersion: '2.0' } });
    expect(await image.delete()).toMatchObject({ Status: 'SUCCESS' });
    expect(stacks.simulator.images).toEqual([]);
  });

  test('leaves it after the second build of a new role failed too', async () => {
    const image = await start();
    for (let count = 0; count < 2; count++) {
      stacks.simulator.builds.plan({ failure: { kind: 's3-access-denied' } });
    }
    expect(await image.create(retaining('v1'))).toMatchObject({ Status: 'FAILED' });
    expect(stacks.simulator.images[0].versions).toHaveLength(2);
  });

  test('what is left can be adopted by another stack, and not be taken otherwise', async () => {
    const image = await start();
    stacks.simulator.builds.plan({ failure: { kind: 'container' } });
    await image.create(retaining('v1'));
    const other = stacks.resource(OTHER_STACK);
    expect((await other.create(stacks.image('v2'))).Reason).toContain('adopt: true');
    expect(await other.create(stacks.image('v2', { adopt: true }))).toMatchObject({ Status: 'SUCCESS', Data: { ImageVersion: '2.0' } });
  });

  test('deletes an image that was built', async () => {
    const image = await start();
    await image.create(retaining('v1'));
    await image.delete();
    expect(stacks.simulator.images).toEqual([]);
  });
});

describe('buildTimeout', () => {
  test('ends a create on time, with an error of its own', async () => {
    const image = await start();
    stacks.simulator.builds.plan({ durationMs: 20 * MINUTE });
    const begun = stacks.simulator.clock.now();
    const response = await image.send('Create', stacks.image('v1', { buildTimeoutSeconds: 300 }));

    expect(response.Reason).toContain('not ready within its buildTimeout of 300 seconds: version 1.0 was still building');
    expect(stacks.simulator.clock.now() - begun - 5 * MINUTE).toBeLessThanOrEqual(7_000);
  });

  test('the build goes on, and the next deployment takes it', async () => {
    const image = await start();
    await image.create(stacks.image('v1'));
    stacks.simulator.builds.plan({ durationMs: 20 * MINUTE });
    expect(await image.update(stacks.image('v2', { buildTimeoutSeconds: 60 }))).toMatchObject({ Status: 'FAILED' });
    await image.rollBack(stacks.image('v2'), stacks.image('v1'));
    const before = stacks.builds;
    expect(await image.update(stacks.image('v2'))).toMatchObject({ Status: 'SUCCESS', Data: { ImageVersion: '2.0' } });
    expect(stacks.builds).toBe(before);
  });
});

describe('waitForBuild: false', () => {
  const unwaited = (content: string, tags = {}) => stacks.image(content, { waitForBuild: false, tags });

  test.each(['conflict', 'accepted'] as const)('hands out the version being built, in two ticks (tag writes meanwhile: %s)', async (tagWritesWhileUpdating) => {
    const image = await start({ readings: { tagWritesWhileUpdating } });
    const created = await image.create(unwaited('v1'));
    expect(created).toMatchObject({ Status: 'SUCCESS', ticks: 2, Data: { ImageVersion: '1.0', BaseImageVersion: '1' } });
    expect(stacks.simulator.images[0].state).toBe('CREATING');

    await stacks.simulator.clock.advance(5 * MINUTE);
    const updated = await image.update(unwaited('v2', { team: 'shop' }));
    expect(updated).toMatchObject({ Status: 'SUCCESS', ticks: 2, Data: { ImageVersion: '2.0' } });
    expect(stacks.simulator.images[0].state).toBe('UPDATING');
    expect(stacks.tags).toMatchObject({ team: 'shop' });
  });

  test('a build that fails later shows nowhere, and the next change builds again', async () => {
    const image = await start();
    await image.create(unwaited('v1'));
    await stacks.simulator.clock.advance(5 * MINUTE);
    stacks.simulator.builds.plan({ failure: { kind: 'container' } });
    expect(await image.update(unwaited('v2'))).toMatchObject({ Status: 'SUCCESS', Data: { ImageVersion: '2.0' } });
    await stacks.simulator.clock.advance(5 * MINUTE);
    expect(stacks.simulator.images[0].state).toBe('UPDATE_FAILED');

    expect(await image.update(unwaited('v3'))).toMatchObject({ Status: 'SUCCESS', Data: { ImageVersion: '3.0' } });
    await stacks.simulator.clock.advance(5 * MINUTE);
    expect(stacks.simulator.images[0].state).toBe('UPDATED');
  });

  test('a rollback right after it starts no build', async () => {
    const image = await start();
    await image.create(unwaited('v1'));
    await stacks.simulator.clock.advance(5 * MINUTE);
    await image.update(unwaited('v2'));
    const before = stacks.builds;
    expect(await image.rollBack(unwaited('v2'), unwaited('v1'))).toMatchObject({ Status: 'SUCCESS', Data: { ImageVersion: '1.0' } });
    expect(stacks.builds).toBe(before);
  });
});
