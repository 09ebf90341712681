import {
  ACCEPTED_AT, claimTags, cloudFormationEvent, deployedTags, EARLIER_REQUEST_ID, ensureRequest, imageConfig, imageProperties, imageView, MINUTE,
  observation, REQUEST_ID, servedTag, versionView,
} from './builders';
import { FakeService } from './fake-service';
import { handsOut } from './outcomes';
import { encodeProperties, Tag } from '../../../src/custom-resources/microvm-image/contract';
import { checkBase } from '../../../src/custom-resources/microvm-image/handler/check-base';
import { configDigest } from '../../../src/custom-resources/microvm-image/handler/config';
import { decideEnsure } from '../../../src/custom-resources/microvm-image/handler/decide-ensure';
import { decideRefresh } from '../../../src/custom-resources/microvm-image/handler/decide-refresh';
import { Decision } from '../../../src/custom-resources/microvm-image/handler/decision';
import { hashToken, writeAttempt } from '../../../src/custom-resources/microvm-image/handler/ledger';
import { EnsureRequest, RefreshOrder, RefreshPhase } from '../../../src/custom-resources/microvm-image/handler/request';
import { VersionView } from '../../../src/custom-resources/microvm-image/handler/service-port';

const TOKEN = 'base/2';
const desired = { baseImageVersion: undefined };
const tags = deployedTags(servedTag('1.0', configDigest(imageConfig(desired))));

/** A claim of a refresh that set out after version 1.0. */
const claim = (requestId: string) => writeAttempt({ requestId, since: '1.0', tokenHash: hashToken(TOKEN) });

function decide(order: Partial<RefreshOrder>, versions: VersionView[], refresh = claim(REQUEST_ID)): Decision {
  const request: EnsureRequest = ensureRequest({
    desired, refresh: { phase: RefreshPhase.BUILD, token: TOKEN, requestSeen: tags[Tag.REQUEST], refreshSeen: refresh, ...order },
  });
  const seen = { image: imageView({ tags: { ...tags, [Tag.REFRESH]: refresh } }), versions, baseVersions: [{ version: '2', status: 'AVAILABLE' }] };
  return decideEnsure(request, observation(seen), ACCEPTED_AT + 10_000);
}

const served = versionView('1.0');
const refreshed = versionView('2.0', { config: { baseImageVersion: '2' } });

describe('a refresh tells of its build', () => {
  test('when it built the version', () => {
    expect(decide({}, [refreshed, served]).outcome).toMatchObject({ type: 'done', attributes: { ImageVersion: '2.0' }, built: refreshed });
  });

  test('not again in the steps that follow', () => {
    for (const phase of [RefreshPhase.CHECK, RefreshPhase.COMMIT]) {
      const { outcome, action } = decide({ phase, version: '2.0' }, [refreshed, served]);
      expect([outcome, 'built' in outcome, action]).toEqual([handsOut('2.0', '2'), false, undefined]);
    }
  });

  test('not when an earlier refresh built it', () => {
    const { outcome } = decide({}, [refreshed, served], claim(EARLIER_REQUEST_ID));
    expect([outcome, 'built' in outcome]).toEqual([handsOut('2.0', '2'), false]);
  });
});

describe('what was built and tested is gone', () => {
  test.each<[string, VersionView[]]>([
    ['deleted', [served]],
    ['being deleted', [{ ...refreshed, state: 'DELETING' }, served]],
    ['failed, in the eyes of the service', [{ ...refreshed, state: 'FAILED' }, served]],
  ])('(%s): the refresh ends, and neither notes nor builds anything', (_what, versions) => {
    for (const phase of [RefreshPhase.CHECK, RefreshPhase.COMMIT]) {
      expect(decide({ phase, version: '2.0' }, versions)).toEqual({
        outcome: { type: 'fail', failure: { type: 'superseded', what: expect.stringMatching(/built for it is gone/), hint: expect.anything() } },
      });
    }
  });
});

describe('a refresh builds', () => {
  test('although the version served, after which it set out, has the same configuration', () => {
    expect(decide({}, [served]).action).toMatchObject({ type: 'build', config: { baseImageVersion: '2' } });
  });

  test('although there is a later version, when that is of another configuration', () => {
    const other = versionView('2.0', { config: { description: 'another', baseImageVersion: '2' } });
    expect(decide({}, [other, served]).action).toMatchObject({ type: 'build' });
  });
});

describe('a refresh is due', () => {
  const bases = [{ version: '2.0', status: 'AVAILABLE' }, { version: '1.0', status: 'AVAILABLE' }];
  const due = (more: Record<string, string>, versions: VersionView[], now: number) =>
    decideRefresh(ensureRequest({ desired }), { image: imageView({ tags: { ...tags, ...more } }), versions, bases }, now).due;
  /** A deployment claimed the image and set out to build, and nobody heard of it again. */
  const open = { ...claimTags(EARLIER_REQUEST_ID, '1.0') };

  test('when the base image moved', () => {
    expect(due({}, [served], ACCEPTED_AT)).toBe(true);
  });

  test('not while a deployment may still hand out what it set out to build, which no deployment does after an hour', () => {
    expect([59, 60].map((minutes) => due(open, [served], ACCEPTED_AT + minutes * MINUTE))).toEqual([false, true]);
  });

  test('not while a version is being built, wherever the service lists it', async () => {
    expect(due({}, [versionView('2.0', { state: 'IN_PROGRESS' }), served], ACCEPTED_AT)).toBe(false);
    const service = new FakeService();
    service.image = imageView({ tags });
    service.versions = [served, versionView('10.0', { state: 'IN_PROGRESS' })];
    service.baseVersions = bases;
    const { StackId, LogicalResourceId } = cloudFormationEvent();
    const input = { StackId, LogicalResourceId, ImageProperties: JSON.stringify(encodeProperties(imageProperties(desired))), ExecutionId: 'x', Force: false };
    expect(await checkBase(input, service, () => ACCEPTED_AT, () => undefined)).toMatchObject({ Due: false, Why: 'a deployment is on its way' });
    service.versions = [served];
    expect(await checkBase(input, service, () => ACCEPTED_AT, () => undefined)).toMatchObject({ Due: true });
  });
});
