import { ParameterView } from './service-port';
import { Acceptance, arrivalOf, CloudFormationEvent, propertiesOf, RefreshMark, resourceDigest, stackNameOf } from '../../common/handler/cloudformation-event';
import {
  CHANNEL_RESOURCE_TYPE, channelName, ChannelProperties, decodeChannel, decodePublication, ownerName, PublicationProperties,
} from '../contract';

interface RequestIdentity {
  readonly requestId: string;
  /** Milliseconds since the epoch. Deadlines count from here. */
  readonly acceptedAt: number;
  readonly root: string;
  readonly stackName: string;
}

/** What the owner's parameter says of a publication: whose it is, and the stack's name for people. */
interface Claim {
  readonly owner: string;
  readonly stackName: string;
}

/** Create and Update of a publication: record the version, and move the channels to it. */
export interface PublishRequest extends RequestIdentity, Claim {
  readonly kind: 'publish';
  readonly publication: PublicationProperties;
  /** Channels of the previous template that this one no longer has. */
  readonly droppedChannels: string[];
  /** Only as long as no deployment takes the image, when a base image refresh publishes. */
  readonly refresh?: RefreshMark;
}

/** Delete of a publication: nothing of it stays. */
export interface WithdrawRequest extends RequestIdentity, Claim {
  readonly kind: 'withdraw';
  readonly imageArn: string;
}

/** Create and Update of a channel: move it to a version that was published. */
export interface PromoteRequest extends RequestIdentity {
  readonly kind: 'promote';
  readonly channel: ChannelProperties;
}

/** Delete of a channel. */
export interface CloseRequest extends RequestIdentity {
  readonly kind: 'close';
  readonly channel: ChannelProperties;
}

export type Request = PublishRequest | WithdrawRequest | PromoteRequest | CloseRequest;

/**
 * Names the resource, by the path of what it writes, and starts the clock. It calls no API, so it can run twice, and a crash
 * leaves nothing behind.
 *
 * @throws InvalidProperties before anything was done.
 */
export function acceptRequest(event: CloudFormationEvent, now: number): Acceptance {
  return {
    PhysicalResourceId: event.RequestType === 'Delete' ? event.PhysicalResourceId ?? '' : physicalId(event),
    AcceptedAt: new Date(now).toISOString(),
  };
}

function physicalId(event: CloudFormationEvent): string {
  if (isChannel(event)) {
    const { root, channel } = decodeChannel(event.ResourceProperties);
    return channelName(root, channel);
  }
  return decodePublication(event.ResourceProperties).root;
}

function isChannel(event: CloudFormationEvent): boolean {
  return event.ResourceType === CHANNEL_RESOURCE_TYPE;
}

/**
 * Decodes an event. Undefined for a Delete whose properties make no sense: it was never more than refused.
 *
 * @throws InvalidProperties on a Create or Update whose properties make no sense. A Delete never throws.
 */
export function decodeRequest(event: CloudFormationEvent, now: number): Request | undefined {
  const decoded = propertiesOf<PublicationProperties | ChannelProperties>(event, isChannel(event) ? decodeChannel : decodePublication);
  if (decoded === undefined) {
    return undefined;
  }
  const identity = {
    requestId: event.RequestId,
    acceptedAt: arrivalOf(event, now),
    root: decoded.root,
    stackName: stackNameOf(event),
  };
  const isDelete = event.RequestType === 'Delete';
  if ('channel' in decoded) {
    return { ...identity, kind: isDelete ? 'close' : 'promote', channel: decoded };
  }
  const owner = resourceDigest(event, 32);
  if (isDelete) {
    return { ...identity, owner, kind: 'withdraw', imageArn: decoded.imageArn };
  }
  const old = event.OldResourceProperties;
  const before = old?.Root === decoded.root && Array.isArray(old.Channels) ? old.Channels.map(String) : [];
  return {
    ...identity,
    owner,
    kind: 'publish',
    publication: decoded,
    droppedChannels: before.filter((channel) => !decoded.channels.includes(channel)),
    refresh: event.Refresh,
  };
}

/** What the parameter with the owner of a publication holds. */
export function claimOf({ owner, stackName }: Claim): string {
  return `${owner} ${stackName}`;
}

/** Undefined: nobody's. */
export function ownerIn(parameters: Record<string, ParameterView>, root: string): Claim | undefined {
  const [owner, stackName = 'unknown'] = (parameters[ownerName(root)]?.value ?? '').split(' ');
  return owner === '' ? undefined : { owner, stackName };
}
