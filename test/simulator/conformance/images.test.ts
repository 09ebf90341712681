import * as sdk from '@aws-sdk/client-lambda-microvms';
import { BASE, connector, refusal, World } from './world';

let world: World;

beforeEach(async () => { world = await World.start(); });
afterEach(() => world.sim.stop());

const INVALID = { name: 'ValidationException', status: 400 };
const UPDATING = { name: 'ConflictException', status: 409, message: 'MicroVM Image is already in state: UPDATING' };
const failure = { kind: 'container' as const };

describe('4.1 create', () => {
  test('4.1 the answer is the first version being built', async () => {
    const created = await world.create('app', { description: 'd', tags: { a: 'b' } });
    expect(created.$metadata.httpStatusCode).toBe(201);
    expect(created).toMatchObject({ imageArn: world.arn('app'), state: 'CREATING', imageVersion: '1.0', description: 'd' });
    expect(world.arn('app')).toBe('arn:aws:lambda:us-east-1:000000000000:microvm-image:app');
    expect(created.latestActiveImageVersion).toBeUndefined();
  });

  test('4.1 what is left out gets the defaults', async () => {
    await world.create('app');
    const version = await world.version('app', '1.0');
    expect(version).toMatchObject({
      egressNetworkConnectors: [connector('INTERNET_EGRESS')], resources: [{ minimumMemoryInMiB: 2048 }], baseImageVersion: '1.0',
    });
    expect([version.description, version.hooks, version.logging, version.environmentVariables]).toEqual([undefined, undefined, undefined, undefined]);
  });

  test('4.1 a name in use is refused, also while the old image is going', async () => {
    await world.built('app');
    const taken = { ...INVALID, message: "A MicroVM image with the name 'app' already exists in this account" };
    expect(await refusal(world.create('app'))).toEqual(taken);
    await world.deleteImage('app');
    expect(await refusal(world.create('app'))).toEqual(taken);
    await world.settle();
    expect((await world.create('app')).imageVersion).toBe('1.0');
  });

  test.each<[string, Partial<sdk.CreateMicrovmImageCommandInput>, string]>([
    ['an unknown base version', { baseImageVersion: '999' }, `No managed MicroVM Image with arn ${BASE} and version 999 is available`],
    ['a base version in read-back form', { baseImageVersion: '1.0' },
      'Invalid baseMicroVMImageVersion: 1.0. Expected a single major version number (e.g., 1).'],
    ['an unsupported memory size', { resources: [{ minimumMemoryInMiB: 3000 }] },
      `The requested memory size of 3000 MiB is not supported by base MicroVM image ${BASE}. Supported memory sizes in MiB are: [512, 1024, 2048, 4096, 8192].`],
    ['a run-time hook without ready', { hooks: { port: 9000, microvmHooks: { run: 'ENABLED' } } },
      'The ready (/ready) MicroVM image hook must be enabled when any MicroVM lifecycle hook (run, resume, suspend, or terminate) is enabled.'],
    ['a hook without a port', { hooks: { microvmImageHooks: { ready: 'ENABLED' } } }, 'port must be specified'],
    ['a port without a hook', { hooks: { port: 9000, microvmImageHooks: { ready: 'DISABLED' } } }, 'port must not be specified'],
    ['the reserved environment key', { environmentVariables: { AWS_REGION: 'x' } }, "Environment variable key 'AWS_REGION' is reserved"],
    ['an ECR artifact', { codeArtifact: { uri: 'public.ecr.aws/a/b:c' } },
      'CodeArtifact URI must be a valid S3 URI in the format: s3://<bucket>/<key>'],
    ['a bucket without a key', { codeArtifact: { uri: 's3://bucket' } }, 'CodeArtifact URI must be a valid S3 URI'],
    ['an unknown managed connector', { egressNetworkConnectors: [connector('NO_EGRESS')] }, 'Unrecognized managed network connector ARN: '],
    ['a bare connector name', { egressNetworkConnectors: ['INTERNET_EGRESS'] }, 'Malformed network connector ARN'],
  ])('4.1 %s is refused and nothing is created', async (_, more, message) => {
    const answer = await refusal(world.create('app', more));
    expect(answer).toMatchObject(INVALID);
    expect(answer.message).toContain(message);
    expect(world.sim.images).toHaveLength(0);
  });

  test('8.2 hooks in every legal combination are taken and echoed', async () => {
    const hooks = {
      port: 8080,
      microvmHooks: { run: 'ENABLED', runTimeoutInSeconds: 60 },
      microvmImageHooks: { ready: 'ENABLED', readyTimeoutInSeconds: 3600 },
    } as const;
    await world.create('app', { hooks });
    expect((await world.version('app', '1.0')).hooks).toMatchObject(hooks);
    await world.create('hookless', { hooks: { microvmHooks: {}, microvmImageHooks: {} } });
  });

  test('4.1 builds beyond the quota are 402, and the quota frees up when one ends', async () => {
    world.sim.quotas.concurrentBuilds = 2;
    await world.create('a');
    await world.create('b');
    const full = await refusal(world.create('c'));
    expect(full).toMatchObject({ name: 'ServiceQuotaExceededException', status: 402 });
    expect(full.message).toContain('maximum number of concurrent builds');
    await world.settle();
    await world.create('c');
  });

  test('12.2 images beyond the quota are 402', async () => {
    world.sim.quotas.images = 1;
    await world.create('a');
    expect(await refusal(world.create('b'))).toMatchObject({ name: 'ServiceQuotaExceededException', status: 402 });
  });
});

describe('4.2 update', () => {
  test('4.2 update is a full PUT: omitted fields fall back to defaults', async () => {
    await world.built('app', {
      description: 'd',
      resources: [{ minimumMemoryInMiB: 512 }],
      environmentVariables: { A: '1' },
      logging: { disabled: {} },
      hooks: { port: 1, microvmImageHooks: { ready: 'ENABLED' } },
      additionalOsCapabilities: ['ALL'],
    });
    expect(await world.rebuilt('app')).toBe('2.0');
    const version = await world.version('app', '2.0');
    expect(version.resources).toEqual([{ minimumMemoryInMiB: 2048 }]);
    expect([version.description, version.environmentVariables, version.logging, version.hooks, version.additionalOsCapabilities])
      .toEqual([undefined, undefined, undefined, undefined, undefined]);
    expect((await world.version('app', '1.0')).resources).toEqual([{ minimumMemoryInMiB: 512 }]);
  });

  test('4.2 the required members are required again', async () => {
    const { config: { codeArtifact, buildRoleArn } } = world;
    await world.built('app');
    const call = world.client.send(new sdk.UpdateMicrovmImageCommand({ imageIdentifier: world.arn('app'), codeArtifact, buildRoleArn } as any));
    expect((await refusal(call)).message).toContain("Value null at 'baseImageArn'");
  });

  test('4.2 every call builds a new version, even with nothing changed', async () => {
    await world.built('app');
    expect(await world.rebuilt('app')).toBe('2.0');
    expect(await world.rebuilt('app')).toBe('3.0');
  });

  test('7.3 the pointers move as recorded from create to failed update', async () => {
    const seen: unknown[] = [];
    const look = async () => {
      const { state, latestActiveImageVersion, latestFailedImageVersion } = await world.image('app');
      seen.push([state, latestActiveImageVersion, latestFailedImageVersion]);
    };
    await world.create('app');
    await look();
    await world.settle();
    await look();
    expect(await world.update('app')).toMatchObject({ state: 'UPDATING', imageVersion: '2.0', latestActiveImageVersion: '1.0' });
    await look();
    await world.settle();
    await look();
    world.sim.builds.plan({ failure });
    await world.rebuilt('app');
    await look();
    expect(seen).toEqual([
      ['CREATING', undefined, undefined],
      ['CREATED', '1.0', undefined],
      ['UPDATING', '1.0', undefined],
      ['UPDATED', '2.0', undefined],
      ['UPDATE_FAILED', '2.0', '3.0'],
    ]);
  });

  test('4.2 every other mutation meets 409 while UPDATING', async () => {
    await world.built('app');
    await world.rebuilt('app');
    await world.update('app');
    expect(await refusal(world.update('app'))).toEqual(UPDATING);
    expect(await refusal(world.setStatus('app', '1.0', 'INACTIVE'))).toEqual(UPDATING);
    expect(await refusal(world.deleteVersion('app', '1.0'))).toEqual(UPDATING);
  });

  test('4.2 failed builds consume numbers and failed images can be updated', async () => {
    world.sim.builds.plan({ failure, times: 2 });
    await world.built('app');
    expect((await world.image('app')).state).toBe('CREATE_FAILED');
    await world.rebuilt('app');
    expect((await world.image('app')).state).toBe('UPDATE_FAILED');
    expect(await world.rebuilt('app')).toBe('3.0');
    expect(await world.image('app')).toMatchObject({ state: 'UPDATED', latestActiveImageVersion: '3.0', latestFailedImageVersion: '2.0' });
  });

  test('12.2 the 51st version is 402', async () => {
    world.sim.quotas.versionsPerImage = 2;
    await world.built('app');
    await world.rebuilt('app');
    expect(await refusal(world.update('app'))).toMatchObject({ name: 'ServiceQuotaExceededException', status: 402 });
    await world.deleteVersion('app', '1.0');
    await world.settle();
    expect((await world.update('app')).imageVersion).toBe('3.0');
  });
});

describe('4.3 and 4.4 reading images', () => {
  test('4.3 GetMicrovmImage tells no configuration and no reason', async () => {
    world.sim.builds.plan({ failure });
    await world.built('app', { description: 'secret' });
    const { $metadata, ...image } = await world.image('app');
    expect(Object.keys(image).sort()).toEqual(['createdAt', 'imageArn', 'latestFailedImageVersion', 'name', 'state', 'updatedAt']);
  });

  test('4.4 the name filter works on pages, so an empty page can carry a token', async () => {
    for (const name of ['aa', 'ab', 'xa', 'xb']) {
      await world.create(name);
    }
    const first = await world.client.send(new sdk.ListMicrovmImagesCommand({ maxResults: 2, nameFilter: 'x' }));
    expect(first.items).toEqual([]);
    expect(first.nextToken).toMatch(/=$/);
    const second = await world.client.send(new sdk.ListMicrovmImagesCommand({ maxResults: 2, nameFilter: 'x', nextToken: first.nextToken }));
    expect(second.items!.map(({ name }) => name)).toEqual(['xa', 'xb']);
    expect(second.nextToken).toBeUndefined();
  });

  test('4.4 the SDK paginator sees every image once', async () => {
    world.sim.quotas.concurrentBuilds = 99;
    const names = Array.from({ length: 23 }, (_, index) => `image-${index}`);
    for (const name of names) {
      await world.create(name);
    }
    const seen: string[] = [];
    for await (const { items } of sdk.paginateListMicrovmImages({ client: world.client, pageSize: 10 }, {})) {
      seen.push(...items!.map(({ name }) => name!));
    }
    expect(seen.sort()).toEqual(names.sort());
  });

  test('4.4 a made-up token is refused', async () => {
    expect(await refusal(world.client.send(new sdk.ListMicrovmImagesCommand({ nextToken: 'MTA=' })))).toMatchObject(INVALID);
  });
});

describe('4.5 delete', () => {
  test('4.5 takes ACTIVE versions along and keeps the name until it is drained', async () => {
    await world.built('app');
    await world.rebuilt('app');
    const deleted = await world.deleteImage('app');
    expect(deleted).toMatchObject({ imageIdentifier: world.arn('app'), state: 'DELETING' });
    expect((await world.image('app')).state).toBe('DELETING');
    await world.settle();
    expect(await refusal(world.image('app'))).toEqual({
      name: 'ResourceNotFoundException', status: 404, message: `MicroVMImage not found for MicroVMImageID: ${world.arn('app')}`,
    });
  });

  test('4.5 is refused during the first build, during an update and while a version drains', async () => {
    const refused = async () => expect((await refusal(world.deleteImage('app'))).message).toMatch(/^Cannot delete MicroVM image in its current state: /);
    await world.create('app');
    await refused();
    await world.settle();
    await world.update('app');
    await refused();
    await world.settle();
    await world.deleteVersion('app', '1.0');
    await refused();
  });

  test('7.4 a failed first build leaves an image that occupies its name and can be deleted', async () => {
    world.sim.builds.plan({ failure });
    await world.built('app');
    expect((await refusal(world.create('app'))).message).toContain('already exists');
    await world.deleteImage('app');
    await world.settle();
    expect(world.sim.images).toHaveLength(0);
  });

  test('4.5 live, suspended and still terminating MicroVMs pin the image', async () => {
    await world.built('app');
    const pinned = { ...INVALID, message: 'Cannot delete microvm image with running microvms.' };
    const { microvmId } = await world.run('app');
    expect(await refusal(world.deleteImage('app'))).toEqual(pinned);
    await world.sim.clock.advance(5_000);
    await world.client.send(new sdk.SuspendMicrovmCommand({ microvmIdentifier: microvmId }));
    await world.sim.clock.advance(5_000);
    expect(world.sim.microvms[0].state).toBe('SUSPENDED');
    expect(await refusal(world.deleteImage('app'))).toEqual(pinned);
    await world.terminate(microvmId!);
    expect(await refusal(world.deleteImage('app'))).toEqual(pinned);
    await world.sim.clock.advance(5_000);
    expect((await world.deleteImage('app')).state).toBe('DELETING');
  });

  test('7.1 a delete can end in DELETE_FAILED, where only another image delete helps', async () => {
    await world.built('app');
    await world.rebuilt('app');
    world.sim.deletions.plan({ image: 'app', fails: true, durationMs: 90_000 });
    await world.deleteImage('app');
    await world.sim.clock.advance(89_000);
    expect((await world.image('app')).state).toBe('DELETING');
    await world.sim.clock.advance(1_000);
    expect((await world.image('app')).state).toBe('DELETE_FAILED');
    expect((await refusal(world.deleteVersion('app', '1.0'))).message).toContain('DELETION_FAILED -> UPDATING');
    expect(await refusal(world.update('app'))).toMatchObject(INVALID);
    await world.deleteImage('app');
    await world.settle();
    expect(world.sim.images).toHaveLength(0);
  });
});
