import { Duration, Size, SizeRoundingBehavior, Token } from 'aws-cdk-lib';
import { MicrovmMemory } from './microvm-memory';
import { lit, UnscopedValidationError } from './private/cdk-internals';

/** A month, as AWS bills it. */
const HOURS_PER_MONTH = 730;
/** The service bills a version for a week at least. */
const LEAST_HOURS_OF_A_VERSION = 7 * 24;
const VCPU_PER_GB = 0.5;

const PRICES = ['vcpuSecond', 'gbSecond', 'snapshotReadGb', 'snapshotWriteGb', 'snapshotStorageGbHour'] as const;

/**
 * Prices of Lambda MicroVMs, in any currency. They differ by region and change: take them from the price list of the day.
 *
 * @see https://aws.amazon.com/lambda/pricing/
 */
export interface MicrovmPrices {
  /** A vCPU for a second of a running MicroVM. */
  readonly vcpuSecond: number;

  /** A GB of memory for a second of a running MicroVM. */
  readonly gbSecond: number;

  /** Reading a GB of a snapshot: at each launch and each resume. */
  readonly snapshotReadGb: number;

  /** Writing a GB of a snapshot: at each suspend. */
  readonly snapshotWriteGb: number;

  /** Keeping a GB of a snapshot for an hour: of versions of images, and of suspended MicroVMs. */
  readonly snapshotStorageGbHour: number;
}

/**
 * What a `MicrovmCostEstimate` is made from.
 */
export interface MicrovmCostEstimateProps {
  /** The prices of the region. */
  readonly prices: MicrovmPrices;

  /** What a version keeps in storage: its memory and disk snapshots. The metrics `MemorySnapshotSize` and `DiskSnapshotSize` tell. */
  readonly snapshotSize: Size;

  /**
   * The memory of the image.
   *
   * @default MicrovmMemory.MIB_2048
   */
  readonly memory?: MicrovmMemory;

  /**
   * How many versions are kept.
   *
   * @default 5
   */
  readonly keepVersions?: number;

  /**
   * Versions built in a month. One that lives for less than a week is billed for a week.
   *
   * @default 0
   */
  readonly buildsPerMonth?: number;

  /**
   * MicroVMs launched in a month.
   *
   * @default 0
   */
  readonly runsPerMonth?: number;

  /**
   * How long a MicroVM runs in all, without the time it is suspended.
   *
   * @default Duration.minutes(0)
   */
  readonly runDuration?: Duration;

  /**
   * How often a MicroVM is suspended, and resumed.
   *
   * @default 0
   */
  readonly suspendsPerRun?: number;

  /**
   * How long a MicroVM stays suspended each time.
   *
   * @default Duration.minutes(0)
   */
  readonly suspendedDuration?: Duration;
}

/**
 * What an image and its MicroVMs cost in a month, from prices and usage that you give.
 *
 * It knows no price and asks no service. In it: storage of the versions, with the week that the service bills at least, and of
 * suspended MicroVMs; reading snapshots at launches and resumes, and writing them at suspends; vCPU and memory of running MicroVMs at
 * their baseline. Not in it: bursts above the baseline, data transfer, logs, and the functions that run while a stack is deployed.
 *
 * @see https://aws.amazon.com/lambda/pricing/
 *
 * @example
 * declare const prices: MicrovmPrices;
 * const estimate = new MicrovmCostEstimate({
 *   prices,
 *   snapshotSize: Size.gibibytes(3),
 *   buildsPerMonth: 20,
 *   runsPerMonth: 10_000,
 *   runDuration: Duration.minutes(5),
 * });
 * new CfnOutput(this, 'SandboxPerMonth', { value: estimate.perMonth.toFixed(2) });
 */
export class MicrovmCostEstimate {
  /** Storage of the versions of the image. */
  public readonly versionStorage: number;

  /** vCPU and memory of running MicroVMs, at their baseline. */
  public readonly compute: number;

  /** Reading snapshots, at launches and resumes. */
  public readonly snapshotReads: number;

  /** Writing snapshots, at suspends. */
  public readonly snapshotWrites: number;

  /** Storage of suspended MicroVMs. */
  public readonly suspendedStorage: number;

  /** All of it. */
  public readonly perMonth: number;

  constructor(props: MicrovmCostEstimateProps) {
    const { prices, snapshotSize, memory = MicrovmMemory.MIB_2048 } = props;
    const { keepVersions = 5, buildsPerMonth: builds = 0, runsPerMonth: runs = 0, suspendsPerRun = 0 } = props;
    const { runDuration = Duration.minutes(0), suspendedDuration = Duration.minutes(0) } = props;
    PRICES.forEach((name) => assertAmount(name, prices?.[name]));
    for (const [name, value] of Object.entries({ keepVersions, buildsPerMonth: builds, runsPerMonth: runs, suspendsPerRun })) {
      assertAmount(name, value);
    }
    for (const [name, value] of Object.entries({ snapshotSize, runDuration, suspendedDuration })) {
      assertKnown(name, value);
    }
    const gb = snapshotSize.toMebibytes({ rounding: SizeRoundingBehavior.NONE }) / 1024;
    const memoryGb = memory.mebibytes / 1024;
    const runSeconds = runDuration.toSeconds({ integral: false });
    const suspendedHours = suspendedDuration.toHours({ integral: false });
    const suspends = runs * suspendsPerRun;

    this.versionStorage = gb * Math.max(keepVersions * HOURS_PER_MONTH, builds * LEAST_HOURS_OF_A_VERSION) * prices.snapshotStorageGbHour;
    this.compute = runs * runSeconds * memoryGb * (prices.gbSecond + VCPU_PER_GB * prices.vcpuSecond);
    this.snapshotReads = (runs + suspends) * gb * prices.snapshotReadGb;
    this.snapshotWrites = suspends * gb * prices.snapshotWriteGb;
    this.suspendedStorage = suspends * suspendedHours * gb * prices.snapshotStorageGbHour;
    this.perMonth = this.versionStorage + this.compute + this.snapshotReads + this.snapshotWrites + this.suspendedStorage;
  }
}

const ONLY_DEPLOYMENT_KNOWS = 'one that only the deployment knows';

function assertKnown(name: string, value: Size | Duration | undefined) {
  if (value === undefined || value.isUnresolved()) {
    throw new UnscopedValidationError(
      lit`MicrovmCostEstimateAmount`,
      `${name} must be known while synthesizing, got ${value && ONLY_DEPLOYMENT_KNOWS}; an estimate is made before anything is deployed`,
    );
  }
}

/** A number that only the deployment knows reads as a negative one, and says nothing now. */
function assertAmount(name: string, value: number | undefined) {
  if (value === undefined || !Number.isFinite(value) || value < 0) {
    throw new UnscopedValidationError(
      lit`MicrovmCostEstimateAmount`,
      `${name} must be a number from 0 on that is known while synthesizing, got ${Token.isUnresolved(value) ? ONLY_DEPLOYMENT_KNOWS : value}; an estimate is made before anything is deployed`,
    );
  }
}
