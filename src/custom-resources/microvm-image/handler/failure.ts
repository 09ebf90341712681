import { BuildView, SnapshotSizes } from './service-port';
import { cut, MAX_BYTES, redact } from '../../common/handler/failure-text';

export { describeFailure, redact } from '../../common/handler/failure-text';

/** How far a failed build got. */
export type BuildStage = 'container' | 'hook' | 'unknown';

/** Nothing was installed: the container build broke. Installed but not snapshotted: a hook did not answer. */
export function stageReached(sizes: SnapshotSizes): BuildStage {
  if (sizes.codeBytes === undefined) {
    return 'container';
  }
  return sizes.memoryBytes ? 'unknown' : 'hook';
}

/** What is known about a build that failed. */
export interface BuildFailure {
  readonly imageName: string;
  readonly version: string;
  readonly builds: Array<BuildView & { readonly stage: BuildStage }>;
  /** Undefined when logging is disabled. */
  readonly logGroup?: string;
  /** Undefined when they could not be read. */
  readonly logLines?: string[];
  /** Values that must not appear in an error: those of environment variables. */
  readonly secrets: string[];
  readonly hookPort?: number;
  /** The group disappears with the stack when the first deployment fails. */
  readonly isCreate: boolean;
}

const MAX_REASON_BYTES = 450;
const MAX_LOG_BYTES = 600;
/** Reasons that tell more than the stage does: whoever reads them need not look into the artifact. */
const ROLE_NOT_ASSUMED = /unable to assume/i;
const FAULT_OF_THE_SERVICE = /internal(?! server error)/i;

/** Why a build failed, and nothing else. */
export interface BuildReasons {
  readonly reason: string;
  readonly stage: BuildStage;
}

export function buildReasons(failure: Pick<BuildFailure, 'builds' | 'secrets'>): BuildReasons {
  const failed = failedBuilds(failure);
  const [first, ...others] = [...new Set(failed.map((build) => build.stage))];
  return { reason: cut(reasons(failed), MAX_REASON_BYTES), stage: first === undefined || others.length > 0 ? 'unknown' : first };
}

/** Why a build failed, where to look, what to do: one line. */
export function describeBuildFailure(failure: BuildFailure): string {
  const clean = (text: string) => redact(text, failure.secrets);
  const failed = failedBuilds(failure);
  const head = [
    `MicroVM image '${failure.imageName}' version ${failure.version} failed to build: ${cut(reasons(failed), MAX_REASON_BYTES)}.`,
    stage(failed),
  ].filter(Boolean).join(' ');
  const advice = `Hint: ${buildHint(failed, failure)}.`;
  const room = MAX_BYTES - Buffer.byteLength(`${head}  ${advice}`);
  return `${head} ${logs(failure, failure.logLines && clean(failure.logLines.join(' | ')), room)} ${advice}`;
}

function failedBuilds({ builds, secrets }: Pick<BuildFailure, 'builds' | 'secrets'>): BuildFailure['builds'] {
  return builds.filter((build) => build.state === 'FAILED').map((build) => ({ ...build, reason: redact(build.reason ?? '', secrets) }));
}

/** Each version is built once per Graviton generation; when both say the same it is said once. */
function reasons(failed: BuildView[]): string {
  const chips = new Map<string, string[]>();
  for (const build of failed) {
    const reason = build.reason?.replace(/\.$/, '') || 'the service gave no reason';
    chips.set(reason, [...(chips.get(reason) ?? []), build.chip]);
  }
  const each = MAX_REASON_BYTES / Math.max(1, chips.size) - 40;
  return [...chips].map(([reason, names]) => `${cut(reason, each)} (${names.sort().join(', ')})`).join('; ') || 'the service gave no reason';
}

function stage(failed: Array<BuildView & { readonly stage: BuildStage }>): string {
  const stages = new Set(failed.map((build) => build.stage));
  const isElsewhere = failed.some(({ reason = '' }) => ROLE_NOT_ASSUMED.test(reason) || FAULT_OF_THE_SERVICE.test(reason));
  if (stages.size !== 1 || stages.has('unknown') || isElsewhere) {
    return '';
  }
  return stages.has('container')
    ? 'It failed before a snapshot: in the artifact or the Dockerfile.'
    : 'The container was built; its hook failed.';
}

function logs(failure: BuildFailure, lines: string | undefined, room: number): string {
  if (failure.logGroup === undefined) {
    return 'Logging is disabled.';
  }
  if (lines === undefined) {
    return `Log group ${failure.logGroup} could not be read.`;
  }
  if (lines === '') {
    return `Log group ${failure.logGroup} has no line of this build.`;
  }
  const intro = `Log group ${failure.logGroup} ends: `;
  return `${intro}${cut(lines, Math.min(MAX_LOG_BYTES, room - Buffer.byteLength(intro) - 1), 'end')}.`;
}

function buildHint(failed: Array<BuildView & { readonly stage: BuildStage }>, failure: BuildFailure): string {
  const text = failed.map((build) => build.reason).join(' ');
  const port = failure.hookPort === undefined ? 'the hook port' : `port ${failure.hookPort}`;
  const lost = failure.isCreate && failure.logGroup !== undefined
    ? '; the log group is removed when a first deployment rolls back, deploy with --no-rollback to keep it' : '';
  if (/S3_ACCESS_DENIED/.test(text)) {
    return "the build role cannot read the artifact: it needs s3:GetObject on the object, kms:Decrypt on the bucket's key, and a trust policy the service satisfies (try sourceAccountCondition: false)";
  }
  if (/S3_CROSS_REGION/.test(text)) {
    return "the artifact's bucket must be in the image's region";
  }
  if (/S3_/.test(text)) {
    return 'the artifact is not in S3 any more, or not readable as it is stored: deploy again to upload it, and check the lifecycle rules of the bucket';
  }
  if (/ARCHIVE_/.test(text)) {
    return 'the artifact must be a zip with a file named Dockerfile at its root';
  }
  if (/DISK_STORAGE_FULL/.test(text)) {
    return 'the build disk is 8, 8, 8, 16 or 32 GB by memory size: choose a larger memory or make the image smaller';
  }
  if (ROLE_NOT_ASSUMED.test(text)) {
    return 'the build role must trust lambda.amazonaws.com; if its trust policy has an aws:SourceAccount condition, try sourceAccountCondition: false';
  }
  const silent = /(ready|validate) hook.*timed out/i.exec(text)?.[1].toLowerCase();
  if (silent) {
    return `nothing answered 200 to POST /aws/lambda-microvms/runtime/v1/${silent} on ${port} in time: check the port and raise the ${silent} timeout (up to 3600 s)${lost}`;
  }
  if (/hook/i.test(text)) {
    return `the hook must answer 200 on ${port}, or 503 while it is not ready; any other status ends the build${lost}`;
  }
  // A build that broke before its snapshot is the Dockerfile's fault unless its reason says otherwise.
  const isContainer = /CONTAINER_BUILD_FAILED|container image build failed/i.test(text);
  if (FAULT_OF_THE_SERVICE.test(text) && !isContainer) {
    return 'a fault of the service, or a network mount opened during the build: deploy again';
  }
  if (isContainer || failed.some((build) => build.stage === 'container')) {
    return `build the Dockerfile for linux/arm64 locally to see the same error${silence(failure)}${lost}`;
  }
  return failure.logGroup === undefined ? 'turn logging on and deploy again' : `read the log group${lost}`;
}

/** A group without a line has a reason of its own. */
function silence(failure: BuildFailure): string {
  return failure.logGroup !== undefined && failure.logLines?.length === 0
    ? '; without log lines the build role may lack logs:PutLogEvents on the log group, or the build has no way out to a registry' : '';
}
