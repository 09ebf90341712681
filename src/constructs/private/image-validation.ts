import { Annotations, Stack, Token } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';
import { lit, ValidationError } from './cdk-internals';
import { Kind, KindOf, validateGivenKinds, validateKind } from './kinds';
import { UniqueNames } from './unique-names';
import { RESERVED_TAG_PREFIX } from '../../custom-resources/microvm-image/contract';

const MAX_ENVIRONMENT_VARIABLES = 50;
const MAX_ENVIRONMENT_KEY = 256;
const MAX_ENVIRONMENT_VALUE = 4096;
/** The service allows 50; the library keeps up to 8 for its own. */
const MAX_TAGS = 42;
const MAX_TAG_KEY = 128;
const MAX_TAG_VALUE = 256;
const TAG_CHARACTERS = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/** CloudFormation hands properties to a Lambda function, by way of a state machine that takes 256 KB in all. */
const MAX_PROPERTIES_BYTES = 64 * 1024;

const REGIONS = [
  'us-east-1', 'us-east-2', 'us-west-2', 'eu-west-1', 'eu-central-1', 'eu-north-1',
  'ap-northeast-1', 'ap-south-1', 'ap-southeast-1', 'ap-southeast-2',
];
const ADDITIONAL_REGIONS_CONTEXT = 'cdk-lambda-microvms:additionalRegions';

/** Names that Lambda reserves in functions. The service is only known to refuse `AWS_REGION`. */
const RESERVED_BY_FUNCTIONS = [
  '_HANDLER', '_X_AMZN_TRACE_ID', 'AWS_DEFAULT_REGION', 'AWS_EXECUTION_ENV', 'AWS_ACCESS_KEY', 'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'LAMBDA_TASK_ROOT', 'LAMBDA_RUNTIME_DIR',
];
const SECRET_WORD = /(^|_)(SECRET|PASSWORD|PASSWD|PASSPHRASE|TOKEN|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|CREDENTIALS?)(_|$)/i;
const NAMES_A_SECRET = /_(ARN|NAME|ID|PATH|FILE|URL|URI|COUNT|LIMIT|TTL|SECONDS)$/i;

export function validateImageName(scope: IConstruct, imageName: string) {
  if (!Token.isUnresolved(imageName) && !/^[a-zA-Z0-9-_]{1,64}$/.test(imageName)) {
    throw new ValidationError(
      lit`MicrovmImageName`,
      `imageName must be 1 to 64 letters, digits, '-' and '_', got '${imageName}'; leave it out to have one generated`,
      scope,
    );
  }
}

export function validateImageVersion(scope: IConstruct, imageVersion: string) {
  if (!Token.isUnresolved(imageVersion) && !/^\d+\.\d+$/.test(imageVersion)) {
    throw new ValidationError(lit`MicrovmImageVersion`, `imageVersion must have the form '3.0', got '${imageVersion}'`, scope);
  }
}

/**
 * The service takes more characters. CloudFormation's own resource type for images refuses others, parentheses for
 * example: with these an image can be moved to it later.
 */
export function validateDescription(scope: IConstruct, description: string) {
  if (Token.isUnresolved(description)) {
    return;
  }
  const refused = /[^a-zA-Z0-9 _.:/=+\-@]/.exec(description);
  if (refused) {
    throw new ValidationError(
      lit`MicrovmImageDescription`,
      `description must consist of letters, digits, spaces and _ . : / = + - @, got '${description}'; remove ${JSON.stringify(refused[0])}`,
      scope,
    );
  }
}

export function validateEnvironment(scope: IConstruct, environment: Record<string, string>) {
  const keys = Object.keys(environment);
  if (keys.length > MAX_ENVIRONMENT_VARIABLES) {
    throw new ValidationError(
      lit`MicrovmImageEnvironmentCount`,
      `environment must have at most ${MAX_ENVIRONMENT_VARIABLES} variables, got ${keys.length}; put configuration into a file of the code instead`,
      scope,
    );
  }
  for (const [key, value] of Object.entries(environment)) {
    if (!Token.isUnresolved(key)) {
      validateEnvironmentKey(scope, key);
    }
    if (!Token.isUnresolved(value) && typeof value !== 'string') {
      throw new ValidationError(
        lit`MicrovmImageEnvironmentText`,
        `environment variable '${key}' must be a string, got ${value}; give it a value or leave it out`,
        scope,
      );
    }
    if (!Token.isUnresolved(value) && value.length > MAX_ENVIRONMENT_VALUE) {
      throw new ValidationError(
        lit`MicrovmImageEnvironmentValue`,
        `environment variable '${key}' must have at most ${MAX_ENVIRONMENT_VALUE} characters, got ${value.length}; put it into a file of the code instead`,
        scope,
      );
    }
  }
}

function validateEnvironmentKey(scope: IConstruct, key: string) {
  if (key.length < 1 || key.length > MAX_ENVIRONMENT_KEY || /\s/.test(key)) {
    throw new ValidationError(
      lit`MicrovmImageEnvironmentKey`,
      `environment variable names must be 1 to ${MAX_ENVIRONMENT_KEY} characters without whitespace, got '${key}'`,
      scope,
    );
  }
  if (key === 'AWS_REGION') {
    throw new ValidationError(
      lit`MicrovmImageEnvironmentReserved`,
      "environment variable 'AWS_REGION' is set by the service, which refuses it; remove it",
      scope,
    );
  }
  if (RESERVED_BY_FUNCTIONS.includes(key) || key.startsWith('AWS_LAMBDA_')) {
    Annotations.of(scope).addWarningV2(
      'cdk-lambda-microvms:reservedEnvironment',
      `environment variable '${key}' is reserved by Lambda functions, and the service may set or refuse it; rename it`,
    );
  }
  if (SECRET_WORD.test(key) && !NAMES_A_SECRET.test(key)) {
    Annotations.of(scope).addWarningV2(
      'cdk-lambda-microvms:secretEnvironment',
      `environment variable '${key}' looks like a secret: its value is readable in the template and in every MicroVM; ` +
      'pass the ARN of a secret and read it with the execution role',
    );
  }
}

/**
 * What is wrong with the tags an image would get, including those added through `Tags.of()`.
 *
 * @param kept how many tags the library keeps beyond those that every image has
 */
export function tagProblems(tags: Record<string, string>, kept = 0): string[] {
  const problems: string[] = [];
  const entries = Object.entries(tags).filter(([key]) => !Token.isUnresolved(key));
  if (entries.length > MAX_TAGS - kept) {
    problems.push(`tags must be at most ${MAX_TAGS - kept}, got ${entries.length}; the service allows 50 and the library keeps ${50 - MAX_TAGS + kept} for itself`);
  }
  for (const [key, value] of entries) {
    if (key.startsWith(RESERVED_TAG_PREFIX) || key.toLowerCase().startsWith('aws:')) {
      problems.push(`tag key '${key}' must not start with '${RESERVED_TAG_PREFIX}' or 'aws:', which are reserved; rename it`);
    } else if (key.length < 1 || key.length > MAX_TAG_KEY || !TAG_CHARACTERS.test(key)) {
      problems.push(`tag key '${key}' must be 1 to ${MAX_TAG_KEY} letters, digits, spaces and _ . : / = + - @`);
    }
    if (!Token.isUnresolved(value) && typeof value !== 'string') {
      problems.push(`tag '${key}' must have a string as its value, got ${value}; give it one or leave the tag out`);
    } else if (!Token.isUnresolved(value) && (value.length > MAX_TAG_VALUE || !TAG_CHARACTERS.test(value))) {
      problems.push(`tag '${key}' must have a value of at most ${MAX_TAG_VALUE} letters, digits, spaces and _ . : / = + - @, got '${value}'`);
    }
  }
  return problems;
}

/** At once, where the user wrote them. Those of `Tags.of()` are only known at the end. */
export function validateTags(scope: IConstruct, tags: Record<string, string>) {
  const problems = tagProblems(tags);
  if (problems.length > 0) {
    throw new ValidationError(lit`MicrovmImageTags`, problems.join('; '), scope);
  }
}

/** Whether what an image hands to its handler is too much. */
export function sizeProblems(scope: IConstruct, properties: Record<string, unknown> = {}): string[] {
  const bytes = Buffer.byteLength(JSON.stringify(Stack.of(scope).resolve(properties)));
  return bytes <= MAX_PROPERTIES_BYTES ? [] : [
    `properties must be at most ${MAX_PROPERTIES_BYTES} bytes in all, got ${bytes}; put configuration into a file of the code instead of environment`,
  ];
}

const CODE: Kind = ['_bind', 'a MicrovmCode, such as MicrovmCode.fromAsset()'];
const KINDS: Record<string, Kind> = {
  memory: ['mebibytes', 'a MicrovmMemory, such as MicrovmMemory.MIB_2048 or MicrovmMemory.of()'],
  hooks: ['_properties', 'a MicrovmHooks, such as MicrovmHooks.onPort()'],
  baseImage: ['_settings', 'a MicrovmBaseImage, such as MicrovmBaseImage.AL2023_1'],
  egressConnector: KindOf.CONNECTOR,
  logging: ['_bind', 'a MicrovmLogging, such as MicrovmLogging.ownedLogGroup()'],
  engine: ['_createImage', 'a MicrovmImageEngine, such as MicrovmImageEngine.custom()'],
};

/** Of all props of an image, the code is the one it cannot do without. */
export function validateImageKinds(scope: IConstruct, props: { readonly code: unknown }) {
  validateKind(scope, 'code', props.code, CODE);
  validateGivenKinds(scope, props, KINDS);
}

export function validateOsCapabilities(scope: IConstruct, capabilities: string[], known: string[]) {
  const wrong = Token.isUnresolved(capabilities) ? undefined : capabilities.find(
    (capability, index) => !Token.isUnresolved(capability) && (!known.includes(capability) || capabilities.indexOf(capability) < index),
  );
  if (wrong !== undefined) {
    throw new ValidationError(
      lit`MicrovmImageOsCapabilities`,
      `additionalOsCapabilities must be ${known.join(', ')}, each at most once, got '${capabilities.join("', '")}'; remove '${wrong}'`,
      scope,
    );
  }
}

const IMAGE_NAMES = new UniqueNames();

/** CloudFormation would only tell when the second one is created, after the build of the first. */
export function validateUniqueImageName(scope: IConstruct, imageName: string) {
  const other = Token.isUnresolved(imageName) ? undefined : IMAGE_NAMES.take(imageName, Stack.of(scope), scope);
  if (other) {
    throw new ValidationError(
      lit`MicrovmImageNameTaken`,
      `imageName must be unique in the account and region, got '${imageName}', which '${other.node.path}' has; rename one, or leave it out`,
      scope,
    );
  }
}

/** The service is in few regions, and CloudFormation's own message about it says nothing. */
export function validateRegion(scope: IConstruct, region: string) {
  // On the command line a list is written with commas.
  const additional = [scope.node.tryGetContext(ADDITIONAL_REGIONS_CONTEXT) ?? []].flat().flatMap((value) => String(value).split(','));
  if (!Token.isUnresolved(region) && !REGIONS.includes(region) && !additional.includes(region)) {
    throw new ValidationError(
      lit`MicrovmImageRegion`,
      `region '${region}' is not known to have Lambda MicroVMs (known: ${REGIONS.join(', ')}); ` +
      `if it does, list it in the context value '${ADDITIONAL_REGIONS_CONTEXT}'`,
      scope,
    );
  }
}

export function validateLogGroupName(scope: IConstruct, logGroupName: string) {
  if (!Token.isUnresolved(logGroupName) && !/^[a-zA-Z0-9_\-/.#]{1,512}$/.test(logGroupName)) {
    throw new ValidationError(
      lit`MicrovmImageLogGroup`,
      `logGroup must have a name of 1 to 512 letters, digits and _ - / . #, got '${logGroupName}'`,
      scope,
    );
  }
}
