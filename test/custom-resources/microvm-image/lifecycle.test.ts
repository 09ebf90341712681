import { LambdaMicrovmsClient, RunMicrovmCommand } from '@aws-sdk/client-lambda-microvms';
import { strToU8, zipSync } from 'fflate';
import { ProviderFramework } from './provider-framework';
import { imageProperties, StackResource } from './stack-events';
import { ImageProperties, RunningMicrovms } from '../../../src/custom-resources/microvm-image/contract';
import { isComplete } from '../../../src/custom-resources/microvm-image/handler/is-complete';
import { acceptRequest } from '../../../src/custom-resources/microvm-image/handler/request';
import { SdkAdapter } from '../../../src/custom-resources/microvm-image/handler/sdk-adapter';
import { MicrovmSimulator, SimulatorOptions } from '../../simulator';

const POLL_MS = 7_000;
const BUILD_MS = 150_000;
const NAME = imageProperties().imageName;
const GOOD = zipSync({ Dockerfile: strToU8('FROM public.ecr.aws/lambda/microvms:al2023-minimal\nCMD ["/bin/sh"]\n') });

let simulator: MicrovmSimulator;
let logged: string[];

async function start(options: SimulatorOptions = {}): Promise<StackResource> {
  simulator = await MicrovmSimulator.start(options);
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: simulator.endpoint, AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test',
  });
  for (const version of ['v1', 'v2', 'v3']) {
    simulator.artifacts.put(`s3://assets/${version}.zip`, GOOD);
  }
  simulator.logs.create(imageProperties().logging.logGroup!, simulator.clock.now());
  logged = [];
  return new StackResource(framework());
}

function framework(): ProviderFramework {
  return new ProviderFramework({
    onEvent: async (event) => acceptRequest(event, simulator.clock.now()),
    isComplete: async (event) => isComplete(event, new SdkAdapter(), () => simulator.clock.now(), (entry) => logged.push(JSON.stringify(entry))),
  }, () => simulator.clock.advance(POLL_MS));
}

function v(artifact: string, overrides: Partial<ImageProperties> = {}): ImageProperties {
  return imageProperties({ codeArtifactUri: `s3://assets/${artifact}.zip`, ...overrides });
}

function builds(): number {
  return simulator.calls.count('CreateMicrovmImage') + simulator.calls.count('UpdateMicrovmImage');
}

/** The builds one request starts. */
async function buildsOf<T>(work: () => Promise<T>): Promise<{ response: T; started: number }> {
  const before = builds();
  const response = await work();
  return { response, started: builds() - before };
}

afterEach(async () => simulator.stop());

describe('create', () => {
  test('waits for the build and answers the exact version, the base version and the ARN', async () => {
    const image = await start();
    const { response, started } = await buildsOf(() => image.create(v('v1')));

    expect(response).toMatchObject({
      Status: 'SUCCESS',
      PhysicalResourceId: simulator.imageArn(NAME),
      Data: { ImageArn: simulator.imageArn(NAME), ImageName: NAME, ImageVersion: '1.0', BaseImageVersion: '1' },
    });
    expect(started).toBe(1);
    expect(response.ticks).toBeGreaterThan(2);
    expect(response.bytes).toBeLessThan(4_096);
    expect(simulator.images[0].tags).toMatchObject({
      'microvm-cdk:stack': '11111111-2222-3333-4444-555555555555',
      'microvm-cdk:stack-name': 'App',
      'microvm-cdk:owner': expect.stringMatching(/^[0-9a-f]{32}$/),
    });
  });

  test('completes within one poll of the version turning SUCCESSFUL, at no more than 4 calls a tick', async () => {
    const image = await start();
    simulator.builds.plan({ durationMs: BUILD_MS });
    const begun = simulator.clock.now();
    const response = await image.create(v('v1'));

    expect(simulator.clock.now() - begun - BUILD_MS).toBeLessThanOrEqual(POLL_MS);
    expect(simulator.calls.all.length / response.ticks).toBeLessThanOrEqual(4);
  });

  test('a broken Dockerfile fails with its reason, its stage and the last log lines, and leaves no image behind', async () => {
    const image = await start();
    simulator.artifacts.put('s3://assets/broken.zip', zipSync({ Dockerfile: strToU8('FROM public.ecr.aws/lambda/microvms:al2023-minimal\nRUN exit 3\n') }));
    const response = await image.create(v('broken'));

    expect(response.Status).toBe('FAILED');
    expect(response.Reason).toMatch(/version 1\.0 failed to build: The container image build failed \(Graviton 3, Graviton 4\)\./);
    expect(response.Reason).toContain('in the artifact or the Dockerfile');
    expect(response.Reason).toMatch(new RegExp(`Log group /aws/lambda-microvms/${NAME} ends: .*exit code: 3`));
    expect(response.Reason.split('\n')[0]).toContain('Hint: build the Dockerfile for linux/arm64 locally');
    expect(response.bytes).toBeLessThan(4_096);
    expect(simulator.images).toEqual([]);
  });

  test('one generation failing alone is named alone', async () => {
    const image = await start();
    simulator.builds.plan({ failure: { kind: 'ready-timeout', generation: '4' } });
    const response = await image.create(v('v1', { hooks: { port: 9000, readySeconds: 300 } }));

    expect(response.Reason).toMatch(/Ready hook invocation timed out after PT5M \(Graviton 4\)/);
    expect(response.Reason).toContain('port 9000');
  });

  test('a name somebody else has is refused without touching their image', async () => {
    const image = await start();
    await image.create(v('v1'));
    const stranger = new StackResource(framework(), 'arn:aws:cloudformation:us-east-1:000000000000:stack/Other/99999999-2222-3333-4444-555555555555');
    const { response, started } = await buildsOf(() => stranger.create(v('v2')));

    expect(response.Reason).toContain("already exists in this account and region and belongs to stack 'App'");
    expect(started).toBe(0);
    expect(simulator.images[0].state).toBe('CREATED');
    expect(simulator.calls.count('DeleteMicrovmImage')).toBe(0);
  });

  test('a build role whose policy has not reached S3 yet costs one more build, not the deployment', async () => {
    const image = await start();
    simulator.builds.plan({ failure: { kind: 's3-access-denied' } });
    const { response, started } = await buildsOf(() => image.create(v('v1')));

    expect(response).toMatchObject({ Status: 'SUCCESS', Data: { ImageVersion: '2.0' } });
    expect(started).toBe(2);
  });

  test('a build role that may never read the artifact fails with that reason after two builds', async () => {
    const image = await start();
    simulator.buildRoles.deny(imageProperties().buildRoleArn);
    const { response, started } = await buildsOf(() => image.create(v('v1')));

    expect(response.Reason).toMatch(/S3_ACCESS_DENIED.*s3:GetObject/);
    expect(started).toBe(2);
  });

  test('an answer lost after the image was created starts no second build', async () => {
    const image = await start();
    simulator.faults.inject({ operation: 'CreateMicrovmImage', lostResponse: true, times: 3 });
    const response = await image.create(v('v1'));

    expect(response).toMatchObject({ Status: 'SUCCESS', Data: { ImageVersion: '1.0' } });
    expect(simulator.images[0].versions).toHaveLength(1);
  });

  test('throttles, a gateway page and a full build quota are waited out', async () => {
    const image = await start();
    simulator.faults.inject({ operation: 'GetMicrovmImage', throttle: true, times: 4 });
    simulator.faults.inject({ operation: 'GetMicrovmImage', http502: true, times: 4 });
    simulator.faults.inject({
      operation: 'CreateMicrovmImage',
      times: 9,
      error: { type: 'ServiceQuotaExceededException', message: 'You have reached the maximum number of concurrent builds', status: 402 },
    });
    const response = await image.create(v('v1'));

    expect(response).toMatchObject({ Status: 'SUCCESS', Data: { ImageVersion: '1.0' } });
  });
});

describe('update', () => {
  test('new code builds one version and answers exactly that one', async () => {
    const image = await start();
    await image.create(v('v1'));
    const { response, started } = await buildsOf(() => image.update(v('v2')));

    expect(response.Data?.ImageVersion).toBe('2.0');
    expect(started).toBe(1);
  });

  test('new code whose permission has not reached S3 yet costs one more build, not the deployment', async () => {
    const image = await start();
    await image.create(v('v1'));
    simulator.builds.plan({ failure: { kind: 's3-access-denied' } });
    const { response, started } = await buildsOf(() => image.update(v('v2')));

    expect([response.Data?.ImageVersion, started]).toEqual(['3.0', 2]);
  });

  test('42 tags, one of them renamed, still fit beside those of the library', async () => {
    const image = await start();
    const tags = Object.fromEntries(Array.from({ length: 42 }, (_, index) => [`tag-${index}`, 'x']));
    const { 'tag-0': _, ...others } = tags;
    await image.create(v('v1', { tags }));
    expect(await image.update(v('v1', { tags: { ...others, renamed: 'x' } }))).toMatchObject({ Status: 'SUCCESS' });
    expect(Object.keys(simulator.images[0].tags).length).toBeLessThanOrEqual(50);
  });

  test('a no-op, a change of tags and "1" for "1.0" start no build and take one tick', async () => {
    const image = await start();
    await image.create(v('v1', { tags: { team: 'a', old: 'x' } }));
    const changes: Array<Partial<ImageProperties>> = [{ tags: { team: 'a', old: 'x' } }, { tags: { team: 'b' } }, { tags: { team: 'b' }, baseImageVersion: '1' }];
    for (const change of changes) {
      const { response, started } = await buildsOf(() => image.update(v('v1', change)));
      expect({ started, ticks: response.ticks, version: response.Data?.ImageVersion }).toEqual({ started: 0, ticks: 1, version: '1.0' });
    }
    expect(simulator.images[0].tags).toMatchObject({ team: 'b' });
    expect(simulator.images[0].tags).not.toHaveProperty('old');
  });

  test('going back to earlier code hands out the version built from it', async () => {
    const image = await start();
    await image.create(v('v1'));
    await image.update(v('v2'));
    await image.update(v('v3'));
    const { response, started } = await buildsOf(() => image.update(v('v1')));

    expect(response.Data?.ImageVersion).toBe('1.0');
    expect(started).toBe(0);
  });

  test('a version somebody built by hand is never handed out', async () => {
    const image = await start();
    await image.create(v('v1'));
    const adapter = new SdkAdapter();
    await adapter.updateImage(simulator.imageArn(NAME), { ...v('v3') }, 'by-hand');
    await simulator.clock.advance(BUILD_MS * 2);
    expect(await adapter.listVersions(simulator.imageArn(NAME))).toContainEqual(expect.objectContaining({ version: '2.0', status: 'ACTIVE' }));
    const response = await image.update(v('v1', { tags: { only: 'tags' } }));

    expect(response.Data?.ImageVersion).toBe('1.0');
  });

  test('a new refresh token builds on the newest base; rolling it back does not', async () => {
    const image = await start();
    const before = v('v1', { baseImageRefreshToken: 'october' });
    const after = v('v1', { baseImageRefreshToken: 'november' });
    await image.create(before);
    const refreshed = await buildsOf(() => image.update(after));
    expect([refreshed.started, refreshed.response.Data?.ImageVersion]).toEqual([1, '2.0']);

    const rolledBack = await buildsOf(() => image.rollBack(after, before));
    expect([rolledBack.started, rolledBack.response.Data?.ImageVersion]).toEqual([0, '1.0']);
  });

  test('a new name makes a new image first and deletes the old one after', async () => {
    const image = await start();
    await image.create(v('v1'));
    simulator.logs.create('/aws/lambda-microvms/renamed', simulator.clock.now());
    const response = await image.update(v('v1', { imageName: 'renamed' }));

    expect(response.PhysicalResourceId).toBe(simulator.imageArn('renamed'));
    expect(simulator.images.map((found) => found.name)).toEqual(['renamed']);
    const operations = simulator.calls.all.map((call) => call.operation);
    expect(operations.lastIndexOf('CreateMicrovmImage')).toBeLessThan(operations.indexOf('DeleteMicrovmImage'));
  });

  test('an image deleted behind our back is made again', async () => {
    const image = await start();
    await image.create(v('v1'));
    await new SdkAdapter().deleteImage(simulator.imageArn(NAME));
    await simulator.clock.advance(60_000);
    const { response, started } = await buildsOf(() => image.update(v('v2')));

    expect([response.Status, response.Data?.ImageVersion, started]).toEqual(['SUCCESS', '1.0', 1]);
  });
});

describe('rollback', () => {
  test('of a refresh token that was taken away without a build: no build', async () => {
    const image = await start();
    const withToken = v('v1', { baseImageRefreshToken: 'october' });
    await image.create(withToken);
    expect((await buildsOf(() => image.update(v('v1')))).started).toBe(0);
    const { response, started } = await buildsOf(() => image.rollBack(v('v1'), withToken));

    expect([started, response.ticks, response.Data?.ImageVersion]).toEqual([0, 1, '1.0']);
  });

  test.each([true, false])('after a failed build: no build, one tick, the version served before (failed images launch: %s)', async (updateFailedLaunches) => {
    const image = await start({ readings: { updateFailedLaunches } });
    await image.create(v('v1'));
    simulator.builds.plan({ failure: { kind: 'container' } });
    const failed = await image.update(v('v2'));
    expect(failed.Status).toBe('FAILED');
    const { response, started } = await buildsOf(() => image.rollBack(v('v2'), v('v1')));

    expect([started, response.ticks, response.Data?.ImageVersion]).toEqual([0, 1, '1.0']);
    await simulator.clock.advance(60_000);
    const adapter = new SdkAdapter();
    expect(await adapter.getImage(simulator.imageArn(NAME))).toMatchObject({ state: 'UPDATED' });
    expect((await adapter.listVersions(simulator.imageArn(NAME))).map((version) => version.version)).toEqual(['1.0']);
  });

  test('after a failed sibling: no build, and the way forward again does not build either', async () => {
    const image = await start();
    await image.create(v('v1'));
    await image.update(v('v2'));
    const back = await buildsOf(() => image.rollBack(v('v2'), v('v1')));
    expect([back.started, back.response.ticks, back.response.Data?.ImageVersion]).toEqual([0, 1, '1.0']);

    const forth = await buildsOf(() => image.update(v('v2')));
    expect([forth.started, forth.response.Data?.ImageVersion]).toEqual([0, '2.0']);
  });

  test('of a cancelled update, while the image is still UPDATING: no build and one tick', async () => {
    const image = await start();
    await image.create(v('v1'));
    await new SdkAdapter().updateImage(simulator.imageArn(NAME), v('v2'), 'cancelled');
    expect(simulator.images[0].state).toBe('UPDATING');
    const { response, started } = await buildsOf(() => image.rollBack(v('v2'), v('v1')));

    expect([started, response.ticks, response.Data?.ImageVersion]).toEqual([0, 1, '1.0']);
  });

  test('works without the artifact it was built from', async () => {
    const image = await start();
    await image.create(v('v1'));
    await image.update(v('v2'));
    simulator.artifacts.delete('s3://assets/v1.zip');
    const { response, started } = await buildsOf(() => image.rollBack(v('v2'), v('v1')));

    expect([started, response.Data?.ImageVersion]).toEqual([0, '1.0']);
  });
});

describe('delete', () => {
  test('waits until the name is free', async () => {
    const image = await start();
    await image.create(v('v1'));
    const response = await image.delete();

    expect(response).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: simulator.imageArn(NAME) });
    expect(simulator.images).toEqual([]);
  });

  test('waits for a build that is under way', async () => {
    const image = await start();
    await image.create(v('v1'));
    await new SdkAdapter().updateImage(simulator.imageArn(NAME), v('v2'), 'under-way');
    const response = await image.delete();

    expect(response.Status).toBe('SUCCESS');
    expect(simulator.images).toEqual([]);
  });

  test('is issued again when the service answers DELETE_FAILED', async () => {
    const image = await start();
    await image.create(v('v1'));
    simulator.deletions.plan({ fails: true });
    const response = await image.delete();

    expect(response.Status).toBe('SUCCESS');
    expect(simulator.calls.count('DeleteMicrovmImage')).toBe(2);
  });

  test('with a running MicroVM is refused, with its id and the way out; the image stays', async () => {
    const image = await start();
    await image.create(v('v1'));
    const { microvmId } = await new LambdaMicrovmsClient().send(new RunMicrovmCommand({ imageIdentifier: simulator.imageArn(NAME) }));
    const response = await image.delete();

    expect(response.Status).toBe('FAILED');
    expect(response.Reason).toContain(`still has 1 running or suspended MicroVM: ${microvmId}`);
    expect(response.Reason).toContain('RunningMicrovms.TERMINATE');
    expect(simulator.images[0].state).toBe('CREATED');
    expect(simulator.calls.count('TerminateMicrovm')).toBe(0);
  });

  test('with running MicroVMs terminates them when told to', async () => {
    const image = await start();
    await image.create(v('v1', { runningMicrovms: RunningMicrovms.TERMINATE }));
    const client = new LambdaMicrovmsClient();
    for (let count = 0; count < 3; count++) {
      await client.send(new RunMicrovmCommand({ imageIdentifier: simulator.imageArn(NAME) }));
    }
    const response = await image.delete();

    expect(response.Status).toBe('SUCCESS');
    expect(simulator.images).toEqual([]);
    expect(simulator.calls.count('TerminateMicrovm')).toBe(3);
  });

  test('of an image nobody owns any more leaves it alone', async () => {
    const image = await start();
    await image.create(v('v1'));
    await new SdkAdapter().untag(simulator.imageArn(NAME), ['microvm-cdk:owner']);
    const response = await image.delete();

    expect(response.Status).toBe('SUCCESS');
    expect(simulator.images).toHaveLength(1);
    expect(logged.join('\n')).toContain('released, not deleted');
  });

  test('of a create that was cut short, under an id CloudFormation made up, deletes the image it had begun', async () => {
    const image = await start();
    await image.create(v('v1'));
    const response = await image.send('Delete', v('v1'), undefined, 'App-Image-1ABCDEFGHIJKL');

    expect(response).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: 'App-Image-1ABCDEFGHIJKL' });
    expect(simulator.images).toEqual([]);
  });

  test('under a made-up id leaves the image of another stack alone', async () => {
    const image = await start();
    await image.create(v('v1'));
    const stranger = new StackResource(framework(), 'arn:aws:cloudformation:us-east-1:000000000000:stack/Other/99999999-2222-3333-4444-555555555555');
    const response = await stranger.send('Delete', v('v1'), undefined, 'Other-Image-1ABCDEFGHIJKL');

    expect(response.Status).toBe('SUCCESS');
    expect(simulator.images[0].state).toBe('CREATED');
  });

  test('of something that was never an image, with properties nobody understands, is done at once', async () => {
    const image = await start();
    const response = await image.send('Delete', imageProperties({ imageName: '', minimumMemoryInMiB: NaN }), undefined, 'App-Image-1ABCDEFGHIJKL');

    expect(response).toMatchObject({ Status: 'SUCCESS', ticks: 1 });
    expect(simulator.calls.all).toEqual([]);
  });
});

test('no log line carries an environment value or the response URL', async () => {
  const image = await start();
  simulator.builds.plan({ failure: { kind: 'container' }, logLines: ['step 3: token is hunter2-hunter2'] });
  const response = await image.create(v('v1', { environmentVariables: { TOKEN: 'hunter2-hunter2' } }));

  expect(response.Status).toBe('FAILED');
  expect(response.Reason).toContain('token is ***');
  expect(logged.join('\n')).not.toMatch(/hunter2|cloudformation\.example/);
});

test('no log line repeats a value that the service repeats in a refusal', async () => {
  const image = await start();
  simulator.faults.inject({ operation: 'CreateMicrovmImage', error: { type: 'ThrottlingException', message: 'Slow down, hunter2-hunter2', status: 429 }, times: 6 });
  await image.create(v('v1', { environmentVariables: { TOKEN: 'hunter2-hunter2' } }));

  expect(logged.join('\n')).toContain('Slow down, ***');
  expect(logged.join('\n')).not.toContain('hunter2');
});

test('a request tag somebody wrote over claims nothing', async () => {
  const image = await start();
  await image.create(v('v1'));
  await new SdkAdapter().tag(simulator.imageArn(NAME), { 'microvm-cdk:request': 'zzz' });

  expect(await image.update(v('v2'))).toMatchObject({ Status: 'SUCCESS', Data: { ImageVersion: '2.0' } });
});

test('a base image that does not exist is an error at once, not after an hour', async () => {
  const image = await start();
  const response = await image.create(v('v1', { baseImageArn: 'arn:aws:lambda:us-east-1:aws:microvm-image:nope' }));

  expect(response.Reason).toMatch(/No version of base image .*:nope can be built on.*name another baseImage/);
  expect(response.ticks).toBe(1);
});
