import { randomUUID } from 'node:crypto';
import { ArtifactSource, BuildProblem, openArchive } from './artifact';
import { BuildLogs } from './build-logs';
import { BuildFailure, BuildFailureKind } from './build-plan';
import { BuildRoles } from './build-roles';
import { Context } from './context';
import { buildContainer } from './dockerfile';
import { GuestProcesses } from './guest-processes';
import { BuildHook, Guest, HookOutcome } from './guests';
import { Build, Image, ImageVersion, SnapshotBuild } from './image';
import { logGroupOf, logStreamName } from './log-destination';
import { Work } from './work';

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

interface Failure { readonly kind: BuildFailureKind; readonly reason: string | null }

/** How one of the builds went, or both alike. */
interface Outcome {
  readonly failure?: Failure & { readonly generation?: '3' | '4' };
  readonly dockerLines: readonly string[];
  /** Of the builds in which a guest ran. */
  readonly guests?: ReadonlyMap<Build, { readonly failure?: Failure; readonly lines: readonly string[] }>;
}

/** Runs the two builds of a version (4.7, 13): artifact, Dockerfile, hooks, snapshot. */
export class ImageBuilds {
  private readonly outcomes = new WeakMap<ImageVersion, Work<Outcome>>();

  constructor(
    private readonly context: Context,
    private readonly roles: BuildRoles,
    private readonly artifacts: ArtifactSource,
    private readonly logs: BuildLogs,
    private readonly processes?: GuestProcesses,
  ) {
  }

  /** The service assumes the build role and fetches the artifact; what runs in the guest goes on behind. */
  public async begin(image: Image, version: ImageVersion): Promise<void> {
    version.state = 'IN_PROGRESS';
    version.updatedAt = this.context.clock.now();
    version.builds.forEach((build) => { build.buildState = 'IN_PROGRESS'; });
    const outcome = await this.work(version);
    this.outcomes.set(version, new Work(this.runGuests(image, version, outcome)));
  }

  /** Whether the guests have done their part, once this much real time has been waited for them. */
  public async isDoneWithin(version: ImageVersion, patienceMs: number): Promise<boolean> {
    return await this.outcomes.get(version)?.isDoneWithin(patienceMs) ?? true;
  }

  /** Settles the version and its builds; true when the version is usable. */
  public async finish(image: Image, version: ImageVersion): Promise<boolean> {
    const outcome = this.outcomes.get(version)?.result ?? { failure: { kind: 'platform-error', reason: this.text('platform-error') }, dockerLines: [] };
    const failures = version.builds.map((build) => failureOf(outcome, build));
    version.builds.forEach((build, index) => this.settle(build, failures[index]));
    const failure = failures.find((each) => each !== undefined);
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
      const archive = openArchive(await this.artifacts.fetch(uri));
      const printed = buildContainer(archive);
      this.processes?.prepare(version, archive);
      return { dockerLines: plan.logLines ?? printed, failure: plan.failure && this.planned(plan.failure, version) };
    } catch (error) {
      if (!(error instanceof BuildProblem)) {
        throw error;
      }
      return { dockerLines: plan.logLines ?? error.logLines, failure: { kind: error.kind, reason: this.text(error.kind, version, error.detail) } };
    }
  }

  /** Process mode: the app of each build is started and asked. One process plays the build and the MicroVM restored from its snapshot. */
  private async runGuests(image: Image, version: ImageVersion, outcome: Outcome): Promise<Outcome> {
    if (!this.processes || outcome.failure) {
      return outcome;
    }
    const { processes } = this;
    const guests = await Promise.all(version.builds.map(async (build) => {
      const guest = processes.start(image, version)!;
      const failure = await this.prove(guest, version);
      await guest.end();
      return [build, { failure, lines: guest.takeLines() }] as const;
    }));
    return { ...outcome, guests: new Map(guests) };
  }

  private async prove(guest: Guest, version: ImageVersion): Promise<Failure | undefined> {
    const unready = this.verdict('ready', await guest.start(), version);
    if (!unready && guest.exitCode !== undefined) {
      // Without a ready hook (own).
      return { kind: 'container', reason: `Container Stopped with Exit Code: ${guest.exitCode}` };
    }
    return unready ?? this.verdict('validate', await guest.call('validate'), version);
  }

  private verdict(hook: BuildHook, outcome: HookOutcome | undefined, version: ImageVersion): Failure | undefined {
    if (outcome === undefined || outcome === 200) {
      return undefined;
    }
    const kind: BuildFailureKind = outcome === 'timed-out' ? `${hook}-timeout` : outcome >= 500 ? `${hook}-server-error` : `${hook}-client-error`;
    return { kind, reason: this.text(kind, version) };
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

  private settle(build: Build, failure: Failure | undefined): void {
    build.buildState = failure ? 'FAILED' : 'SUCCESSFUL';
    build.stateReason = failure?.reason ?? null;
    build.snapshotBuild = snapshotOf(failure?.kind);
  }

  private async writeLogs(image: Image, version: ImageVersion, outcome: Outcome): Promise<void> {
    const { buildRoleArn, logging } = version.config;
    const group = logGroupOf(logging, image.name, this.context.readings.emptyLoggingIsDisabled);
    if (group === undefined) {
      return;
    }
    const role = {
      mayWrite: this.roles.may(buildRoleArn, 'logs:PutLogEvents', group),
      mayCreateGroup: this.roles.may(buildRoleArn, 'logs:CreateLogGroup', group),
    };
    const streamOf = (part: string): string => logging?.cloudWatch?.logStream ?? logStreamName(this.context.clock, part, `microvm-${randomUUID()}`);
    const streams = [{ name: streamOf('0.0'), lines: outcome.dockerLines }];
    if (outcome.failure === undefined || isHookFailure(outcome.failure.kind)) {
      version.builds.forEach((build) => streams.push({ name: streamOf(version.imageVersion), lines: vmLines(version, outcome, build) }));
    }
    await this.logs.write(group, streams.filter(({ lines }) => lines.length > 0), role, this.context.clock.now());
  }
}

function failureOf({ failure, guests }: Outcome, build: Build): Failure | undefined {
  const strikes = failure && (failure.generation === undefined || failure.generation === build.chipsetGeneration);
  return strikes ? failure : guests?.get(build)?.failure;
}

/** What the app of a build printed, or a line or two in its place where none ran. */
function vmLines({ config: { hooks } }: ImageVersion, { guests }: Outcome, build: Build): readonly string[] {
  return guests?.get(build)?.lines ?? [
    `build VM on Graviton ${build.chipsetGeneration} started`,
    ...(hooks?.microvmImageHooks?.ready === 'ENABLED' ? [`POST /aws/lambda-microvms/runtime/v1/ready on port ${hooks.port}`] : []),
  ];
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
