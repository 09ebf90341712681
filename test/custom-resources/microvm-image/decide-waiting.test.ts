import {
  ACCEPTED_AT, AT_DEADLINE, claimTags, deployedTags, DIGEST, ensureRequest, imageView, MINUTE, observation, OLD, ownTags, previousTag, REQUEST_ID,
  servedTag, twoBuilds, versionView,
} from './builders';
import { handsOut, sentenceOf } from './outcomes';
import { ImageProperties } from '../../../src/custom-resources/microvm-image/contract';
import { decideEnsure } from '../../../src/custom-resources/microvm-image/handler/decide-ensure';
import { Decision, Observation } from '../../../src/custom-resources/microvm-image/handler/decision';
import { readLedger } from '../../../src/custom-resources/microvm-image/handler/ledger';
import { afterRefusal } from '../../../src/custom-resources/microvm-image/handler/refusal';
import { EnsureRequest } from '../../../src/custom-resources/microvm-image/handler/request';
import { ServiceRefusal } from '../../../src/custom-resources/microvm-image/handler/service-port';

const NOW = ACCEPTED_AT + 10_000;
const decide = (request: EnsureRequest, seen: Partial<Observation>, now = NOW): Decision => decideEnsure(request, observation(seen), now);

const building = (state = 'IN_PROGRESS'): Partial<Observation> => ({
  image: imageView({ state: 'UPDATING', tags: ownTags(claimTags(REQUEST_ID, '1.0')) }),
  versions: [versionView('2.0', { state, createdAt: ACCEPTED_AT }), versionView('1.0', { config: OLD })],
  builds: twoBuilds(state),
});

describe('a request with a buildTimeout of its own', () => {
  const request = ensureRequest({ timeAllowed: 10 * MINUTE, desired: { buildTimeoutSeconds: 600 } });

  test('ends then, and says that it was its own', () => {
    expect(decide(request, building(), ACCEPTED_AT + 10 * MINUTE - 1).outcome.type).toBe('wait');
    const sentence = sentenceOf(decide(request, building(), ACCEPTED_AT + 10 * MINUTE).outcome);
    expect(sentence).toMatch(/not ready within its buildTimeout of 600 seconds: version 2\.0 was still building/);
    expect(sentence).toMatch(/raise buildTimeout \(up to 55 minutes\)/);
  });

  test('starts nothing after it', () => {
    const decision = decide(request, { image: imageView(), versions: [versionView('1.0', { config: OLD })] }, ACCEPTED_AT + 10 * MINUTE);
    expect([decision.action, decision.outcome.type]).toEqual([undefined, 'fail']);
  });

  test('still hands out what is ready', () => {
    expect(decide(request, { image: imageView(), versions: [versionView('1.0')] }, AT_DEADLINE).outcome).toEqual(handsOut('1.0'));
  });

  test('says in time what the service kept answering', () => {
    const refusal = new ServiceRefusal('transient', 'UpdateMicrovmImage', 'Rate exceeded');
    expect(afterRefusal(request, refusal, ACCEPTED_AT + 9 * MINUTE).type).toBe('wait');
    expect(sentenceOf(afterRefusal(request, refusal, ACCEPTED_AT + 10 * MINUTE - 7_000))).toMatch(/Rate exceeded/);
  });
});

describe('a request that does not wait for its build', () => {
  const unwaited = (desired: Partial<ImageProperties> = {}, more = {}) => ensureRequest({ ...more, desired: { waitForBuild: false, ...desired } });

  test.each(['PENDING', 'IN_PROGRESS'])('hands out the version that is being built (%s), and notes it for a rollback', (state) => {
    const decision = decide(unwaited(), building(state));
    expect(decision.outcome).toEqual(handsOut('2.0'));
    expect(decision.action).toBeUndefined();
    expect(readLedger(decision.tags!.set).served).toMatchObject({ version: '2.0', digest: DIGEST });
  });

  test('does so on a Create', () => {
    const seen = {
      image: imageView({ state: 'CREATING', tags: ownTags(claimTags(REQUEST_ID, '0.0')) }),
      versions: [versionView('1.0', { state: 'PENDING', createdAt: ACCEPTED_AT })],
      builds: twoBuilds('PENDING'),
    };
    expect(decide(unwaited({}, { isNew: true }), seen).outcome).toEqual(handsOut('1.0'));
  });

  test('does not hand out a wedged one', () => {
    const seen = { ...building('PENDING'), versions: [versionView('2.0', { state: 'PENDING', createdAt: ACCEPTED_AT - 20 * MINUTE }), versionView('1.0', { config: OLD })] };
    expect(sentenceOf(decide(unwaited(), seen).outcome)).toMatch(/version 2\.0 .* is stuck/);
  });

  test('waits for somebody else\'s build', () => {
    const seen = building();
    const versions = [versionView('2.0', { state: 'IN_PROGRESS', config: { description: 'theirs' } }), versionView('1.0', { config: OLD })];
    expect(decide(unwaited(), { ...seen, versions }).outcome).toEqual({ type: 'wait', why: 'version 2.0 is building' });
  });

  test('still fails with the reason when the build is over before it looks', () => {
    expect(decide(unwaited(), building('FAILED')).outcome).toMatchObject({ type: 'fail', failure: { type: 'build' } });
  });

  test('writes the user\'s tags before the build, since afterwards nobody is there to', () => {
    const image = imageView({ tags: deployedTags({ gone: 'x', kept: 'yes' }) });
    const request = unwaited({ tags: { team: 'shop', kept: 'yes' } }, { removedTags: ['gone', 'never there'] });
    const decision = decide(request, { image, versions: [versionView('1.0', { config: OLD })] });
    expect(decision.action?.type).toBe('build');
    expect(decision.tags).toEqual({ set: { ...claimTags(REQUEST_ID, '1.0'), team: 'shop' }, remove: ['gone'] });
  });

  test('and its rollback goes back without a build, while that one goes on', () => {
    const seen = building();
    const image = imageView({ state: 'UPDATING', tags: ownTags({ ...seen.image!.tags, ...servedTag('1.0', DIGEST), ...previousTag('1.0', DIGEST) }) });
    const versions = [versionView('2.0', { state: 'IN_PROGRESS', config: OLD }), versionView('1.0')];
    const decision = decide(unwaited({}, { requestId: 'rollback' }), { ...seen, image, versions });
    expect([decision.outcome, decision.action]).toEqual([handsOut('1.0'), undefined]);
  });
});
