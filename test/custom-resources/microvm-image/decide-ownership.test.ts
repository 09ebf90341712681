import {
  ACCEPTED_AT, claimTags, deleteRequest, deployedTags, DIGEST, EARLIER_REQUEST_ID, ensureRequest, FOREIGN_OWNER, imageView, MINUTE, observation, OLD,
  ownTags, REQUEST_ID, servedTag, stampOf, twoBuilds, versionView,
} from './builders';
import { handsOut, sentenceOf } from './outcomes';
import { Tag } from '../../../src/custom-resources/microvm-image/contract';
import { decideDelete } from '../../../src/custom-resources/microvm-image/handler/decide-delete';
import { decideEnsure } from '../../../src/custom-resources/microvm-image/handler/decide-ensure';
import { Decision, Observation } from '../../../src/custom-resources/microvm-image/handler/decision';

const NOW = ACCEPTED_AT + 10_000;
const OWN = ownTags()[Tag.OWNER];

const adopting = ensureRequest({ isNew: true, desired: { adopt: true } });
const ensure = (seen: Partial<Observation>, request = adopting): Decision => decideEnsure(request, observation(seen), NOW);
const remove = (seen: Partial<Observation>, request = deleteRequest()): Decision => decideDelete(request, observation(seen), NOW);

describe('a Create that may adopt', () => {
  test('takes over an image that nobody owns, without a build when a version is as asked for', () => {
    const decision = ensure({ image: imageView({ tags: { team: 'shop' } }), versions: [versionView('4.0', { config: OLD }), versionView('3.0')] });
    expect(decision.outcome).toEqual(handsOut('3.0'));
    expect(decision.action).toBeUndefined();
    expect(decision.tags!.set).toMatchObject(ownTags({ [Tag.ADOPTED]: '4.0', ...servedTag('3.0', DIGEST) }));
  });

  test('marks it before it builds, so that a Delete after a crash does not delete it', () => {
    const decision = ensure({ image: imageView({ tags: { team: 'shop' } }), versions: [versionView('4.0', { config: OLD })] });
    expect(decision.action?.type).toBe('build');
    expect(decision.tags!.set).toMatchObject(ownTags({ [Tag.ADOPTED]: '4.0', ...claimTags(REQUEST_ID, '4.0') }));
  });

  test('marks it before it activates a version, which the handler may only do to an image of its stack', () => {
    const decision = ensure({ image: imageView({ tags: { team: 'shop' } }), versions: [versionView('4.0', { status: 'INACTIVE' })] });
    expect(decision.action).toEqual({ type: 'activate', version: '4.0' });
    expect(decision.tags!.set).toEqual(ownTags({ [Tag.ADOPTED]: '4.0', [Tag.REQUEST]: stampOf(REQUEST_ID, ACCEPTED_AT) }));
  });

  test('marks it once: what it built itself is not what it found', () => {
    const image = imageView({ tags: deployedTags({ [Tag.ADOPTED]: '4.0', ...claimTags(REQUEST_ID, '4.0') }) });
    expect(ensure({ image, versions: [versionView('5.0'), versionView('4.0', { config: OLD })] }).tags!.set).not.toHaveProperty([Tag.ADOPTED]);
  });

  test('marks nothing as adopted that only lost its owner: a Delete must delete it', () => {
    const image = imageView({ tags: { [Tag.STACK]: ownTags()[Tag.STACK] } });
    for (const request of [adopting, ensureRequest({ isNew: true })]) {
      expect(ensure({ image, versions: [versionView('4.0')] }, request).tags!.set).not.toHaveProperty([Tag.ADOPTED]);
    }
  });

  test('never takes an image of another resource', () => {
    const image = imageView({ tags: ownTags({ [Tag.OWNER]: FOREIGN_OWNER, [Tag.STACK]: 'another', [Tag.STACK_NAME]: 'billing' }) });
    const decision = ensure({ image, versions: [versionView('1.0')] });
    expect(decision).toEqual({ outcome: expect.anything() });
    expect(sentenceOf(decision.outcome)).toMatch(/belongs to stack 'billing'/);
    expect(sentenceOf(decision.outcome)).not.toMatch(/adopt/);
  });

  test('takes what a failed create of another stack left behind', () => {
    const image = imageView({ state: 'CREATE_FAILED', tags: ownTags({ [Tag.OWNER]: `retained/${FOREIGN_OWNER}` }) });
    expect(ensure({ image, versions: [versionView('1.0', { state: 'FAILED' })] })).toMatchObject({
      tags: { set: { [Tag.OWNER]: OWN, [Tag.ADOPTED]: '1.0' } }, action: { type: 'build' },
    });
  });
});

test.each<Record<string, string>>([{ team: 'shop' }, { [Tag.OWNER]: `retained/${FOREIGN_OWNER}` }])('a Create that may not adopt names the option (%j)', (tags) => {
  const decision = ensure({ image: imageView({ tags }), versions: [versionView('1.0')] }, ensureRequest({ isNew: true }));
  expect(decision).toEqual({ outcome: expect.anything() });
  expect(sentenceOf(decision.outcome)).toMatch(/already exists.*adopt: true/);
});

test('the option changes nothing for an Update: it takes no image that another resource left behind', () => {
  const image = imageView({ tags: { [Tag.OWNER]: `retained/${FOREIGN_OWNER}` } });
  expect(ensure({ image, versions: [versionView('1.0')] }, ensureRequest({ desired: { adopt: true } })).outcome.type).toBe('fail');
});

describe('a Delete of an adopted image', () => {
  const tags = deployedTags({ [Tag.ADOPTED]: '4.0', ...servedTag('4.0', DIGEST), team: 'shop' });

  test('claims it first, so that a request that still runs does not adopt it again', () => {
    expect(remove({ image: imageView({ tags }), versions: [versionView('4.0')] })).toEqual({
      tags: { set: { [Tag.REQUEST]: stampOf(REQUEST_ID, ACCEPTED_AT) }, remove: [] }, outcome: expect.objectContaining({ type: 'wait' }),
    });
  });

  test('then takes off the tags of the engine but for the stack\'s, which lets it go on, and no others: what is published stays so', () => {
    const claimed = { ...tags, [Tag.PUBLISHED]: '4.0', [Tag.REQUEST]: stampOf(REQUEST_ID, ACCEPTED_AT + 5) };
    const decision = remove({ image: imageView({ tags: claimed }), versions: [versionView('4.0')] });
    expect(decision.action).toBeUndefined();
    expect(decision.outcome.type).toBe('wait');
    expect(decision.tags!.set).toEqual({});
    expect(decision.tags!.remove.sort()).toEqual(Object.keys(claimed).filter((key) => /^microvm-cdk:(?!stack$|published$)/.test(key)).sort());
  });

  test('is done when they are off, and takes off the last one if it can', () => {
    const released = { type: 'done', why: expect.stringMatching(/released/) };
    const image = (stack: string) => imageView({ tags: { [Tag.STACK]: stack, team: 'shop' } });
    expect(remove({ image: image(tags[Tag.STACK]), versions: [versionView('4.0')] })).toEqual({ action: { type: 'untag', keys: [Tag.STACK] }, outcome: released });
    expect(remove({ image: image('another'), versions: [versionView('4.0')] })).toEqual({ outcome: released });
  });

  test('waits for a build: the image may take no tags before', () => {
    const decision = remove({ image: imageView({ state: 'UPDATING', tags }), versions: [versionView('5.0', { state: 'IN_PROGRESS' })], builds: twoBuilds('IN_PROGRESS') });
    expect(decision).toEqual({ outcome: { type: 'wait', why: 'version 5.0 is building' } });
  });
});

describe('a Delete that leaves what could not be built', () => {
  const retaining = deleteRequest({ retainOnFailure: true });
  const failed = [versionView('2.0', { state: 'FAILED' }), versionView('1.0', { state: 'FAILED' })];
  const tags = ownTags(claimTags(EARLIER_REQUEST_ID, '0.0', undefined, ACCEPTED_AT - MINUTE));

  test.each(['CREATE_FAILED', 'UPDATE_FAILED'])('marks it as left behind, with its own claim (%s)', (state) => {
    expect(remove({ image: imageView({ state, tags }), versions: failed }, retaining)).toEqual({
      tags: { set: { [Tag.OWNER]: `retained/${OWN}`, [Tag.REQUEST]: stampOf(REQUEST_ID, ACCEPTED_AT) }, remove: [] },
      outcome: expect.objectContaining({ type: 'wait' }),
    });
  });

  test('is done when it is marked', () => {
    expect(remove({ image: imageView({ state: 'CREATE_FAILED', tags: { ...tags, [Tag.OWNER]: `retained/${OWN}` } }), versions: failed }, retaining))
      .toEqual({ outcome: { type: 'done', why: expect.stringMatching(/never built/) } });
  });

  test.each([
    ['the option is off', deleteRequest(), 'CREATE_FAILED', failed, {}],
    ['a version was built', retaining, 'UPDATE_FAILED', [failed[0], versionView('1.0')], {}],
    ['a version was served once', retaining, 'UPDATE_FAILED', failed, servedTag('1.0', DIGEST)],
    ['nothing failed', retaining, 'CREATED', [versionView('1.0')], {}],
  ])('deletes it when %s', (_when, request, state, versions, more) => {
    expect(remove({ image: imageView({ state, tags: { ...tags, ...more } }), versions }, request).action).toEqual({ type: 'deleteImage' });
  });

  test('and the same resource repairs it when it is created again', () => {
    const image = imageView({ state: 'CREATE_FAILED', tags: { ...tags, [Tag.OWNER]: `retained/${OWN}` } });
    const decision = ensure({ image, versions: failed }, ensureRequest({ isNew: true }));
    expect(decision.action?.type).toBe('build');
    expect(decision.tags!.set).toEqual({ [Tag.OWNER]: OWN, ...claimTags(REQUEST_ID, '2.0') });
  });
});
