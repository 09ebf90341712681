import * as sdk from '@aws-sdk/client-lambda-microvms';
import { BASE, refusal, ROLE, World } from './world';

let world: World;

beforeEach(async () => { world = await World.start(); });
afterEach(() => world.sim.stop());

const INVALID = { name: 'ValidationException', status: 400 };
const failure = { kind: 'container' as const };

describe('4.6 versions', () => {
  test('4.6 a version can be retired and restored, and only its status changes', async () => {
    await world.built('app');
    expect(await world.setStatus('app', '1.0', 'INACTIVE')).toMatchObject({ imageVersion: '1.0', status: 'INACTIVE', state: 'SUCCESSFUL', buildRoleArn: ROLE });
    expect((await world.image('app')).state).toBe('CREATED');
    expect((await world.setStatus('app', '1.0', 'ACTIVE')).status).toBe('ACTIVE');
  });

  test('7.2 successful versions turn ACTIVE by themselves, failed ones read INACTIVE', async () => {
    await world.built('app');
    world.sim.builds.plan({ failure });
    await world.rebuilt('app');
    expect(await world.version('app', '1.0')).toMatchObject({ state: 'SUCCESSFUL', status: 'ACTIVE' });
    expect(await world.version('app', '2.0')).toMatchObject({ state: 'FAILED', status: 'INACTIVE' });
  });

  test('7.3 retiring an old version leaves the pointer, retiring the newest lets it fall back', async () => {
    await world.built('app');
    await world.rebuilt('app');
    await world.rebuilt('app');
    await world.setStatus('app', '1.0', 'INACTIVE');
    expect((await world.image('app')).latestActiveImageVersion).toBe('3.0');
    await world.setStatus('app', '3.0', 'INACTIVE');
    expect((await world.image('app')).latestActiveImageVersion).toBe('2.0');
    world.sim.readings.latestActiveFallsBack = false;
    expect((await world.image('app')).latestActiveImageVersion).toBe('3.0');
  });

  test('4.6 deleting a version takes the image through UPDATING to UPDATED; numbers are not reused', async () => {
    await world.built('app');
    await world.rebuilt('app');
    expect(await world.deleteVersion('app', '2.0')).toMatchObject({ imageVersion: '2.0', state: 'DELETING' });
    expect((await world.image('app')).state).toBe('UPDATING');
    await world.sim.clock.advance(5_000);
    expect(await world.image('app')).toMatchObject({ state: 'UPDATED', latestActiveImageVersion: '1.0' });
    expect(await refusal(world.version('app', '2.0'))).toEqual({
      name: 'ResourceNotFoundException', status: 404, message: `MicroVMImage not found for MicroVMImage: ${world.arn('app')}, Version: 2.0`,
    });
    expect(await world.rebuilt('app')).toBe('3.0');
  });

  test('4.6 the last version cannot be deleted', async () => {
    await world.built('app');
    expect(await refusal(world.deleteVersion('app', '1.0'))).toEqual({ ...INVALID, message: 'This is the last version. Please delete the entire image' });
  });

  test('4.6 a FAILED version can be deleted, which heals the image or, in the other reading, does not', async () => {
    for (const [name, heals, state] of [['heals', true, 'UPDATED'], ['stays', false, 'UPDATE_FAILED']] as const) {
      world.sim.readings.failedVersionDeleteHeals = heals;
      await world.built(name);
      world.sim.builds.plan({ failure });
      await world.rebuilt(name);
      await world.deleteVersion(name, '2.0');
      await world.sim.clock.advance(5_000);
      const image = await world.image(name);
      expect([image.state, image.latestFailedImageVersion]).toEqual([state, undefined]);
    }
  });

  test('4.6 a version in use is not deleted, and in the other reading is', async () => {
    await world.built('app');
    await world.rebuilt('app');
    await world.run('app', { imageVersion: '1.0' });
    expect(await refusal(world.deleteVersion('app', '1.0'))).toMatchObject(INVALID);
    world.sim.readings.versionInUseDeleteRefused = false;
    expect((await world.deleteVersion('app', '1.0')).state).toBe('DELETING');
  });

  test('4.6 a slow version delete may end where it began', async () => {
    await world.built('app');
    await world.rebuilt('app');
    world.sim.deletions.plan({ image: 'app', version: '*', fails: true });
    await world.deleteVersion('app', '1.0');
    await world.settle();
    expect(await world.version('app', '1.0')).toMatchObject({ state: 'SUCCESSFUL', status: 'ACTIVE' });
    expect((await world.image('app')).state).toBe('UPDATED');
  });

  test('4.6 versions are listed as text unless told otherwise, so callers must sort by number', async () => {
    await world.built('app');
    for (let version = 2; version <= 10; version++) {
      await world.rebuilt('app');
    }
    const list = async () => (await world.client.send(new sdk.ListMicrovmImageVersionsCommand({ imageIdentifier: world.arn('app'), maxResults: 50 }))).items!
      .map(({ imageVersion }) => imageVersion);
    expect((await list()).slice(0, 3)).toEqual(['1.0', '10.0', '2.0']);
    world.sim.readings.versionOrder = 'newest-first';
    expect((await list()).slice(0, 3)).toEqual(['10.0', '9.0', '8.0']);
  });
});

describe('4.8 managed images', () => {
  test('2.3 one managed image, its versions bare integers, newest first', async () => {
    const { items } = await world.client.send(new sdk.ListManagedMicrovmImagesCommand({}));
    expect(items!.map(({ imageArn }) => imageArn)).toEqual([BASE]);
    const list = async () => (await world.client.send(new sdk.ListManagedMicrovmImageVersionsCommand({ imageIdentifier: BASE }))).items!
      .map(({ imageVersion, status }: any) => [imageVersion, status]);
    expect(await list()).toEqual([['1', 'AVAILABLE'], ['0', 'AVAILABLE']]);
    world.sim.publishBaseImage('2');
    expect((await list())[0]).toEqual(['2', 'AVAILABLE']);
  });

  test('2.3 an omitted base version is the newest; bare integers in, 1.0 form out', async () => {
    await world.built('app', { baseImageVersion: '0' });
    expect((await world.version('app', '1.0')).baseImageVersion).toBe('0.0');
    world.sim.publishBaseImage('2');
    await world.rebuilt('app');
    expect((await world.version('app', '2.0')).baseImageVersion).toBe('2.0');
  });
});

describe('4.9 tags', () => {
  const tag = (Tags: Record<string, string>) => world.client.send(new sdk.TagResourceCommand({ Resource: world.arn('app'), Tags }));
  const tags = async () => (await world.client.send(new sdk.ListTagsCommand({ Resource: world.arn('app') }))).Tags;

  test('4.9 tag merges, untag removes, and neither builds', async () => {
    await world.built('app', { tags: { a: '1', b: '2' } });
    expect((await tag({ 'b': '3', 'microvm-cdk:x': 'a/b c' })).$metadata.httpStatusCode).toBe(204);
    expect(await tags()).toEqual({ 'a': '1', 'b': '3', 'microvm-cdk:x': 'a/b c' });
    await world.client.send(new sdk.UntagResourceCommand({ Resource: world.arn('app'), TagKeys: ['a', 'absent'] }));
    expect(await tags()).toEqual({ 'b': '3', 'microvm-cdk:x': 'a/b c' });
    expect((await world.image('app')).tags).toEqual({ 'b': '3', 'microvm-cdk:x': 'a/b c' });
    expect(world.sim.images[0].versions).toHaveLength(1);
  });

  test('4.9 without tags ListTags answers an empty document', async () => {
    await world.built('app');
    expect(await tags()).toBeUndefined();
    world.sim.readings.tagsOnGetImage = false;
    await tag({ a: '1' });
    expect((await world.image('app')).tags).toBeUndefined();
    expect(await tags()).toEqual({ a: '1' });
  });

  test('2.6 tag writes in a transitional state are refused, and in the other reading accepted', async () => {
    await world.create('app');
    expect(await refusal(tag({ a: '1' }))).toMatchObject({ name: 'ResourceConflictException', status: 409 });
    world.sim.readings.tagWritesWhileUpdating = 'accepted';
    await tag({ a: '1' });
    expect(await tags()).toEqual({ a: '1' });
  });

  test('2.6 a 51st tag, a reserved key, an unknown image and the ARN of a MicroVM are refused', async () => {
    await world.built('app');
    const many = Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`k${index}`, '']));
    expect((await refusal(tag(many))).name).toBe('InvalidParameterValueException');
    expect((await refusal(tag({ 'aws:x': '1' }))).name).toBe('InvalidParameterValueException');
    const list = (Resource: string) => refusal(world.client.send(new sdk.ListTagsCommand({ Resource })));
    expect((await list(world.arn('ghost'))).status).toBe(404);
    expect((await list('arn:aws:lambda:us-east-1:000000000000:microvm:microvm-1')).status).toBe(400);
    expect((await list('arn:aws:lambda:us-east-1:000000000000:microvm-image/app')).status).toBe(403);
  });
});
