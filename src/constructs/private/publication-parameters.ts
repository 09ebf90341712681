import { ArnFormat, Fn, Stack, Token } from 'aws-cdk-lib';
import * as ssm from 'aws-cdk-lib/aws-ssm';
import { Construct, IConstruct } from 'constructs';
import { formatImageArn } from './arn';
import { lit, ValidationError } from './cdk-internals';
import { validateImageVersion } from './image-validation';
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
  if (!Token.isUnresolved(name) && !NAME.test(name)) {
    throw new ValidationError(lit`MicrovmPublicationName`, `${prop} must be 1 to 64 letters, digits, '_', '.' and '-', got '${name}'`, scope);
  }
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
  const list = ssm.StringListParameter.valueForTypedListParameter(scope, channelName(root, channel));
  return { imageArn: Fn.select(ChannelPart.IMAGE_ARN, list), imageVersion: Fn.select(ChannelPart.VERSION, list) };
}

/** What the record of a version says when a stack is deployed. CloudFormation cannot read JSON, but it can split a text. The account and region are the same. */
export function recordAtDeployment(scope: Construct, root: string, version: string): PublishedVersion {
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
