import { randomUUID } from 'node:crypto';
import { BuildPlan, DeletionPlan } from './build-plan';
import { Transition } from './transition';

export type ImageState = 'CREATING' | 'CREATED' | 'CREATE_FAILED' | 'UPDATING' | 'UPDATED' | 'UPDATE_FAILED' | 'DELETING' | 'DELETE_FAILED';
export type VersionState = 'PENDING' | 'IN_PROGRESS' | 'SUCCESSFUL' | 'FAILED' | 'DELETING';

export interface SnapshotBuild { memorySnapshotSizeInBytes: number | null; codeInstallSizeInBytes: number; diskSnapshotSizeInBytes: number | null }

export interface Build {
  readonly buildId: string;
  readonly chipsetGeneration: '3' | '4';
  readonly createdAt: number;
  buildState: 'PENDING' | 'IN_PROGRESS' | 'SUCCESSFUL' | 'FAILED';
  stateReason: string | null;
  snapshotBuild: SnapshotBuild | null;
}

/** What an image version was asked to be, defaults filled in and every unset member null. */
export interface ImageConfig {
  baseImageArn: string;
  baseImageVersion: string;
  buildRoleArn: string;
  description: string | null;
  codeArtifact: { uri: string };
  logging: Record<string, any> | null;
  egressNetworkConnectors: string[];
  cpuConfigurations: { architecture: string }[] | null;
  resources: { minimumMemoryInMiB: number }[];
  additionalOsCapabilities: string[] | null;
  hooks: Record<string, any> | null;
  environmentVariables: Record<string, string> | null;
}

export interface ImageVersion {
  readonly major: number;
  readonly imageVersion: string;
  readonly config: ImageConfig;
  readonly createdAt: number;
  readonly builds: Build[];
  readonly plan: BuildPlan;
  updatedAt: number;
  state: VersionState;
  status: 'ACTIVE' | 'INACTIVE';
  stateReason: string | null;
}

/** What an image is busy with. */
export type Work =
  | { readonly kind: 'build'; readonly version: ImageVersion; readonly transition: Transition; started: boolean }
  | { readonly kind: 'delete-version'; readonly version: ImageVersion; readonly before: VersionState; readonly transition: Transition; readonly plan: DeletionPlan }
  | { readonly kind: 'delete'; readonly transition: Transition; readonly plan: DeletionPlan };

export class Image {
  public readonly id = randomUUID();
  public readonly versions: ImageVersion[] = [];
  public state: ImageState = 'CREATING';
  /** State to return to when the work at hand leaves no mark of its own. */
  public settledState: ImageState = 'CREATING';
  public updatedAt: number;
  public work?: Work;
  public nextMajor = 1;
  /** Answers before the last write, for the reads that are still stale. */
  public stale?: { answer: Record<string, unknown> | undefined; left: number };
  /** The last version that turned ACTIVE, whatever became of it. */
  private lastActivated: string | null = null;

  constructor(public readonly name: string, public readonly arn: string, public readonly createdAt: number, public tags: Record<string, string>) {
    this.updatedAt = createdAt;
  }

  public version(imageVersion: string): ImageVersion | undefined {
    return this.versions.find((version) => version.imageVersion === imageVersion);
  }

  /** The version an unpinned launch gets. */
  public newestActive(): ImageVersion | undefined {
    return this.newest((version) => version.state === 'SUCCESSFUL' && version.status === 'ACTIVE');
  }

  public latestActive(fallsBack: boolean): string | null {
    const newest = this.newestActive()?.imageVersion ?? null;
    const pointerLives = this.lastActivated !== null && this.version(this.lastActivated) !== undefined;
    return fallsBack || !pointerLives ? newest : this.lastActivated;
  }

  public latestFailed(): string | null {
    return this.newest((version) => version.state === 'FAILED')?.imageVersion ?? null;
  }

  public activate(version: ImageVersion): void {
    version.status = 'ACTIVE';
    const current = this.lastActivated === null ? undefined : this.version(this.lastActivated);
    if (!current || version.major > current.major) {
      this.lastActivated = version.imageVersion;
    }
  }

  public addVersion(config: ImageConfig, plan: BuildPlan, now: number): ImageVersion {
    const major = this.nextMajor++;
    const version: ImageVersion = {
      major,
      imageVersion: `${major}.0`,
      config,
      plan,
      createdAt: now,
      updatedAt: now,
      state: 'PENDING',
      status: 'INACTIVE',
      stateReason: null,
      builds: (['3', '4'] as const).map((chipsetGeneration) => ({
        buildId: randomUUID(), chipsetGeneration, createdAt: now, buildState: 'PENDING', stateReason: null, snapshotBuild: null,
      })),
    };
    this.versions.push(version);
    return version;
  }

  public removeVersion(version: ImageVersion): void {
    this.versions.splice(this.versions.indexOf(version), 1);
  }

  private newest(condition: (version: ImageVersion) => boolean): ImageVersion | undefined {
    return this.versions.filter(condition).sort((a, b) => b.major - a.major)[0];
  }
}
