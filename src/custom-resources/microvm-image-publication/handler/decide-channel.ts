import { obstacle } from './decide-version';
import { Decision, fail, Limit, Observation } from './decision';
import { CloseRequest, PromoteRequest } from './request';
import { imageNameOf } from '../../common/handler/image-arn';
import { channelName, decodeRecord, encodePointer, lastPart, recordName, versionOfPointer } from '../contract';

/** Looks once more after the move, so it never ends on a version that went away meanwhile. */
export function decidePromote({ root, channel: wanted, acceptedAt }: PromoteRequest, seen: Observation, now: number): Decision {
  const { channel, imageVersion } = wanted;
  const record = decodeRecord(seen.parameters[recordName(root, imageVersion)]?.value);
  if (record === undefined) {
    return now - acceptedAt < Limit.READ_LAG ? { type: 'wait', why: `there is no record of version ${imageVersion}` } : fail(
      `channel '${channel}' of publication '${lastPart(root)}' cannot name version ${imageVersion}: there is no record ${recordName(root, imageVersion)}`,
      'name a version that was published and whose record is kept',
    );
  }
  if (record.imageArn !== wanted.imageArn || record.version !== imageVersion) {
    return fail(
      `the record of version ${imageVersion} is of image ${record.imageArn}, not of ${wanted.imageArn}`,
      'deploy again: the record was read before it was replaced',
    );
  }
  const inTheWay = obstacle(`version ${imageVersion} of MicroVM image '${imageNameOf(record.imageArn)}'`, seen.version, now - acceptedAt);
  if (inTheWay !== undefined) {
    return inTheWay;
  }
  return seen.parameters[channelName(root, channel)]?.value === encodePointer(record)
    ? { type: 'done', why: `channel '${channel}' names version ${imageVersion}` }
    : { type: 'act', steps: [{ type: 'point', channel, record }] };
}

/** A channel that somebody else has moved since is theirs. */
export function decideClose({ root, channel: { channel, imageVersion } }: CloseRequest, seen: Observation): Decision {
  const name = channelName(root, channel);
  return versionOfPointer(seen.parameters[name]?.value) === imageVersion
    ? { type: 'act', steps: [{ type: 'remove', names: [name] }] }
    : { type: 'done', why: name in seen.parameters ? 'the channel was moved by somebody else: not touched' : 'there is no such channel' };
}
