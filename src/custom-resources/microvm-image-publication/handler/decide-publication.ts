import { createHash } from 'crypto';
import { obstacle } from './decide-version';
import { Decision, fail, Observation, Step } from './decision';
import { ownerIn, PublishRequest, WithdrawRequest } from './request';
import { ParameterView, VersionView } from './service-port';
import { imageNameOf } from '../../common/handler/image-arn';
import { compareVersions } from '../../common/handler/versions';
import {
  channelName, decodeRecord, encodePointer, lastPart, ownerName, PUBLISHED_AS_TAG, PUBLISHED_TAG, PublishedRecord, recordName, REQUEST_TAG,
  SnapshotRecord, versionOfPointer,
} from '../contract';

/**
 * Record, then point: whoever follows a channel finds a version that is there, passed its tests and can be launched, at
 * every moment and after every crash. The tag comes before both, so that nothing that is named is ever deleted.
 */
export function decidePublish(request: PublishRequest, seen: Observation, now: number): Decision {
  const { root, publication } = request;
  const { imageArn, imageVersion } = publication;
  const name = `version ${imageVersion} of MicroVM image '${imageNameOf(imageArn)}'`;
  const claim = ownerIn(seen.parameters, root);
  if (claim !== undefined && claim.owner !== request.owner) {
    return fail(
      `publication '${lastPart(root)}' belongs to ${claim.stackName === request.stackName ? 'another resource of this stack' : `stack '${claim.stackName}'`}: nothing was published`,
      'choose another publicationName, or delete the other publication first',
    );
  }
  const { [REQUEST_TAG]: claimant = '' } = seen.tags ?? {};
  if (request.refresh !== undefined && request.refresh.requestSeen !== claimant) {
    return {
      type: 'superseded', what: `${name} is not published: a deployment (${claimant}) works on the image`, hint: 'the next refresh looks again',
    };
  }
  const inTheWay = obstacle(name, seen.version, now - request.acceptedAt);
  if (inTheWay !== undefined) {
    return inTheWay;
  }
  const text = seen.parameters[recordName(root, imageVersion)]?.value;
  if (text === undefined && seen.snapshots === undefined) {
    return { type: 'need' };
  }
  const record = text === undefined ? recordOf(request, seen.version!, seen.snapshots!) : decodeRecord(text);
  if (record === undefined || !isOf(record, request, seen.version!)) {
    return fail(
      `${recordName(root, imageVersion)} already holds another version ${imageVersion}: ${record ? `of ${record.imageArn}, built at ${record.builtAt}` : 'no record'}. Records are never changed`,
      'the image was replaced by one that counts its versions anew: choose another publicationName',
    );
  }
  const steps: Step[] = [
    ...(claim === undefined ? [{ type: 'claim' } as const] : []),
    ...protection(seen, root, imageVersion),
    ...(text === undefined ? [{ type: 'record', record } as const] : []),
    ...publication.channels
      .filter((channel) => seen.parameters[channelName(root, channel)]?.value !== encodePointer(record))
      .map((channel) => ({ type: 'point', channel, record }) as const),
    ...removal([
      ...request.droppedChannels.map((channel) => channelName(root, channel)).filter((dropped) => dropped in seen.parameters),
      ...outdatedRecords(request, seen),
    ]),
  ];
  return steps.length > 0 ? { type: 'act', steps } : { type: 'done', why: `${name} is published` };
}

/** Channels first: nobody is led to a record that is not there. The owner last: until then the name is taken. */
export function decideWithdraw(request: WithdrawRequest, seen: Observation): Decision {
  const { root } = request;
  if (ownerIn(seen.parameters, root)?.owner !== request.owner) {
    return { type: 'done', why: 'the publication is not of this resource: not touched' };
  }
  const names = Object.keys(seen.parameters);
  const owner = ownerName(root);
  const [channels, others] = [names.filter((name) => name.startsWith(channelName(root, ''))), names.filter((name) => name.startsWith(recordName(root, '')))];
  const steps: Step[] = [
    ...removal(channels),
    ...removal(others),
    // After a change of the name, the tag is the new publication's.
    ...(seen.tags?.[PUBLISHED_AS_TAG] === root ? [{ type: 'unprotect' } as const] : []),
    ...removal([owner]),
  ];
  return { type: 'act', steps };
}

/** Whatever is named stays protected until it is named no more, so the tag grows before and shrinks after. */
function protection({ parameters, tags }: Observation, root: string, version: string): Step[] {
  const named = new Set([version, ...recordsIn(parameters, root), ...channelVersions(parameters, root)]);
  const versions = [...named].sort(compareVersions);
  return tags?.[PUBLISHED_TAG] === versions.join(' ') && tags[PUBLISHED_AS_TAG] === root ? [] : [{ type: 'protect', versions }];
}

/** The oldest beyond the number to keep. None that a channel names, whoever moved it there. */
function outdatedRecords({ root, publication }: PublishRequest, { parameters }: Observation): string[] {
  const moving = publication.channels.map((channel) => channelName(root, channel));
  const staying = Object.fromEntries(Object.entries(parameters).filter(([name]) => !moving.includes(name)));
  const records = new Set([...recordsIn(parameters, root), publication.imageVersion]);
  const needed = [publication.imageVersion, ...channelVersions(staying, root)];
  return [...records]
    .filter((version) => !needed.includes(version))
    .sort(compareVersions)
    .slice(0, Math.max(0, records.size - publication.keepRecords))
    .map((version) => recordName(root, version));
}

function recordsIn(parameters: Record<string, ParameterView>, root: string): string[] {
  return Object.keys(parameters).filter((name) => name.startsWith(recordName(root, ''))).map(lastPart);
}

function channelVersions(parameters: Record<string, ParameterView>, root: string): string[] {
  return Object.entries(parameters)
    .filter(([name]) => name.startsWith(channelName(root, '')))
    .flatMap(([, { value }]) => versionOfPointer(value) ?? []);
}

function removal(names: string[]): Step[] {
  return names.length > 0 ? [{ type: 'remove', names }] : [];
}

function recordOf({ publication }: PublishRequest, version: VersionView, snapshots: SnapshotRecord[]): PublishedRecord {
  return {
    imageArn: publication.imageArn,
    version: publication.imageVersion,
    baseImage: [imageNameOf(version.baseImageArn), version.baseImageVersion].filter(Boolean).join(':'),
    codeDigest: codeDigest(version.codeArtifactUri),
    sourceRevision: publication.sourceRevision,
    builtAt: new Date(version.createdAt).toISOString(),
    snapshots,
  };
}

/** The revision may change without a build, and then the first one stays. */
function isOf(record: PublishedRecord, { publication }: PublishRequest, version: VersionView): boolean {
  return record.imageArn === publication.imageArn
    && record.version === publication.imageVersion
    && record.builtAt === new Date(version.createdAt).toISOString()
    && record.codeDigest === codeDigest(version.codeArtifactUri);
}

/** Assets are named after their content, the same in every account. */
function codeDigest(uri: string): string {
  return /([0-9a-f]{64})\.zip$/.exec(uri)?.[1] ?? createHash('sha256').update(uri).digest('hex');
}
