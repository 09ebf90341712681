import { createHash } from 'crypto';
import { Acceptance, arrivalOf, CloudFormationEvent as RequestEvent, RefreshMark, resourceDigest, stackNameOf } from '../../common/handler/cloudformation-event';
import {
  decodeProperties, decodeRetainOnFailure, decodeRunningMicrovms, decodeUpkeep, formatImageArn, ImageProperties, parseImageArn, RunningMicrovms,
  UPKEEP_RESOURCE_TYPE,
} from '../contract';
import { Limit } from './decision';

export type { Acceptance };

/** An event of CloudFormation, or one that a refresh made up in its manner. */
export interface CloudFormationEvent extends RequestEvent {
  /** Of a base image refresh only. */
  readonly Refresh?: RefreshOrder;
}

/** What makes an Update a base image refresh. CloudFormation never sends it; the state machine of a refresh does. */
export interface RefreshOrder extends RefreshMark {
  /** What the refresh is for: two orders with the same token are content with the same version. */
  readonly token: string;
  /** The refresh tag it had then: when it becomes another's, that refresh goes on and this one ends. */
  readonly refreshSeen: string;
  readonly phase: RefreshPhase;
  /** The version that was built: what passed the tests is what is noted. Absent while it is built. */
  readonly version?: string;
}

export enum RefreshPhase {
  /** Build the version, unless it is there. */
  BUILD = 'BUILD',
  /** Tell whether it still is what should be tested and published. */
  CHECK = 'CHECK',
  /** Note it, so that deployments keep it. */
  COMMIT = 'COMMIT',
  /** Delete what failed to build, which leaves the image in a state nobody knows to launch from. */
  ABANDON = 'ABANDON',
}

export interface RequestIdentity {
  readonly requestId: string;
  /** Milliseconds since the epoch. Deadlines count from here. */
  readonly acceptedAt: number;
  /** Milliseconds the request may take. */
  readonly timeAllowed: number;
  /** Orders requests for one image: the later one wins. */
  readonly stamp: string;
  readonly imageArn: string;
  readonly imageName: string;
  /** The value of the owner tag of an image this resource owns. */
  readonly owner: string;
  readonly stack: string;
  readonly stackName: string;
}

/** Create and Update: make the image what the template says. */
export interface EnsureRequest extends RequestIdentity {
  readonly kind: 'ensure';
  /** The image cannot be ours yet: a Create, or an Update that changes the name. */
  readonly isNew: boolean;
  readonly desired: ImageProperties;
  /** What the template asked for before, as far as it can be understood. */
  readonly replaced?: ImageProperties;
  /** The ARN of the image that goes when this one is made under a new name. */
  readonly renamedFrom?: string;
  /** The user's tags of the previous template that this one no longer has. */
  readonly removedTags: string[];
  /** The image, and what was made for it, goes when this request fails. */
  readonly isCreate: boolean;
  /** The build role or its policy, which names the very artifact, came with this request: it may not have reached all of IAM yet. */
  readonly buildRoleMayLag: boolean;
  /** The same image, on the newest base. */
  readonly refresh?: RefreshOrder;
}

export interface DeleteRequest extends RequestIdentity {
  readonly kind: 'delete';
  readonly runningMicrovms: RunningMicrovms;
  readonly retainOnFailure: boolean;
}

/** Create and Update of the upkeep of an image that CloudFormation builds: delete old versions. */
export interface PruneRequest extends RequestIdentity {
  readonly kind: 'prune';
  readonly keepVersions?: number;
}

/** Delete of the upkeep, before CloudFormation deletes the image: terminate its MicroVMs. */
export interface ClearRequest extends RequestIdentity {
  readonly kind: 'clear';
  readonly runningMicrovms: RunningMicrovms;
}

export type Request = EnsureRequest | DeleteRequest | PruneRequest | ClearRequest;

/** Names what one execution of a refresh does: a repeated state of it is the same request. */
export function requestIdOf(executionId: string): string {
  return `refresh-${createHash('sha256').update(executionId).digest('hex').slice(0, 32)}`;
}

/**
 * Names the resource and starts the clock. It calls no API, so it can run twice, and a crash leaves nothing behind.
 *
 * @throws InvalidProperties before anything was done.
 */
export function acceptRequest(event: CloudFormationEvent, now: number): Acceptance {
  return { PhysicalResourceId: physicalId(event), AcceptedAt: new Date(now).toISOString() };
}

/** The id CloudFormation knows the resource by: the image's ARN, which follows from the name. */
function physicalId(event: CloudFormationEvent): string {
  return event.RequestType === 'Delete'
    ? event.PhysicalResourceId ?? ''
    : imageArnOf(event, (isUpkeep(event) ? decodeUpkeep : decodeProperties)(event.ResourceProperties).imageName);
}

function isUpkeep(event: CloudFormationEvent): boolean {
  return event.ResourceType === UPKEEP_RESOURCE_TYPE;
}

function imageArnOf(event: CloudFormationEvent, imageName: string): string {
  const [, partition, , region, account] = event.StackId.split(':');
  return formatImageArn({ partition, region, account, imageName });
}

/**
 * The image a Delete is about. CloudFormation makes an id up when it cuts a create short, because a sibling failed
 * while the image was being built: the image is then the one in the properties. Whether it is ours, its tags tell.
 */
function imageToDelete(event: CloudFormationEvent): string | undefined {
  const { ImageName } = event.ResourceProperties;
  const candidates = [physicalId(event), typeof ImageName === 'string' ? imageArnOf(event, ImageName) : ''];
  return candidates.find((id) => parseImageArn(id) !== undefined);
}

/**
 * Decodes an event. Undefined for a Delete that names no image: there is nothing to do.
 *
 * @throws InvalidProperties on a Create or Update whose properties make no sense. A Delete never throws.
 */
export function decodeRequest(event: CloudFormationEvent, now: number): Request | undefined {
  const imageArn = event.RequestType === 'Delete' ? imageToDelete(event) : physicalId(event);
  const imageName = imageArn && parseImageArn(imageArn)?.imageName;
  if (imageArn === undefined || imageName === undefined) {
    return undefined;
  }
  const acceptedAt = arrivalOf(event, now);
  const identity: Omit<RequestIdentity, 'timeAllowed'> = {
    requestId: event.RequestId,
    acceptedAt,
    stamp: `${new Date(acceptedAt).toISOString()}/${event.RequestId}`,
    imageArn,
    imageName,
    owner: resourceDigest(event, 32),
    stack: event.StackId.split('/')[2] ?? event.StackId,
    stackName: stackNameOf(event),
  };
  if (isUpkeep(event)) {
    return event.RequestType === 'Delete'
      ? { ...identity, timeAllowed: Limit.DELETE, kind: 'clear', runningMicrovms: decodeRunningMicrovms(event.ResourceProperties) }
      : { ...identity, timeAllowed: Limit.RESERVED, kind: 'prune', keepVersions: decodeUpkeep(event.ResourceProperties).keepVersions };
  }
  if (event.RequestType === 'Delete') {
    return {
      ...identity,
      kind: 'delete',
      timeAllowed: Limit.DEADLINE,
      runningMicrovms: decodeRunningMicrovms(event.ResourceProperties),
      retainOnFailure: decodeRetainOnFailure(event.ResourceProperties),
    };
  }
  const desired = decodeProperties(event.ResourceProperties);
  if (event.Refresh !== undefined) {
    return {
      ...identity,
      kind: 'ensure',
      timeAllowed: timeAllowed(desired),
      isCreate: false,
      isNew: false,
      // Whose image it is, its tags and what is launched are the deployments' business.
      desired: { ...desired, adopt: undefined, waitForBuild: undefined, followLatest: undefined, tags: {} },
      removedTags: [],
      buildRoleMayLag: false,
      refresh: event.Refresh,
    };
  }
  const old = event.OldResourceProperties;
  const isCreate = event.RequestType === 'Create';
  const replaced = old && decodeReplaced(old);
  const isRenamed = replaced !== undefined && replaced.imageName !== desired.imageName;
  const isNew = isCreate || old?.ImageName !== desired.imageName;
  return {
    ...identity,
    kind: 'ensure',
    timeAllowed: timeAllowed(desired),
    isCreate,
    isNew,
    desired,
    replaced,
    renamedFrom: isRenamed ? imageArnOf(event, replaced.imageName) : undefined,
    // Those of another image are not this one's to lose.
    removedTags: isNew ? [] : Object.keys((old?.Tags as object | undefined) ?? {}).filter((key) => !(key in desired.tags)),
    buildRoleMayLag: isCreate || old?.BuildRoleArn !== desired.buildRoleArn || old?.CodeArtifactUri !== desired.codeArtifactUri,
  };
}

function timeAllowed({ buildTimeoutSeconds }: ImageProperties): number {
  return Math.min(Limit.DEADLINE, (buildTimeoutSeconds ?? Infinity) * 1_000);
}

/** An older version of this library may have written them: they inform, and never stop an update. */
function decodeReplaced(properties: Record<string, unknown>): ImageProperties | undefined {
  try {
    return decodeProperties(properties);
  } catch {
    return undefined;
  }
}
