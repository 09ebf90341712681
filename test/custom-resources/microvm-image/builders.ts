import { ImageProperties, RunningMicrovms, Tag } from '../../../src/custom-resources/microvm-image/contract';
import { configDigest, desiredConfig, ImageConfig } from '../../../src/custom-resources/microvm-image/handler/config';
import { Limit, Observation } from '../../../src/custom-resources/microvm-image/handler/decision';
import { hashToken, writeAttempt, writeEntry } from '../../../src/custom-resources/microvm-image/handler/ledger';
import { CloudFormationEvent, decodeRequest, DeleteRequest, EnsureRequest } from '../../../src/custom-resources/microvm-image/handler/request';
import { BuildView, ImageView, VersionView } from '../../../src/custom-resources/microvm-image/handler/service-port';

export const ACCEPTED_AT = Date.parse('2026-08-01T10:00:00.000Z');
export const MINUTE = 60_000;
export const STACK_ID = 'arn:aws:cloudformation:eu-west-1:111122223333:stack/shop/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0';
export const IMAGE_ARN = 'arn:aws:lambda:eu-west-1:111122223333:microvm-image:shop-app';
export const REQUEST_ID = '7a6b5c4d-0000-4000-8000-000000000002';
/** The request before this one. */
export const EARLIER_REQUEST_ID = '7a6b5c4d-0000-4000-8000-000000000001';
export const FOREIGN_OWNER = 'f'.repeat(32);

export function imageProperties(overrides: Partial<ImageProperties> = {}): ImageProperties {
  return {
    imageName: 'shop-app',
    description: 'the shop',
    baseImageArn: 'arn:aws:lambda:eu-west-1:aws:microvm-image:al2023-1',
    baseImageVersion: '1',
    baseImageRefreshToken: undefined,
    buildRoleArn: 'arn:aws:iam::111122223333:role/shop-build',
    codeArtifactUri: 's3://assets-111122223333-eu-west-1/0a1b2c.zip',
    minimumMemoryInMiB: 2048,
    egressNetworkConnectors: ['arn:aws:lambda:eu-west-1:aws:network-connector:aws-network-connector:INTERNET_EGRESS'],
    additionalOsCapabilities: [],
    environmentVariables: { STAGE: 'production' },
    hooks: { port: 8080, readySeconds: 300, runSeconds: 10 },
    logging: { disabled: false, logGroup: '/aws/lambda-microvms/shop-app' },
    tags: {},
    runningMicrovms: RunningMicrovms.FAIL,
    ...overrides,
  };
}

export function imageConfig(overrides: Partial<ImageConfig> = {}): ImageConfig {
  return { ...desiredConfig(imageProperties()), ...overrides };
}

export function cloudFormationEvent(overrides: Partial<CloudFormationEvent> = {}): CloudFormationEvent {
  return {
    RequestType: 'Create',
    RequestId: REQUEST_ID,
    StackId: STACK_ID,
    LogicalResourceId: 'AppImage1234ABCD',
    ResourceProperties: {},
    AcceptedAt: new Date(ACCEPTED_AT).toISOString(),
    ...overrides,
  };
}

const IDENTITY = decodeRequest(cloudFormationEvent({ RequestType: 'Delete', PhysicalResourceId: IMAGE_ARN }), ACCEPTED_AT) as DeleteRequest;

/** An Update, unless told otherwise. */
export function ensureRequest(overrides: Partial<Omit<EnsureRequest, 'desired'>> & { desired?: Partial<ImageProperties> } = {}): EnsureRequest {
  const { runningMicrovms: _, retainOnFailure: __, ...identity } = IDENTITY;
  return {
    ...identity,
    kind: 'ensure',
    isCreate: false,
    isNew: false,
    removedTags: [],
    buildRoleMayLag: false,
    stamp: stampOf(overrides.requestId ?? REQUEST_ID, overrides.acceptedAt ?? ACCEPTED_AT),
    ...overrides,
    desired: imageProperties(overrides.desired),
  };
}

export function deleteRequest(overrides: Partial<DeleteRequest> = {}): DeleteRequest {
  return { ...IDENTITY, ...overrides };
}

export function stampOf(requestId: string, acceptedAt: number): string {
  return `${new Date(acceptedAt).toISOString()}/${requestId}`;
}

/** The tags of an image this resource owns, before the ledger says anything. */
export function ownTags(more: Record<string, string> = {}): Record<string, string> {
  return { [Tag.OWNER]: IDENTITY.owner, [Tag.STACK]: IDENTITY.stack, [Tag.STACK_NAME]: IDENTITY.stackName, ...more };
}

export function servedTag(version: string, digest: string, token?: string): Record<string, string> {
  return { [Tag.SERVED]: writeEntry({ version, digest, tokenHash: hashToken(token), baseVersion: '1' }) };
}

export function previousTag(version: string, digest: string, token?: string): Record<string, string> {
  return { [Tag.PREVIOUS]: writeEntry({ version, digest, tokenHash: hashToken(token), baseVersion: '1' }) };
}

/** The tags a request leaves when it claims an image. */
export function claimTags(requestId: string, since: string, token?: string, acceptedAt = ACCEPTED_AT): Record<string, string> {
  return {
    [Tag.REQUEST]: stampOf(requestId, acceptedAt),
    [Tag.ATTEMPT]: writeAttempt({ requestId, since, tokenHash: hashToken(token) }),
  };
}

export function imageView(overrides: Partial<ImageView> = {}): ImageView {
  return { state: 'UPDATED', tags: ownTags(), updatedAt: ACCEPTED_AT - 60 * MINUTE, ...overrides };
}

export function versionView(version: string, overrides: Partial<Omit<VersionView, 'config'>> & { config?: Partial<ImageConfig> } = {}): VersionView {
  const { config, ...rest } = overrides;
  const state = rest.state ?? 'SUCCESSFUL';
  return { version, state, status: state === 'SUCCESSFUL' ? 'ACTIVE' : 'INACTIVE', createdAt: ACCEPTED_AT - 60 * MINUTE, ...rest, config: imageConfig(config) };
}

/** One version is built twice, once for each chip. */
export function twoBuilds(state: string, reason?: string): BuildView[] {
  return ['3', '4'].map((generation) => ({ buildId: `build-${generation}`, state, chip: `Graviton ${generation}`, reason }));
}

export function observation(overrides: Partial<Observation> = {}): Observation {
  return { versions: [], builds: [], ...overrides };
}

/** The moment from which a request must end whatever it sees. */
export const AT_DEADLINE = ACCEPTED_AT + Limit.DEADLINE;

export const DIGEST = configDigest(imageConfig());
/** What makes a configuration that the template asked for before, and does not ask for now. */
export const OLD = { description: 'before' };
export const OLD_DIGEST = configDigest(imageConfig(OLD));

/** The tags of an image that an earlier deployment built. */
export function deployedTags(more: Record<string, string> = {}): Record<string, string> {
  return ownTags({ ...claimTags(EARLIER_REQUEST_ID, '0.0', undefined, ACCEPTED_AT - 60 * MINUTE), ...more });
}
