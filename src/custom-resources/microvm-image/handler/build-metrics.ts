import { Metric } from '../contract';
import { metricEntry } from './metric-entry';
import { SnapshotSizes } from './service-port';

/** What there is to say of a build that ended. */
export interface BuildReport {
  readonly imageName: string;
  readonly succeeded: boolean;
  /** Undefined when the service does not tell. */
  readonly durationMs?: number;
  /** One for each processor generation the image was built for. */
  readonly snapshots: SnapshotSizes[];
  /** How many versions the image has, failed ones included. */
  readonly versions: number;
  /** How many of them MicroVMs run. */
  readonly versionsInUse?: number;
  /** Days since the base image version came out. */
  readonly baseImageAge?: number;
}

/** The metrics of a build. */
export function buildMetrics(report: BuildReport, now: number): Record<string, unknown> {
  const sizes = (size: keyof SnapshotSizes) => report.snapshots.map((snapshot) => snapshot[size]).filter((bytes) => bytes !== undefined);
  return metricEntry(report.imageName, [
    [Metric.BUILDS_SUCCEEDED, 'Count', report.succeeded ? 1 : 0],
    [Metric.BUILDS_FAILED, 'Count', report.succeeded ? 0 : 1],
    [Metric.BUILD_DURATION, 'Seconds', report.durationMs === undefined ? undefined : report.durationMs / 1_000],
    [Metric.MEMORY_SNAPSHOT_SIZE, 'Bytes', sizes('memoryBytes')],
    [Metric.DISK_SNAPSHOT_SIZE, 'Bytes', sizes('diskBytes')],
    [Metric.CODE_INSTALL_SIZE, 'Bytes', sizes('codeBytes')],
    [Metric.VERSIONS, 'Count', report.versions],
    [Metric.VERSIONS_IN_USE, 'Count', report.versionsInUse],
    [Metric.BASE_IMAGE_AGE, 'None', report.baseImageAge],
  ], now);
}
