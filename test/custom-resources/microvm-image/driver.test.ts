import {
  ACCEPTED_AT, AT_DEADLINE, claimTags, deleteRequest, DIGEST, EARLIER_REQUEST_ID, ensureRequest, FOREIGN_OWNER, IMAGE_ARN, imageConfig, imageView,
  MINUTE, OLD, ownTags, REQUEST_ID, servedTag, twoBuilds, versionView,
} from './builders';
import { FakeService } from './fake-service';
import { RunningMicrovms, Tag } from '../../../src/custom-resources/microvm-image/contract';
import { Limit, Outcome } from '../../../src/custom-resources/microvm-image/handler/decision';
import { Driver, Verdict } from '../../../src/custom-resources/microvm-image/handler/driver';
import { DeleteRequest, EnsureRequest } from '../../../src/custom-resources/microvm-image/handler/request';
import { Refusal, VersionView } from '../../../src/custom-resources/microvm-image/handler/service-port';

const NOW = ACCEPTED_AT + 10_000;

let service: FakeService;
let log: Array<Record<string, unknown>>;

beforeEach(() => {
  service = new FakeService();
  log = [];
});

async function tick(request: EnsureRequest | DeleteRequest = ensureRequest(), now = NOW): Promise<Outcome> {
  return new Driver(service, () => now, (entry) => log.push(entry)).tick(request);
}

async function verdict(request: EnsureRequest | DeleteRequest = ensureRequest(), now = NOW): Promise<string> {
  const error = await tick(request, now).then((outcome) => { throw new Error(`no verdict but: ${JSON.stringify(outcome)}`); }, (thrown: Error) => thrown);
  expect(error).toBeInstanceOf(Verdict);
  return error.message;
}

/** An older configuration is served, so the request builds. */
function aChange(): void {
  service.image = imageView();
  service.versions = [versionView('1.0', { config: OLD })];
}

/** The failed update was rolled back. */
function aRollback(): void {
  service.image = imageView({ state: 'UPDATE_FAILED', tags: ownTags({ ...claimTags(EARLIER_REQUEST_ID, '1.0', undefined, 0), ...servedTag('1.0', DIGEST) }) });
  service.versions = [versionView('1.0'), versionView('2.0', { state: 'FAILED', config: OLD })];
}

function aFailedBuild(): void {
  service.image = imageView({ state: 'UPDATE_FAILED', tags: ownTags(claimTags(REQUEST_ID, '1.0')) });
  service.versions = [versionView('2.0', { state: 'FAILED', createdAt: ACCEPTED_AT + 1 }), versionView('1.0', { config: OLD })];
  service.builds = twoBuilds('FAILED', 'The container image build failed.');
  service.logLines = ['npm error code E404'];
}

/** Old enough to make room for the next. */
function threeOldVersions(): VersionView[] {
  return ['3.0', '2.0', '1.0'].map((version) => versionView(version, { config: OLD, createdAt: ACCEPTED_AT - 1_000 * MINUTE }));
}

describe('a tick', () => {
  test('writes the claim before it builds', async () => {
    aChange();
    expect((await tick()).type).toBe('wait');
    expect(service.changes).toEqual(['tag', 'updateImage']);
    expect(service.calls.at(-2)!.args).toEqual([IMAGE_ARN, claimTags(REQUEST_ID, '1.0')]);
    expect(service.calls.at(-1)!.args).toEqual([IMAGE_ARN, imageConfig(), expect.any(String)]);
  });

  test('creates under the name of the ARN', async () => {
    await tick(ensureRequest({ isNew: true }));
    expect(service.changes).toEqual(['createImage']);
    expect(service.calls.at(-1)!.args).toEqual(['shop-app', imageConfig(), expect.objectContaining({ [Tag.REQUEST]: expect.any(String) }), expect.any(String)]);
  });

  test('looks the base image up when it needs it, and then acts in the same tick', async () => {
    await tick(ensureRequest({ desired: { baseImageVersion: undefined } }));
    expect(service.names).toEqual(['getImage', 'listBaseVersions', 'createImage']);
  });

  test('looks up who runs a version before it deletes it, and does nothing else in that tick', async () => {
    service.image = imageView();
    service.versions = ['3.0', '2.0', '1.0'].map((version) => versionView(version, { config: OLD, createdAt: ACCEPTED_AT - 1_000 * MINUTE }));
    service.versions.unshift(versionView('4.0', { config: OLD }));
    service.microvmsOf = { '1.0': ['microvm-1'] };

    expect((await tick(ensureRequest({ desired: { keepVersions: 2 } }))).type).toBe('wait');
    expect(service.names).toEqual(['getImage', 'listVersions', 'listMicrovmsOfVersion', 'listMicrovmsOfVersion', 'tag', 'deleteVersion']);
    expect(service.calls.at(-1)!.args).toEqual([IMAGE_ARN, '2.0']);
  });

  test('sees the newest version first, in whatever order the service lists them', async () => {
    service.image = imageView();
    service.versions = [versionView('10.0'), versionView('9.0'), versionView('2.0'), versionView('11.0', { config: OLD })];
    expect(await tick()).toMatchObject({ attributes: { ImageVersion: '10.0' } });
  });

  test.each<[string, () => void, EnsureRequest | DeleteRequest]>([
    ['create', () => undefined, ensureRequest()],
    ['build', aChange, ensureRequest()],
    ['build with new and removed tags', () => { aChange(); service.image = imageView({ tags: ownTags({ gone: 'x' }) }); },
      ensureRequest({ desired: { tags: { team: 'shop' } }, removedTags: ['gone'] })],
    ['activate', () => { aRollback(); service.versions[0] = versionView('1.0', { status: 'INACTIVE' }); }, ensureRequest()],
    ['retire', () => { aRollback(); service.versions[1] = versionView('2.0', { config: OLD }); }, ensureRequest({ desired: { followLatest: true } })],
    ['clear a failed version', aRollback, ensureRequest()],
    ['delete', aChange, deleteRequest()],
  ])('does not take more than one action: %s', async (_what, prepare, request) => {
    prepare();
    await tick(request);
    const actions = service.changes.filter((name) => name !== 'tag' && name !== 'untag');
    expect(actions).toHaveLength(1);
    expect(service.names.at(-1)).toBe(actions[0]);
  });

  test.each<[string, () => void, EnsureRequest | DeleteRequest]>([
    ['a build', aChange, ensureRequest()],
    ['the clearing of a failed version', aRollback, ensureRequest()],
    ['tags of a version handed out', () => { aChange(); service.versions = [versionView('1.0')]; }, ensureRequest({ removedTags: ['gone'] })],
    ['the deletion of a version, and its event', () => { aChange(); service.versions = threeOldVersions(); },
      ensureRequest({ desired: { keepVersions: 2, eventBusArn: 'arn:aws:events:eu-west-1:111122223333:event-bus/default' } })],
    ['the termination of MicroVMs', () => { aChange(); service.refuse('deleteImage', 'runningMicrovms'); service.liveMicrovms = ['microvm-1', 'microvm-2']; },
      deleteRequest({ runningMicrovms: RunningMicrovms.TERMINATE })],
  ])('ends when the service has answered all its calls, since Lambda freezes what goes on after it: %s', async (_what, prepare, request) => {
    prepare();
    let open = 0;
    const slow = new Proxy(service, {
      get: (target, name: keyof FakeService) => (typeof target[name] !== 'function' ? target[name] : async (...args: unknown[]) => {
        open++;
        await new Promise(setImmediate);
        open--;
        return (target[name] as (...given: unknown[]) => unknown)(...args);
      }),
    });
    await new Driver(slow, () => NOW, (entry) => log.push(entry)).tick(request);
    expect([service.changes.length > 0, open]).toEqual([true, 0]);
  });

  test('needs no more than four calls while a version is built', async () => {
    service.image = imageView({ state: 'UPDATING' });
    service.versions = [versionView('2.0', { state: 'IN_PROGRESS', createdAt: ACCEPTED_AT }), versionView('1.0', { config: OLD })];

    expect((await tick()).type).toBe('wait');
    expect(service.names).toEqual(['getImage', 'listVersions', 'listBuilds', 'tag']);

    service.image = imageView({ state: 'UPDATING', tags: ownTags(claimTags(REQUEST_ID, '1.0')) });
    service.calls.length = 0;
    expect((await tick()).type).toBe('wait');
    expect(service.names).toEqual(['getImage', 'listVersions', 'listBuilds']);
  });

  test('reads nothing about builds when the newest version succeeded', async () => {
    aChange();
    service.versions = [versionView('1.0')];
    expect((await tick()).type).toBe('done');
    expect(service.names).toEqual(['getImage', 'listVersions', 'tag']);
  });

  test('reads nothing more of an image that is not there', async () => {
    expect((await tick(deleteRequest())).type).toBe('done');
    expect(service.names).toEqual(['getImage']);
  });

  test('sets and removes the user\'s tags without building', async () => {
    service.image = imageView({ tags: ownTags({ gone: 'x' }) });
    service.versions = [versionView('1.0')];
    expect((await tick(ensureRequest({ desired: { tags: { team: 'shop' } }, removedTags: ['gone'] }))).type).toBe('done');
    expect(service.changes).toEqual(['untag', 'tag']);
    expect(service.calls.at(-2)!.args).toEqual([IMAGE_ARN, ['gone']]);
    expect(service.calls.at(-1)!.args[1]).toMatchObject({ team: 'shop' });
  });

  test('logs what it saw and did, and never a value of the environment', async () => {
    aChange();
    const request = ensureRequest({ desired: { environmentVariables: { TOKEN: 'hunter2hunter2' } } });
    await tick(request);
    expect(log).toContainEqual(expect.objectContaining({ image: 'shop-app', state: 'UPDATED', action: 'build' }));
    expect(log).toContainEqual(expect.objectContaining({ outcome: 'wait', why: 'building a new version' }));
    expect(JSON.stringify(log)).not.toContain('hunter2');
  });
});

describe('tags that the service does not take now', () => {
  beforeEach(() => { service.refuse('tag', 'busy'); });

  test('hold a build back, which could be started twice without them', async () => {
    aChange();
    expect((await tick()).type).toBe('wait');
    expect(service.changes).toEqual(['tag']);
  });

  test('do not hold a version back', async () => {
    service.image = imageView({ state: 'UPDATING', tags: ownTags(servedTag('1.0', DIGEST)) });
    service.versions = [versionView('2.0', { state: 'IN_PROGRESS', config: OLD }), versionView('1.0')];
    expect(await tick()).toMatchObject({ type: 'done', attributes: { ImageVersion: '1.0' } });
  });

  test('hold back a version of an image to adopt, which would be deleted one day without them', async () => {
    service.image = imageView({ state: 'UPDATING', tags: { team: 'shop' } });
    service.versions = [versionView('2.0', { state: 'IN_PROGRESS', config: OLD }), versionView('1.0')];
    expect((await tick(ensureRequest({ isNew: true, desired: { adopt: true } }))).type).toBe('wait');
    expect(service.changes).toEqual(['tag']);
  });

  test('do not hold back the clearing of a failed version', async () => {
    aRollback();
    expect((await tick()).type).toBe('done');
    expect(service.changes).toEqual(['tag', 'deleteVersion']);
  });

  test.each<Refusal>(['busy', 'denied', 'transient', 'invalid'])('do not hold the deletion of an image back (%s)', async (kind) => {
    aChange();
    service.refuse('tag', kind);
    expect((await tick(deleteRequest())).type).toBe('wait');
    expect(service.changes).toEqual(['tag', 'deleteImage']);
  });

  test('do not disturb the wait for a build', async () => {
    service.image = imageView({ state: 'UPDATING' });
    service.versions = [versionView('2.0', { state: 'IN_PROGRESS', createdAt: ACCEPTED_AT })];
    expect(await tick()).toEqual({ type: 'wait', why: 'version 2.0 is building' });
  });

  test('end the request at its deadline like anything else', async () => {
    aChange();
    await expect(verdict(ensureRequest(), AT_DEADLINE)).resolves.toMatch(/55 minutes/);
  });
});

describe('what goes wrong is no verdict before its time:', () => {
  const before: Record<Exclude<Refusal, 'invalid'>, number> = {
    transient: AT_DEADLINE - MINUTE,
    busy: AT_DEADLINE - MINUTE,
    notFound: AT_DEADLINE - MINUTE,
    runningMicrovms: AT_DEADLINE - MINUTE,
    quota: ACCEPTED_AT + Limit.RESERVED - 1,
    nameTaken: ACCEPTED_AT + Limit.RESERVED - 1,
    denied: ACCEPTED_AT + Limit.IAM_GRACE - 1,
  };
  const kinds = Object.keys(before) as Array<keyof typeof before>;

  test.each(kinds.flatMap((kind) => (['getImage', 'listVersions', 'tag', 'updateImage'] as const).map((call) => [kind, call] as const)))(
    '%s on %s', async (kind, call) => {
      aChange();
      service.refuse(call, kind);
      expect((await tick(ensureRequest(), before[kind])).type).toBe('wait');
    });

  test.each(kinds)('%s on the delete of an image', async (kind) => {
    aChange();
    service.refuse('deleteImage', kind);
    expect((await tick(deleteRequest(), before[kind])).type).toBe('wait');
  });

  test.each(kinds)('%s on the lookup of MicroVMs', async (kind) => {
    aChange();
    service.refuse('deleteImage', 'runningMicrovms').refuse('listLiveMicrovms', kind);
    expect((await tick(deleteRequest(), before[kind])).type).toBe('wait');
  });

  test.each([new TypeError('undefined is not a function'), new Error('socket hang up')])('%s', async (error) => {
    aChange();
    service.refuse('listVersions', error);
    expect(await tick(ensureRequest(), AT_DEADLINE - 1)).toEqual({ type: 'wait', why: error.message });
    expect(log).toContainEqual(expect.objectContaining({ error: error.message, stack: expect.stringContaining('driver.test.ts') }));
  });

  test('but a surprise is one at the deadline, and says what it was', async () => {
    service.refuse('getImage', new Error('socket hang up'));
    await expect(verdict(ensureRequest(), AT_DEADLINE)).resolves.toBe(
      "Image 'shop-app' could not be handled: socket hang up. Hint: deploy again.");
  });

  test('but a request the service calls wrong is one at once, and does not repeat values of the environment', async () => {
    aChange();
    service.refuse('updateImage', 'invalid', "Value '{TOKEN=hunter2hunter2}' at 'environmentVariables' failed to satisfy constraint");
    const message = await verdict(ensureRequest({ desired: { environmentVariables: { TOKEN: 'hunter2hunter2' } } }));
    expect(message).toContain("at 'environmentVariables' failed to satisfy constraint");
    expect(message).not.toContain('hunter2');
  });

  test('but what cannot be seen is never a success', async () => {
    service.refuse('getImage', 'denied', 'not authorized to perform: lambda:GetMicrovmImage');
    expect((await tick(deleteRequest(), ACCEPTED_AT)).type).toBe('wait');
    await expect(verdict(deleteRequest(), ACCEPTED_AT + Limit.IAM_GRACE)).resolves.toMatch(/GetMicrovmImage/);
  });
});

describe('a rollback is over', () => {
  test.each<Refusal>(['busy', 'denied', 'notFound', 'invalid', 'quota', 'runningMicrovms'])(
    'whether or not the failed version can be cleared away (%s)', async (kind) => {
      aRollback();
      service.refuse('deleteVersion', kind);
      expect(await tick()).toMatchObject({ type: 'done', attributes: { ImageVersion: '1.0' } });
      expect(service.changes.filter((name) => name === 'deleteVersion')).toHaveLength(1);
    });

  test('a moment later when a passing fault kept the failed version from being cleared away, and no longer', async () => {
    aRollback();
    service.refuse('deleteVersion', 'transient');
    expect((await tick(ensureRequest(), ACCEPTED_AT + Limit.CLEAR - 1)).type).toBe('wait');
    expect((await tick(ensureRequest(), ACCEPTED_AT + Limit.CLEAR)).type).toBe('done');
  });
});

describe('the error of a failed build', () => {
  test('is one line with the evidence, as message and as stack', async () => {
    aFailedBuild();
    const error = await tick().catch((thrown: Error) => thrown) as Verdict;
    expect(error.message).toMatch(
      /^MicroVM image 'shop-app' version 2\.0 failed to build: The container image build failed \(Graviton 3, Graviton 4\)\. .*ends: npm error code E404\. Hint: /);
    expect(error.stack).toBe(error.message);
  });

  test('reads the log from the moment the version was made', async () => {
    aFailedBuild();
    await verdict();
    expect(service.calls.find((call) => call.name === 'tailLog')!.args).toEqual(['/aws/lambda-microvms/shop-app', '2.0', ACCEPTED_AT + 1]);
  });

  test('reads the stage of each build', async () => {
    aFailedBuild();
    await verdict();
    expect(service.calls.filter((call) => call.name === 'getSnapshotSizes').map((call) => call.args)).toEqual([
      [IMAGE_ARN, '2.0', 'build-3'], [IMAGE_ARN, '2.0', 'build-4'],
    ]);
  });

  test('hides the values of environment variables', async () => {
    aFailedBuild();
    const environmentVariables = { TOKEN: 'hunter2hunter2' };
    service.versions[0] = versionView('2.0', { state: 'FAILED', config: { environmentVariables } });
    service.logLines = ['using hunter2hunter2'];
    await expect(verdict(ensureRequest({ desired: { environmentVariables } }))).resolves.toMatch(/ends: using \*\*\*\./);
  });

  test('reads no log when logging is disabled', async () => {
    aFailedBuild();
    service.versions[0] = versionView('2.0', { state: 'FAILED', config: { logging: { disabled: true } } });
    await expect(verdict(ensureRequest({ desired: { logging: { disabled: true } } }))).resolves.toMatch(/Logging is disabled/);
    expect(service.names).not.toContain('tailLog');
  });

  test.each([
    ['getSnapshotSizes', /The container image build failed .*npm error code E404/],
    ['tailLog', /The container image build failed .*could not be read/],
  ] as const)('gets out when %s does not work', async (call, expected) => {
    for (const fault of ['denied', 'transient', 'notFound', new TypeError('surprise')] as const) {
      aFailedBuild();
      service.refuse(call, fault);
      await expect(verdict()).resolves.toMatch(expected);
    }
  });

  test('gets out although the builds could be read only once', async () => {
    aFailedBuild();
    const listBuilds = service.listBuilds.bind(service);
    service.listBuilds = async (imageArn, version) => {
      const builds = await listBuilds(imageArn, version);
      service.refuse('listBuilds', 'transient');
      return builds;
    };
    await expect(verdict()).resolves.toMatch(/version 2\.0 failed to build: The container image build failed/);
  });
});

describe('a Delete that the service refuses because of MicroVMs', () => {
  beforeEach(() => {
    aChange();
    service.refuse('deleteImage', 'runningMicrovms');
    service.liveMicrovms = ['microvm-1', 'microvm-2'];
  });

  test('lists them only then, and names them', async () => {
    await expect(verdict(deleteRequest())).resolves.toMatch(/microvm-1, microvm-2/);
    expect(service.names).toEqual(expect.arrayContaining(['deleteImage', 'listLiveMicrovms']));
    expect(service.changes).not.toContain('terminateMicrovm');
  });

  test('terminates them when told to', async () => {
    expect((await tick(deleteRequest({ runningMicrovms: RunningMicrovms.TERMINATE }))).type).toBe('wait');
    expect(service.calls.filter((call) => call.name === 'terminateMicrovm').map((call) => call.args)).toEqual([['microvm-1'], ['microvm-2']]);
  });

  test('waits when one cannot be terminated now', async () => {
    service.refuse('terminateMicrovm', 'transient');
    expect((await tick(deleteRequest({ runningMicrovms: RunningMicrovms.TERMINATE }))).type).toBe('wait');
  });
});

test('what looks after an image of CloudFormation terminates MicroVMs that are not terminating yet, and waits for all', async () => {
  service.image = imageView({ tags: { [Tag.UPKEEP]: ownTags()[Tag.STACK] } });
  service.liveMicrovms = ['microvm-1'];
  service.microvmsOf = { '': ['microvm-1', 'microvm-2'] };
  const { retainOnFailure: _, ...identity } = deleteRequest({ runningMicrovms: RunningMicrovms.TERMINATE });
  const outcome = await new Driver(service, () => ACCEPTED_AT + MINUTE, (entry) => log.push(entry)).tick({ ...identity, kind: 'clear' });
  expect(service.calls.filter(({ name }) => name === 'terminateMicrovm').map(({ args }) => args)).toEqual([['microvm-1']]);
  expect(outcome).toEqual({ type: 'wait', why: '2 MicroVMs are to terminate' });
});

test.each<Refusal>(['busy', 'invalid', 'runningMicrovms', 'notFound', 'transient', 'denied'])('a refused delete of an old version is waited out (%s)', async (kind) => {
  service.image = imageView();
  service.versions = threeOldVersions();
  service.refuse('deleteVersion', kind);
  expect((await tick(ensureRequest({ desired: { keepVersions: 2 } }))).type).toBe('wait');
  expect(service.changes).toEqual(['tag', 'deleteVersion']);
});

test('a Delete never touches an image of another resource', async () => {
  service.image = imageView({ tags: ownTags({ [Tag.OWNER]: FOREIGN_OWNER }) });
  service.versions = [versionView('1.0')];
  expect((await tick(deleteRequest({ runningMicrovms: RunningMicrovms.TERMINATE }))).type).toBe('done');
  expect(service.changes).toEqual([]);
  expect(log).toContainEqual(expect.objectContaining({ why: expect.stringMatching(/belongs to another resource/) }));
});

test.each<Refusal>(['busy', 'denied'])('a released image is released although its last tag stays (%s)', async (kind) => {
  service.image = imageView({ tags: { [Tag.STACK]: ownTags()[Tag.STACK] } });
  service.refuse('untag', kind);
  expect((await tick(deleteRequest())).type).toBe('done');
  expect(service.calls.at(-1)!.args).toEqual([IMAGE_ARN, [Tag.STACK]]);
});

test('a request that was overtaken changes nothing any more', async () => {
  aChange();
  service.image = imageView({ tags: ownTags(claimTags('later', '1.0', undefined, NOW)) });
  await expect(verdict()).resolves.toMatch(/later request/);
  expect(service.changes).toEqual([]);
});
