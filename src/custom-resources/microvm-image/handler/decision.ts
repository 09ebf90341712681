import { ImageAttributes, Tag } from '../contract';
import { ImageConfig } from './config';
import { BaseVersionView, BuildView, ImageView, VersionView } from './service-port';
import { DEADLINE, IAM_GRACE, MINUTE, SECOND } from '../../common/handler/limits';

/** The world as one tick sees it. */
export interface Observation {
  /** Undefined: there is no such image. */
  readonly image?: ImageView;
  /** The image that goes when a new name is made, as long as the new one is not there. */
  readonly former?: ImageView;
  /** Newest first. */
  readonly versions: VersionView[];
  /** The builds of the newest version, unless that one succeeded: then they have nothing to tell. */
  readonly builds: BuildView[];
  /** Only after a decision asked for them. */
  readonly baseVersions?: BaseVersionView[];
  /** MicroVMs that run a version, by version; only after a decision asked for them. */
  readonly microvmsOf?: Record<string, string[]>;
  /** MicroVMs that pin the image; only after the service refused a delete because of them, or a decision asked for them. */
  readonly liveMicrovms?: string[];
  /** Those, and the ones that are terminating; only after a decision asked for them. */
  readonly pinningMicrovms?: string[];
}

/** At most one of these a tick. Tags ride along and are written first. */
export type Action =
  | { readonly type: 'create'; readonly config: ImageConfig; readonly tags: Record<string, string>; readonly clientToken: string }
  /** `inUse` says what to blame when there is no room for another version. */
  | { readonly type: 'build'; readonly config: ImageConfig; readonly clientToken: string; readonly inUse?: string }
  | { readonly type: 'activate'; readonly version: string }
  | { readonly type: 'retire'; readonly version: string }
  | { readonly type: 'deleteVersion'; readonly version: string }
  | { readonly type: 'deleteImage' }
  | { readonly type: 'untag'; readonly keys: string[] }
  | { readonly type: 'terminate'; readonly microvmIds: string[] };

export interface TagChange {
  readonly set: Record<string, string>;
  readonly remove: string[];
}

/** What to tell the framework once the action was taken. */
export type Outcome =
  | { readonly type: 'wait'; readonly why: string }
  /** `built`: the version that this request built. */
  | { readonly type: 'done'; readonly why: string; readonly attributes?: ImageAttributes; readonly built?: VersionView }
  | { readonly type: 'fail'; readonly failure: Failure };

export type Failure =
  /** The service says why on the builds; the driver reads it there. */
  | { readonly type: 'build'; readonly version: VersionView; readonly builds: BuildView[] }
  /** A sentence on what is wrong, and one on what to do. Superseded: a deployment goes first, and nothing is wrong. */
  | { readonly type: 'other' | 'superseded'; readonly what: string; readonly hint: string };

export interface Decision {
  readonly tags?: TagChange;
  readonly action?: Action;
  readonly outcome: Outcome;
  /** Look this up and decide again: nothing is done before. */
  readonly need?: 'baseVersions' | 'liveMicrovms' | { readonly microvmsOf: string };
}

export function wait(why: string): Decision {
  return { outcome: { type: 'wait', why } };
}

export function fail(what: string, hint: string): Decision {
  return { outcome: { type: 'fail', failure: { type: 'other', what, hint } } };
}

export function yieldTo(what: string): Decision {
  return { outcome: { type: 'fail', failure: { type: 'superseded', what, hint: 'the next refresh looks again' } } };
}

/** Time limits, in milliseconds since the request was accepted unless said otherwise. */
export const Limit = {
  DEADLINE,
  /** CloudFormation waits for no request any longer. */
  OVER: 60 * MINUTE,
  /** Builds that stay PENDING this long are wedged. */
  WEDGED: 10 * MINUTE,
  /** How long an image may take to disappear. */
  DELETE: 10 * MINUTE,
  IAM_GRACE,
  /** How long a new image may take to show. */
  READ_LAG: 3 * SECOND,
  /** How long a rollback tries to clear a failed version away. */
  CLEAR: 30 * SECOND,
  /** How long the tags of an image may take to show, after it was made or the request was accepted. */
  TAGS_LAG: 20 * SECOND,
  /** How long a name may stay reserved by an image that is being deleted, or a quota other than that of builds be full. */
  RESERVED: 5 * MINUTE,
  /** How long old versions may hold a build up. A delete of one takes seconds; some have been seen to take days. */
  PRUNING: MINUTE,
} as const;

/** TerminateMicrovm allows 10 calls a second. */
export const TERMINATE_AT_ONCE = 10;

/** The first few of many. */
export function some(names: string[]): string {
  return names.slice(0, 5).join(', ') + (names.length > 5 ? ` and ${names.length - 5} more` : '');
}

/** No build of the version has started yet. */
export function allPending(version: VersionView, builds: BuildView[]): boolean {
  return builds.length > 0 ? builds.every((build) => build.state === 'PENDING') : version.state === 'PENDING';
}

/** The service has been seen to keep such a build for 15 hours before it lets go. */
export function isWedged(version: VersionView, builds: BuildView[], now: number): boolean {
  return isBuilding(version) && allPending(version, builds) && now - version.createdAt >= Limit.WEDGED;
}

export function isBuilding(version: VersionView | undefined): version is VersionView {
  return version !== undefined && (version.state === 'PENDING' || version.state === 'IN_PROGRESS');
}

/** An image of ours always has tags. One that shows none may have been read before they were there. */
export function tagsMayBeLate(image: ImageView, request: { readonly acceptedAt: number }, now: number): boolean {
  return Object.keys(image.tags).length === 0 && now - Math.max(request.acceptedAt, image.updatedAt) < Limit.TAGS_LAG;
}

/** The stamp of a request that arrived later than ours and claimed the image. */
export function laterClaim(image: ImageView, request: { readonly requestId: string; readonly stamp: string }): string | undefined {
  const claim = image.tags[Tag.REQUEST] ?? '';
  const [claimedAt, claimant] = claim.split('/');
  // What is no stamp of ours, such as a tag somebody wrote over, claims nothing.
  const claimedLater = !Number.isNaN(Date.parse(claimedAt)) && claimedAt > request.stamp.split('/')[0];
  return claimedLater && claimant !== request.requestId ? claim : undefined;
}
