import { randomUUID } from 'crypto';
import { ProviderFramework } from './provider-framework';
import { RefreshRun } from './refresh-run';
import { SimulatedStacks } from './simulated-stack';
import { StackResource } from './stack-events';
import { ImageProperties, Tag } from '../../../src/custom-resources/microvm-image/contract';
import { isComplete } from '../../../src/custom-resources/microvm-image/handler/is-complete';
import { acceptRequest, RefreshPhase } from '../../../src/custom-resources/microvm-image/handler/request';
import { SdkAdapter } from '../../../src/custom-resources/microvm-image/handler/sdk-adapter';

const HOUR = 3_600_000;

let stacks: SimulatedStacks;
let stack: StackResource;
let v1: ImageProperties;

beforeEach(async () => {
  stacks = await SimulatedStacks.start();
  stack = stacks.resource();
  v1 = stacks.image('v1', { keepVersions: 2 });
});
afterEach(async () => stacks.simulator.stop());

/** Deploys version 1.0 on base image version 1; then there is version 2 of it. */
async function deployAndMoveBase() {
  await stack.create(v1);
  stacks.simulator.publishBaseImage('2');
  stacks.simulator.calls.clear();
}

/** The same stack, with something that happens before each poll of its requests. */
function resourceWhile(happens: () => Promise<void>): StackResource {
  const now = () => stacks.simulator.clock.now();
  const resource = new StackResource(new ProviderFramework({
    onEvent: async (event) => acceptRequest(event, now()),
    isComplete: async (event) => {
      await happens();
      return isComplete(event, new SdkAdapter(), now, () => undefined);
    },
  }, () => stacks.simulator.clock.advance(7_000)));
  return Object.assign(resource, { physicalId: stack.physicalId, properties: v1 });
}

const superseded = { name: 'Superseded', message: expect.stringMatching(/is not refreshed/) };

describe('a refresh', () => {
  test('builds nothing while the base image has not moved', async () => {
    await stack.create(v1);
    stacks.simulator.calls.clear();
    expect(await RefreshRun.of(stacks, v1)).toBeUndefined();
    expect(stacks.simulator.calls.mutations()).toEqual([]);
  });

  test('builds the same image on the new base, once', async () => {
    await deployAndMoveBase();
    expect(await RefreshRun.of(stacks, v1)).toBe('2.0');
    expect(stacks.builds).toBe(1);
    expect(stacks.simulator.images[0].versions.map(({ config }) => config.baseImageVersion).sort()).toEqual(['1.0', '2.0']);
    expect(await RefreshRun.of(stacks, v1)).toBeUndefined();
    expect(stacks.builds).toBe(1);
  });

  test('builds on the same base when it is forced to', async () => {
    await stack.create(v1);
    stacks.simulator.calls.clear();
    expect(await RefreshRun.of(stacks, v1, true)).toBe('2.0');
    expect(await RefreshRun.of(stacks, v1, true)).toBe('3.0');
    expect(stacks.builds).toBe(2);
  });

  test('leaves the tags of the user, and what the deployments noted, as they are', async () => {
    v1 = { ...v1, tags: { team: 'a' } };
    await deployAndMoveBase();
    const before = stacks.tags;
    await RefreshRun.of(stacks, { ...v1, tags: {} });
    expect(stacks.tags).toEqual({ ...before, [Tag.REFRESH]: expect.any(String), [Tag.REFRESHED]: expect.stringMatching(/^2\.0\/[0-9a-f]{32}\/-\/2$/) });
  });

  test('waits for the build of an image whose deployments do not', async () => {
    v1 = { ...v1, waitForBuild: false };
    await deployAndMoveBase();
    await stacks.simulator.clock.advance(HOUR);
    await stack.update({ ...v1, tags: { team: 'a' } });
    const run = new RefreshRun(stacks, v1);
    expect((await run.check()).Due).toBe(true);
    expect(await run.ask()).toBeUndefined();
    expect(await run.ask()).toBeUndefined();
    expect(await run.build()).toBe('2.0');
  });
});

describe('after a refresh, a deployment', () => {
  beforeEach(async () => {
    await deployAndMoveBase();
    await RefreshRun.of(stacks, v1);
    stacks.simulator.calls.clear();
  });

  test('that changes tags only keeps the refreshed version and builds nothing', async () => {
    const response = await stack.update({ ...v1, tags: { team: 'a' } });
    expect(response.Data).toMatchObject({ ImageVersion: '2.0', BaseImageVersion: '2' });
    expect(stacks.builds).toBe(0);
    expect(await RefreshRun.of(stacks, { ...v1, tags: { team: 'a' } })).toBeUndefined();
  });

  test('that fails rolls back to the refreshed version without a build', async () => {
    stacks.simulator.builds.plan({ failure: { kind: 'container' } });
    const v2 = stacks.image('v2', { keepVersions: 2 });
    expect((await stack.update(v2)).Status).toBe('FAILED');
    stacks.simulator.calls.clear();
    expect((await stack.rollBack(v2, v1)).Data).toMatchObject({ ImageVersion: '2.0' });
    expect(stacks.builds).toBe(0);
    expect(await RefreshRun.of(stacks, v1)).toBeUndefined();
  });

  test('whose sibling fails rolls back to the refreshed version, and what consumers still have stays', async () => {
    const v2 = stacks.image('v2', { keepVersions: 2 });
    await stack.update(v2);
    stacks.simulator.calls.clear();
    expect((await stack.rollBack(v2, v1)).Data).toMatchObject({ ImageVersion: '2.0' });
    expect(stacks.builds).toBe(0);
    expect(stacks.tags[Tag.SERVED]).toMatch(/^2\.0\//);
    expect(stacks.tags[Tag.PREVIOUS]).toMatch(/^1\.0\//);
  });

  test('that changes the code builds it on the newest base, which needs no refresh then', async () => {
    const v2 = stacks.image('v2', { keepVersions: 2 });
    expect((await stack.update(v2)).Data).toMatchObject({ ImageVersion: '3.0', BaseImageVersion: '2' });
    expect(stacks.builds).toBe(1);
    expect(await RefreshRun.of(stacks, v2)).toBeUndefined();
  });

  test('that deletes leaves no image, and no refresh makes one', async () => {
    expect((await stack.delete()).Status).toBe('SUCCESS');
    expect(stacks.simulator.images).toEqual([]);
    expect(await RefreshRun.of(stacks, v1)).toBeUndefined();
    expect(stacks.builds).toBe(0);
  });
});

describe('while a deployment is on its way, a refresh', () => {
  test('does not begin during its build', async () => {
    await deployAndMoveBase();
    const seen: boolean[] = [];
    const deploying = resourceWhile(async () => void seen.push((await new RefreshRun(stacks, v1).check(true)).Due));
    const response = await deploying.update(stacks.image('v2'));
    expect(response.Data).toMatchObject({ ImageVersion: '2.0' });
    expect(stacks.builds).toBe(1);
    expect(seen.slice(1)).not.toContain(true);
    expect(seen.length).toBeGreaterThan(5);
  });

  test('that was decided before ends when the deployment claims, whatever it does', async () => {
    await deployAndMoveBase();
    const run = new RefreshRun(stacks, v1);
    await run.check();
    const ends: unknown[] = [];
    const deploying = resourceWhile(async () => void (stacks.builds > 0 && ends.push(await run.ask().catch((error) => error))));
    expect((await deploying.update(stacks.image('v2'))).Data).toMatchObject({ ImageVersion: '2.0' });
    expect(ends.length).toBeGreaterThan(1);
    ends.forEach((end) => expect(end).toMatchObject(superseded));
    expect(stacks.builds).toBe(1);
  });

  test('of another template than was served last does not begin', async () => {
    await deployAndMoveBase();
    expect(await new RefreshRun(stacks, stacks.image('v2')).check(true)).toMatchObject({ Due: false, Event: null });
  });
});

describe('while a refresh builds, a deployment', () => {
  let run: RefreshRun;

  beforeEach(async () => {
    await deployAndMoveBase();
    run = new RefreshRun(stacks, v1);
    await run.check();
    expect(await run.ask()).toBeUndefined();
    expect(stacks.builds).toBe(1);
  });

  test('of new code waits, builds, and wins', async () => {
    expect((await stack.update(stacks.image('v2'))).Data).toMatchObject({ ImageVersion: '3.0' });
    expect(stacks.builds).toBe(2);
    await expect(run.ask()).rejects.toMatchObject(superseded);
  });

  test('of new tags ends at once with the version served, and the next refresh takes the version that was built', async () => {
    const tagged = { ...v1, tags: { team: 'a' } };
    const response = await stack.update(tagged);
    expect([response.Data?.ImageVersion, response.ticks]).toEqual(['1.0', 1]);
    await stacks.simulator.clock.advance(HOUR);
    expect(await RefreshRun.of(stacks, tagged)).toBe('2.0');
    expect(stacks.builds).toBe(1);
  });

  test('that deletes the image waits for the build, and the refresh makes no new image', async () => {
    expect((await stack.delete()).Status).toBe('SUCCESS');
    await expect(run.ask()).rejects.toMatchObject(superseded);
    await expect(run.ask(RefreshPhase.COMMIT)).rejects.toMatchObject(superseded);
    expect(stacks.simulator.images).toEqual([]);
  });
});

test('of two refreshes at once one goes on, and the other ends', async () => {
  await deployAndMoveBase();
  const [first, second] = [new RefreshRun(stacks, v1), new RefreshRun(stacks, v1)];
  await first.check(true);
  await second.check(true);
  await first.ask();
  await expect(second.ask()).rejects.toMatchObject(superseded);
  expect(await first.build()).toBe('2.0');
  expect(await first.ask(RefreshPhase.COMMIT)).toBe('2.0');
  expect(stacks.builds).toBe(1);
});

describe('a refresh that does not get through', () => {
  test('leaves nothing that a deployment would serve', async () => {
    await deployAndMoveBase();
    const run = new RefreshRun(stacks, v1);
    await run.check();
    expect(await run.build()).toBe('2.0');
    // Its smoke test fails here: it is never committed.
    expect((await stack.update({ ...v1, tags: { team: 'a' } })).Data).toMatchObject({ ImageVersion: '1.0' });
  });

  test('fails with the cause of the build, and gives the image back as it was', async () => {
    await deployAndMoveBase();
    stacks.simulator.builds.plan({ failure: { kind: 'container' } });
    const run = new RefreshRun(stacks, v1);
    await run.check();
    await expect(run.build()).rejects.toMatchObject({ name: 'Verdict', message: expect.stringMatching(/version 2\.0 failed to build/) });
    expect(stacks.simulator.images[0].state).toBe('UPDATE_FAILED');
    expect(await run.ask(RefreshPhase.ABANDON)).toBe('');
    await stacks.simulator.clock.advance(60_000);
    expect(stacks.simulator.images[0].state).toBe('UPDATED');
    expect(await stacks.versions()).toEqual(['1.0']);
  });

  test('deletes no version of a deployment that came after it', async () => {
    await deployAndMoveBase();
    const run = new RefreshRun(stacks, v1);
    await run.check();
    await run.ask();
    stacks.simulator.builds.plan({ failure: { kind: 'container' } });
    await stack.update(stacks.image('v2'));
    stacks.simulator.calls.clear();
    await expect(run.ask(RefreshPhase.ABANDON)).rejects.toMatchObject(superseded);
    expect(stacks.simulator.calls.mutations()).toEqual([]);
  });

  test.each([0, 1, 2, 3, 4, 5, 6])('is taken up by the next one without a second build, when it is killed after %s questions', async (questions) => {
    await deployAndMoveBase();
    const killed = new RefreshRun(stacks, v1);
    await killed.check();
    for (let question = 0; question < questions; question++) {
      await killed.ask();
      await stacks.simulator.clock.advance(30_000);
    }
    await stacks.simulator.clock.advance(HOUR);
    expect(await RefreshRun.of(stacks, v1)).toBe('2.0');
    expect(stacks.builds).toBe(1);
  });

  test('notes the very version that passed, and asks again when the image takes no tags', async () => {
    await deployAndMoveBase();
    const run = new RefreshRun(stacks, v1);
    await run.check();
    await run.build();
    // Somebody builds by hand meanwhile: an image takes no tags then.
    await stacks.adapter.updateImage(stacks.imageArn, (await stacks.adapter.listVersions(stacks.imageArn))[0].config, randomUUID());
    expect(await run.ask(RefreshPhase.COMMIT)).toBeUndefined();
    await stacks.simulator.clock.advance(HOUR);
    expect(await run.ask(RefreshPhase.COMMIT)).toBe('2.0');
    expect(stacks.tags[Tag.REFRESHED]).toMatch(/^2\.0\//);
  });
});

test('however often it is refreshed, the version the stack was given stays', async () => {
  await deployAndMoveBase();
  for (let base = 3; base < 9; base++) {
    await RefreshRun.of(stacks, v1);
    stacks.simulator.publishBaseImage(String(base));
    await stacks.simulator.clock.advance(9 * HOUR);
  }
  expect(await stacks.versions()).toEqual(expect.arrayContaining(['1.0', '7.0']));
  expect((await stacks.versions()).length).toBeLessThan(5);
});
