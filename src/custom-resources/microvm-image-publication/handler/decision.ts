import { PublishedRecord, SnapshotRecord } from '../contract';
import { ParameterView, VersionView } from './service-port';
import { DEADLINE, IAM_GRACE, MINUTE, SECOND } from '../../common/handler/limits';

/** Time limits, in milliseconds since the request was accepted. */
export const Limit = {
  DEADLINE,
  /** How long throttles, and an image that takes no tags, may hold a publication up. */
  RECOVERY: 15 * MINUTE,
  IAM_GRACE,
  /** How long a version may take to show, or to become active. */
  READ_LAG: 30 * SECOND,
  /** How far the clock of SSM may be behind ours. */
  SKEW: 5 * SECOND,
} as const;

/** The world as one tick sees it. */
export interface Observation {
  /** By name. */
  readonly parameters: Record<string, ParameterView>;
  /** Undefined: there is none. */
  readonly version?: VersionView;
  /** Undefined: there is no image. */
  readonly tags?: Record<string, string>;
  /** Only after a decision asked for them. */
  readonly snapshots?: SnapshotRecord[];
}

/** Taken in their order, each of which may be repeated, or be the last. */
export type Step =
  /** Take the name, unless somebody has it. */
  | { readonly type: 'claim' }
  /** Say on the image which versions must stay. */
  | { readonly type: 'protect'; readonly versions: string[] }
  | { readonly type: 'unprotect' }
  | { readonly type: 'record'; readonly record: PublishedRecord }
  | { readonly type: 'point'; readonly channel: string; readonly record: PublishedRecord }
  | { readonly type: 'remove'; readonly names: string[] };

export type Decision =
  /** Take these, and look again. */
  | { readonly type: 'act'; readonly steps: Step[] }
  /** Look the snapshots up and decide again. */
  | { readonly type: 'need' }
  | { readonly type: 'wait'; readonly why: string }
  | { readonly type: 'done'; readonly why: string }
  /** Superseded: a deployment goes first, and nothing is wrong. */
  | { readonly type: 'fail' | 'superseded'; readonly what: string; readonly hint: string };

export function fail(what: string, hint: string): Decision {
  return { type: 'fail', what, hint };
}
