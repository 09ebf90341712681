import { RunningMicrovms, Tag } from '../contract';
import { allPending, Decision, fail, isBuilding, laterClaim, Limit, Observation, some, TagChange, tagsMayBeLate, TERMINATE_AT_ONCE, wait } from './decision';
import { RETAINED } from './ownership';
import { DeleteRequest } from './request';
import { ImageView } from './service-port';

/**
 * One step towards the end of an image. It succeeds only when the image is gone, because its name stays reserved until
 * then, and leaves alone whatever this resource does not own.
 */
export function decideDelete(request: DeleteRequest, seen: Observation, now: number): Decision {
  const { image } = seen;
  if (image === undefined || image.state === 'DELETED') {
    // The request before this one may have ended a moment ago, just after it made the image.
    return now - request.acceptedAt < Limit.READ_LAG ? wait('there is no image to be seen yet') : done('the image is gone');
  }
  if (tagsMayBeLate(image, request, now)) {
    return wait('the image shows no tags yet');
  }
  const owner = image.tags[Tag.OWNER];
  if (owner === RETAINED + request.owner) {
    return done(`image '${request.imageName}' was never built and is left as it is`);
  }
  if (owner === undefined) {
    const left = image.tags[Tag.STACK] === request.stack ? ownTagsOf(image) : [];
    return {
      action: left.length > 0 ? { type: 'untag', keys: left } : undefined,
      outcome: { type: 'done', why: `image '${request.imageName}' carries no owner tag: released, not deleted` },
    };
  }
  if (owner !== request.owner) {
    return done(`image '${request.imageName}' belongs to another resource: not touched`);
  }
  if (laterClaim(image, request) !== undefined) {
    return fail(`a later request took image '${request.imageName}' over`, 'nothing is to be done; the later request decides');
  }

  const waited = now - request.acceptedAt;
  if (waited >= Limit.DEADLINE) {
    return stuck(request, `it was still there after ${Limit.DEADLINE / 60_000} minutes, in state ${image.state}`);
  }
  if (image.state === 'DELETING') {
    // Not before the last build ended: an image that builds is not deleted, and the service may not date the beginning of a delete.
    const begun = Math.max(request.acceptedAt, image.updatedAt, ...seen.versions.map(({ updatedAt = 0 }) => updatedAt));
    return now - begun >= Limit.DELETE
      ? stuck(request, 'it stayed DELETING for 10 minutes')
      : wait('the image is DELETING');
  }
  if (seen.liveMicrovms !== undefined) {
    return pinned(request, seen.liveMicrovms);
  }
  const newest = seen.versions[0];
  if (isBuilding(newest)) {
    return allPending(newest, seen.builds) && waited >= Limit.WEDGED
      ? stuck(request, `its version ${newest.version} is still building and none of its builds has started; the service can neither cancel a build nor delete an image during one`)
      : wait(`version ${newest.version} is building`);
  }
  if (image.state === 'CREATING' || image.state === 'UPDATING') {
    return wait(`the image is ${image.state}`);
  }
  if (request.retainOnFailure && neverBuilt(image, seen)) {
    return {
      tags: { set: { [Tag.OWNER]: RETAINED + request.owner, [Tag.REQUEST]: request.stamp }, remove: [] },
      outcome: { type: 'wait', why: 'leaving the image that could not be built' },
    };
  }
  if (image.tags[Tag.ADOPTED] !== undefined) {
    return { tags: release(request, image), outcome: { type: 'wait', why: 'releasing the adopted image' } };
  }
  return {
    // So that an older request that still runs does not take the gap for an image to create.
    tags: image.tags[Tag.REQUEST] === request.stamp ? undefined : { set: { [Tag.REQUEST]: request.stamp }, remove: [] },
    action: { type: 'deleteImage' },
    outcome: { type: 'wait', why: 'deleting the image' },
  };
}

function pinned(request: DeleteRequest, live: string[]): Decision {
  if (live.length === 0) {
    return wait('MicroVMs are terminating');
  }
  if (request.runningMicrovms === RunningMicrovms.TERMINATE) {
    return {
      action: { type: 'terminate', microvmIds: live.slice(0, TERMINATE_AT_ONCE) },
      outcome: { type: 'wait', why: `terminating ${live.length} MicroVMs` },
    };
  }
  return fail(
    `image '${request.imageName}' still has ${live.length} running or suspended MicroVM${live.length === 1 ? '' : 's'}: ${some(live)}`,
    'terminate them and delete again, or set engine: MicrovmImageEngine.custom({ runningMicrovms: RunningMicrovms.TERMINATE }) and deploy before you delete',
  );
}

/** The create that made it failed, with all the builds it tried. */
function neverBuilt(image: ImageView, seen: Observation): boolean {
  return ['CREATE_FAILED', 'UPDATE_FAILED'].includes(image.state) && image.tags[Tag.SERVED] === undefined
    && seen.versions.every((version) => version.state === 'FAILED');
}

/**
 * An older request that still runs must see the claim first: an image without tags looks to it like one to take over.
 * The stack's tag stays to the end: without it the handler may not even look at an image of a name of the user's.
 */
function release(request: DeleteRequest, image: ImageView): TagChange {
  return image.tags[Tag.REQUEST]?.endsWith(`/${request.requestId}`)
    ? { set: {}, remove: ownTagsOf(image).filter((key) => key !== Tag.STACK) }
    : { set: { [Tag.REQUEST]: request.stamp }, remove: [] };
}

/** What is published stays so: that tag is not the engine's. */
function ownTagsOf(image: ImageView): string[] {
  return Object.values(Tag).filter((key) => key !== Tag.PUBLISHED && key in image.tags);
}

function done(why: string): Decision {
  return { outcome: { type: 'done', why } };
}

function stuck(request: DeleteRequest, why: string): Decision {
  return fail(
    `image '${request.imageName}' could not be deleted: ${why}`,
    `delete the stack again later, or when the service lets you: aws lambda-microvms delete-microvm-image --image-identifier ${request.imageArn}`,
  );
}
