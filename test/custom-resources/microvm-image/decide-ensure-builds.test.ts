import * as fc from 'fast-check';
import {
  ACCEPTED_AT, AT_DEADLINE, claimTags, deployedTags, DIGEST, EARLIER_REQUEST_ID, ensureRequest, imageConfig, imageProperties, imageView, MINUTE,
  observation, OLD, OLD_DIGEST, ownTags, previousTag, REQUEST_ID, servedTag, twoBuilds, versionView,
} from './builders';
import { handsOut, sentenceOf } from './outcomes';
import { Tag } from '../../../src/custom-resources/microvm-image/contract';
import { configDigest } from '../../../src/custom-resources/microvm-image/handler/config';
import { decideEnsure } from '../../../src/custom-resources/microvm-image/handler/decide-ensure';
import { Action, Decision, Observation } from '../../../src/custom-resources/microvm-image/handler/decision';
import { hashToken, writeAttempt, writeEntry } from '../../../src/custom-resources/microvm-image/handler/ledger';
import { EnsureRequest } from '../../../src/custom-resources/microvm-image/handler/request';

const NOW = ACCEPTED_AT + 10_000;
const A_TOKEN = expect.stringMatching(/^[0-9a-f]{64}$/);

const decide = (request: EnsureRequest, seen: Partial<Observation> = {}, now = NOW): Decision => decideEnsure(request, observation(seen), now);

function clientTokenOf(decision: Decision): string {
  return (decision.action as Extract<Action, { clientToken: string }>).clientToken;
}

describe('a change of the configuration', () => {
  const seen = { image: imageView({ tags: deployedTags(servedTag('1.0', OLD_DIGEST)) }), versions: [versionView('1.0', { config: OLD })] };

  test('claims the image and builds the whole document', () => {
    expect(decide(ensureRequest({ desired: { tags: { team: 'shop' } } }), seen)).toEqual({
      tags: { set: claimTags(REQUEST_ID, '1.0'), remove: [] },
      action: { type: 'build', config: imageConfig(), clientToken: A_TOKEN },
      outcome: { type: 'wait', why: 'building a new version' },
    });
  });

  test('writes no tag twice when the tick is repeated, and asks for the same build', () => {
    const first = decide(ensureRequest(), seen);
    const again = decide(ensureRequest(), { ...seen, image: imageView({ tags: { ...seen.image.tags, ...first.tags!.set } }) });
    expect(again.tags).toEqual({ set: {}, remove: [] });
    expect(again.action).toEqual(first.action);
  });

  test('waits while the image is busy with something that is not a build', () => {
    const decision = decide(ensureRequest(), { ...seen, image: imageView({ state: 'UPDATING', tags: deployedTags() }) });
    expect(decision.action).toBeUndefined();
    expect(decision.outcome).toEqual({ type: 'wait', why: 'the image is UPDATING' });
  });

  test('waits for a build of something else to end, because the service takes one at a time', () => {
    const decision = decide(ensureRequest(), {
      image: imageView({ state: 'UPDATING', tags: deployedTags() }),
      versions: [versionView('2.0', { state: 'IN_PROGRESS', config: { description: 'somebody else\'s' }, createdAt: ACCEPTED_AT }), versionView('1.0', { config: OLD })],
      builds: twoBuilds('IN_PROGRESS'),
    });
    expect(decision.action).toBeUndefined();
    expect(decision.outcome.type).toBe('wait');
    // It is none of this request's own.
    expect(decision.tags!.set).toEqual(claimTags(REQUEST_ID, '2.0'));
  });

  test('waits for a version of just that configuration instead of building it again', () => {
    const building = {
      image: imageView({ state: 'UPDATING', tags: deployedTags() }),
      versions: [versionView('2.0', { state: 'IN_PROGRESS', createdAt: ACCEPTED_AT - MINUTE }), versionView('1.0', { config: OLD })],
      builds: twoBuilds('IN_PROGRESS'),
    };
    const decision = decide(ensureRequest(), building);
    expect(decision).toEqual({
      tags: { set: claimTags(REQUEST_ID, '1.0'), remove: [] },
      outcome: { type: 'wait', why: 'version 2.0 is building' },
    });

    const image = imageView({ tags: { ...building.image.tags, ...decision.tags!.set } });
    const ended = { image, versions: [versionView('2.0'), versionView('1.0', { config: OLD })] };
    expect(decide(ensureRequest(), ended).outcome).toEqual(handsOut('2.0'));
  });

  test('claims what it waits for once', () => {
    const decision = decide(ensureRequest(), {
      image: imageView({ state: 'UPDATING', tags: ownTags(claimTags(REQUEST_ID, '1.0')) }),
      versions: [versionView('2.0', { state: 'IN_PROGRESS', createdAt: ACCEPTED_AT }), versionView('1.0', { config: OLD })],
      builds: twoBuilds('IN_PROGRESS'),
    });
    expect(decision).toEqual({ outcome: { type: 'wait', why: 'version 2.0 is building' } });
  });
});

describe('what was handed out while the image took no tags', () => {
  const replaced = imageProperties({ description: 'handed out' });
  const handedOut = versionView('2.0', { config: { description: 'handed out' } });
  const tags = deployedTags(servedTag('1.0', OLD_DIGEST));

  test('is noted with the next build, and what was served before it becomes the previous one', () => {
    const { set } = decide(ensureRequest({ replaced }), { image: imageView({ tags }), versions: [handedOut, versionView('1.0', { config: OLD })] }).tags!;
    expect(set).toMatchObject({
      ...servedTag('2.0', configDigest(imageConfig({ description: 'handed out' }))),
      ...previousTag('1.0', OLD_DIGEST),
    });
  });

  test('is none of the versions that came after this request claimed the image', () => {
    const claimed = { ...tags, ...claimTags(REQUEST_ID, '1.0') };
    const { set } = decide(ensureRequest({ replaced }), { image: imageView({ tags: claimed }), versions: [handedOut, versionView('1.0', { config: OLD })] }).tags!;
    expect(set).toEqual({});
  });
});

describe('a failed build', () => {
  const failed = versionView('2.0', { state: 'FAILED' });
  const versions = [failed, versionView('1.0', { config: OLD })];
  const ofThisRequest = imageView({ state: 'UPDATE_FAILED', tags: ownTags(claimTags(REQUEST_ID, '1.0')) });
  const denied = twoBuilds('FAILED', 'S3_ACCESS_DENIED: Access Denied');

  test('of this request is its verdict', () => {
    expect(decide(ensureRequest(), { image: ofThisRequest, versions, builds: twoBuilds('FAILED', 'The container image build failed.') }))
      .toEqual({ outcome: { type: 'fail', failure: { type: 'build', version: failed, builds: expect.anything() } } });
  });

  test('of this request is its verdict while the image is still UPDATING', () => {
    const image = { ...ofThisRequest, state: 'UPDATING' };
    expect(decide(ensureRequest(), { image, versions, builds: twoBuilds('FAILED') }).outcome).toEqual({ type: 'fail', failure: { type: 'build', version: failed, builds: expect.anything() } });
  });

  test('keeps its reason when it is seen only after the deadline', () => {
    expect(decide(ensureRequest(), { image: ofThisRequest, versions, builds: twoBuilds('FAILED') }, AT_DEADLINE).outcome)
      .toEqual({ type: 'fail', failure: { type: 'build', version: failed, builds: expect.anything() } });
  });

  test('of an older request says nothing about this one: it builds anew', () => {
    const image = imageView({ state: 'UPDATE_FAILED', tags: ownTags(claimTags(EARLIER_REQUEST_ID, '1.0', undefined, ACCEPTED_AT - 60 * MINUTE)) });
    expect(decide(ensureRequest(), { image, versions, builds: denied })).toEqual({
      tags: { set: claimTags(REQUEST_ID, '2.0'), remove: [] },
      action: { type: 'build', config: imageConfig(), clientToken: A_TOKEN },
      outcome: { type: 'wait', why: 'building a new version' },
    });
  });

  test('of something else while this request waited says nothing about it either', () => {
    const other = versionView('2.0', { state: 'FAILED', config: { description: 'somebody else\'s' } });
    expect(decide(ensureRequest(), { image: ofThisRequest, versions: [other, versions[1]] }).action?.type).toBe('build');
  });

  describe('that may be a policy still on its way through IAM', () => {
    const request = ensureRequest({ buildRoleMayLag: true });

    test.each([
      'S3_ACCESS_DENIED: Access Denied', 'Lambda was unable to assume the role arn:aws:iam::111122223333:role/shop-build',
      'role/shop-build is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::assets/0a1b2c.zip',
    ])('is tried once more when the role came with the request: %s', (reason) => {
      const decision = decide(request, { image: ofThisRequest, versions, builds: twoBuilds('FAILED', reason) });
      expect(decision.action).toEqual({ type: 'build', config: imageConfig(), clientToken: A_TOKEN });
      expect(decision.tags).toEqual({ set: {}, remove: [] });
    });

    test('is tried under a client token of its own', () => {
      const first = decide(request, { image: ofThisRequest, versions: versions.slice(1) });
      const second = decide(request, { image: ofThisRequest, versions, builds: denied });
      expect(clientTokenOf(second)).not.toBe(clientTokenOf(first));
    });

    test('is not tried a third time', () => {
      const twice = [versionView('3.0', { state: 'FAILED' }), ...versions];
      expect(decide(request, { image: ofThisRequest, versions: twice, builds: denied }))
        .toEqual({ outcome: { type: 'fail', failure: { type: 'build', version: twice[0], builds: expect.anything() } } });
    });

    test('is a verdict when the role was there before', () => {
      expect(decide(ensureRequest(), { image: ofThisRequest, versions, builds: denied }).outcome.type).toBe('fail');
    });

    test('is a verdict when the reason is another', () => {
      expect(decide(request, { image: ofThisRequest, versions, builds: twoBuilds('FAILED', 'S3_NO_SUCH_KEY') }).outcome.type).toBe('fail');
      expect(decide(request, { image: ofThisRequest, versions, builds: twoBuilds('FAILED', 'The container image build failed: s3:GetObject Access Denied') }).outcome.type).toBe('fail');
      expect(decide(request, { image: ofThisRequest, versions, builds: [] }).outcome.type).toBe('fail');
    });

    test('waits for the image to settle first', () => {
      const decision = decide(request, { image: { ...ofThisRequest, state: 'UPDATING' }, versions, builds: denied });
      expect(decision.action).toBeUndefined();
      expect(decision.outcome.type).toBe('wait');
    });
  });
});

describe('the newest base image', () => {
  const desired = { baseImageVersion: undefined };
  const matching = { image: imageView({ tags: deployedTags(servedTag('1.0', configDigest(imageConfig(desired)))) }), versions: [versionView('1.0')] };

  test('is looked up only when a build is about to start', () => {
    expect(decide(ensureRequest({ desired }), matching).need).toBeUndefined();
    expect(decide(ensureRequest({ desired, isNew: true }))).toEqual({ need: 'baseVersions', outcome: expect.objectContaining({ type: 'wait' }) });
  });

  test('is not looked up when one is pinned', () => {
    expect(decide(ensureRequest()).need).toBeUndefined();
  });

  test.each([
    ['the highest number', [['9.0', 'AVAILABLE'], ['10.0', 'AVAILABLE'], ['2.0', 'AVAILABLE']], '10'],
    ['not one that is recalled', [['3.0', 'RECALLED'], ['2.0', 'AVAILABLE']], '2'],
    ['not one that is expired or about to', [['4.0', 'EXPIRED'], ['3.0', 'EXPIRING'], ['2.0', 'AVAILABLE']], '2'],
    ['a deprecated one, which still builds', [['3.0', 'DEPRECATED'], ['2.0', 'AVAILABLE']], '3'],
    ['one without a status', [['3.0', undefined], ['2.0', 'AVAILABLE']], '3'],
    ['the very first', [['0.0', 'AVAILABLE']], '0'],
  ] as Array<[string, Array<[string, string | undefined]>, string]>)('is %s', (_what, bases, expected) => {
    const { action } = decide(ensureRequest({ desired }), { baseVersions: bases.map(([version, status]) => ({ version, status })) });
    expect(action).toMatchObject({ type: 'create', config: imageConfig({ baseImageVersion: expected }) });
  });

  test('that cannot be built on is an error with every state in it', () => {
    const baseVersions = [{ version: '2.0', status: 'RECALLED' }, { version: '1.0', status: 'EXPIRED' }];
    const sentence = sentenceOf(decide(ensureRequest({ desired }), { baseVersions }).outcome);
    expect(sentence).toMatch(/al2023-1/);
    expect(sentence).toMatch(/2\.0 is RECALLED/);
    expect(sentence).toMatch(/1\.0 is EXPIRED/);
    expect(sentenceOf(decide(ensureRequest({ desired }), { baseVersions: [] }).outcome)).toMatch(/lists none/);
  });

  describe('with a refresh token', () => {
    const withToken = (token: string) => ensureRequest({ desired: { ...desired, baseImageRefreshToken: token } });
    const digest = configDigest(imageConfig(desired));
    const seen = {
      image: imageView({ tags: deployedTags(servedTag('1.0', digest, 'july')) }), versions: [versionView('1.0')], baseVersions: [{ version: '2.0' }],
    };

    test('that is new builds on the newest base, although a version matches', () => {
      expect(decide(withToken('august'), seen)).toMatchObject({
        tags: { set: { [Tag.ATTEMPT]: writeAttempt({ requestId: REQUEST_ID, since: '1.0', tokenHash: hashToken('august') }) } },
        action: { type: 'build', config: { baseImageVersion: '2' } },
      });
    });

    test('that is the served one builds nothing', () => {
      expect(decide(withToken('july'), seen).outcome).toEqual(handsOut('1.0'));
    });

    test('that was the previous one goes back to the version of then', () => {
      const image = imageView({ tags: deployedTags({ ...servedTag('2.0', digest, 'august'), ...previousTag('1.0', digest, 'july') }) });
      const decision = decide(withToken('july'), { image, versions: [versionView('2.0', { config: { baseImageVersion: '2' } }), versionView('1.0')] });
      expect(decision.outcome).toEqual(handsOut('1.0'));
    });

    test('takes the version its own attempt built, and records the token with it', () => {
      const image = imageView({ tags: ownTags({ ...servedTag('1.0', digest, 'july'), ...claimTags(REQUEST_ID, '1.0', 'august') }) });
      const decision = decide(withToken('august'), { image, versions: [versionView('2.0', { config: { baseImageVersion: '2' } }), versionView('1.0')] });
      expect(decision.outcome).toEqual(handsOut('2.0', '2'));
      expect(decision.tags?.set).toMatchObject({
        [Tag.SERVED]: writeEntry({ version: '2.0', digest, tokenHash: hashToken('august'), baseVersion: '2' }),
      });
    });

    test('takes a version that an earlier, timed-out attempt with the same token built', () => {
      const image = imageView({ tags: ownTags({ ...servedTag('1.0', digest, 'july'), ...claimTags(EARLIER_REQUEST_ID, '1.0', 'august', 0) }) });
      const decision = decide(withToken('august'), { image, versions: [versionView('2.0'), versionView('1.0')] });
      expect(decision.outcome).toEqual(handsOut('2.0'));
    });

    test('that was the previous one takes a version of another configuration that was built under it or before', () => {
      const image = imageView({ tags: deployedTags({ ...servedTag('3.0', OLD_DIGEST, 'may'), ...previousTag('2.0', OLD_DIGEST, 'april') }) });
      const versions = [versionView('3.0', { config: OLD }), versionView('2.0', { config: OLD }), versionView('1.0')];
      expect(decide(withToken('april'), { image, versions }).outcome).toEqual(handsOut('1.0'));
    });

    test('that is new builds, although the tick that claimed it for that was lost before it built', () => {
      const image = imageView({ tags: deployedTags({ ...servedTag('1.0', DIGEST, 'april'), ...claimTags(REQUEST_ID, '1.0', 'may') }) });
      const decision = decide(withToken('may'), { image, versions: [versionView('1.0')], baseVersions: [{ version: '1', status: 'AVAILABLE' }] });
      expect(decision.action).toMatchObject({ type: 'build' });
    });

    test('means nothing beside a pinned base', () => {
      const pinned = ensureRequest({ desired: { baseImageVersion: '1', baseImageRefreshToken: 'august' } });
      expect(decide(pinned, { image: imageView({ tags: deployedTags(servedTag('1.0', DIGEST)) }), versions: [versionView('1.0')] }).outcome).toEqual(handsOut('1.0'));
    });

    test('that was taken away builds nothing', () => {
      expect(decide(ensureRequest({ desired }), seen).outcome).toEqual(handsOut('1.0'));
    });
  });
});

describe('the client token', () => {
  const tokenOf = (request: EnsureRequest) => clientTokenOf(decide(request));

  test('is another for every request', () => {
    expect(tokenOf(ensureRequest({ requestId: EARLIER_REQUEST_ID }))).not.toBe(tokenOf(ensureRequest()));
  });

  test('is the same when a tick or the whole request is delivered twice', () => {
    const seen = { image: imageView({ state: 'UPDATED' }), versions: [versionView('1.0', { config: OLD })] };
    const token = clientTokenOf(decide(ensureRequest(), seen));
    expect(clientTokenOf(decide(ensureRequest({ acceptedAt: ACCEPTED_AT + 5_000 }), seen))).toBe(token);
    expect(clientTokenOf(decide(ensureRequest(), seen, NOW + MINUTE))).toBe(token);
  });

  test('of a create lives no longer than its tick: the name keeps the image from being made twice', () => {
    expect(clientTokenOf(decide(ensureRequest(), {}, NOW + MINUTE))).not.toBe(tokenOf(ensureRequest()));
  });

  test('never depends on the content: the service keeps tokens for good', () => {
    fc.assert(fc.property(fc.string(), fc.nat().map(String), (description, baseImageVersion) => {
      expect(tokenOf(ensureRequest({ desired: { description, baseImageVersion, imageName: 'other' } }))).toBe(tokenOf(ensureRequest()));
    }));
  });

  test('fits the service', () => {
    expect(tokenOf(ensureRequest()).length).toBeLessThanOrEqual(128);
  });
});

describe('a failed version that had the highest number when the build began', () => {
  const done = (tags: Record<string, string> = {}) => decide(ensureRequest(), {
    image: imageView({ state: 'UPDATED', tags: ownTags({ ...claimTags(REQUEST_ID, '2.0'), ...servedTag('1.0', OLD_DIGEST), ...tags }) }),
    versions: [versionView('3.0'), versionView('2.0', { state: 'FAILED', config: OLD }), versionView('1.0', { config: OLD })],
  });

  test('goes when its successor is built, and nobody waits for that', () => {
    expect(done()).toMatchObject({ action: { type: 'deleteVersion', version: '2.0' }, outcome: handsOut('3.0') });
  });

  test('stays when it came with an image that was adopted', () => {
    expect(done({ [Tag.ADOPTED]: '2.0' }).action).toBeUndefined();
  });

  test('stays when a version that was there before is handed out, as in a rollback', () => {
    const decision = decide(ensureRequest(), {
      image: imageView({ state: 'UPDATED', tags: ownTags({ ...claimTags(EARLIER_REQUEST_ID, '1.0'), ...servedTag('3.0', DIGEST) }) }),
      versions: [versionView('3.0'), versionView('2.0', { state: 'FAILED', config: OLD }), versionView('1.0', { config: OLD })],
    });
    expect([decision.outcome, decision.action]).toEqual([handsOut('3.0'), undefined]);
  });
});
