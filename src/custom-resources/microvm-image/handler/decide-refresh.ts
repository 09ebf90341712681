import { compareVersions } from '../../common/handler/versions';
import { Tag } from '../contract';
import { newestUsable } from './base-images';
import { Decision, isBuilding, Limit, yieldTo } from './decision';
import { LedgerEntry, readLedger } from './ledger';
import { baseVersionOf, isOf } from './match';
import { isOwn } from './ownership';
import { EnsureRequest, RefreshOrder, RefreshPhase } from './request';
import { BaseVersionView, ImageView, VersionView } from './service-port';

/** Whether to refresh now, and what makes the refresh. */
export type RefreshDecision =
  | { readonly due: true; readonly why: string; readonly order: RefreshOrder }
  | { readonly due: false; readonly why: string };

/** What a refresh looks at before it begins. */
export interface Outlook {
  readonly image?: ImageView;
  /** Newest first. */
  readonly versions: VersionView[];
  readonly bases: BaseVersionView[];
}

/** Whether the base image moved since the version that deployments serve was built. */
export function decideRefresh(request: EnsureRequest, { image, versions, bases }: Outlook, now: number, forcedBy?: string): RefreshDecision {
  if (image === undefined) {
    return { due: false, why: 'there is no image' };
  }
  const busy = reasonToYield(request, image) ?? (isBusy(image, versions, now) ? 'a deployment is on its way' : undefined);
  if (busy !== undefined) {
    return { due: false, why: busy };
  }
  const order = { phase: RefreshPhase.BUILD, requestSeen: image.tags[Tag.REQUEST] ?? '', refreshSeen: image.tags[Tag.REFRESH] ?? '' };
  if (forcedBy !== undefined) {
    return { due: true, why: 'it was asked for', order: { ...order, token: `force/${forcedBy}` } };
  }
  const base = servedBase(request, image, versions);
  const newest = newestUsable(bases);
  if (newest === undefined) {
    return { due: false, why: 'no version of the base image can be built on' };
  }
  if (base === undefined || compareVersions(newest, base) <= 0) {
    return { due: false, why: base === undefined ? 'the service does not tell which base image version is in use' : `base image version ${base} is the newest` };
  }
  return { due: true, why: `base image version ${newest} is newer than ${base}`, order: { ...order, token: `base/${newest}` } };
}

/** The base version of what a deployment would serve now. Undefined: the service does not tell. */
export function servedBase(request: EnsureRequest, image: ImageView, versions: VersionView[]): string | undefined {
  const entry = servedEntry(request, image, versions);
  const version = versions.find((each) => each.version === entry?.version);
  return entry?.baseVersion || (version && baseVersionOf(version)) || undefined;
}

/** A refresh takes nothing from a deployment: it ends when one claimed the image or serves something else, or another refresh did. */
export function yieldToDeployment(request: EnsureRequest, image: ImageView | undefined): Decision | undefined {
  const reason = image === undefined ? 'it is gone' : reasonToYield(request, image) ?? rivalOf(request, image);
  return reason === undefined ? undefined : yieldTo(`image '${request.imageName}' is not refreshed: ${reason}`);
}

function rivalOf({ requestId, refresh }: EnsureRequest, image: ImageView): string | undefined {
  const { [Tag.REQUEST]: request = '', [Tag.REFRESH]: claim = '' } = image.tags;
  if (request !== refresh!.requestSeen) {
    return `a deployment (${request}) works on it`;
  }
  return claim === refresh!.refreshSeen || claim.startsWith(`${requestId}/`) ? undefined : 'another refresh works on it';
}

function servedEntry({ desired }: EnsureRequest, image: ImageView, versions: VersionView[]): LedgerEntry | undefined {
  const { refreshed, served } = readLedger(image.tags);
  return [refreshed, served].find((entry) => isOf(entry, desired) && versions.some((each) => each.version === entry.version && each.state === 'SUCCESSFUL'));
}

function reasonToYield(request: EnsureRequest, image: ImageView): string | undefined {
  if (image.state === 'DELETING' || image.state === 'DELETED') {
    return 'it is being deleted';
  }
  if (!isOwn(image, request)) {
    return 'it does not belong to this stack';
  }
  return isOf(readLedger(image.tags).served, request.desired) ? undefined : 'the version served last is not of this template';
}

/** Also between the end of a build and the tick that hands its version out. */
function isBusy(image: ImageView, versions: VersionView[], now: number): boolean {
  const { attempt, served } = readLedger(image.tags);
  const [claimedAt, claimant] = (image.tags[Tag.REQUEST] ?? '').split('/');
  const isOpen = attempt !== undefined && attempt.requestId === claimant && now - Date.parse(claimedAt) < Limit.OVER
    && (served === undefined || compareVersions(served.version, attempt.since) <= 0);
  return isOpen || image.state === 'CREATING' || image.state === 'UPDATING' || isBuilding(versions[0]);
}
