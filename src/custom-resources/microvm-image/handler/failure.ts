import { buildHint, stageSentence } from './build-hint';
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
  readonly artifactUri: string;
  readonly buildRoleArn: string;
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
/** Room for the end of the log, however long the name of its group is. */
const MIN_LOG_BYTES = 100;

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
    clean(stageSentence(failed, failure)),
  ].filter(Boolean).join(' ');
  const advice = `Hint: ${clean(buildHint(failed, failure))}.`;
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

function logs(failure: BuildFailure, lines: string | undefined, room: number): string {
  if (failure.logGroup === undefined) {
    return 'Logging is disabled.';
  }
  const logGroup = `Log group ${cut(failure.logGroup, room - MIN_LOG_BYTES, 'end')}`;
  if (lines === undefined) {
    return `${logGroup} could not be read.`;
  }
  if (lines === '') {
    return `${logGroup} has no line of this build.`;
  }
  const intro = `${logGroup} ends: `;
  return `${intro}${cut(lines, Math.min(MAX_LOG_BYTES, room - Buffer.byteLength(intro) - 1), 'end')}.`;
}
