import { RunningMicrovms, Tag } from '../contract';
import { Decision, fail, Limit, Observation, some, TERMINATE_AT_ONCE, wait } from './decision';
import { ClearRequest, PruneRequest } from './request';
import { nextToPrune, publishedVersions, VERSION_QUOTA } from './retention';
import { ImageView } from './service-port';

/**
 * One step of the upkeep of an image that CloudFormation has just built: it deletes old versions. It never fails a
 * deployment, and it ends when the last delete has settled, because the next update would be refused before.
 */
export function decidePrune(request: PruneRequest, seen: Observation, now: number): Decision {
  const { image, versions } = seen;
  const { keepVersions } = request;
  if (!isLookedAfter(request, image) || keepVersions === undefined) {
    return done('there is nothing to prune');
  }
  const waited = now - request.acceptedAt;
  const settling = image.state === 'UPDATING' || image.state === 'CREATING' || versions.some(({ state }) => state === 'DELETING');
  if (settling) {
    return waited < request.timeAllowed ? wait(`the image is ${image.state}`) : done(`the image is still ${image.state}`);
  }
  const next = nextToPrune({
    // No version is about to be built, and CloudFormation keeps no ledger.
    versions,
    keep: keepVersions + 1,
    ledger: {},
    since: versions[0]?.version ?? '0.0',
    published: publishedVersions(image.tags),
    microvmsOf: seen.microvmsOf ?? {},
  }, now);
  const isFull = versions.length >= VERSION_QUOTA - 1;
  if (next.type === 'none' || waited >= (isFull ? request.timeAllowed : Limit.PRUNING)) {
    return done(`${versions.length} versions remain`);
  }
  return next.type === 'ask'
    ? { need: { microvmsOf: next.version }, outcome: { type: 'wait', why: `whether version ${next.version} is in use is not known yet` } }
    : { action: { type: 'deleteVersion', version: next.version }, outcome: { type: 'wait', why: `deleting version ${next.version}` } };
}

/** One step towards an image that CloudFormation can delete: no MicroVM runs from it, not even one that is terminating. */
export function decideClear(request: ClearRequest, seen: Observation, now: number): Decision {
  const { image, liveMicrovms, pinningMicrovms: left } = seen;
  if (!isLookedAfter(request, image) || request.runningMicrovms !== RunningMicrovms.TERMINATE) {
    return done('there is nothing to clear');
  }
  if (liveMicrovms === undefined || left === undefined) {
    return { need: 'liveMicrovms', outcome: { type: 'wait', why: 'which MicroVMs run is not known yet' } };
  }
  if (left.length === 0) {
    return done('no MicroVM runs from the image');
  }
  const waited = now - request.acceptedAt;
  if (waited < Limit.TAGS_LAG) {
    return wait('the tag that lets this stack terminate MicroVMs may just have been taken away');
  }
  if (waited >= request.timeAllowed) {
    return fail(
      `image '${request.imageName}' still has ${left.length} MicroVMs after ${Math.floor(waited / 60_000)} minutes: ${some(left)}`,
      'stop what launches them, and delete again',
    );
  }
  return {
    action: liveMicrovms.length === 0 ? undefined : { type: 'terminate', microvmIds: liveMicrovms.slice(0, TERMINATE_AT_ONCE) },
    outcome: { type: 'wait', why: `${left.length} MicroVMs are to terminate` },
  };
}

/**
 * CloudFormation tags the image. When the upkeep goes and the image stays, because an update took the upkeep away or was
 * rolled back, the tag has gone before.
 */
function isLookedAfter(request: PruneRequest | ClearRequest, image?: ImageView): image is ImageView {
  return image?.state !== 'DELETED' && image?.tags[Tag.UPKEEP] === request.stack;
}

function done(why: string): Decision {
  return { outcome: { type: 'done', why } };
}
