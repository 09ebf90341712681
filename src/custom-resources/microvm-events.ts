import { createHash } from 'crypto';

/**
 * The events this library puts on EventBridge, which has none of its own about MicroVM images.
 *
 * Rules that users wrote match what is in this file: the source and the types never change, and what an event tells
 * only grows.
 */
export const EVENT_SOURCE = 'cdk-lambda-microvms';

/** The `detail-type` of an event. */
export const EventType = {
  BUILD_SUCCEEDED: 'MicroVM Image Build Succeeded',
  BUILD_FAILED: 'MicroVM Image Build Failed',
  /** A version was deleted to make room, or because it had failed. */
  VERSION_PRUNED: 'MicroVM Image Version Pruned',
  /** The record of a version was written. */
  PUBLISHED: 'MicroVM Image Published',
  /** A channel was moved to a version. */
  PROMOTED: 'MicroVM Image Promoted',
} as const;

/** What an event tells. No place for secrets: whoever may read the bus reads it. */
export type EventDetail = Record<string, string | number | undefined>;

/** The version of an image that an event is about. */
export interface EventSubject {
  readonly imageArn: string;
  readonly imageVersion: string;
  /** What tells this occasion from another of the same type: a version number may be given out again after an image was deleted. */
  readonly occasion: string;
}

/** What goes to EventBridge. */
export interface ImageEvent {
  readonly source: string;
  readonly type: string;
  /** The ARN of the image, by which rules find the events of one image. */
  readonly resources: string[];
  readonly detail: EventDetail;
}

/**
 * An event about a version of an image.
 *
 * Its `id` follows from what it is about. EventBridge delivers at least once, and what puts it may be run twice, so whoever
 * must act once remembers the id.
 */
export function imageEvent(type: string, subject: EventSubject, detail: EventDetail = {}): ImageEvent {
  const { imageArn, imageVersion, occasion } = subject;
  return {
    source: EVENT_SOURCE,
    type,
    resources: [imageArn],
    detail: {
      id: createHash('sha256').update([type, imageArn, imageVersion, occasion].join('|')).digest('hex').slice(0, 32),
      imageArn,
      imageName: imageArn.split(':').pop()!,
      imageVersion,
      ...detail,
    },
  };
}
