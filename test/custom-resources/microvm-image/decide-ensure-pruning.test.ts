import * as fc from 'fast-check';
import {
  ACCEPTED_AT, AT_DEADLINE, claimTags, deployedTags, DIGEST, EARLIER_REQUEST_ID, ensureRequest, imageConfig, imageView, MINUTE, observation, OLD,
  OLD_DIGEST, ownTags, previousTag, REQUEST_ID, servedTag, twoBuilds, versionView,
} from './builders';
import { handsOut, sentenceOf } from './outcomes';
import { Tag } from '../../../src/custom-resources/microvm-image/contract';
import { decideEnsure } from '../../../src/custom-resources/microvm-image/handler/decide-ensure';
import { Decision, Limit, Observation } from '../../../src/custom-resources/microvm-image/handler/decision';
import { writeAttempt } from '../../../src/custom-resources/microvm-image/handler/ledger';
import { afterRefusal } from '../../../src/custom-resources/microvm-image/handler/refusal';
import { ServiceRefusal, VersionView } from '../../../src/custom-resources/microvm-image/handler/service-port';

const NOW = ACCEPTED_AT + 10_000;
const DAY = 24 * 60 * MINUTE;
const A_BUILD = expect.objectContaining({ type: 'build', config: imageConfig() });
const keeping = (keepVersions?: number) => ensureRequest({ desired: { keepVersions } });

/** Versions of an older configuration, one a day or as often as said. */
function older(count: number, every = DAY): VersionView[] {
  return Array.from({ length: count }, (_, index) => versionView(`${count - index}.0`, { config: OLD, createdAt: ACCEPTED_AT - (index + 1) * every }));
}

function unused(versions: VersionView[]): Record<string, string[]> {
  return Object.fromEntries(versions.map(({ version }) => [version, []]));
}

/** The tag of this request, after so many deletes. */
const attempt = (since: string, pruned?: number) => ({ [Tag.ATTEMPT]: writeAttempt({ requestId: REQUEST_ID, since, tokenHash: '', pruned }) });

function decide(seen: Partial<Observation>, now = NOW, request = keeping(5)): Decision {
  return decideEnsure(request, observation({ image: imageView({ tags: deployedTags(servedTag('8.0', OLD_DIGEST)) }), ...seen }), now);
}

describe('before it builds, a request', () => {
  const versions = older(8);

  test('asks who runs the version it would delete, and does nothing yet', () => {
    expect(decide({ versions })).toEqual({ need: { microvmsOf: '1.0' }, outcome: expect.objectContaining({ type: 'wait' }) });
  });

  test('deletes it, and writes its claim with the count first', () => {
    expect(decide({ versions, microvmsOf: unused(versions) })).toEqual({
      tags: { set: { ...claimTags(REQUEST_ID, '8.0'), ...attempt('8.0', 1) }, remove: [] },
      action: { type: 'deleteVersion', version: '1.0' },
      outcome: { type: 'wait', why: 'deleting version 1.0 before a new one is built' },
    });
  });

  test('waits until the image has settled', () => {
    const image = imageView({ state: 'UPDATING', tags: ownTags({ ...claimTags(REQUEST_ID, '8.0'), ...attempt('8.0', 1) }) });
    const decision = decide({ image, versions: [...versions.slice(0, -1), { ...versions[7], state: 'DELETING' }], microvmsOf: unused(versions) });
    expect(decision).toEqual({ outcome: { type: 'wait', why: 'the image is UPDATING' } });
  });

  test('goes on with the next, and builds after three tries, whatever became of them', () => {
    const after = (pruned: number) => decide({
      image: imageView({ tags: ownTags({ ...claimTags(REQUEST_ID, '8.0'), ...servedTag('8.0', OLD_DIGEST), ...attempt('8.0', pruned) }) }),
      versions,
      microvmsOf: unused(versions),
    });
    expect(after(2)).toMatchObject({ tags: { set: attempt('8.0', 3) }, action: { type: 'deleteVersion' } });
    expect(after(3).action).toEqual(A_BUILD);
    expect(after(3).tags).toEqual({ set: {}, remove: [] });
  });

  test('counts from nothing again when another request made the count', () => {
    const image = imageView({ tags: ownTags({ [Tag.ATTEMPT]: writeAttempt({ requestId: EARLIER_REQUEST_ID, since: '7.0', tokenHash: '', pruned: 3 }) }) });
    expect(decide({ image, versions, microvmsOf: unused(versions) })).toMatchObject({ tags: { set: attempt('8.0', 1) }, action: { type: 'deleteVersion' } });
  });

  test('builds once its first minute is over: a delete may take days', () => {
    expect(decide({ versions }, ACCEPTED_AT + Limit.PRUNING - 1).need).toBeDefined();
    expect(decide({ versions }, ACCEPTED_AT + Limit.PRUNING).action).toEqual(A_BUILD);
  });

  test('builds when all is in use', () => {
    const microvmsOf = Object.fromEntries(versions.map(({ version }) => [version, ['microvm-1']]));
    expect(decide({ versions, microvmsOf }).action).toEqual(A_BUILD);
  });

  test('deletes nothing of a stack deployed before there was a number to keep', () => {
    expect(decide({ versions, microvmsOf: unused(versions) }, NOW, keeping(undefined)).action).toEqual(A_BUILD);
  });

  test('protects what the ledger names, what is published and what an adopted image had', () => {
    const protectedBy = (tags: Record<string, string>) => decide({ versions, image: imageView({ tags: ownTags(tags) }) }).need;
    expect(protectedBy({ ...servedTag('1.0', OLD_DIGEST), ...previousTag('2.0', OLD_DIGEST) })).toEqual({ microvmsOf: '3.0' });
    expect(protectedBy({ [Tag.ADOPTED]: '3.0' })).toEqual({ microvmsOf: '4.0' });
    expect(protectedBy({ [Tag.PUBLISHED]: '2.0 1.0' })).toEqual({ microvmsOf: '3.0' });
  });

  test('deletes no failed version of its own, by which it counts its builds', () => {
    const failed = versionView('9.0', { state: 'FAILED' });
    const image = imageView({ state: 'UPDATE_FAILED', tags: ownTags(claimTags(REQUEST_ID, '8.0')) });
    const request = ensureRequest({ buildRoleMayLag: true, desired: { keepVersions: 47 } });
    const decision = decide({ image, versions: [failed, ...versions], builds: twoBuilds('FAILED', 'S3_ACCESS_DENIED'), microvmsOf: unused(versions) }, NOW, request);
    expect(decision.action).toEqual(A_BUILD);
  });
});

describe('at the quota of versions', () => {
  const versions = older(50, MINUTE);

  test('it makes room however late it is and however often it tried', () => {
    const image = imageView({ tags: ownTags({ ...claimTags(REQUEST_ID, '50.0'), ...attempt('50.0', 3) }) });
    const decision = decide({ image, versions, microvmsOf: unused(versions) }, ACCEPTED_AT + 2 * Limit.PRUNING);
    expect(decision.action).toEqual({ type: 'deleteVersion', version: '1.0' });
  });

  test('it says at the deadline which delete did not end', () => {
    const image = imageView({ state: 'UPDATING', tags: ownTags(claimTags(REQUEST_ID, '50.0')) });
    const leaving = [...versions.slice(0, -1), { ...versions[49], state: 'DELETING' }];
    expect(sentenceOf(decide({ image, versions: leaving }, AT_DEADLINE).outcome)).toMatch(/did not finish the delete of version 1\.0/);
  });

  test('with all in use it still tries to build, since the quota may have been raised; refused, it names versions and MicroVMs at once', () => {
    const microvmsOf = Object.fromEntries(versions.map(({ version }) => [version, [`microvm-a-${version}`, `microvm-b-${version}`]]));
    const { action } = decide({ versions, microvmsOf });
    expect(action).toEqual(A_BUILD);

    const refused = (message: string) => afterRefusal(keeping(5), new ServiceRefusal('quota', 'UpdateMicrovmImage', message), NOW, action);
    expect(sentenceOf(refused('You have exceeded the maximum number of versions')))
      .toMatch(/'shop-app' has as many versions as the service allows.*1\.0 \(microvm-a-1\.0, microvm-b-1\.0\), .* and \d+ more.*L-F8BECE9C/);
    expect(refused('You have reached the maximum number of concurrent builds').type).toBe('wait');
  });

  test('with the rest published it names these versions too, however many run', () => {
    const microvmsOf = Object.fromEntries(versions.map(({ version }) => [version, [`microvm-${version}`]]));
    const published = versions.slice(20, 40).map(({ version }) => version);
    const failureAt = (tags: Record<string, string>) => {
      const image = imageView({ tags: deployedTags({ ...servedTag('50.0', OLD_DIGEST), ...tags }) });
      const { action } = decide({ image, versions, microvmsOf });
      return sentenceOf(afterRefusal(keeping(5), new ServiceRefusal('quota', 'UpdateMicrovmImage', 'maximum number of versions'), NOW, action));
    };
    expect(failureAt({ [Tag.PUBLISHED]: published.join(' ') }))
      .toMatch(/in use: 1\.0 \(microvm-1\.0\), .* and \d+ more, 11\.0 \(published\), 12\.0 \(published\), .* and 15 more.*publish fewer versions/);
    expect(failureAt({ [Tag.PUBLISHED]: versions.map(({ version }) => version).join(' ') })).toMatch(/in use: 1\.0 \(published\), 2\.0 \(published\)/);
  });

  test('with nobody to blame, a full quota is waited for as before', () => {
    const few = older(1);
    const { action } = decide({ versions: few });
    expect(afterRefusal(keeping(5), new ServiceRefusal('quota', 'UpdateMicrovmImage', 'maximum number of versions'), NOW, action).type).toBe('wait');
  });
});

test('a request that builds nothing deletes nothing and asks nothing', () => {
  const image = imageView({ tags: deployedTags({ ...servedTag('50.0', OLD_DIGEST), ...previousTag('49.0', DIGEST) }) });
  const versions = [older(50)[0], versionView('49.0'), ...older(48)];
  const decision = decide({ image, versions, microvmsOf: unused(versions) });
  expect(decision.outcome).toEqual(handsOut('49.0'));
  expect([decision.action, decision.need]).toEqual([undefined, undefined]);
});

test('whatever is seen, no version is deleted that is served, was served before, is published, runs, or is newer than the request', () => {
  const ends = fc.record({ state: fc.constantFrom('SUCCESSFUL', 'FAILED', 'DELETING'), age: fc.nat({ max: 3 * DAY }), live: fc.boolean() });
  fc.assert(fc.property(
    fc.array(ends, { minLength: 1, maxLength: 50 }), fc.nat(), fc.nat(), fc.array(fc.nat(), { maxLength: 20 }), fc.integer({ min: 2, max: 47 }),
    fc.nat({ max: 3 * MINUTE }),
    (list, a, b, c, keep, waited) => {
      const versions = list.map(({ state, age }, index) => versionView(`${list.length - index}.0`, { state, config: OLD, createdAt: ACCEPTED_AT - age }));
      const [served, previous, ...published] = [a, b, ...c].map((index) => versions[index % versions.length].version);
      const microvmsOf = Object.fromEntries(versions.map(({ version }, index) => [version, list[index].live ? ['microvm-1'] : []]));
      const image = imageView({
        tags: ownTags({ ...servedTag(served, OLD_DIGEST), ...previousTag(previous, OLD_DIGEST), [Tag.PUBLISHED]: published.join(' ') }),
      });
      const { action, tags } = decide({ image, versions, microvmsOf }, ACCEPTED_AT + waited, keeping(keep));
      expect([...Object.keys(tags?.set ?? {}), ...tags?.remove ?? []]).not.toContain(Tag.PUBLISHED);
      const deleted = action?.type === 'deleteVersion' ? action.version : undefined;
      expect([served, previous, ...published, versions[0].version]).not.toContain(deleted);
      expect(versions.find(({ version }) => version === deleted && microvmsOf[version].length > 0)?.state ?? 'FAILED').toBe('FAILED');
    }), { numRuns: 500 });
});
