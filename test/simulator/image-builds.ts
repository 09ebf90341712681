import { randomUUID } from 'node:crypto';
import { ArtifactSource, BuildProblem, openArchive } from './artifact';
import { BuildLogs } from './build-logs';
import { BuildFailure, BuildFailureKind } from './build-plan';
import { BuildRoles } from './build-roles';
import { Context } from './context';
import { buildContainer } from './dockerfile';
import { Build, Image, ImageVersion, SnapshotBuild } from './image';

/** The documented code of a failure, where it has one (13). */
const CODES: Partial<Record<BuildFailureKind, string>> = {
  's3-access-denied': 'S3_ACCESS_DENIED',
  's3-no-such-key': 'S3_NO_SUCH_KEY',
  's3-no-such-bucket': 'S3_NO_SUCH_BUCKET',
  's3-invalid-object': 'S3_INVALID_OBJECT',
  's3-cross-region': 'S3_CROSS_REGION_ACCESS_DENIED',
  'archive-invalid': 'ARCHIVE_INVALID',
  'dockerfile-not-found': 'ARCHIVE_DOCKERFILE_NOT_FOUND',
  'disk-full': 'DISK_STORAGE_FULL',
  'platform-error': 'INTERNAL_PLATFORM_ERROR',
};

/** Texts of failures that come without a cause of their own. */
const PLAIN_TEXTS: Partial<Record<BuildFailureKind, string>> = {
  's3-access-denied': 'Access to the code artifact was denied.',
  's3-no-such-key': 'The specified key does not exist.',
  's3-no-such-bucket': 'The specified bucket does not exist.',
  's3-invalid-object': 'The storage class of the code artifact is not supported.',
  's3-cross-region': 'The code artifact is in another region.',
  'archive-invalid': 'The code artifact is not a valid zip archive.',
  'dockerfile-not-found': 'The code artifact has no file named Dockerfile at its root.',
  'disk-full': 'The build ran out of disk storage.',
  'platform-error': 'Internal service error',
};

interface Outcome {
  readonly failure?: { readonly kind: BuildFailureKind; readonly reason: string | null; readonly generation?: '3' | '4' };
  readonly dockerLines: readonly string[];
}

/** Runs the two builds of a version (4.7, 13): artifact, Dockerfile, hooks, snapshot. */
export class ImageBuilds {
  private readonly outcomes = new WeakMap<ImageVersion, Outcome>();

  constructor(
    private readonly context: Context,
    private readonly roles: BuildRoles,
    private readonly artifacts: ArtifactSource,
    private readonly logs: BuildLogs,
  ) {
  }

  /** The service assumes the build role and fetches the artifact. */
  public async begin(version: ImageVersion): Promise<void> {
    version.state = 'IN_PROGRESS';
    version.updatedAt = this.context.clock.now();
    version.builds.forEach((build) => { build.buildState = 'IN_PROGRESS'; });
    this.outcomes.set(version, await this.work(version));
  }

  /** Settles the version and its builds; true when the version is usable. */
  public async finish(image: Image, version: ImageVersion): Promise<boolean> {
    const outcome = this.outcomes.get(version) ?? { failure: { kind: 'platform-error', reason: this.text('platform-error') }, dockerLines: [] };
    const { failure } = outcome;
    const strikes = (build: Build) => failure?.generation === undefined || failure.generation === build.chipsetGeneration;
    version.builds.forEach((build) => this.settle(build, strikes(build) ? failure : undefined));
    version.state = failure ? 'FAILED' : 'SUCCESSFUL';
    version.updatedAt = this.context.clock.now();
    if (failure) {
      version.stateReason = this.context.readings.reasonOnVersion ? failure.reason : null;
    } else {
      image.activate(version);
    }
    await this.writeLogs(image, version, outcome);
    return !failure;
  }

  private async work(version: ImageVersion): Promise<Outcome> {
    const { config, plan } = version;
    const dockerLines = plan.logLines ?? [];
    if (plan.failure && !isHookFailure(plan.failure.kind)) {
      return { dockerLines, failure: this.planned(plan.failure, version) };
    }
    try {
      const { uri } = config.codeArtifact;
      if (!this.roles.may(config.buildRoleArn, 's3:GetObject', uri)) {
        throw new BuildProblem('s3-access-denied', `${config.buildRoleArn} is not authorized to perform s3:GetObject on ${uri}`);
      }
      const printed = buildContainer(openArchive(await this.artifacts.fetch(uri)));
      return { dockerLines: plan.logLines ?? printed, failure: plan.failure && this.planned(plan.failure, version) };
    } catch (error) {
      if (!(error instanceof BuildProblem)) {
        throw error;
      }
      return { dockerLines: plan.logLines ?? error.logLines, failure: { kind: error.kind, reason: this.text(error.kind, version, error.detail) } };
    }
  }

  private planned(failure: BuildFailure, version: ImageVersion) {
    const reason = failure.reason === undefined ? this.text(failure.kind, version) : failure.reason;
    return { kind: failure.kind, generation: failure.generation, reason };
  }

  /** The text on the build: prose for container and hooks, code and cause for the rest (8.2, 13). */
  private text(kind: BuildFailureKind, version?: ImageVersion, detail?: string): string {
    const hook = kind.startsWith('ready') ? 'Ready' : 'Validate';
    if (kind === 'container') {
      return 'The container image build failed.';
    }
    if (kind.endsWith('-timeout')) {
      const seconds = version?.config.hooks?.microvmImageHooks?.[`${hook.toLowerCase()}TimeoutInSeconds`] ?? 30;
      return `${hook} hook invocation timed out after ${isoDuration(seconds)}`;
    }
    if (kind.endsWith('-client-error')) {
      return `${hook} hook check failed: the application returned a client error (HTTP 4xx) response`;
    }
    if (kind.endsWith('-server-error')) {
      return `${hook} hook check failed: the application returned a server error (HTTP 5xx) response`;
    }
    const prose = detail ?? PLAIN_TEXTS[kind] ?? kind;
    return this.context.readings.proseReasonsOnly ? prose : `${CODES[kind]}: ${prose}`;
  }

  private settle(build: Build, failure: Outcome['failure']): void {
    build.buildState = failure ? 'FAILED' : 'SUCCESSFUL';
    build.stateReason = failure?.reason ?? null;
    build.snapshotBuild = snapshotOf(failure?.kind);
  }

  private async writeLogs(image: Image, version: ImageVersion, outcome: Outcome): Promise<void> {
    const group = this.logGroupOf(image, version);
    if (group === undefined) {
      return;
    }
    const { buildRoleArn, logging, hooks } = version.config;
    const role = {
      mayWrite: this.roles.may(buildRoleArn, 'logs:PutLogEvents', group),
      mayCreateGroup: this.roles.may(buildRoleArn, 'logs:CreateLogGroup', group),
    };
    const fixed: string | undefined = logging?.cloudWatch?.logStream ?? undefined;
    const streams = [{ name: fixed ?? this.streamName('0.0'), lines: outcome.dockerLines }];
    if (outcome.failure === undefined || isHookFailure(outcome.failure.kind)) {
      for (const build of version.builds) {
        const lines = [`build VM on Graviton ${build.chipsetGeneration} started`];
        if (hooks?.microvmImageHooks?.ready === 'ENABLED') {
          lines.push(`POST /aws/lambda-microvms/runtime/v1/ready on port ${hooks.port}`);
        }
        streams.push({ name: fixed ?? this.streamName(version.imageVersion), lines });
      }
    }
    await this.logs.write(group, streams.filter(({ lines }) => lines.length > 0), role, this.context.clock.now());
  }

  /** The group build output goes to, if any (14). */
  private logGroupOf(image: Image, version: ImageVersion): string | undefined {
    const { logging } = version.config;
    if (logging?.disabled) {
      return undefined;
    }
    const named = logging?.cloudWatch?.logGroup ?? undefined;
    const empty = logging?.cloudWatch && named === undefined && !logging.cloudWatch.logStream;
    if (empty && this.context.readings.emptyLoggingIsDisabled) {
      return undefined;
    }
    return named ?? `/aws/lambda-microvms/${image.name}`;
  }

  private streamName(version: string): string {
    const day = new Date(this.context.clock.now()).toISOString().slice(0, 10).replace(/-/g, '/');
    return `${day}[${version}]microvm-${randomUUID()}`;
  }
}

function isHookFailure(kind: BuildFailureKind): boolean {
  return kind.startsWith('ready-') || kind.startsWith('validate-');
}

/** Full on success, code size only after a hook failure, absent before (4.7). */
function snapshotOf(kind: BuildFailureKind | undefined): SnapshotBuild | null {
  if (kind === undefined) {
    return { memorySnapshotSizeInBytes: 536_870_912, codeInstallSizeInBytes: 104_857_600, diskSnapshotSizeInBytes: 1_073_741_824 };
  }
  return isHookFailure(kind) ? { memorySnapshotSizeInBytes: null, codeInstallSizeInBytes: 104_857_600, diskSnapshotSizeInBytes: null } : null;
}

function isoDuration(seconds: number): string {
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const rest = seconds % 60;
  return `PT${hours ? `${hours}H` : ''}${minutes ? `${minutes}M` : ''}${rest ? `${rest}S` : ''}`;
}
