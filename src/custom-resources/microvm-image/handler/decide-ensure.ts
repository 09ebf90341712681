import { createHash } from 'crypto';
import { compareVersions } from '../../common/handler/versions';
import { ImageAttributes, Tag } from '../contract';
import { newestUsable } from './base-images';
import { mayBeLate } from './build-hint';
import { configMatches, desiredConfig, ImageConfig } from './config';
import { yieldToDeployment } from './decide-refresh';
import { Action, Decision, fail, isBuilding, isWedged, laterClaim, Limit, Observation, Outcome, some, tagsMayBeLate, wait, yieldTo } from './decision';
import { Attempt, Ledger, readLedger } from './ledger';
import { baseVersionOf, entryOf, findMatch, findRefreshed } from './match';
import { attemptTags, changed, claimTags, finalTags, newAttempt, refreshedTags, removedFrom } from './notes';
import { isAbandoned, isOwn, lostItsOwner } from './ownership';
import { EnsureRequest, RefreshPhase } from './request';
import { nextToPrune, publishedVersions, VERSION_QUOTA } from './retention';
import { ImageView, VersionView } from './service-port';

/** A build role's new policy may reach S3 late, and the service finds out only while it builds. One more build, no more. */
const MAX_BUILDS_PER_REQUEST = 2;
/** More would hold the build up; the next request goes on. */
const MAX_PRUNED_PER_REQUEST = 3;

/**
 * One step towards the image of a Create or Update request.
 *
 * It looks at the world only, never at what an earlier tick did, so a tick may run twice, late or not at all.
 * The order of the questions is the design: is it ours, is there a version to reuse, is one being built, build one.
 */
export function decideEnsure(request: EnsureRequest, seen: Observation, now: number): Decision {
  const expired = now - request.acceptedAt >= request.timeAllowed;
  const { image } = seen;
  const yields = request.refresh && yieldToDeployment(request, image);
  if (yields !== undefined) {
    return yields;
  }
  if (image === undefined || image.state === 'DELETED') {
    // A cancelled rename may still wait for a build slot when its rollback has claimed the image it came from.
    const back = seen.former && laterClaim(seen.former, request);
    if (back !== undefined) {
      return superseded(request, back);
    }
    return expired ? timedOut(request, 'the service accepted no build') : startBuild(request, seen, now, [], newAttempt(request, '0.0'));
  }

  if (tagsMayBeLate(image, request, now)) {
    return wait('the image shows no tags yet');
  }
  const leaving = image.state === 'DELETING';
  if (leaving && image.tags[Tag.OWNER] !== request.owner) {
    return now - request.acceptedAt < Limit.RESERVED ? wait('another image of this name is being deleted') : notOurs(request, image);
  }
  if (!isOurs(request, image)) {
    return notOurs(request, image);
  }
  const later = request.refresh ? undefined : laterClaim(image, request);
  if (later !== undefined) {
    return superseded(request, later);
  }
  if (leaving) {
    return expired ? timedOut(request, 'an earlier image of this name was still being deleted') : wait('an earlier image of this name is being deleted');
  }

  const ledger = ledgerFor(request, image);
  if (request.refresh?.phase === RefreshPhase.ABANDON) {
    return { action: clearFailedVersion(seen.versions, ledger), outcome: { type: 'done', why: 'the refresh is given up' } };
  }
  const config = desiredConfig(request.desired);
  const match = request.refresh ? findRefreshed(request, seen.versions, ledger) : findMatch(request.desired, seen.versions, ledger);
  if (match === undefined && request.refresh !== undefined && request.refresh.phase !== RefreshPhase.BUILD) {
    return yieldTo(`image '${request.imageName}' is not refreshed: the version that was built for it is gone`);
  }
  if (match !== undefined) {
    return match.status === 'INACTIVE' && expired
      ? timedOut(request, `version ${match.version} could not be activated`)
      : reuse(request, match, seen, { image, ledger }, now);
  }

  const claimed = ledger.attempt?.requestId === request.requestId;
  const attempt = claimed ? ledger.attempt! : newAttempt(request, newestVersionNotOf(config, seen.versions));
  const claim = claimed ? undefined : attemptTags(request, attempt, image, seen.versions);
  const newest = seen.versions[0];
  if (isBuilding(newest)) {
    if (isWedged(newest, seen.builds, now)) {
      return fail(
        `version ${newest.version} of image '${request.imageName}' is stuck: its builds have been PENDING for ${minutes(now - newest.createdAt)} minutes`,
        'such a build is usually a replayed client token; the service lets go of it after some hours. Deploy under another imageName, or wait and deploy again',
      );
    }
    if (request.desired.waitForBuild === false && compareVersions(newest.version, attempt.since) > 0 && configMatches(config, newest.config)) {
      const final = finalTags(request, entryOf(newest, request.desired), image, seen.versions, ledger);
      return {
        tags: { ...final, set: { ...claim?.set, ...final.set } },
        outcome: handOut(request, newest, `version ${newest.version} is building, and nobody waits for it`),
      };
    }
    return expired
      ? timedOut(request, `version ${newest.version} was still building; ${afterwards(request, image)}`)
      : { tags: claim, outcome: { type: 'wait', why: `version ${newest.version} is building` } };
  }

  const failed = seen.versions.filter((version) => version.state === 'FAILED' && compareVersions(version.version, attempt.since) > 0
    && configMatches(config, version.config));
  if (failed.length > 0 && !mayBuildAgain(request, failed, seen)) {
    return { outcome: { type: 'fail', failure: { type: 'build', version: failed[0], builds: failed[0] === newest ? seen.builds : [] } } };
  }
  if (expired) {
    const draining = seen.versions.find((version) => version.state === 'DELETING');
    return timedOut(request, draining ? `the service did not finish the delete of version ${draining.version}` : 'the service accepted no build');
  }
  if (image.state === 'CREATING' || image.state === 'UPDATING') {
    return { tags: claim, outcome: { type: 'wait', why: `the image is ${image.state}` } };
  }
  return startBuild(request, seen, now, failed, attempt, { image, ledger });
}

/** A refresh keeps its own note of what it set out to do. */
function ledgerFor(request: EnsureRequest, image: ImageView): Ledger {
  const ledger = readLedger(image.tags);
  return request.refresh ? { ...ledger, attempt: ledger.refresh } : ledger;
}

function reuse(request: EnsureRequest, match: VersionView, seen: Observation, { image, ledger }: Existing, now: number): Decision {
  const isBusy = image.state === 'UPDATING' || image.state === 'CREATING';
  const tags = request.refresh ? undefined : claimTags(request, image, seen.versions);
  if (match.status === 'INACTIVE') {
    return isBusy
      ? wait(`version ${match.version} is INACTIVE, and the image is ${image.state}`)
      : { tags, action: { type: 'activate', version: match.version }, outcome: { type: 'wait', why: `activating version ${match.version}` } };
  }
  const newer = request.desired.followLatest ? newerLaunchable(match, seen, now) : undefined;
  if (newer !== undefined) {
    if (now - request.acceptedAt >= request.timeAllowed) {
      return timedOut(request, `version ${newer} could not be retired, and a launch that names no version gets it instead of ${match.version}`);
    }
    return isBusy
      ? { tags, outcome: { type: 'wait', why: `version ${newer} is to be retired, and the image is ${image.state}` } }
      : { tags, action: { type: 'retire', version: newer }, outcome: { type: 'wait', why: `retiring version ${newer}` } };
  }
  const isBuilt = isOwnBuild(request, match, ledger);
  const outdated = isBuilt ? clearOutdatedFailure(seen.versions, match, image) : undefined;
  if (request.refresh) {
    const { phase } = request.refresh;
    const isFirst = phase === RefreshPhase.BUILD && isBuilt;
    return {
      tags: phase === RefreshPhase.COMMIT ? refreshedTags(entryOf(match, request.desired), image) : undefined,
      action: isFirst ? outdated : undefined,
      outcome: { ...handOut(request, match, `version ${match.version} is refreshed`), ...(isFirst ? { built: match } : {}) },
    };
  }
  return {
    tags: finalTags(request, entryOf(match, request.desired), image, seen.versions, ledger),
    action: image.state === 'UPDATE_FAILED' ? clearFailedVersion(seen.versions, ledger) : outdated,
    outcome: { ...handOut(request, match, `version ${match.version} is what the template asks for`), ...(isBuilt ? { built: match } : {}) },
  };
}

/**
 * The version that a launch without a version gets instead of this one. A build under way counts: nobody can cancel it,
 * and its version is ACTIVE as soon as it ends. One that is wedged does not end well.
 */
function newerLaunchable(match: VersionView, seen: Observation, now: number): string | undefined {
  return seen.versions.find((version) => compareVersions(version.version, match.version) > 0
    && ((isBuilding(version) && !isWedged(version, seen.builds, now)) || (version.state === 'SUCCESSFUL' && version.status === 'ACTIVE')))?.version;
}

/** It may also be one that was being built already when the request came, as if it had started it. */
function isOwnBuild(request: EnsureRequest, version: VersionView, { attempt }: Ledger): boolean {
  return attempt?.requestId === request.requestId && compareVersions(version.version, attempt.since) > 0;
}

function handOut(request: EnsureRequest, version: VersionView, why: string): Outcome {
  const attributes: ImageAttributes = {
    ImageArn: request.imageArn, ImageName: request.imageName, ImageVersion: version.version, BaseImageVersion: baseVersionOf(version),
  };
  return { type: 'done', why, attributes };
}

/**
 * Whether an image in UPDATE_FAILED still launches its older versions is not documented. Deleting the version that
 * failed takes it back to UPDATED in seconds, without a build.
 */
function clearFailedVersion(versions: VersionView[], ledger: Ledger): Action | undefined {
  const failed = versions.find((version) => version.state === 'FAILED'
    && ledger.attempt !== undefined && compareVersions(version.version, ledger.attempt.since) > 0);
  return failed && { type: 'deleteVersion', version: failed.version };
}

/** The failure that had the highest number, and so could not go before this build, now can. */
function clearOutdatedFailure(versions: VersionView[], built: VersionView, { tags }: ImageView): Action | undefined {
  const failed = versions.find(({ version, state }) => state === 'FAILED' && compareVersions(version, built.version) < 0
    && compareVersions(version, tags[Tag.ADOPTED] ?? '0.0') > 0);
  return failed && { type: 'deleteVersion', version: failed.version };
}

/** What makes room for the version about to be built. Undefined: enough was done. */
function prune(request: EnsureRequest, seen: Observation, now: number, attempt: Attempt, { image, ledger }: Existing): Decision | { inUse?: string } {
  const { keepVersions } = request.desired;
  const full = seen.versions.length >= VERSION_QUOTA;
  const pruned = attempt.pruned ?? 0;
  if (keepVersions === undefined || (!full && (pruned >= MAX_PRUNED_PER_REQUEST || now - request.acceptedAt >= Limit.PRUNING))) {
    return {};
  }
  const microvmsOf = seen.microvmsOf ?? {};
  const next = nextToPrune({
    versions: seen.versions,
    keep: keepVersions,
    ledger,
    since: attempt.since,
    adopted: image.tags[Tag.ADOPTED],
    published: publishedVersions(image.tags),
    microvmsOf,
  }, now);
  switch (next.type) {
    case 'none':
      return {
        inUse: full ? describeUse(
          next.inUse.map((version) => `${version} (${some(microvmsOf[version])})`),
          next.published.map((version) => `${version} (published)`),
        ) : undefined,
      };
    case 'ask':
      return { need: { microvmsOf: next.version }, outcome: { type: 'wait', why: `whether version ${next.version} is in use is not known yet` } };
    case 'delete':
      return {
        // Counted before it is tried, so that a delete the service refuses does not hold the build up.
        tags: attemptTags(request, { ...attempt, pruned: pruned + 1 }, image, seen.versions),
        action: { type: 'deleteVersion', version: next.version },
        outcome: { type: 'wait', why: `deleting version ${next.version} before a new one is built` },
      };
  }
}

/** Some of either: those that run do not hide those that are published. */
function describeUse(running: string[], published: string[]): string | undefined {
  return [running, published].filter(({ length }) => length > 0).map(some).join(', ') || undefined;
}

/** The image a new version is built of, unless it is the first. */
interface Existing {
  readonly image: ImageView;
  readonly ledger: Ledger;
}

function startBuild(
  request: EnsureRequest, seen: Observation, now: number, failed: VersionView[], attempt: Attempt, existing?: Existing,
): Decision {
  const room = existing === undefined ? {} : prune(request, seen, now, attempt, existing);
  if ('outcome' in room) {
    return room;
  }
  const wanted = desiredConfig(request.desired);
  if (wanted.baseImageVersion === undefined && seen.baseVersions === undefined) {
    return { need: 'baseVersions', outcome: { type: 'wait', why: 'the base image version is not known yet' } };
  }
  const baseImageVersion = wanted.baseImageVersion ?? newestUsable(seen.baseVersions!);
  if (baseImageVersion === undefined) {
    return fail(
      `no version of base image ${wanted.baseImageArn} can be built on: ${seen.baseVersions!.map((base) => `${base.version} is ${base.status}`).join(', ') || 'the service lists none'}`,
      'name another baseImage',
    );
  }
  const config = { ...wanted, baseImageVersion };
  // The service keeps client tokens for good and replays the first answer, so a token names one attempt of one request.
  // The unique name already keeps a create from happening twice, so its token need not outlive the tick: were the image
  // deleted meanwhile, an older token would bring back an image that never builds.
  const occasion = existing === undefined ? `${request.requestId}/create/${now}` : `${request.requestId}/build/${failed.length + 1}`;
  const clientToken = createHash('sha256').update(occasion).digest('hex');
  if (existing === undefined) {
    return {
      action: { type: 'create', config, tags: { ...attemptTags(request, attempt).set, ...request.desired.tags }, clientToken },
      outcome: { type: 'wait', why: 'creating the image' },
    };
  }
  const { image } = existing;
  const claim = attemptTags(request, attempt, image, seen.versions);
  return {
    // While the image builds it may take no tags, and a request that does not wait has no other moment for the user's.
    tags: request.desired.waitForBuild === false
      ? { set: { ...claim.set, ...changed(request.desired.tags, image) }, remove: removedFrom(image, request) }
      : claim,
    action: { type: 'build', config, clientToken, inUse: room.inUse },
    outcome: { type: 'wait', why: 'building a new version' },
  };
}

function mayBuildAgain(request: EnsureRequest, failed: VersionView[], seen: Observation): boolean {
  const reasons = failed[0] === seen.versions[0] ? seen.builds.map((build) => build.reason ?? '') : [];
  return request.buildRoleMayLag && failed.length < MAX_BUILDS_PER_REQUEST
    && reasons.some(mayBeLate);
}

/** The highest version there was before this request; one already building what we want counts as this request's own. */
function newestVersionNotOf(config: ImageConfig, versions: VersionView[]): string {
  const [newest, ...older] = versions;
  const before = isBuilding(newest) && configMatches(config, newest.config) ? older : versions;
  return before[0]?.version ?? '0.0';
}

/** By its owner; without one by its physical id, or by the stack's tag that it still has; or because it may be adopted. */
function isOurs(request: EnsureRequest, image: ImageView): boolean {
  return isOwn(image, request) || lostItsOwner(image, request) || (request.isNew && request.desired.adopt === true && isAbandoned(image));
}

function notOurs(request: EnsureRequest, image: ImageView): Decision {
  const stack = image.tags[Tag.STACK_NAME];
  const owner = image.tags[Tag.STACK] === request.stack ? 'belongs to another resource of this stack'
    : stack === undefined ? 'does not belong to a stack' : `belongs to stack '${stack}'`;
  return fail(
    `an image named '${request.imageName}' already exists in this account and region and ${owner}`,
    `choose another imageName, or leave it out to get a name of its own${isAbandoned(image) ? '; to take this image over, set engine: MicrovmImageEngine.custom({ adopt: true })' : ''}`,
  );
}

function superseded(request: EnsureRequest, claim: string): Decision {
  return fail(`a later request (${claim}) took image '${request.imageName}' over`, 'nothing is to be done; the later request decides');
}

/** What becomes of a build that goes on. A rollback deletes an image that came with the request, unless it was adopted. */
function afterwards(request: EnsureRequest, image: ImageView): string {
  return request.isNew && image.tags[Tag.ADOPTED] === undefined
    ? 'a rollback deletes the image when it is done'
    : 'deploy again and it is picked up when it is done';
}

function timedOut(request: EnsureRequest, what: string): Decision {
  return request.timeAllowed < Limit.DEADLINE
    ? fail(
      `image '${request.imageName}' was not ready within its buildTimeout of ${Math.round(request.timeAllowed / 1_000)} seconds: ${what}`,
      `raise buildTimeout (up to ${minutes(Limit.DEADLINE)} minutes), make the build shorter or deploy again`,
    )
    : fail(
      `image '${request.imageName}' was not ready after ${minutes(Limit.DEADLINE)} minutes: ${what}`,
      'CloudFormation waits no longer than an hour for a custom resource; make the build shorter or deploy again',
    );
}

function minutes(milliseconds: number): number {
  return Math.floor(milliseconds / 60_000);
}
