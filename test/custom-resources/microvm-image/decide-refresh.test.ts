import {
  ACCEPTED_AT, deployedTags, EARLIER_REQUEST_ID, ensureRequest, imageConfig, imageView, observation, REQUEST_ID, servedTag, versionView,
} from './builders';
import { handsOut } from './outcomes';
import { Tag } from '../../../src/custom-resources/microvm-image/contract';
import { configDigest } from '../../../src/custom-resources/microvm-image/handler/config';
import { decideEnsure } from '../../../src/custom-resources/microvm-image/handler/decide-ensure';
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
