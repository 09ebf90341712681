import * as fc from 'fast-check';
import {
  ACCEPTED_AT, AT_DEADLINE, claimTags, EARLIER_REQUEST_ID, ensureRequest, FOREIGN_OWNER, IMAGE_ARN, imageConfig, imageView, MINUTE, observation, ownTags,
  previousTag, REQUEST_ID, servedTag, stampOf, twoBuilds, versionView,
} from './builders';
import { Tag } from '../../../src/custom-resources/microvm-image/contract';
import { configDigest } from '../../../src/custom-resources/microvm-image/handler/config';
import { decideEnsure } from '../../../src/custom-resources/microvm-image/handler/decide-ensure';
import { Action, Decision, Limit, Observation } from '../../../src/custom-resources/microvm-image/handler/decision';
import { hashToken, writeAttempt, writeEntry } from '../../../src/custom-resources/microvm-image/handler/ledger';
import { EnsureRequest } from '../../../src/custom-resources/microvm-image/handler/request';

const NOW = ACCEPTED_AT + 10_000;
const A_TOKEN = expect.stringMatching(/^[0-9a-f]{64}$/);
const DIGEST = configDigest(imageConfig());
/** A configuration the template does not ask for. */
const OLD = { description: 'before' };
const OLD_DIGEST = configDigest(imageConfig(OLD));

const decide = (request: EnsureRequest, seen: Partial<Observation> = {}, now = NOW): Decision => decideEnsure(request, observation(seen), now);

function handsOut(version: string, baseVersion = '1'): Decision['outcome'] {
  return {
    type: 'done',
    why: expect.any(String),
    attributes: { ImageArn: IMAGE_ARN, ImageName: 'shop-app', ImageVersion: version, BaseImageVersion: baseVersion },
  };
}

function sentenceOf(decision: Decision): string {
  expect(decision.outcome).toMatchObject({ type: 'fail', failure: { type: 'other' } });
  const failure = (decision.outcome as any).failure;
  return `${failure.what} ${failure.hint}`;
}

function clientTokenOf(decision: Decision): string {
  return (decision.action as Extract<Action, { clientToken: string }>).clientToken;
}

/** The image after a first deployment: 1.0 is served. */
const served = (more: Record<string, string> = {}) => ownTags({ ...claimTags(EARLIER_REQUEST_ID, '0.0', undefined, ACCEPTED_AT - 60 * MINUTE), ...more });

describe('when there is no image', () => {
  test.each([
    ['a Create', ensureRequest({ isNew: true })],
    ['an Update whose image is gone', ensureRequest()],
  ])('%s creates it, claimed and with the user\'s tags from the first moment', (_what, request) => {
    const decision = decide({ ...request, desired: { ...request.desired, tags: { team: 'shop' } } });

    expect(decision).toEqual({
      action: {
        type: 'create',
        config: imageConfig(),
        clientToken: A_TOKEN,
        tags: {
          'team': 'shop',
          'microvm-cdk:owner': request.owner,
          'microvm-cdk:stack': request.stack,
          'microvm-cdk:stack-name': 'shop',
          'microvm-cdk:request': `2026-08-01T10:00:00.000Z/${REQUEST_ID}`,
          'microvm-cdk:attempt': `${REQUEST_ID}/0.0/-`,
        },
      },
      outcome: { type: 'wait', why: 'creating the image' },
    });
  });

  test('an image that is listed as DELETED is none', () => {
    expect(decide(ensureRequest(), { image: imageView({ state: 'DELETED' }) }).action?.type).toBe('create');
  });

  test('the refresh token is recorded with the attempt, as a hash', () => {
    const desired = { baseImageVersion: undefined, baseImageRefreshToken: '2026-08' };
    const { action } = decide(ensureRequest({ desired }), { baseVersions: [{ version: '1.0', status: 'AVAILABLE' }] });
    expect(action).toMatchObject({ tags: { [Tag.ATTEMPT]: `${REQUEST_ID}/0.0/${hashToken('2026-08')}` } });
  });
});

describe('whose image it is', () => {
  test('a Create leaves an image of another resource alone, and says whose it is', () => {
    const tags = ownTags({ [Tag.OWNER]: FOREIGN_OWNER, [Tag.STACK_NAME]: 'billing' });
    const decision = decide(ensureRequest({ isNew: true }), { image: imageView({ tags }), versions: [versionView('1.0')] });
    expect(decision).toEqual({ outcome: expect.anything() });
    expect(sentenceOf(decision)).toMatch(/'shop-app' already exists .* belongs to stack 'billing'/);
  });

  test('a Create leaves an image that nobody owns alone', () => {
    const decision = decide(ensureRequest({ isNew: true }), { image: imageView({ tags: {} }), versions: [versionView('1.0')] });
    expect(decision).toEqual({ outcome: expect.anything() });
    expect(sentenceOf(decision)).toMatch(/does not belong to a stack/);
  });

  test('an Update leaves an image of another resource alone, although the template has its name', () => {
    const decision = decide(ensureRequest(), { image: imageView({ tags: ownTags({ [Tag.OWNER]: FOREIGN_OWNER }) }), versions: [versionView('1.0')] });
    expect(decision).toEqual({ outcome: expect.anything() });
    expect(sentenceOf(decision)).toMatch(/already exists/);
  });

  test('an Update takes an image back whose tags were lost, without a build when it is as asked for', () => {
    const decision = decide(ensureRequest(), { image: imageView({ tags: { team: 'shop' } }), versions: [versionView('1.0')] });
    expect(decision).toEqual({
      tags: {
        set: { ...ownTags(), [Tag.REQUEST]: stampOf(REQUEST_ID, ACCEPTED_AT), [Tag.SERVED]: writeEntry({ version: '1.0', digest: DIGEST, tokenHash: '', baseVersion: '1' }) },
        remove: [],
      },
      action: undefined,
      outcome: handsOut('1.0'),
    });
  });

  test('an Update takes it back before it builds', () => {
    const decision = decide(ensureRequest(), { image: imageView({ tags: {} }), versions: [versionView('1.0', { config: OLD })] });
    expect(decision.tags?.set).toMatchObject(ownTags());
    expect(decision.action?.type).toBe('build');
  });
});

describe('a Create that finds its own image', () => {
  const request = ensureRequest({ isNew: true });

  test('being built, waits for it', () => {
    const decision = decide(request, {
      image: imageView({ state: 'CREATING', tags: ownTags(claimTags(REQUEST_ID, '0.0')) }),
      versions: [versionView('1.0', { state: 'IN_PROGRESS', createdAt: ACCEPTED_AT })],
      builds: twoBuilds('IN_PROGRESS'),
    });
    expect(decision).toEqual({ outcome: { type: 'wait', why: 'version 1.0 is building' } });
  });

  test('accepted but without a version yet, waits too', () => {
    const decision = decide(request, { image: imageView({ state: 'CREATING', tags: ownTags(claimTags(REQUEST_ID, '0.0')) }) });
    expect(decision).toEqual({ outcome: { type: 'wait', why: 'the image is CREATING' } });
  });

  test('left over in CREATE_FAILED by an earlier request, repairs it with a build of its own', () => {
    const decision = decide(request, {
      image: imageView({ state: 'CREATE_FAILED', tags: served() }),
      versions: [versionView('1.0', { state: 'FAILED' })],
      builds: twoBuilds('FAILED', 'The container image build failed.'),
    });
    expect(decision).toEqual({
      tags: { set: claimTags(REQUEST_ID, '1.0'), remove: [] },
      action: { type: 'build', config: imageConfig(), clientToken: A_TOKEN },
      outcome: { type: 'wait', why: 'building a new version' },
    });
  });

  test('still being deleted, waits for the name', () => {
    const decision = decide(request, { image: imageView({ state: 'DELETING' }), versions: [versionView('1.0')] });
    expect(decision.action).toBeUndefined();
    expect(decision.outcome.type).toBe('wait');
  });
});

describe('an Update that nothing has to be built for', () => {
  const tags = served(servedTag('1.0', DIGEST));

  test('hands the served version out again and notes only that it was there', () => {
    expect(decide(ensureRequest(), { image: imageView({ tags }), versions: [versionView('1.0')] })).toEqual({
      tags: { set: { [Tag.REQUEST]: stampOf(REQUEST_ID, ACCEPTED_AT) }, remove: [] },
      action: undefined,
      outcome: handsOut('1.0'),
    });
  });

  test('sets and removes the user\'s tags when only they changed', () => {
    const request = ensureRequest({ desired: { tags: { team: 'shop', kept: 'yes' } }, removedTags: ['gone', 'never there'] });
    const decision = decide(request, { image: imageView({ tags: { ...tags, gone: 'x', kept: 'yes', theirs: 'y' } }), versions: [versionView('1.0')] });
    expect(decision.tags).toEqual({ set: { team: 'shop', [Tag.REQUEST]: stampOf(REQUEST_ID, ACCEPTED_AT) }, remove: ['gone'] });
    expect(decision.action).toBeUndefined();
    expect(decision.outcome).toEqual(handsOut('1.0'));
  });

  test('prefers the served version to a newer one of the same configuration', () => {
    const decision = decide(ensureRequest(), { image: imageView({ tags }), versions: [versionView('2.0'), versionView('1.0')] });
    expect(decision.outcome).toEqual(handsOut('1.0'));
  });

  test('takes the newest successful version of the configuration when the ledger cannot tell', () => {
    const versions = [
      versionView('12.0', { state: 'FAILED' }), versionView('11.0', { config: OLD }), versionView('10.0'), versionView('9.0'),
    ];
    expect(decide(ensureRequest(), { image: imageView({ tags: ownTags({ [Tag.SERVED]: 'garbage' }) }), versions }).outcome).toEqual(handsOut('10.0'));
  });

  test('does not believe a ledger whose version is gone or failed', () => {
    const request = ensureRequest();
    expect(decide(request, { image: imageView({ tags }), versions: [versionView('2.0', { config: OLD })] }).action?.type).toBe('build');
    expect(decide(request, { image: imageView({ tags }), versions: [versionView('1.0', { state: 'FAILED' })] }).action?.type).toBe('build');
  });

  test('remembers what was served before when it hands out another version', () => {
    const image = imageView({ tags: served(servedTag('1.0', OLD_DIGEST)) });
    const decision = decide(ensureRequest(), { image, versions: [versionView('2.0'), versionView('1.0', { config: OLD })] });
    expect(decision.outcome).toEqual(handsOut('2.0'));
    expect(decision.tags?.set).toMatchObject({ ...servedTag('2.0', DIGEST), ...previousTag('1.0', OLD_DIGEST) });
  });

  test('says on which base the version was built', () => {
    const request = ensureRequest({ desired: { baseImageVersion: undefined } });
    const decision = decide(request, { image: imageView(), versions: [versionView('1.0', { config: { baseImageVersion: '7' } })] });
    expect(decision.outcome).toEqual(handsOut('1.0', '7'));
  });

  test('activates the version first when somebody retired it', () => {
    const seen = { image: imageView({ tags }), versions: [versionView('2.0', { config: OLD }), versionView('1.0', { status: 'INACTIVE' })] };
    expect(decide(ensureRequest(), seen)).toEqual({
      tags: { set: { [Tag.REQUEST]: stampOf(REQUEST_ID, ACCEPTED_AT) }, remove: [] },
      action: { type: 'activate', version: '1.0' },
      outcome: { type: 'wait', why: 'activating version 1.0' },
    });
  });

  test('does not try to activate while the service refuses it', () => {
    const seen = { image: imageView({ state: 'UPDATING', tags }), versions: [versionView('1.0', { status: 'INACTIVE' })] };
    expect(decide(ensureRequest(), seen)).toEqual({ outcome: { type: 'wait', why: expect.stringMatching(/INACTIVE.*UPDATING/) } });
  });
});

describe('a rollback', () => {
  const attempt = { ...claimTags(EARLIER_REQUEST_ID, '1.0', undefined, ACCEPTED_AT - MINUTE) };
  const tags = ownTags({ ...attempt, ...servedTag('1.0', DIGEST) });

  test('of a build that still runs is over at once, with the version that served before', () => {
    const decision = decide(ensureRequest(), {
      image: imageView({ state: 'UPDATING', tags }),
      versions: [versionView('2.0', { state: 'IN_PROGRESS', config: OLD }), versionView('1.0')],
      builds: twoBuilds('IN_PROGRESS'),
    });
    expect(decision.outcome).toEqual(handsOut('1.0'));
    expect(decision.action).toBeUndefined();
  });

  test('behind a wedged build is over at once too', () => {
    const decision = decide(ensureRequest(), {
      image: imageView({ state: 'UPDATING', tags }),
      versions: [versionView('2.0', { state: 'PENDING', config: OLD, createdAt: ACCEPTED_AT - 60 * MINUTE }), versionView('1.0')],
      builds: twoBuilds('PENDING'),
    });
    expect(decision.outcome).toEqual(handsOut('1.0'));
  });

  test('of a failed build deletes the failed version and does not wait for it', () => {
    const decision = decide(ensureRequest(), {
      image: imageView({ state: 'UPDATE_FAILED', tags }),
      versions: [versionView('2.0', { state: 'FAILED', config: OLD }), versionView('1.0')],
      builds: twoBuilds('FAILED', 'The container image build failed.'),
    });
    expect(decision).toEqual({
      tags: { set: { [Tag.REQUEST]: stampOf(REQUEST_ID, ACCEPTED_AT) }, remove: [] },
      action: { type: 'deleteVersion', version: '2.0' },
      outcome: handsOut('1.0'),
    });
  });

  test('deletes no failed version that the failed update did not make', () => {
    const decision = decide(ensureRequest(), {
      image: imageView({ state: 'UPDATE_FAILED', tags: ownTags({ ...claimTags(EARLIER_REQUEST_ID, '2.0'), ...servedTag('1.0', DIGEST) }) }),
      versions: [versionView('2.0', { state: 'FAILED', config: OLD }), versionView('1.0')],
    });
    expect(decision.action).toBeUndefined();
    expect(decision.outcome).toEqual(handsOut('1.0'));
  });

  test('leaves failed versions alone while the image is fine', () => {
    const decision = decide(ensureRequest(), {
      image: imageView({ state: 'UPDATED', tags }), versions: [versionView('2.0', { state: 'FAILED', config: OLD }), versionView('1.0')],
    });
    expect(decision.action).toBeUndefined();
  });

  test('after a successful build goes back to the previous version, and turns the ledger round', () => {
    const image = imageView({ tags: ownTags({ ...attempt, ...servedTag('2.0', OLD_DIGEST), ...previousTag('1.0', DIGEST) }) });
    const decision = decide(ensureRequest(), { image, versions: [versionView('2.0', { config: OLD }), versionView('1.0')] });
    expect(decision.outcome).toEqual(handsOut('1.0'));
    expect(decision.action).toBeUndefined();
    expect(decision.tags?.set).toMatchObject({ ...servedTag('1.0', DIGEST), ...previousTag('2.0', OLD_DIGEST) });
  });

  test('never builds, whatever the failed update left behind', () => {
    const states = fc.constantFrom('UPDATED', 'UPDATING', 'UPDATE_FAILED');
    const newest = fc.constantFrom('PENDING', 'IN_PROGRESS', 'SUCCESSFUL', 'FAILED', 'DELETING');
    const ledgers = fc.constantFrom(
      servedTag('1.0', DIGEST), { ...servedTag('2.0', OLD_DIGEST), ...previousTag('1.0', DIGEST) }, {}, { [Tag.SERVED]: 'garbage' },
    );
    fc.assert(fc.property(states, newest, ledgers, fc.constantFrom('ACTIVE', 'INACTIVE'), (state, newestState, ledger, status) => {
      const decision = decide(ensureRequest(), {
        image: imageView({ state, tags: ownTags({ ...attempt, ...ledger }) }),
        versions: [versionView('2.0', { state: newestState, config: OLD }), versionView('1.0', { status })],
      });
      expect(decision.need).toBeUndefined();
      expect(['create', 'build']).not.toContain(decision.action?.type);
      expect(decision.outcome.type === 'done' ? decision.outcome : handsOut('1.0')).toEqual(handsOut('1.0'));
    }));
  });
});

describe('a change of the configuration', () => {
  const seen = { image: imageView({ tags: served(servedTag('1.0', OLD_DIGEST)) }), versions: [versionView('1.0', { config: OLD })] };

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
    const decision = decide(ensureRequest(), { ...seen, image: imageView({ state: 'UPDATING', tags: served() }) });
    expect(decision.action).toBeUndefined();
    expect(decision.outcome).toEqual({ type: 'wait', why: 'the image is UPDATING' });
  });

  test('waits for a build of something else to end, because the service takes one at a time', () => {
    const decision = decide(ensureRequest(), {
      image: imageView({ state: 'UPDATING', tags: served() }),
      versions: [versionView('2.0', { state: 'IN_PROGRESS', config: { description: 'somebody else\'s' }, createdAt: ACCEPTED_AT }), versionView('1.0', { config: OLD })],
      builds: twoBuilds('IN_PROGRESS'),
    });
    expect(decision.action).toBeUndefined();
    expect(decision.outcome.type).toBe('wait');
  });

  test('waits for a version of just that configuration instead of building it again', () => {
    const building = {
      image: imageView({ state: 'UPDATING', tags: served() }),
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

describe('a failed build', () => {
  const failed = versionView('2.0', { state: 'FAILED' });
  const versions = [failed, versionView('1.0', { config: OLD })];
  const ofThisRequest = imageView({ state: 'UPDATE_FAILED', tags: ownTags(claimTags(REQUEST_ID, '1.0')) });
  const denied = twoBuilds('FAILED', 'S3_ACCESS_DENIED: Access Denied');

  test('of this request is its verdict', () => {
    expect(decide(ensureRequest(), { image: ofThisRequest, versions, builds: twoBuilds('FAILED', 'The container image build failed.') }))
      .toEqual({ outcome: { type: 'fail', failure: { type: 'build', version: failed } } });
  });

  test('of this request is its verdict while the image is still UPDATING', () => {
    const image = { ...ofThisRequest, state: 'UPDATING' };
    expect(decide(ensureRequest(), { image, versions, builds: twoBuilds('FAILED') }).outcome).toEqual({ type: 'fail', failure: { type: 'build', version: failed } });
  });

  test('keeps its reason when it is seen only after the deadline', () => {
    expect(decide(ensureRequest(), { image: ofThisRequest, versions, builds: twoBuilds('FAILED') }, AT_DEADLINE).outcome)
      .toEqual({ type: 'fail', failure: { type: 'build', version: failed } });
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
    const request = ensureRequest({ buildRoleIsNew: true });

    test.each([
      'S3_ACCESS_DENIED: Access Denied', 'Lambda was unable to assume the role arn:aws:iam::111122223333:role/shop-build',
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
        .toEqual({ outcome: { type: 'fail', failure: { type: 'build', version: twice[0] } } });
    });

    test('is a verdict when the role was there before', () => {
      expect(decide(ensureRequest(), { image: ofThisRequest, versions, builds: denied }).outcome.type).toBe('fail');
    });

    test('is a verdict when the reason is another', () => {
      expect(decide(request, { image: ofThisRequest, versions, builds: twoBuilds('FAILED', 'S3_NO_SUCH_KEY') }).outcome.type).toBe('fail');
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
  const matching = { image: imageView({ tags: served(servedTag('1.0', configDigest(imageConfig(desired)))) }), versions: [versionView('1.0')] };

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
    const sentence = sentenceOf(decide(ensureRequest({ desired }), { baseVersions }));
    expect(sentence).toMatch(/al2023-1/);
    expect(sentence).toMatch(/2\.0 is RECALLED/);
    expect(sentence).toMatch(/1\.0 is EXPIRED/);
    expect(sentenceOf(decide(ensureRequest({ desired }), { baseVersions: [] }))).toMatch(/lists none/);
  });

  describe('with a refresh token', () => {
    const withToken = (token: string) => ensureRequest({ desired: { ...desired, baseImageRefreshToken: token } });
    const digest = configDigest(imageConfig(desired));
    const seen = {
      image: imageView({ tags: served(servedTag('1.0', digest, 'july')) }), versions: [versionView('1.0')], baseVersions: [{ version: '2.0' }],
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
      const image = imageView({ tags: served({ ...servedTag('2.0', digest, 'august'), ...previousTag('1.0', digest, 'july') }) });
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

    test('means nothing beside a pinned base', () => {
      const pinned = ensureRequest({ desired: { baseImageVersion: '1', baseImageRefreshToken: 'august' } });
      expect(decide(pinned, { image: imageView({ tags: served(servedTag('1.0', DIGEST)) }), versions: [versionView('1.0')] }).outcome).toEqual(handsOut('1.0'));
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
    expect(tokenOf(ensureRequest({ acceptedAt: ACCEPTED_AT + 5_000 }))).toBe(tokenOf(ensureRequest()));
    expect(clientTokenOf(decide(ensureRequest(), {}, NOW + MINUTE))).toBe(tokenOf(ensureRequest()));
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

describe('the fence', () => {
  const claimedBy = (requestId: string, acceptedAt: number) => imageView({ tags: ownTags(claimTags(requestId, '0.0', undefined, acceptedAt)) });

  test.each([
    ['would build', [versionView('1.0', { config: OLD })]],
    ['would hand out', [versionView('1.0')]],
    ['would wait', [versionView('1.0', { state: 'IN_PROGRESS' })]],
  ])('stops a request that %s once a later one claimed the image', (_what, versions) => {
    const decision = decide(ensureRequest(), { image: claimedBy('later', ACCEPTED_AT + 1), versions });
    expect(decision).toEqual({ outcome: expect.anything() });
    expect(sentenceOf(decision)).toMatch(/later/);
  });

  test('does not stop a request that is later than the claim', () => {
    expect(decide(ensureRequest(), { image: claimedBy('earlier', ACCEPTED_AT - 1), versions: [versionView('1.0')] }).outcome).toEqual(handsOut('1.0'));
  });

  test('takes the same request for the same, whenever its copy was accepted', () => {
    for (const acceptedAt of [ACCEPTED_AT - 5_000, ACCEPTED_AT + 5_000]) {
      const decision = decide(ensureRequest(), { image: claimedBy(REQUEST_ID, acceptedAt), versions: [versionView('1.0')] });
      expect(decision.outcome).toEqual(handsOut('1.0'));
      expect(decision.tags?.set).not.toHaveProperty([Tag.REQUEST]);
    }
  });
});

describe('time', () => {
  const pending = (createdAt: number) => ({
    image: imageView({ state: 'UPDATING', tags: ownTags(claimTags(REQUEST_ID, '1.0')) }),
    versions: [versionView('2.0', { state: 'PENDING', createdAt }), versionView('1.0', { config: OLD })],
    builds: twoBuilds('PENDING'),
  });

  test('all builds PENDING for ten minutes are reported as wedged, with the version and a way out', () => {
    const seen = pending(ACCEPTED_AT);
    expect(decide(ensureRequest(), seen, ACCEPTED_AT + Limit.WEDGED - 1).outcome.type).toBe('wait');
    const sentence = sentenceOf(decide(ensureRequest(), seen, ACCEPTED_AT + Limit.WEDGED));
    expect(sentence).toMatch(/version 2\.0 .*PENDING for 10 minutes/);
    expect(sentence).toMatch(/another imageName/);
  });

  test('one build that started is no wedge', () => {
    const seen = { ...pending(ACCEPTED_AT), builds: [...twoBuilds('PENDING').slice(1), ...twoBuilds('IN_PROGRESS').slice(1)] };
    expect(decide(ensureRequest(), seen, ACCEPTED_AT + 2 * Limit.WEDGED).outcome.type).toBe('wait');
  });

  test('a version without builds is wedged by its own state', () => {
    const seen = { ...pending(ACCEPTED_AT), builds: [] };
    expect(sentenceOf(decide(ensureRequest(), seen, ACCEPTED_AT + Limit.WEDGED))).toMatch(/stuck/);
  });

  test('a build that is too long for CloudFormation is said to be picked up by the next deployment', () => {
    const seen = { ...pending(ACCEPTED_AT), builds: twoBuilds('IN_PROGRESS') };
    expect(decide(ensureRequest(), seen, AT_DEADLINE - 1).outcome.type).toBe('wait');
    expect(sentenceOf(decide(ensureRequest(), seen, AT_DEADLINE))).toMatch(/55 minutes: version 2\.0 was still building; deploy again/);
  });

  test('a version that is ready at the deadline is still handed out', () => {
    expect(decide(ensureRequest(), { image: imageView(), versions: [versionView('1.0')] }, AT_DEADLINE).outcome).toEqual(handsOut('1.0'));
  });

  test('nothing is started and nothing waited for after the deadline, whatever is seen', () => {
    const imageState = fc.constantFrom('CREATING', 'CREATED', 'CREATE_FAILED', 'UPDATING', 'UPDATED', 'UPDATE_FAILED', 'DELETING', 'DELETE_FAILED', 'NEW_STATE');
    const versionState = fc.constantFrom('PENDING', 'IN_PROGRESS', 'SUCCESSFUL', 'FAILED', 'DELETING', 'NEW_STATE');
    const claims = fc.constantFrom({}, claimTags(REQUEST_ID, '0.0'), claimTags(REQUEST_ID, '1.0'), claimTags(EARLIER_REQUEST_ID, '1.0', undefined, 0));
    const versions = fc.array(fc.record({ state: versionState, status: fc.constantFrom('ACTIVE', 'INACTIVE'), config: fc.constantFrom({}, OLD) }), { maxLength: 3 });
    fc.assert(fc.property(fc.option(imageState), versions, claims, fc.boolean(), (state, list, claim, buildRoleIsNew) => {
      const seen = observation({
        image: state === null ? undefined : imageView({ state, tags: ownTags(claim) }),
        versions: list.map((version, index) => versionView(`${list.length - index}.0`, version)),
        builds: twoBuilds('FAILED', 'S3_ACCESS_DENIED'),
      });
      const decision = decideEnsure(ensureRequest({ buildRoleIsNew }), seen, AT_DEADLINE);
      expect([decision.outcome.type, decision.need]).not.toContain('wait');
      expect(['create', 'build', 'activate']).not.toContain(decision.action?.type);
    }), { numRuns: 1_000 });
  });
});
