/**
 * What the `MicrovmImage` construct and its deploy-time handler agree on.
 *
 * Everything in this file is persisted in deployed stacks or on images: the resource type, the property names and
 * their meaning, the attribute names, the physical id and the tag keys. A stack deployed with an older version of this
 * library must keep updating and deleting, so names are never reused, new properties are optional, and a missing
 * property means what it meant in the release that did not know it.
 */

import {
  integer, InvalidProperties, nonEmpty, optionalFlag, optionalInteger, optionalText, Raw, record, text, textMap, texts, withoutAbsent,
} from '../property-codec';

export { InvalidProperties };

/** The CloudFormation resource type. CloudFormation does not allow a change of type. */
export const RESOURCE_TYPE = 'Custom::LambdaMicrovmImage';

/** The resource type of what looks after an image that CloudFormation itself builds. */
export const UPKEEP_RESOURCE_TYPE = 'Custom::LambdaMicrovmImageUpkeep';

/** Attributes readable with `Fn::GetAtt`. Every response carries all of them, as strings. */
export interface ImageAttributes {
  readonly ImageArn: string;
  readonly ImageName: string;
  /** The version this deployment built or matched, such as `3.0`. */
  readonly ImageVersion: string;
  /** The managed base image version it was built on, a bare integer such as `1`. Empty when the service does not tell. */
  readonly BaseImageVersion: string;
}

/** Tag keys under this prefix belong to the library, on images and nowhere else. */
export const RESERVED_TAG_PREFIX = 'microvm-cdk:';

export const Tag = {
  /** Which resource of which stack owns the image. */
  OWNER: 'microvm-cdk:owner',
  /** Which stack owns the image: the condition in the handler's policy. */
  STACK: 'microvm-cdk:stack',
  /** The stack's name, for people. */
  STACK_NAME: 'microvm-cdk:stack-name',
  /** The last request that claimed the image: the fence. */
  REQUEST: 'microvm-cdk:request',
  /** What that request set out to build, and after which version. */
  ATTEMPT: 'microvm-cdk:attempt',
  /** The version consumers were given last. */
  SERVED: 'microvm-cdk:served',
  /** The version consumers were given before that. */
  PREVIOUS: 'microvm-cdk:previous',
  /** The version a base image refresh made of what consumers were given, once it passed all its steps. */
  REFRESHED: 'microvm-cdk:refreshed',
  /** What the last base image refresh set out to build, and after which version. It claims nothing: deployments go first. */
  REFRESH: 'microvm-cdk:refresh',
  /** On an image that was taken over: the newest version it had then. */
  ADOPTED: 'microvm-cdk:adopted',
  /** The versions that are published, separated by spaces. The image's publication writes it: the engine only reads it. */
  PUBLISHED: 'microvm-cdk:published',
  /** On an image that CloudFormation builds: which stack looks after it. The condition in the handler's policy. */
  UPKEEP: 'microvm-cdk:upkeep',
} as const;

/** Where the metrics of builds are in CloudWatch. Alarms and dashboards name them. */
export const METRIC_NAMESPACE = 'CdkLambdaMicrovms';

/** The dimension of every metric: the name of the image. */
export const METRIC_DIMENSION = 'ImageName';

export const Metric = {
  /** 1 for a build that succeeded, 0 for one that failed. */
  BUILDS_SUCCEEDED: 'BuildsSucceeded',
  /** The other way round. */
  BUILDS_FAILED: 'BuildsFailed',
  /** Seconds from the request to the end of the build. */
  BUILD_DURATION: 'BuildDuration',
  /** Bytes, for each processor generation. */
  MEMORY_SNAPSHOT_SIZE: 'MemorySnapshotSize',
  DISK_SNAPSHOT_SIZE: 'DiskSnapshotSize',
  CODE_INSTALL_SIZE: 'CodeInstallSize',
  /** How many versions the image has after the build, of the 50 the service allows. */
  VERSIONS: 'Versions',
  /** How many of them MicroVMs run when a build has succeeded. */
  VERSIONS_IN_USE: 'VersionsInUse',
  /** Days since the base image version that was built on came out: when a build has succeeded, and at each look of a refresh. */
  BASE_IMAGE_AGE: 'BaseImageAge',
  /** For how many days MicroVMs still run on the base image of the version served: 90 while it is available. */
  BASE_IMAGE_DAYS_LEFT: 'BaseImageDaysLeft',
} as const;

export enum RunningMicrovms {
  /** Refuse to delete an image while MicroVMs run from it. */
  FAIL = 'FAIL',
  /** Terminate them first. */
  TERMINATE = 'TERMINATE',
}

export interface HookProperties {
  readonly port: number;
  readonly readySeconds?: number;
  readonly validateSeconds?: number;
  readonly runSeconds?: number;
  readonly resumeSeconds?: number;
  readonly suspendSeconds?: number;
  readonly terminateSeconds?: number;
}

export interface LoggingProperties {
  readonly disabled: boolean;
  readonly logGroup?: string;
  readonly logStream?: string;
}

/** How the handler goes about it: nothing here is part of a version. */
export interface EngineProperties {
  /** What a delete does about running MicroVMs. Absent in a template: `FAIL`. */
  readonly runningMicrovms: RunningMicrovms;
  /** How many versions stay when one is built, that one included. Absent: all. */
  readonly keepVersions?: number;
  /** A create takes over an image of this name that nobody owns. Absent: it refuses to. */
  readonly adopt?: boolean;
  /** The delete after a failed first create leaves the image. Absent: it deletes it. */
  readonly retainOnFailure?: boolean;
  /** How long a create or update may take. Absent: as long as CloudFormation allows. */
  readonly buildTimeoutSeconds?: number;
  /** Absent: a create or update ends when the version is built. */
  readonly waitForBuild?: boolean;
  /** Where events about builds are put. Absent: nowhere. */
  readonly eventBusArn?: string;
}

/** The desired image: the decoded form of the resource properties. */
export interface ImageProperties extends EngineProperties {
  readonly imageName: string;
  readonly description?: string;
  readonly baseImageArn: string;
  /** A bare integer. Absent: the newest version when a build starts. */
  readonly baseImageVersion?: string;
  /** A new value makes `newest` be resolved anew, which builds. */
  readonly baseImageRefreshToken?: string;
  readonly buildRoleArn: string;
  readonly codeArtifactUri: string;
  readonly minimumMemoryInMiB: number;
  readonly egressNetworkConnectors: string[];
  readonly additionalOsCapabilities: string[];
  readonly environmentVariables: Record<string, string>;
  readonly hooks?: HookProperties;
  readonly logging: LoggingProperties;
  readonly tags: Record<string, string>;
  /** Consumers launch the latest version: newer ones are retired when an older one is reused. Absent: they name theirs. */
  readonly followLatest?: boolean;
}

/** Renders the properties for the template. Absent values are left out, so adding an optional one changes no template. */
export function encodeProperties(image: ImageProperties): Raw {
  const hooks = image.hooks;
  return withoutAbsent({
    ImageName: image.imageName,
    Description: image.description,
    BaseImageArn: image.baseImageArn,
    BaseImageVersion: image.baseImageVersion,
    BaseImageRefreshToken: image.baseImageRefreshToken,
    BuildRoleArn: image.buildRoleArn,
    CodeArtifactUri: image.codeArtifactUri,
    MinimumMemoryInMiB: image.minimumMemoryInMiB,
    EgressNetworkConnectors: image.egressNetworkConnectors,
    AdditionalOsCapabilities: nonEmpty(image.additionalOsCapabilities),
    EnvironmentVariables: nonEmpty(image.environmentVariables),
    Hooks: hooks && withoutAbsent({
      Port: hooks.port,
      ReadyTimeoutInSeconds: hooks.readySeconds,
      ValidateTimeoutInSeconds: hooks.validateSeconds,
      RunTimeoutInSeconds: hooks.runSeconds,
      ResumeTimeoutInSeconds: hooks.resumeSeconds,
      SuspendTimeoutInSeconds: hooks.suspendSeconds,
      TerminateTimeoutInSeconds: hooks.terminateSeconds,
    }),
    Logging: image.logging.disabled
      ? { Disabled: true }
      : withoutAbsent({ LogGroup: image.logging.logGroup, LogStream: image.logging.logStream }),
    Tags: nonEmpty(image.tags),
    RunningMicrovms: image.runningMicrovms === RunningMicrovms.FAIL ? undefined : image.runningMicrovms,
    KeepVersions: image.keepVersions,
    Adopt: image.adopt,
    RetainOnFailure: image.retainOnFailure,
    BuildTimeoutInSeconds: image.buildTimeoutSeconds,
    WaitForBuild: image.waitForBuild,
    EventBusArn: image.eventBusArn,
    FollowLatest: image.followLatest,
  });
}

/**
 * Reads the properties of a Create or Update request.
 *
 * CloudFormation hands every number and boolean over as a string; this is the one place that turns them back.
 *
 * @throws InvalidProperties naming the property.
 */
export function decodeProperties(raw: Raw): ImageProperties {
  const logging = record(raw, 'Logging');
  const hooks = raw.Hooks === undefined ? undefined : record(raw, 'Hooks');
  return {
    imageName: text(raw, 'ImageName'),
    description: optionalText(raw, 'Description'),
    baseImageArn: text(raw, 'BaseImageArn'),
    baseImageVersion: optionalText(raw, 'BaseImageVersion'),
    baseImageRefreshToken: optionalText(raw, 'BaseImageRefreshToken'),
    buildRoleArn: text(raw, 'BuildRoleArn'),
    codeArtifactUri: text(raw, 'CodeArtifactUri'),
    minimumMemoryInMiB: integer(raw, 'MinimumMemoryInMiB'),
    egressNetworkConnectors: texts(raw, 'EgressNetworkConnectors'),
    additionalOsCapabilities: texts(raw, 'AdditionalOsCapabilities'),
    environmentVariables: textMap(raw, 'EnvironmentVariables'),
    hooks: hooks && {
      port: integer(hooks, 'Port'),
      readySeconds: optionalInteger(hooks, 'ReadyTimeoutInSeconds'),
      validateSeconds: optionalInteger(hooks, 'ValidateTimeoutInSeconds'),
      runSeconds: optionalInteger(hooks, 'RunTimeoutInSeconds'),
      resumeSeconds: optionalInteger(hooks, 'ResumeTimeoutInSeconds'),
      suspendSeconds: optionalInteger(hooks, 'SuspendTimeoutInSeconds'),
      terminateSeconds: optionalInteger(hooks, 'TerminateTimeoutInSeconds'),
    },
    logging: {
      disabled: optionalFlag(logging, 'Disabled') ?? false,
      logGroup: optionalText(logging, 'LogGroup'),
      logStream: optionalText(logging, 'LogStream'),
    },
    tags: textMap(raw, 'Tags'),
    runningMicrovms: decodeRunningMicrovms(raw),
    keepVersions: optionalInteger(raw, 'KeepVersions'),
    adopt: optionalFlag(raw, 'Adopt'),
    retainOnFailure: optionalFlag(raw, 'RetainOnFailure'),
    buildTimeoutSeconds: optionalInteger(raw, 'BuildTimeoutInSeconds'),
    waitForBuild: optionalFlag(raw, 'WaitForBuild'),
    eventBusArn: optionalText(raw, 'EventBusArn'),
    followLatest: optionalFlag(raw, 'FollowLatest'),
  };
}

/** Reads what a Delete needs. It never throws: a Delete must get through whatever the template said. */
export function decodeRunningMicrovms(raw: Raw): RunningMicrovms {
  return raw.RunningMicrovms === RunningMicrovms.TERMINATE ? RunningMicrovms.TERMINATE : RunningMicrovms.FAIL;
}

/** Reads what a Delete needs. It never throws either. */
export function decodeRetainOnFailure(raw: Raw): boolean {
  return raw.RetainOnFailure === true || raw.RetainOnFailure === 'true';
}

/** What is to be looked after: the decoded form of the properties of an upkeep resource. */
export interface UpkeepProperties {
  readonly imageName: string;
  /** Changes whenever the image is built anew, and does nothing else: CloudFormation then sends an update. */
  readonly content: string;
  readonly runningMicrovms: RunningMicrovms;
  /** Absent: all. */
  readonly keepVersions?: number;
}

/** Renders the properties of an upkeep resource for the template. */
export function encodeUpkeep(upkeep: UpkeepProperties): Raw {
  return withoutAbsent({
    ImageName: upkeep.imageName,
    Content: upkeep.content,
    RunningMicrovms: upkeep.runningMicrovms === RunningMicrovms.FAIL ? undefined : upkeep.runningMicrovms,
    KeepVersions: upkeep.keepVersions,
  });
}

/**
 * Reads the properties of an upkeep resource.
 *
 * @throws InvalidProperties naming the property.
 */
export function decodeUpkeep(raw: Raw): UpkeepProperties {
  return {
    imageName: text(raw, 'ImageName'),
    content: text(raw, 'Content'),
    runningMicrovms: decodeRunningMicrovms(raw),
    keepVersions: optionalInteger(raw, 'KeepVersions'),
  };
}

/** The parts of an image ARN, which is the physical id of the resource. */
export interface ImageArn {
  readonly partition: string;
  readonly region: string;
  readonly account: string;
  readonly imageName: string;
}

/** The colon before the name is the service's: with a slash it answers AccessDeniedException. */
export function formatImageArn(arn: ImageArn): string {
  return `arn:${arn.partition}:lambda:${arn.region}:${arn.account}:microvm-image:${arn.imageName}`;
}

/** Undefined when the text is not the ARN of an image, such as an id CloudFormation made up for a create it cut short. */
export function parseImageArn(id: string): ImageArn | undefined {
  const match = /^arn:([^:]+):lambda:([^:]+):(\d{12}):microvm-image:([a-zA-Z0-9-_]{1,64})$/.exec(id);
  return match ? { partition: match[1], region: match[2], account: match[3], imageName: match[4] } : undefined;
}
