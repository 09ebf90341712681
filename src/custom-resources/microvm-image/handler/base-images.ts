import { bareVersion } from './config';
import { BaseVersionView } from './service-port';
import { compareVersions } from '../../common/handler/versions';

const DAY = 86_400_000;

/**
 * Days a base image version goes on running after it took a status: 60 deprecated, then 30 without new builds.
 *
 * See https://docs.aws.amazon.com/lambda/latest/dg/microvms-images.html
 */
const DAYS_OF: Record<string, number> = { AVAILABLE: 90, DEPRECATED: 90, EXPIRING: 30 };

/** The newest version that can be built on. Undefined: none can. */
export function newestUsable(bases: BaseVersionView[]): string | undefined {
  return bases
    .filter((base) => base.status === undefined || base.status === 'AVAILABLE' || base.status === 'DEPRECATED')
    .map((base) => bareVersion(base.version))
    .sort((a, b) => compareVersions(b, a))[0];
}

/**
 * The whole days MicroVMs will still run on a base version: 90 as long as it is available, fewer from the day it is
 * deprecated, none once it is expired, recalled, gone from the list or in a status this release does not know.
 */
export function daysLeft(version: string, bases: BaseVersionView[], now: number): number {
  const base = bases.find((each) => bareVersion(each.version) === version);
  if (base === undefined) {
    return 0;
  }
  const status = base.status ?? 'AVAILABLE';
  const days = DAYS_OF[status] ?? 0;
  // A status that was never dated began today, at the latest.
  const since = status === 'AVAILABLE' ? now : base.updatedAt ?? now;
  const left = Math.max(0, Math.floor(days - (now - since) / DAY));
  return status === 'DEPRECATED' ? Math.min(left, days - 1) : left;
}

/** Days since a base version came out. Undefined: the service does not tell. */
export function baseImageAge(version: string | undefined, bases: BaseVersionView[], now: number): number | undefined {
  const createdAt = bases.find((each) => bareVersion(each.version) === version)?.createdAt;
  return createdAt === undefined ? undefined : Math.max(0, now - createdAt) / DAY;
}
