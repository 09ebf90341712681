import { Limit, Observation } from './decision';
import { PromoteRequest, PublishRequest } from './request';
import { EventDetail, EventType, imageEvent, ImageEvent } from '../../microvm-events';
import { channelName, decodeRecord, lastPart, recordName } from '../contract';

/** A channel that a request moved. */
export interface Move {
  readonly channel: string;
  readonly parameterName: string;
  readonly writtenAt: number;
  /** Names what the parameter held before, if it was there. */
  readonly before?: string;
}

/** The record of the version, unless an earlier request wrote it. */
export function published(request: PublishRequest, seen: Observation): ImageEvent[] {
  const parameterName = recordName(request.root, request.publication.imageVersion);
  const write = writeOf(request, seen, parameterName);
  const record = decodeRecord(seen.parameters[parameterName]?.value);
  return write === undefined ? [] : [event(EventType.PUBLISHED, request, { parameterName, writtenAt: write.writtenAt }, {
    sourceRevision: record?.sourceRevision,
    codeDigest: record?.codeDigest,
  })];
}

/** Those of the request's channels that no earlier request moved to where they are. */
export function moves(request: PublishRequest | PromoteRequest, seen: Observation): Move[] {
  const channels = request.kind === 'publish' ? request.publication.channels : [request.channel.channel];
  return channels.flatMap((channel) => {
    const parameterName = channelName(request.root, channel);
    const write = writeOf(request, seen, parameterName);
    return write === undefined ? [] : [{
      channel,
      parameterName,
      writtenAt: write.writtenAt,
      before: write.revision > 1 ? `${parameterName}:${write.revision - 1}` : undefined,
    }];
  });
}

export function promoted(request: PublishRequest | PromoteRequest, move: Move, previousVersion?: string): ImageEvent {
  return event(EventType.PROMOTED, request, move, { channel: move.channel, previousVersion });
}

/** SSM says when it was written, and says the same in every step: what was written before a step was cut short is found by the next. */
function writeOf({ acceptedAt }: PublishRequest | PromoteRequest, { parameters }: Observation, parameterName: string) {
  const { [parameterName]: write } = parameters;
  return write !== undefined && write.writtenAt >= acceptedAt - Limit.SKEW ? write : undefined;
}

function event(
  type: string, request: PublishRequest | PromoteRequest, { parameterName, writtenAt }: Pick<Move, 'parameterName' | 'writtenAt'>, detail: EventDetail,
): ImageEvent {
  const { imageArn, imageVersion } = request.kind === 'publish' ? request.publication : request.channel;
  return imageEvent(type, { imageArn, imageVersion, occasion: `${parameterName}|${writtenAt}` }, {
    stackName: request.stackName,
    publicationName: lastPart(request.root),
    parameterName,
    ...detail,
  });
}
