import { compareVersions } from '../../common/handler/versions';
import { ImageProperties } from '../contract';
import { bareVersion, configDigest, configMatches, desiredConfig } from './config';
import { hashToken, Ledger, LedgerEntry } from './ledger';
import { EnsureRequest } from './request';
import { VersionView } from './service-port';

/** A refresh token means something only while the base image is whatever is newest. */
export function tokenHashOf(image: ImageProperties): string {
  return image.baseImageVersion === undefined ? hashToken(image.baseImageRefreshToken) : '';
}

/** The version to hand out without a build. */
export function findMatch(image: ImageProperties, versions: VersionView[], ledger: Ledger): VersionView | undefined {
  const successful = versions.filter((version) => version.state === 'SUCCESSFUL');
  const config = desiredConfig(image);
  const tokenHash = tokenHashOf(image);
  // What was refreshed since it was served goes first: a deployment must not take it back to the older base image.
  for (const entry of [ledger.refreshed, ledger.served, ledger.previous]) {
    const recorded = isOf(entry, image) && successful.find((version) => version.version === entry.version);
    if (recorded) {
      return recorded;
    }
  }
  // A new refresh token asks for a version built after it was set: only the attempt that carries it makes such versions.
  const tokenIsNew = tokenHash !== '' && ledger.served?.tokenHash !== tokenHash && ledger.previous?.tokenHash !== tokenHash;
  const candidates = !tokenIsNew ? successful
    : ledger.attempt?.tokenHash === tokenHash ? successful.filter((version) => compareVersions(version.version, ledger.attempt!.since) > 0) : [];
  return candidates.find((version) => configMatches(config, version.config));
}

/** The version a refresh built, or an earlier refresh of the same purpose that was cut short. */
export function findRefreshed({ desired, refresh }: EnsureRequest, versions: VersionView[], { attempt }: Ledger): VersionView | undefined {
  if (refresh?.version !== undefined) {
    return versions.find(({ version, state }) => version === refresh.version && state === 'SUCCESSFUL');
  }
  return attempt?.tokenHash !== hashToken(refresh?.token) ? undefined : versions.find((version) => version.state === 'SUCCESSFUL'
    && compareVersions(version.version, attempt.since) > 0 && configMatches(desiredConfig(desired), version.config));
}

/** Whether an entry is about what the template asks for. */
export function isOf(entry: LedgerEntry | undefined, image: ImageProperties): entry is LedgerEntry {
  return entry?.digest === configDigest(desiredConfig(image)) && entry.tokenHash === tokenHashOf(image);
}

export function entryOf(version: VersionView, image: ImageProperties): LedgerEntry {
  return { version: version.version, digest: configDigest(desiredConfig(image)), tokenHash: tokenHashOf(image), baseVersion: baseVersionOf(version) };
}

export function baseVersionOf(version: VersionView): string {
  return bareVersion(version.config.baseImageVersion ?? '');
}
