import { integer, optionalText, Raw, text, texts, withoutAbsent } from '../property-codec';

/**
 * What the constructs `MicrovmImagePublication` and `MicrovmImageChannel`, their deploy-time handler and the readers of a
 * publication agree on.
 *
 * Persisted in deployed stacks and in SSM parameters, which templates of other stacks take apart: see the contract of the
 * image for the rules.
 */

/** The CloudFormation resource types. CloudFormation does not allow a change of type. */
export const PUBLICATION_RESOURCE_TYPE = 'Custom::LambdaMicrovmImagePublication';
export const CHANNEL_RESOURCE_TYPE = 'Custom::LambdaMicrovmImageChannel';

/** On an image: the versions that records and channels of its publication name, apart by spaces. None of them may be deleted. */
export const PUBLISHED_TAG = 'microvm-cdk:published';

/** On an image, next to it: the path of the publication that wrote it last. */
export const PUBLISHED_AS_TAG = 'microvm-cdk:published-as';

/** On an image: which request for it came last. */
export const REQUEST_TAG = 'microvm-cdk:request';

/** Attributes of both resources, readable with `Fn::GetAtt`. */
export interface PublicationAttributes {
  readonly ImageArn: string;
  readonly ImageVersion: string;
}

/** A version of an image that was published. Written once. */
export interface PublishedRecord {
  readonly imageArn: string;
  readonly version: string;
  /** The managed base image and its version, such as `al2023-1:1`. */
  readonly baseImage: string;
  /** Names the code: the content hash of its zip, or of the place of it. */
  readonly codeDigest: string;
  readonly sourceRevision?: string;
  /** ISO 8601. */
  readonly builtAt: string;
  /** In bytes, for each processor generation. */
  readonly snapshots: SnapshotRecord[];
}

export interface SnapshotRecord {
  readonly chip: string;
  readonly codeBytes?: number;
  readonly memoryBytes?: number;
  readonly diskBytes?: number;
}

/** The decoded form of the properties of a publication. */
export interface PublicationProperties {
  readonly imageArn: string;
  readonly imageVersion: string;
  /** The path of everything of the publication: `/microvm-images/<name>`. */
  readonly root: string;
  /** Those that are moved to the version. */
  readonly channels: string[];
  readonly keepRecords: number;
  readonly sourceRevision?: string;
  /** Where events are put. Undefined: nobody wants them. */
  readonly eventBusArn?: string;
}

/** The decoded form of the properties of a channel. */
export interface ChannelProperties {
  /** As its record says. */
  readonly imageArn: string;
  readonly imageVersion: string;
  readonly root: string;
  readonly channel: string;
  /** Where events are put. Undefined: nobody wants them. */
  readonly eventBusArn?: string;
}

export function ownerName(root: string): string {
  return `${root}/owner`;
}

export function recordName(root: string, version: string): string {
  return `${root}/versions/${version}`;
}

export function channelName(root: string, channel: string): string {
  return `${root}/channels/${channel}`;
}

/** The last of the path, of names as the functions above make them. */
export function lastPart(name: string): string {
  return name.split('/').pop()!;
}

/** The place of the image's name in the text of a record when it is split at its slashes. */
export const RECORD_IMAGE_NAME = 1;

/**
 * It begins with the name of the image between slashes, for templates to take out. A quotation mark would not do to split at:
 * `Stack.toJsonString` escapes it, also inside of an expression, and splits at something else.
 */
export function encodeRecord({ imageArn, version, baseImage, codeDigest, sourceRevision, builtAt, snapshots }: PublishedRecord): string {
  const image = `microvm-image/${imageArn.split(':').pop()}/${version}`;
  return JSON.stringify({ image, imageArn, version, baseImage, codeDigest, sourceRevision, builtAt, snapshots });
}

/** Undefined for a text that is none. */
export function decodeRecord(value: string | undefined): PublishedRecord | undefined {
  try {
    const record = JSON.parse(value ?? '');
    return typeof record?.imageArn === 'string' && typeof record.version === 'string' ? record : undefined;
  } catch {
    return undefined;
  }
}

/** The order of the list in a channel's parameter. */
export const ChannelPart = { IMAGE_ARN: 0, VERSION: 1, BASE_IMAGE: 2, CODE_DIGEST: 3 } as const;

/** What a channel's parameter holds: a list, for CloudFormation to take apart. */
export function encodePointer({ imageArn, version, baseImage, codeDigest }: PublishedRecord): string {
  return [imageArn, version, baseImage, codeDigest].join(',');
}

/** The version a channel names. */
export function versionOfPointer(value: string | undefined): string | undefined {
  return value?.split(',')[ChannelPart.VERSION];
}

/** Renders the properties of a publication for the template. */
export function encodePublication(publication: PublicationProperties): Raw {
  return withoutAbsent({
    ImageArn: publication.imageArn,
    ImageVersion: publication.imageVersion,
    Root: publication.root,
    Channels: publication.channels,
    KeepRecords: publication.keepRecords,
    SourceRevision: publication.sourceRevision,
    EventBusArn: publication.eventBusArn,
  });
}

/** @throws InvalidProperties naming the property. */
export function decodePublication(raw: Raw): PublicationProperties {
  return {
    imageArn: text(raw, 'ImageArn'),
    imageVersion: text(raw, 'ImageVersion'),
    root: text(raw, 'Root'),
    channels: texts(raw, 'Channels'),
    keepRecords: integer(raw, 'KeepRecords'),
    sourceRevision: optionalText(raw, 'SourceRevision'),
    eventBusArn: optionalText(raw, 'EventBusArn'),
  };
}

/** Renders the properties of a channel for the template. */
export function encodeChannel(channel: ChannelProperties): Raw {
  return withoutAbsent({
    ImageArn: channel.imageArn,
    ImageVersion: channel.imageVersion,
    Root: channel.root,
    Channel: channel.channel,
    EventBusArn: channel.eventBusArn,
  });
}

/** @throws InvalidProperties naming the property. */
export function decodeChannel(raw: Raw): ChannelProperties {
  return {
    imageArn: text(raw, 'ImageArn'),
    imageVersion: text(raw, 'ImageVersion'),
    root: text(raw, 'Root'),
    channel: text(raw, 'Channel'),
    eventBusArn: optionalText(raw, 'EventBusArn'),
  };
}
