import { createHash } from 'crypto';
import { ImageProperties } from '../contract';

/** What a version is built from. The rest of the properties is about the image or the engine, and builds nothing. */
const BUILT_FROM = [
  'description', 'baseImageArn', 'baseImageVersion', 'buildRoleArn', 'codeArtifactUri', 'minimumMemoryInMiB', 'egressNetworkConnectors',
  'additionalOsCapabilities', 'environmentVariables', 'hooks', 'logging',
] as const;

/** The configuration of one version: what the template asks for, or what the service recorded, in one form. */
export type ImageConfig = Pick<ImageProperties, typeof BUILT_FROM[number]>;

export function desiredConfig(image: ImageProperties): ImageConfig {
  const config = Object.fromEntries(BUILT_FROM.map((name) => [name, image[name]])) as unknown as ImageConfig;
  return { ...config, baseImageVersion: image.baseImageVersion === undefined ? undefined : bareVersion(image.baseImageVersion) };
}

/** The service takes a bare integer as a base version, and reads it back as `1.0`. */
export function bareVersion(version: string): string {
  return version.replace(/\.0$/, '');
}

/**
 * Whether a recorded version is what the template asks for.
 *
 * A value the template leaves to the service (the newest base, a log stream) matches whatever was recorded. Anything
 * else that the template leaves out was left out of the call too, which resets it: there, absent means empty.
 */
export function configMatches(desired: ImageConfig, recorded: ImageConfig): boolean {
  return canonical({
    ...desired,
    baseImageVersion: desired.baseImageVersion ?? recorded.baseImageVersion,
    logging: { logStream: recorded.logging.logStream, ...present(desired.logging) },
  }) === canonical(recorded);
}

/** Names a desired configuration in the ledger. */
export function configDigest(desired: ImageConfig): string {
  return createHash('sha256').update(canonical(desired)).digest('hex').slice(0, 32);
}

/** JSON with sorted keys, and lists whose order means nothing sorted. */
function canonical(config: ImageConfig): string {
  return JSON.stringify({
    ...config,
    description: config.description || undefined,
    egressNetworkConnectors: [...config.egressNetworkConnectors].sort(),
    additionalOsCapabilities: [...config.additionalOsCapabilities].sort(),
  }, (_key, value: unknown) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return value;
    }
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

function present<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as T;
}
