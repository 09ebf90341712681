import * as fc from 'fast-check';
import {
  ACCEPTED_AT, AT_DEADLINE, claimTags, deployedTags, DIGEST, EARLIER_REQUEST_ID, ensureRequest, FOREIGN_OWNER, imageConfig, imageView,
  MINUTE, observation, OLD, OLD_DIGEST, ownTags, previousTag, REQUEST_ID, servedTag, stampOf, twoBuilds, versionView,
} from './builders';
import { handsOut, sentenceOf } from './outcomes';
import { Tag } from '../../../src/custom-resources/microvm-image/contract';
import { decideEnsure } from '../../../src/custom-resources/microvm-image/handler/decide-ensure';
import { Decision, Limit, Observation } from '../../../src/custom-resources/microvm-image/handler/decision';
import { hashToken, writeEntry } from '../../../src/custom-resources/microvm-image/handler/ledger';
import { EnsureRequest } from '../../../src/custom-resources/microvm-image/handler/request';

const NOW = ACCEPTED_AT + 10_000;
const A_TOKEN = expect.stringMatching(/^[0-9a-f]{64}$/);

const decide = (request: EnsureRequest, seen: Partial<Observation> = {}, now = NOW): Decision => decideEnsure(request, observation(seen), now);

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
    const tags = ownTags({ [Tag.OWNER]: FOREIGN_OWNER, [Tag.STACK]: 'another', [Tag.STACK_NAME]: 'billing' });
    const decision = decide(ensureRequest({ isNew: true }), { image: imageView({ tags }), versions: [versionView('1.0')] });
    expect(decision).toEqual({ outcome: expect.anything() });
    expect(sentenceOf(decision.outcome)).toMatch(/'shop-app' already exists .* belongs to stack 'billing'/);
  });

  test('a Create that clashes with its own stack says so', () => {
    const image = imageView({ tags: ownTags({ [Tag.OWNER]: FOREIGN_OWNER }) });
    expect(sentenceOf(decide(ensureRequest({ isNew: true }), { image, versions: [] }).outcome)).toMatch(/belongs to another resource of this stack/);
  });

  test.each([true, false])('an image without any tag is looked at again before anybody decides whose it is (new: %p)', (isNew) => {
    const seen = { image: imageView({ tags: {}, updatedAt: ACCEPTED_AT + MINUTE }), versions: [versionView('1.0')] };
    const until = ACCEPTED_AT + MINUTE + Limit.TAGS_LAG;
    expect(decide(ensureRequest({ isNew }), seen, until - 1)).toEqual({ outcome: { type: 'wait', why: expect.stringMatching(/no tags/) } });
    expect(decide(ensureRequest({ isNew }), seen, until).outcome.type).toBe(isNew ? 'fail' : 'done');
  });

  test('a Create waits a while for the name of an image of another resource that is being deleted', () => {
    const seen = { image: imageView({ state: 'DELETING', tags: ownTags({ [Tag.OWNER]: FOREIGN_OWNER }) }), versions: [] };
    expect(decide(ensureRequest({ isNew: true }), seen, ACCEPTED_AT + Limit.RESERVED - 1).outcome.type).toBe('wait');
    expect(decide(ensureRequest({ isNew: true }), seen, ACCEPTED_AT + Limit.RESERVED).outcome.type).toBe('fail');
  });

  test('a Create leaves an image that nobody owns alone', () => {
    const decision = decide(ensureRequest({ isNew: true }), { image: imageView({ tags: { team: 'shop' } }), versions: [versionView('1.0')] });
    expect(decision).toEqual({ outcome: expect.anything() });
    expect(sentenceOf(decision.outcome)).toMatch(/does not belong to a stack/);
  });

  test('an Update leaves an image of another resource alone, although the template has its name', () => {
    const decision = decide(ensureRequest(), { image: imageView({ tags: ownTags({ [Tag.OWNER]: FOREIGN_OWNER }) }), versions: [versionView('1.0')] });
    expect(decision).toEqual({ outcome: expect.anything() });
    expect(sentenceOf(decision.outcome)).toMatch(/already exists/);
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

  test('a rename is taken back to an image that lost its owner but not the tag of its stack', () => {
    const image = imageView({ tags: { [Tag.STACK]: ownTags()[Tag.STACK] } });
    expect(decide(ensureRequest({ isNew: true }), { image, versions: [versionView('1.0')] }).outcome).toEqual(handsOut('1.0'));
  });

  test('an Update takes it back before it builds', () => {
    const decision = decide(ensureRequest(), { image: imageView({ tags: { team: 'shop' } }), versions: [versionView('1.0', { config: OLD })] });
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
      image: imageView({ state: 'CREATE_FAILED', tags: deployedTags() }),
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
  const tags = deployedTags(servedTag('1.0', DIGEST));

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
    const image = imageView({ tags: deployedTags(servedTag('1.0', OLD_DIGEST)) });
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

describe('the fence', () => {
  const claimedBy = (requestId: string, acceptedAt: number) => imageView({ tags: ownTags(claimTags(requestId, '0.0', undefined, acceptedAt)) });

  test.each([
    ['would build', [versionView('1.0', { config: OLD })]],
    ['would hand out', [versionView('1.0')]],
    ['would wait', [versionView('1.0', { state: 'IN_PROGRESS' })]],
  ])('stops a request that %s once a later one claimed the image', (_what, versions) => {
    const decision = decide(ensureRequest(), { image: claimedBy('later', ACCEPTED_AT + 1), versions });
    expect(decision).toEqual({ outcome: expect.anything() });
    expect(sentenceOf(decision.outcome)).toMatch(/later/);
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
  const pending = (createdAt: number, updatedAt?: number) => ({
    image: imageView({ state: 'UPDATING', tags: ownTags(claimTags(REQUEST_ID, '1.0')) }),
    versions: [versionView('2.0', { state: 'PENDING', createdAt, updatedAt }), versionView('1.0', { config: OLD })],
    builds: twoBuilds('PENDING'),
  });

  test('all builds PENDING for ten minutes are reported as wedged, with the version and a way out', () => {
    const seen = pending(ACCEPTED_AT, ACCEPTED_AT + MINUTE);
    expect(decide(ensureRequest(), seen, ACCEPTED_AT + Limit.WEDGED - 1).outcome.type).toBe('wait');
    const sentence = sentenceOf(decide(ensureRequest(), seen, ACCEPTED_AT + Limit.WEDGED).outcome);
    expect(sentence).toMatch(/version 2\.0 .*PENDING for 10 minutes/);
    expect(sentence).toMatch(/another imageName/);
  });

  test('one build that started is no wedge', () => {
    const seen = { ...pending(ACCEPTED_AT), builds: [...twoBuilds('PENDING').slice(1), ...twoBuilds('IN_PROGRESS').slice(1)] };
    expect(decide(ensureRequest(), seen, ACCEPTED_AT + 2 * Limit.WEDGED).outcome.type).toBe('wait');
  });

  test('a version without builds is wedged by its own state', () => {
    const seen = { ...pending(ACCEPTED_AT), builds: [] };
    expect(sentenceOf(decide(ensureRequest(), seen, ACCEPTED_AT + Limit.WEDGED).outcome)).toMatch(/stuck/);
    const [newest, ...older] = seen.versions;
    expect(decide(ensureRequest(), { ...seen, versions: [{ ...newest, state: 'IN_PROGRESS' }, ...older] }, ACCEPTED_AT + Limit.WEDGED).outcome.type).toBe('wait');
  });

  test('a build that is too long for CloudFormation is said to be picked up by the next deployment', () => {
    const seen = { ...pending(ACCEPTED_AT), builds: twoBuilds('IN_PROGRESS') };
    expect(decide(ensureRequest(), seen, AT_DEADLINE - 1).outcome.type).toBe('wait');
    expect(sentenceOf(decide(ensureRequest(), seen, AT_DEADLINE).outcome)).toMatch(/55 minutes: version 2\.0 was still building; deploy again/);
  });

  test('one of an image that goes with a rollback is said to go, and not to be picked up', () => {
    const request = ensureRequest({ isNew: true });
    const seen = { ...pending(ACCEPTED_AT), builds: twoBuilds('IN_PROGRESS') };
    expect(sentenceOf(decide(request, seen, AT_DEADLINE).outcome)).toMatch(/version 2\.0 was still building; a rollback deletes the image/);

    const adopted = { ...seen, image: imageView({ ...seen.image, tags: { ...seen.image.tags, [Tag.ADOPTED]: '1.0' } }) };
    expect(sentenceOf(decide(request, adopted, AT_DEADLINE).outcome)).toMatch(/still building; deploy again/);
  });

  test('a version that is ready at the deadline is still handed out', () => {
    expect(decide(ensureRequest(), { image: imageView(), versions: [versionView('1.0')] }, AT_DEADLINE).outcome).toEqual(handsOut('1.0'));
  });

  test('nothing is started and nothing waited for after the deadline, whatever is seen', () => {
    const imageState = fc.constantFrom('CREATING', 'CREATED', 'CREATE_FAILED', 'UPDATING', 'UPDATED', 'UPDATE_FAILED', 'DELETING', 'DELETE_FAILED', 'NEW_STATE');
    const versionState = fc.constantFrom('PENDING', 'IN_PROGRESS', 'SUCCESSFUL', 'FAILED', 'DELETING', 'NEW_STATE');
    const claims = fc.constantFrom({}, claimTags(REQUEST_ID, '0.0'), claimTags(REQUEST_ID, '1.0'), claimTags(EARLIER_REQUEST_ID, '1.0', undefined, 0));
    const versions = fc.array(fc.record({ state: versionState, status: fc.constantFrom('ACTIVE', 'INACTIVE'), config: fc.constantFrom({}, OLD) }), { maxLength: 3 });
    fc.assert(fc.property(fc.option(imageState), versions, claims, fc.boolean(), (state, list, claim, buildRoleMayLag) => {
      const seen = observation({
        image: state === null ? undefined : imageView({ state, tags: ownTags(claim) }),
        versions: list.map((version, index) => versionView(`${list.length - index}.0`, version)),
        builds: twoBuilds('FAILED', 'S3_ACCESS_DENIED'),
      });
      const decision = decideEnsure(ensureRequest({ buildRoleMayLag }), seen, AT_DEADLINE);
      expect([decision.outcome.type, decision.need]).not.toContain('wait');
      expect(['create', 'build', 'activate']).not.toContain(decision.action?.type);
    }), { numRuns: 1_000 });
  });
});
