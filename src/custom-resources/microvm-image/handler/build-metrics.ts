import { Metric, METRIC_DIMENSION, METRIC_NAMESPACE } from '../contract';
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
  /** How long the base image version had been out. */
  readonly baseImageAgeMs?: number;
}

const DAY_MS = 86_400_000;

/**
 * Metrics as a log entry in the embedded metric format: CloudWatch makes metrics of it, so the handler needs no
 * permission and no call.
 *
 * See https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function buildMetrics(report: BuildReport, now: number): Record<string, unknown> {
  const sizes = (size: keyof SnapshotSizes) => report.snapshots.map((snapshot) => snapshot[size]).filter((bytes) => bytes !== undefined);
  const values: Array<[name: string, unit: 'Count' | 'Seconds' | 'Bytes' | 'None', value: number | number[] | undefined]> = [
    [Metric.BUILDS_SUCCEEDED, 'Count', report.succeeded ? 1 : 0],
    [Metric.BUILDS_FAILED, 'Count', report.succeeded ? 0 : 1],
    [Metric.BUILD_DURATION, 'Seconds', report.durationMs === undefined ? undefined : report.durationMs / 1_000],
    [Metric.MEMORY_SNAPSHOT_SIZE, 'Bytes', sizes('memoryBytes')],
    [Metric.DISK_SNAPSHOT_SIZE, 'Bytes', sizes('diskBytes')],
    [Metric.CODE_INSTALL_SIZE, 'Bytes', sizes('codeBytes')],
    [Metric.VERSIONS, 'Count', report.versions],
    [Metric.VERSIONS_IN_USE, 'Count', report.versionsInUse],
    [Metric.BASE_IMAGE_AGE, 'None', report.baseImageAgeMs === undefined ? undefined : report.baseImageAgeMs / DAY_MS],
  ];
  // A metric without a value makes CloudWatch reject the whole entry.
  const known = values.filter(([, , value]) => value !== undefined && !(Array.isArray(value) && value.length === 0));
  return {
    _aws: {
      Timestamp: now,
      CloudWatchMetrics: [{
        Namespace: METRIC_NAMESPACE,
        Dimensions: [[METRIC_DIMENSION]],
        Metrics: known.map(([Name, Unit]) => ({ Name, Unit })),
      }],
    },
    [METRIC_DIMENSION]: report.imageName,
    ...Object.fromEntries(known.map(([name, , value]) => [name, value])),
  };
}
