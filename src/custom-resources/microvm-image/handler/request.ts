import { createHash } from 'crypto';
import {
  decodeProperties, decodeRetainOnFailure, decodeRunningMicrovms, formatImageArn, ImageProperties, parseImageArn, RunningMicrovms,
} from '../contract';
import { Limit } from './decision';

/** What CloudFormation sends, as the Provider framework hands it to both handlers. */
export interface CloudFormationEvent {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  readonly RequestId: string;
  readonly StackId: string;
  readonly LogicalResourceId: string;
  readonly PhysicalResourceId?: string;
  readonly ResourceProperties: Record<string, unknown>;
  readonly OldResourceProperties?: Record<string, unknown>;
  /** Added by `onEvent`: when this request arrived, in ISO 8601. */
  readonly AcceptedAt?: string;
}

interface RequestIdentity {
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
  /** The user's tags of the previous template that this one no longer has. */
  readonly removedTags: string[];
  /** The build role came with this request, so its policies may not have reached all of IAM yet. */
  readonly buildRoleIsNew: boolean;
}

export interface DeleteRequest extends RequestIdentity {
  readonly kind: 'delete';
  readonly runningMicrovms: RunningMicrovms;
  readonly retainOnFailure: boolean;
}

/** What `onEvent` answers; the framework hands it on to every `isComplete`. */
export interface Acceptance {
  readonly PhysicalResourceId: string;
  readonly AcceptedAt: string;
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
  if (event.RequestType === 'Delete') {
    return event.PhysicalResourceId ?? '';
  }
  const [, partition, , region, account] = event.StackId.split(':');
  return formatImageArn({ partition, region, account, imageName: decodeProperties(event.ResourceProperties).imageName });
}

/**
 * Decodes an event. Undefined for a Delete of something that never was an image: CloudFormation makes an id up when it
 * cuts a create short.
 *
 * @throws InvalidProperties on a Create or Update whose properties make no sense. A Delete never throws.
 */
export function decodeRequest(event: CloudFormationEvent, now: number): EnsureRequest | DeleteRequest | undefined {
  const imageArn = physicalId(event);
  const arn = parseImageArn(imageArn);
  const acceptedAt = event.AcceptedAt === undefined ? now : Date.parse(event.AcceptedAt);
  const identity: Omit<RequestIdentity, 'imageName' | 'timeAllowed'> = {
    requestId: event.RequestId,
    acceptedAt,
    stamp: `${new Date(acceptedAt).toISOString()}/${event.RequestId}`,
    imageArn,
    owner: createHash('sha256').update(`${event.StackId}|${event.LogicalResourceId}`).digest('hex').slice(0, 32),
    stack: event.StackId.split('/')[2] ?? event.StackId,
    stackName: event.StackId.split('/')[1] ?? event.StackId,
  };
  if (event.RequestType === 'Delete') {
    return arn && {
      ...identity,
      kind: 'delete',
      imageName: arn.imageName,
      timeAllowed: Limit.DEADLINE,
      runningMicrovms: decodeRunningMicrovms(event.ResourceProperties),
      retainOnFailure: decodeRetainOnFailure(event.ResourceProperties),
    };
  }
  const desired = decodeProperties(event.ResourceProperties);
  const old = event.OldResourceProperties;
  return {
    ...identity,
    kind: 'ensure',
    imageName: desired.imageName,
    timeAllowed: Math.min(Limit.DEADLINE, (desired.buildTimeoutSeconds ?? Infinity) * 1_000),
    isNew: event.RequestType === 'Create' || old?.ImageName !== desired.imageName,
    desired,
    removedTags: Object.keys((old?.Tags as object | undefined) ?? {}).filter((key) => !(key in desired.tags)),
    buildRoleIsNew: event.RequestType === 'Create' || old?.BuildRoleArn !== desired.buildRoleArn,
  };
}
