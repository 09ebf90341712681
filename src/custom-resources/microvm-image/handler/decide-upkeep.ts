import { RunningMicrovms } from '../contract';
import { Decision, fail, Limit, Observation, some, TERMINATE_AT_ONCE, wait } from './decision';
import { ClearRequest, PruneRequest } from './request';
import { nextToPrune, VERSION_QUOTA } from './retention';

/**
 * One step of the upkeep of an image that CloudFormation has just built: it deletes old versions. It never fails a
 * deployment, and it ends when the last delete has settled, because the next update would be refused before.
 */
export function decidePrune(request: PruneRequest, seen: Observation, now: number): Decision {
  const { image, versions } = seen;
  const { keepVersions } = request;
  if (image === undefined || keepVersions === undefined) {
    return done('there is nothing to prune');
  }
  const waited = now - request.acceptedAt;
  const settling = image.state === 'UPDATING' || image.state === 'CREATING' || versions.some(({ state }) => state === 'DELETING');
  if (settling) {
    return waited < Limit.RESERVED ? wait(`the image is ${image.state}`) : done(`the image is still ${image.state}`);
  }
  const next = nextToPrune({
    // CloudFormation keeps no ledger. What was served before is among the newest, and too young to go.
    versions, keep: keepVersions + 1, ledger: {}, since: versions[0]?.version ?? '0.0', microvmsOf: seen.microvmsOf ?? {},
  }, now);
  if (next.type === 'none' || (waited >= Limit.PRUNING && versions.length < VERSION_QUOTA - 1)) {
    return done(`${versions.length} versions remain`);
  }
  return next.type === 'ask'
    ? { need: { microvmsOf: next.version }, outcome: { type: 'wait', why: `whether version ${next.version} is in use is not known yet` } }
    : { action: { type: 'deleteVersion', version: next.version }, outcome: { type: 'wait', why: `deleting version ${next.version}` } };
}

/** One step towards an image that CloudFormation can delete: no MicroVM runs from it, not even one that is terminating. */
export function decideClear(request: ClearRequest, seen: Observation, now: number): Decision {
  const { image, liveMicrovms, pinningMicrovms: left } = seen;
  if (image === undefined || image.state === 'DELETED' || request.runningMicrovms !== RunningMicrovms.TERMINATE) {
    return done('there is nothing to clear');
  }
  if (liveMicrovms === undefined || left === undefined) {
    return { need: 'liveMicrovms', outcome: { type: 'wait', why: 'which MicroVMs run is not known yet' } };
  }
  if (left.length === 0) {
    return done('no MicroVM runs from the image');
  }
  if (now - request.acceptedAt >= Limit.DELETE) {
    return fail(
      `image '${request.imageName}' still has ${left.length} MicroVMs after ${Limit.DELETE / 60_000} minutes: ${some(left)}`,
      'stop what launches them, and delete again',
    );
  }
  return {
    action: liveMicrovms.length === 0 ? undefined : { type: 'terminate', microvmIds: liveMicrovms.slice(0, TERMINATE_AT_ONCE) },
    outcome: { type: 'wait', why: `${left.length} MicroVMs are to terminate` },
  };
}

function done(why: string): Decision {
  return { outcome: { type: 'done', why } };
}
