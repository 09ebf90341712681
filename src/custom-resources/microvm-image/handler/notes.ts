import { compareVersions } from '../../common/handler/versions';
import { Tag } from '../contract';
import { TagChange } from './decision';
import { Attempt, hashToken, Ledger, LedgerEntry, readLedger, writeAttempt, writeEntry } from './ledger';
import { entryOf, findMatch, isOf, tokenHashOf } from './match';
import { isOwn, lostItsOwner } from './ownership';
import { EnsureRequest } from './request';
import { ImageView, VersionView } from './service-port';

export function newAttempt(request: EnsureRequest, since: string): Attempt {
  const { refresh, desired } = request;
  return { requestId: request.requestId, since, tokenHash: refresh ? hashToken(refresh.token) : tokenHashOf(desired) };
}

/** Tags that say whose the image is. */
function ownership(request: EnsureRequest, image: ImageView | undefined, versions: VersionView[]): Record<string, string> {
  const adopting = request.desired.adopt === true && request.isNew && image !== undefined && !isOwn(image, request) && !lostItsOwner(image, request);
  return {
    [Tag.OWNER]: request.owner,
    [Tag.STACK]: request.stack,
    [Tag.STACK_NAME]: request.stackName,
    ...(adopting ? { [Tag.ADOPTED]: versions[0]?.version ?? '0.0' } : {}),
  };
}

/** And which request works on it. */
export function claimTags(request: EnsureRequest, image: ImageView, versions: VersionView[]): TagChange {
  return { set: changed({ ...ownership(request, image, versions), [Tag.REQUEST]: request.stamp }, image), remove: [] };
}

/** And what it is about to build: written before anything is. */
export function attemptTags(request: EnsureRequest, attempt: Attempt, image?: ImageView, versions: VersionView[] = []): TagChange {
  if (request.refresh) {
    // Not the fence: a deployment that is on its way must not see it change.
    return { set: changed({ [Tag.REFRESH]: writeAttempt(attempt) }, image), remove: [] };
  }
  const set = {
    ...ownership(request, image, versions),
    [Tag.REQUEST]: request.stamp,
    [Tag.ATTEMPT]: writeAttempt(attempt),
    ...(image ? unnoted(request, image, versions.filter(({ version }) => compareVersions(version, attempt.since) <= 0)) : {}),
  };
  return { set: changed(set, image), remove: [] };
}

/** The note of what was served may have been refused: an image takes no tags while it builds. The next request makes up for it. */
function unnoted({ replaced }: EnsureRequest, image: ImageView, versions: VersionView[]): Record<string, string> {
  const match = replaced && findMatch(replaced, versions, readLedger(image.tags));
  const entry = match && writeEntry(entryOf(match, replaced!));
  const { [Tag.SERVED]: served, [Tag.PREVIOUS]: previous, [Tag.REFRESHED]: refreshed } = image.tags;
  return entry === undefined || entry === served || entry === previous || entry === refreshed ? {}
    : { [Tag.SERVED]: entry, ...(served === undefined ? {} : { [Tag.PREVIOUS]: served }) };
}

/**
 * The entry a rollback of this request will look for: what the template before asked for. The one served last may be
 * another: a cancelled update that nobody could stop, because the service takes no tags during a build, notes itself too.
 */
function servedBefore(request: EnsureRequest, entry: LedgerEntry, ledger: Ledger): LedgerEntry | undefined {
  const { desired, replaced } = request;
  const given = [ledger.served, ledger.previous];
  // Consumers that this request does not reach, such as those a rollback leaves as they are, still have what was refreshed.
  const stale = entry.version === ledger.refreshed?.version && given.every((each) => each?.version !== entry.version)
    ? given.find((each) => isOf(each, desired)) : undefined;
  return stale ?? given.find((each) => replaced !== undefined && isOf(each, replaced)) ?? ledger.served;
}

export function finalTags(request: EnsureRequest, entry: LedgerEntry, image: ImageView, versions: VersionView[], ledger: Ledger): TagChange {
  const before = servedBefore(request, entry, ledger);
  const set: Record<string, string> = {
    ...ownership(request, image, versions),
    [Tag.REQUEST]: image.tags[Tag.REQUEST]?.endsWith(`/${request.requestId}`) ? image.tags[Tag.REQUEST] : request.stamp,
    [Tag.SERVED]: writeEntry(entry),
    // Were it the same version under another refresh token.
    ...(before !== undefined && writeEntry(before) !== writeEntry(entry) ? { [Tag.PREVIOUS]: writeEntry(before) } : {}),
    ...request.desired.tags,
  };
  return { set: changed(set, image), remove: removedFrom(image, request) };
}

export function removedFrom(image: ImageView, request: EnsureRequest): string[] {
  return request.removedTags.filter((key) => key in image.tags);
}

export function changed(tags: Record<string, string>, image: ImageView | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(tags).filter(([key, value]) => image?.tags[key] !== value));
}

/** Written last, so that what did not pass every step of a refresh is never served. */
export function refreshedTags(entry: LedgerEntry, image: ImageView): TagChange {
  return { set: changed({ [Tag.REFRESHED]: writeEntry(entry) }, image), remove: [] };
}
