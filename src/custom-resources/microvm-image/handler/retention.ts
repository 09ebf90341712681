import { Ledger } from './ledger';
import { VersionView } from './service-port';
import { compareVersions } from '../../common/handler/versions';
import { Tag } from '../contract';

/** Versions the service allows an image. See https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
export const VERSION_QUOTA = 50;
/** From here on, age protects no more: two more builds must find room. */
const CROWDED = VERSION_QUOTA - 2;
/** The longest a MicroVM may live. */
const LONGEST_LIFE = 28_800_000;

/** The versions of an image, and what is known about who needs them. */
export interface Stock {
  /** Newest first. */
  readonly versions: VersionView[];
  /** How many stay, the one about to be built included. */
  readonly keep: number;
  readonly ledger: Ledger;
  /** Versions after this one are the current request's own. */
  readonly since: string;
  /** Versions up to this one were there when the image was adopted. */
  readonly adopted?: string;
  /** Versions that consumers outside the stack may be told to launch. */
  readonly published: string[];
  /** MicroVMs not terminated, by the version they run: only of those versions that were looked at. */
  readonly microvmsOf: Record<string, string[]>;
}

export type Pruning =
  | { readonly type: 'delete'; readonly version: string }
  /** The version may go if no MicroVM runs it. */
  | { readonly type: 'ask'; readonly version: string }
  /** Nothing more may go. Without MicroVMs or without their publication, these could. */
  | { readonly type: 'none'; readonly inUse: string[]; readonly published: string[] };

/** What the image's tags say is published. */
export function publishedVersions(tags: Record<string, string>): string[] {
  return (tags[Tag.PUBLISHED] ?? '').split(' ').filter((version) => version !== '');
}

/**
 * Which version to delete before a new one is built: failed ones first, then the oldest.
 *
 * Never one of: the newest `keep - 1`, the highest number (the service might hand a freed one out again), the version
 * served, the one before it and the one refreshed, one that is published, one that a MicroVM runs, one that was there when the image was
 * adopted. One that was superseded less than the life of a MicroVM ago only goes when the quota is near.
 */
export function nextToPrune(stock: Stock, now: number): Pruning {
  const { versions, ledger, microvmsOf } = stock;
  const successful = versions.filter((version) => version.state === 'SUCCESSFUL');
  const kept = [versions[0], ...successful.slice(0, stock.keep - 1)].map((version) => version?.version);
  const unneeded = [...versions].reverse().filter(({ version }) => !kept.includes(version)
    && version !== ledger.served?.version && version !== ledger.previous?.version && version !== ledger.refreshed?.version
    && compareVersions(version, stock.since) <= 0 && compareVersions(version, stock.adopted ?? '0.0') > 0);
  const spare = unneeded.filter(({ version }) => !stock.published.includes(version));

  // What is not the newest stopped being launched when the next one was made.
  const supersededAt = (version: VersionView): number => successful[successful.indexOf(version) - 1]?.createdAt ?? now;
  const isOld = (version: VersionView): boolean => now - supersededAt(version) >= LONGEST_LIFE;
  const crowded = versions.length >= CROWDED;
  const failed = spare.filter((version) => version.state === 'FAILED').map(({ version }) => version);
  const superseded = spare.filter((version) => version.state === 'SUCCESSFUL' && (crowded || isOld(version))).map(({ version }) => version);

  const inUse = (version: string): boolean => (microvmsOf[version] ?? []).length > 0;
  const next = [...failed, ...superseded].find((version) => !inUse(version));
  if (next === undefined) {
    const published = unneeded.filter((version) => !spare.includes(version)).map(({ version }) => version);
    return { type: 'none', inUse: superseded, published };
  }
  return failed.includes(next) || microvmsOf[next] !== undefined ? { type: 'delete', version: next } : { type: 'ask', version: next };
}
