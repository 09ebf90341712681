import { Context } from './context';
import { Build, Image, ImageConfig, ImageVersion } from './image';
import { BUILD_HOOKS, RUNTIME_HOOKS } from './validation';

/** Wire timestamps are epoch seconds. */
export function seconds(ms: number): number {
  return ms / 1000;
}

/** The configuration a version gets from a request: what is left out falls back to the defaults (4.1, 4.2). */
export function configOf(input: Record<string, any>, context: Context): ImageConfig {
  const filled = <T>(list: T[] | null | undefined, fallback: T[]): T[] => list && list.length > 0 ? list : fallback;
  return {
    baseImageArn: input.baseImageArn,
    baseImageVersion: context.managed.resolve(input.baseImageArn, input.baseImageVersion),
    buildRoleArn: input.buildRoleArn,
    description: input.description ?? null,
    codeArtifact: { uri: input.codeArtifact.uri },
    logging: loggingOf(input.logging),
    egressNetworkConnectors: filled(input.egressNetworkConnectors, [context.arns.managedConnector('INTERNET_EGRESS')]),
    cpuConfigurations: input.cpuConfigurations ?? null,
    resources: filled(input.resources, [{ minimumMemoryInMiB: 2048 }]),
    additionalOsCapabilities: input.additionalOsCapabilities ?? null,
    hooks: hooksOf(input.hooks),
    environmentVariables: input.environmentVariables ?? null,
  };
}

/** Members left unset come back as nulls (3.4). */
function loggingOf(logging: Record<string, any> | null | undefined): Record<string, any> | null {
  if (!logging) {
    return null;
  }
  return logging.cloudWatch
    ? { disabled: null, cloudWatch: { logGroup: logging.cloudWatch.logGroup ?? null, logStream: logging.cloudWatch.logStream ?? null } }
    : { disabled: {}, cloudWatch: null };
}

function hooksOf(hooks: Record<string, any> | null | undefined): Record<string, any> | null {
  const group = (given: Record<string, any> | null | undefined, names: readonly string[]) => given
    ? Object.fromEntries(names.flatMap((name) => [name, `${name}TimeoutInSeconds`]).map((member) => [member, given[member] ?? null]))
    : null;
  return hooks
    ? {
      port: hooks.port ?? null,
      microvmHooks: group(hooks.microvmHooks, RUNTIME_HOOKS),
      microvmImageHooks: group(hooks.microvmImageHooks, BUILD_HOOKS),
    }
    : null;
}

/** What every answer about an image begins with, the pointers as they stand. */
function outline(image: Image, context: Context) {
  return {
    imageArn: image.arn,
    name: image.name,
    state: image.state,
    latestActiveImageVersion: image.latestActive(context.readings.latestActiveFallsBack),
    latestFailedImageVersion: image.latestFailed(),
    createdAt: seconds(image.createdAt),
  };
}

/** Answer of GetMicrovmImage: no configuration and no failure reason (4.3). */
export function imageDocument(image: Image, context: Context): Record<string, unknown> {
  return {
    ...outline(image, context),
    updatedAt: seconds(image.updatedAt),
    tags: context.readings.tagsOnGetImage && Object.keys(image.tags).length > 0 ? { ...image.tags } : null,
    id: image.id,
  };
}

export function imageSummary(image: Image, context: Context): Record<string, unknown> {
  return outline(image, context);
}

/** Answer of Create and Update: the configuration echoed, the pointers as they stand, the new version (4.1, 4.2). */
export function acceptedDocument(image: Image, version: ImageVersion, context: Context): Record<string, unknown> {
  return {
    ...outline(image, context),
    updatedAt: seconds(image.updatedAt),
    imageVersion: version.imageVersion,
    ...version.config,
    id: image.id,
    buildPhaseOverrides: null,
    roleConfiguration: null,
  };
}

export function versionDocument(image: Image, version: ImageVersion): Record<string, unknown> {
  return {
    imageArn: image.arn,
    imageVersion: version.imageVersion,
    state: version.state,
    status: version.status,
    stateReason: version.stateReason,
    createdAt: seconds(version.createdAt),
    updatedAt: seconds(version.updatedAt),
    ...version.config,
    tags: null,
    versionStateTimeBucket: null,
  };
}

export function buildSummary(image: Image, version: ImageVersion, build: Build): Record<string, unknown> {
  return {
    imageArn: image.arn,
    imageVersion: version.imageVersion,
    buildId: build.buildId,
    buildState: build.buildState,
    architecture: 'ARM_64',
    chipset: 'GRAVITON',
    chipsetGeneration: build.chipsetGeneration,
    stateReason: build.stateReason,
    createdAt: seconds(build.createdAt),
    terminationReasonCode: null,
  };
}

export function buildDocument(image: Image, version: ImageVersion, build: Build): Record<string, unknown> {
  return { ...buildSummary(image, version, build), snapshotBuild: build.snapshotBuild };
}
