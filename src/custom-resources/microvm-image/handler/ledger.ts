import { createHash } from 'crypto';
import { Tag } from '../contract';

/** A version consumers were given, and what it was built from. */
export interface LedgerEntry {
  readonly version: string;
  readonly digest: string;
  readonly tokenHash: string;
  readonly baseVersion: string;
}

/** What the last building request set out to do. Versions after `since` are its doing. */
export interface Attempt {
  readonly requestId: string;
  readonly since: string;
  readonly tokenHash: string;
  /** How many older versions it tried to delete first. Absent: none. */
  readonly pruned?: number;
}

export interface Ledger {
  readonly served?: LedgerEntry;
  readonly previous?: LedgerEntry;
  /** Of what was served, on a newer base image. */
  readonly refreshed?: LedgerEntry;
  readonly attempt?: Attempt;
  /** What the last refresh set out to do. */
  readonly refresh?: Attempt;
}

/** Stands for "none" in a tag value: the service's tag characters have no better one, and an empty part reads badly. */
const NONE = '-';

/** A ledger is a note, never the truth: what cannot be read is as if it were not there. */
export function readLedger(tags: Record<string, string>): Ledger {
  const [served, previous, refreshed] = [Tag.SERVED, Tag.PREVIOUS, Tag.REFRESHED].map((key) => readEntry(tags[key]));
  return { served, previous, refreshed, attempt: readAttempt(tags[Tag.ATTEMPT]), refresh: readAttempt(tags[Tag.REFRESH]) };
}

export function writeEntry(entry: LedgerEntry): string {
  return [entry.version, entry.digest, entry.tokenHash || NONE, entry.baseVersion || NONE].join('/');
}

export function writeAttempt(attempt: Attempt): string {
  return [attempt.requestId, attempt.since, attempt.tokenHash || NONE, ...(attempt.pruned ? [attempt.pruned] : [])].join('/');
}

/** Tags are readable by many; a refresh token is the user's own text. */
export function hashToken(token: string | undefined): string {
  return token === undefined ? '' : createHash('sha256').update(token).digest('hex').slice(0, 16);
}

function readEntry(value: string | undefined): LedgerEntry | undefined {
  const match = /^(\d+\.\d+)\/([0-9a-f]{32})\/([0-9a-f]{16}|-)\/(\d+|-)$/.exec(value ?? '');
  return match ? { version: match[1], digest: match[2], tokenHash: orEmpty(match[3]), baseVersion: orEmpty(match[4]) } : undefined;
}

function readAttempt(value: string | undefined): Attempt | undefined {
  const match = /^([^/]+)\/(\d+\.\d+)\/([0-9a-f]{16}|-)(?:\/([1-9]\d{0,8}))?$/.exec(value ?? '');
  return match
    ? { requestId: match[1], since: match[2], tokenHash: orEmpty(match[3]), ...(match[4] === undefined ? {} : { pruned: Number(match[4]) }) }
    : undefined;
}

function orEmpty(part: string): string {
  return part === NONE ? '' : part;
}
