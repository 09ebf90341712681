import { Arns } from './arns';
import { boolean, enforce, integer, list, map, string, struct, union, unit } from './constraints';
import { ManagedImages } from './managed-images';
import { validationError } from './service-error';

const NON_BLANK = { min: 1, max: 2048, pattern: '[^\\s]+' };
const ROLE_ARN = string({ min: 20, max: 2048, pattern: 'arn:aws[a-z\\-]*:iam::[0-9]{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+' });
const TAG_TEXT = '([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)';
const TAG_KEY = string({ min: 1, max: 128, pattern: TAG_TEXT });
const CLIENT_TOKEN = string({ min: 1, max: 128 });
const HOOK_STATE = string({ values: ['DISABLED', 'ENABLED'] });
const CONNECTOR = string({ min: 1, max: 2048 });
const PORT = integer({ min: 1, max: 65535 });
const IMAGE_IDENTIFIER = string({ min: 1, max: 256 });

const TAGS = map(TAG_KEY, string({ min: 0, max: 256, pattern: TAG_TEXT }));

const LOGGING = union({
  disabled: unit,
  cloudWatch: struct({
    logGroup: string({ min: 1, max: 512, pattern: '[a-zA-Z0-9_\\-/.#]+' }),
    logStream: string({ min: 1, max: 512, pattern: '[^:*]*' }),
  }),
});

function hooks(names: readonly string[], max: number) {
  return struct(Object.fromEntries(names.flatMap((name) => [[name, HOOK_STATE], [`${name}TimeoutInSeconds`, integer({ min: 1, max })]])));
}

export const RUNTIME_HOOKS = ['run', 'resume', 'suspend', 'terminate'] as const;
export const BUILD_HOOKS = ['ready', 'validate'] as const;
export const MEMORY_SIZES = [512, 1024, 2048, 4096, 8192];

const IMAGE_CONFIG = {
  'baseImageArn*': string(NON_BLANK),
  'buildRoleArn*': ROLE_ARN,
  'codeArtifact*': union({ uri: string(NON_BLANK) }),
  'baseImageVersion': string(NON_BLANK),
  'description': string(),
  'logging': LOGGING,
  'egressNetworkConnectors': list(CONNECTOR, { max: 1 }),
  'cpuConfigurations': list(struct({ 'architecture*': string({ values: ['ARM_64'] }) })),
  'resources': list(struct({ 'minimumMemoryInMiB*': integer() }), { max: 1 }),
  'additionalOsCapabilities': list(string({ values: ['ALL'] })),
  'hooks': struct({ port: PORT, microvmHooks: hooks(RUNTIME_HOOKS, 60), microvmImageHooks: hooks(BUILD_HOOKS, 3600) }),
  'environmentVariables': map(
    string({ min: 1, max: 256, pattern: '[^\\s]+' }), string({ min: 0, max: 4096, sensitive: true }), { max: 50 }),
  'clientToken': CLIENT_TOKEN,
};

const SHAPES = {
  CreateMicrovmImage: struct({ ...IMAGE_CONFIG, 'name*': string({ min: 1, max: 64, pattern: '[a-zA-Z0-9-_]+' }), 'tags': TAGS }),
  UpdateMicrovmImage: struct(IMAGE_CONFIG),
  UpdateMicrovmImageVersion: struct({ 'status*': string({ values: ['ACTIVE', 'INACTIVE'] }) }),
  RunMicrovm: struct({
    'imageIdentifier*': IMAGE_IDENTIFIER,
    'imageVersion': string(NON_BLANK),
    'executionRoleArn': ROLE_ARN,
    'idlePolicy': struct({ 'maxIdleDurationSeconds*': integer({ min: 60 }), 'suspendedDurationSeconds*': integer({ min: 0 }), 'autoResumeEnabled*': boolean }),
    'logging': LOGGING,
    'runHookPayload': string({ min: 0, max: 4096, sensitive: true }),
    'maximumDurationInSeconds': integer({ min: 1, max: 28800 }),
    'ingressNetworkConnectors': list(CONNECTOR, { max: 10 }),
    'egressNetworkConnectors': list(CONNECTOR, { max: 10 }),
    'clientToken': CLIENT_TOKEN,
  }),
  CreateMicrovmAuthToken: struct({
    'expirationInMinutes*': integer({ min: 1 }),
    'allowedPorts*': list(union({ port: PORT, range: struct({ 'startPort*': PORT, 'endPort*': PORT }), allPorts: unit }), { min: 1 }),
  }),
  CreateMicrovmShellAuthToken: struct({ 'expirationInMinutes*': integer({ min: 1 }) }),
  TagResource: struct({ 'Tags*': TAGS }),
  UntagResource: struct({ 'tagKeys*': list(TAG_KEY) }),
  Page: struct({ maxResults: integer({ min: 1, max: 50 }) }),
};

/** The constraints of the service model (3.2), with the service's wording. */
export function checkShape(shape: keyof typeof SHAPES, input: unknown): void {
  enforce(SHAPES[shape], input);
}

/** The refusals of 4.1 that need more than one field or the service's own knowledge. */
export function checkImageConfig(input: Record<string, any>, arns: Arns, managed: ManagedImages): void {
  if (!/^s3:\/\/[^/]+\/.+$/.test(input.codeArtifact.uri)) {
    throw validationError('CodeArtifact URI must be a valid S3 URI in the format: s3://<bucket>/<key>');
  }
  managed.resolve(input.baseImageArn, input.baseImageVersion);
  for (const { minimumMemoryInMiB } of input.resources ?? []) {
    if (!MEMORY_SIZES.includes(minimumMemoryInMiB)) {
      throw validationError(`The requested memory size of ${minimumMemoryInMiB} MiB is not supported by base MicroVM image ${input.baseImageArn}. `
        + `Supported memory sizes in MiB are: [${MEMORY_SIZES.join(', ')}].`);
    }
  }
  checkHooks(input.hooks ?? {});
  if ('AWS_REGION' in (input.environmentVariables ?? {})) {
    throw validationError("Environment variable key 'AWS_REGION' is reserved");
  }
  (input.egressNetworkConnectors ?? []).forEach((arn: string) => arns.checkConnector(arn, 'egress'));
}

function checkHooks(input: Record<string, any>): void {
  const enabled = (group: Record<string, any> | undefined, names: readonly string[]) => names.some((name) => group?.[name] === 'ENABLED');
  const runtime = enabled(input.microvmHooks, RUNTIME_HOOKS);
  const any = runtime || enabled(input.microvmImageHooks, BUILD_HOOKS);
  if (runtime && input.microvmImageHooks?.ready !== 'ENABLED') {
    throw validationError('The ready (/ready) MicroVM image hook must be enabled when any MicroVM lifecycle hook '
      + '(run, resume, suspend, or terminate) is enabled. Enable the ready hook and try again.');
  }
  const port = input.port ?? undefined;
  if (any && port === undefined) {
    throw validationError('The hooks port must be specified when any hook is enabled.');
  }
  if (!any && port !== undefined) {
    throw validationError('The hooks port must not be specified when no hook is enabled.');
  }
}

export function checkTagCount(tags: Record<string, string>): void {
  if (Object.keys(tags).length > 50) {
    throw validationError('The number of tags exceeds the limit of 50');
  }
  if (Object.keys(tags).some((key) => key.toLowerCase().startsWith('aws:'))) {
    throw validationError('Tag keys must not start with aws:');
  }
}
