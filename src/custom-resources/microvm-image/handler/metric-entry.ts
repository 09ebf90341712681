import { METRIC_DIMENSION, METRIC_NAMESPACE } from '../contract';

/** A metric, with one value or many. One that is not known is left out. */
export type MetricValue = readonly [name: string, unit: 'Count' | 'Seconds' | 'Bytes' | 'None', value: number | number[] | undefined];

/**
 * Metrics of an image as a log entry in the embedded metric format: CloudWatch makes metrics of it, so the handler needs no
 * permission and no call.
 *
 * See https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function metricEntry(imageName: string, values: readonly MetricValue[], now: number): Record<string, unknown> {
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
    [METRIC_DIMENSION]: imageName,
    ...Object.fromEntries(known.map(([name, , value]) => [name, value])),
  };
}
