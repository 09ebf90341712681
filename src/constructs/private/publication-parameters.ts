import { ArnFormat, Fn, Stack, Stage, Token } from 'aws-cdk-lib';
import * as ssm from 'aws-cdk-lib/aws-ssm';
import { Construct, IConstruct } from 'constructs';
import { formatImageArn } from './arn';
import { lit, ValidationError } from './cdk-internals';
import { validateImageVersion } from './image-validation';
import { UniqueNames } from './unique-names';
import { channelName, ChannelPart, decodeRecord, RECORD_IMAGE_NAME, recordName } from '../../custom-resources/microvm-image-publication/contract';

/** Where the parameters of publications are, unless said otherwise. */
const DEFAULT_PREFIX = '/microvm-images';
const NAME = /^[a-zA-Z0-9_.-]{1,64}$/;
/** SSM allows 15 levels, and below the prefix are three. */
const PREFIX = /^(\/[a-zA-Z0-9_.-]{1,64}){1,12}$/;
/** What a look-up yields until the CDK CLI has made it. */
const NOT_LOOKED_UP = 'dummy-value-for-';

/** The path of everything of a publication. */
export function publicationRoot(scope: IConstruct, publicationName: string, prefix = DEFAULT_PREFIX): string {
  validateName(scope, 'publicationName', publicationName);
  if (!Token.isUnresolved(prefix) && (!PREFIX.test(prefix) || /^\/(aws|ssm)/i.test(prefix))) {
    throw new ValidationError(
      lit`MicrovmPublicationPrefix`,
      `parameterPrefix must be a path of up to 12 levels of letters, digits, '_', '.' and '-', such as '${DEFAULT_PREFIX}', that does not begin with '/aws' or '/ssm', got '${prefix}'`,
      scope,
    );
  }
  return `${prefix}/${publicationName}`;
}

export function validateName(scope: IConstruct, prop: string, name: string) {
  if (typeof name !== 'string' || !Token.isUnresolved(name) && !NAME.test(name)) {
    throw new ValidationError(lit`MicrovmPublicationName`, `${prop} must be 1 to 64 letters, digits, '_', '.' and '-', got '${name}'`, scope);
  }
}

/** A name with a token in it. */
function validateLiteral(scope: IConstruct, parameterName: string) {
  if (Token.isUnresolved(parameterName)) {
    throw new ValidationError(
      lit`MicrovmPublicationToken`,
      'publicationName, parameterPrefix, channel and version must be known while synthesizing, but hold a value that only this deployment knows: ' +
      'CloudFormation reads the parameter before anything else; write it out',
      scope,
    );
  }
}

/** Who writes a parameter, by stage: what is of one stage is deployed together. */
const WRITERS = new UniqueNames();

/** A name has one publisher. The deployment of the second would tell, once its image is built. */
export function claimPublication(scope: IConstruct, root: string) {
  const other = otherWriter(scope, root);
  if (other) {
    throw new ValidationError(
      lit`MicrovmPublicationNameTaken`,
      `publicationName must be unique in the account and region, got '${root}', which '${other.node.path}' has; name one of them anew`,
      scope,
    );
  }
}

/** Two that move a channel undo each other, and no deployment would tell. */
export function claimChannel(scope: IConstruct, root: string, channel: string) {
  const other = otherWriter(scope, channelName(root, channel));
  if (other) {
    throw new ValidationError(
      lit`MicrovmPublicationChannelTaken`,
      `channel '${channel}' of '${root}' must be moved by one construct, but '${other.node.path}' moves it too; keep one of them`,
      scope,
    );
  }
}

/** Makes `scope` the writer of a parameter, unless there is one. */
function otherWriter(scope: IConstruct, name: string): IConstruct | undefined {
  const stack = Stack.of(scope);
  const stage = Stage.of(scope);
  if (stage === undefined || Token.isUnresolved(name)) {
    return undefined;
  }
  // Where a stack without an environment goes is not known: next to another one, or not.
  const place = [stack.account, stack.region].some((part) => Token.isUnresolved(part)) ? stack.node.path : stack.environment;
  return WRITERS.take(`${place} ${name}`, stage, scope);
}

/** The ARN of a parameter, or of a pattern of such. */
export function formatParameterArn(scope: IConstruct, name: string): string {
  // Its own slash is the one in front of the name.
  return Stack.of(scope).formatArn({ service: 'ssm', resource: `parameter${name}`, arnFormat: ArnFormat.NO_RESOURCE_NAME });
}

interface PublishedAttributes {
  readonly publicationName: string;
  readonly channel?: string;
  readonly version?: string;
  readonly pinAtSynth?: boolean;
  readonly parameterPrefix?: string;
}

interface PublishedVersion {
  readonly imageArn: string;
  readonly imageVersion: string;
}

/** What is meant by these attributes, which a user wrote. */
export function publishedVersion(scope: Construct, attrs: PublishedAttributes): PublishedVersion {
  const { publicationName, channel, version, pinAtSynth, parameterPrefix } = attrs;
  const root = publicationRoot(scope, publicationName, parameterPrefix);
  if ((channel === undefined) === (version === undefined)) {
    throw new ValidationError(
      lit`MicrovmPublicationChannelOrVersion`,
      `either channel or version must be given, got ${channel === undefined ? 'neither' : `both, '${channel}' and '${version}'`}`,
      scope,
    );
  }
  if (channel !== undefined) {
    validateName(scope, 'channel', channel);
    return (pinAtSynth ? channelNow : channelAtDeployment)(scope, root, channel);
  }
  validateImageVersion(scope, version!);
  return (pinAtSynth ? recordNow : recordAtDeployment)(scope, root, version!);
}

/** What a channel names when a stack is deployed. */
function channelAtDeployment(scope: Construct, root: string, channel: string): PublishedVersion {
  validateLiteral(scope, channelName(root, channel));
  const list = ssm.StringListParameter.valueForTypedListParameter(scope, channelName(root, channel));
  return { imageArn: Fn.select(ChannelPart.IMAGE_ARN, list), imageVersion: Fn.select(ChannelPart.VERSION, list) };
}

/** What the record of a version says when a stack is deployed. CloudFormation cannot read JSON, but it can split a text. The account and region are the same. */
export function recordAtDeployment(scope: Construct, root: string, version: string): PublishedVersion {
  validateLiteral(scope, recordName(root, version));
  const parts = Fn.split('/', ssm.StringParameter.valueForStringParameter(scope, recordName(root, version)));
  return { imageArn: formatImageArn(scope, Fn.select(RECORD_IMAGE_NAME, parts)), imageVersion: version };
}

/** What a channel names now. It is kept in `cdk.context.json` until somebody takes it out. */
function channelNow(scope: Construct, root: string, channel: string): PublishedVersion {
  return lookUp(scope, channelName(root, channel), (value) => {
    const parts = value.split(',');
    return parts.length > ChannelPart.VERSION ? { imageArn: parts[ChannelPart.IMAGE_ARN], imageVersion: parts[ChannelPart.VERSION] } : undefined;
  });
}

/** What the record of a version says now. */
function recordNow(scope: Construct, root: string, version: string): PublishedVersion {
  return lookUp(scope, recordName(root, version), (value) => {
    const record = decodeRecord(value);
    return record && { imageArn: record.imageArn, imageVersion: record.version };
  });
}

function lookUp(scope: Construct, name: string, read: (value: string) => PublishedVersion | undefined): PublishedVersion {
  validateLiteral(scope, name);
  const value = ssm.StringParameter.valueFromLookup(scope, name);
  if (value.startsWith(NOT_LOOKED_UP)) {
    return { imageArn: formatImageArn(scope, 'not-looked-up-yet'), imageVersion: '0.0' };
  }
  const found = read(value);
  if (found === undefined) {
    throw new ValidationError(
      lit`MicrovmPublicationLookup`,
      `parameter '${name}' must have been written by a MicrovmImagePublication, got '${value}'; correct the name, or take it out of cdk.context.json to look again`,
      scope,
    );
  }
  return found;
}
