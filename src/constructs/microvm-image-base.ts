import { IResource, Resource, Stack, Token } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { MicrovmImageGrants } from './microvm-image-grants';
import { Metric, METRIC_DIMENSION, METRIC_NAMESPACE } from '../custom-resources/microvm-image/contract';

/**
 * A Lambda MicroVM image.
 */
export interface IMicrovmImage extends IResource, lambda.IMicrovmImageRef {
  /**
   * The ARN of the image.
   *
   * @attribute
   */
  readonly imageArn: string;

  /**
   * The name of the image.
   *
   * @attribute
   */
  readonly imageName: string;

  /**
   * The exact version to launch, such as `3.0`.
   *
   * Throws on an image that was imported without a version.
   *
   * @attribute
   */
  readonly imageVersion: string;

  /** Gives principals permissions on the image and its MicroVMs. */
  readonly grants: MicrovmImageGrants;

  /**
   * A metric of the image in the namespace `CdkLambdaMicrovms`. Average over 5 minutes by default.
   *
   * The handler of the stack that builds the image logs the metrics, which needs no permission and no opt-in. There is a
   * value for each build that ended while a deployment waited for it, and none between.
   *
   * Throws when CloudFormation builds the image (`MicrovmImageEngine.cloudFormation()`): nothing would report its builds.
   *
   * @param metricName the name, such as `BuildDuration`
   */
  metric(metricName: string, options?: cloudwatch.MetricOptions): cloudwatch.Metric;

  /** Seconds from the request to the end of a build, failed ones included. Maximum over 5 minutes by default. */
  metricBuildDuration(options?: cloudwatch.MetricOptions): cloudwatch.Metric;

  /** Builds that succeeded. Sum over 5 minutes by default. */
  metricBuildsSucceeded(options?: cloudwatch.MetricOptions): cloudwatch.Metric;

  /** Builds that failed. Sum over 5 minutes by default. */
  metricBuildsFailed(options?: cloudwatch.MetricOptions): cloudwatch.Metric;

  /**
   * Bytes of the memory snapshot of a version, the larger of its two processor generations. Maximum over 5 minutes by
   * default.
   */
  metricMemorySnapshotSize(options?: cloudwatch.MetricOptions): cloudwatch.Metric;

  /** Bytes of the disk snapshot of a version, the larger of its two processor generations. Maximum over 5 minutes by default. */
  metricDiskSnapshotSize(options?: cloudwatch.MetricOptions): cloudwatch.Metric;

  /**
   * Bytes of the installed code of a version, the larger of its two processor generations. Maximum over 5 minutes by
   * default.
   */
  metricCodeInstallSize(options?: cloudwatch.MetricOptions): cloudwatch.Metric;

  /**
   * Versions the image has after a build, failed ones included, of the 50 the service allows. Maximum over 5 minutes by
   * default.
   */
  metricVersions(options?: cloudwatch.MetricOptions): cloudwatch.Metric;

  /**
   * Versions that MicroVMs run when a build has succeeded. It is not counted between builds. Maximum over 5 minutes by
   * default.
   */
  metricVersionsInUse(options?: cloudwatch.MetricOptions): cloudwatch.Metric;

  /**
   * Days since the base image version came out, when a build on it has succeeded. Between builds it grows only with a
   * `BaseImageRefresh`, which measures it at each look. Maximum over 5 minutes by default.
   */
  metricBaseImageAge(options?: cloudwatch.MetricOptions): cloudwatch.Metric;
}

/**
 * What every image has, wherever it is defined: for constructs that stand for one.
 *
 * @example
 * class Golden extends MicrovmImageBase {
 *   public readonly imageName = 'golden';
 *   public readonly imageVersion = '3.0';
 *   public readonly imageArn = `arn:aws:lambda:us-east-1:123456789012:microvm-image:${this.imageName}`;
 * }
 * const buildsFailed = new Golden(this, 'Golden').metricBuildsFailed();
 */
export abstract class MicrovmImageBase extends Resource implements IMicrovmImage {
  public abstract readonly imageArn: string;
  public abstract readonly imageName: string;
  public abstract readonly imageVersion: string;

  /** Gives principals permissions on the image and its MicroVMs. */
  public readonly grants: MicrovmImageGrants = MicrovmImageGrants.fromImage(this);

  /**
   * The name as it stands in the template, without a reference to the image: an alarm that needed the image would miss its first build.
   *
   * @internal
   */
  public get _physicalName(): string {
    return this.imageName;
  }

  /** A reference to the image. */
  public get microvmImageRef(): lambda.MicrovmImageReference {
    return { imageArn: this.imageArn };
  }

  public metric(metricName: string, options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    const stack = Stack.of(this);
    return new cloudwatch.Metric({
      namespace: METRIC_NAMESPACE,
      metricName,
      dimensionsMap: { [METRIC_DIMENSION]: this._physicalName },
      region: elsewhere(this.env.region, stack.region),
      account: elsewhere(this.env.account, stack.account),
      ...options,
    }).attachTo(this);
  }

  public metricBuildDuration(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric(Metric.BUILD_DURATION, { statistic: cloudwatch.Stats.MAXIMUM, ...options });
  }

  public metricBuildsSucceeded(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric(Metric.BUILDS_SUCCEEDED, { statistic: cloudwatch.Stats.SUM, ...options });
  }

  public metricBuildsFailed(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric(Metric.BUILDS_FAILED, { statistic: cloudwatch.Stats.SUM, ...options });
  }

  public metricMemorySnapshotSize(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric(Metric.MEMORY_SNAPSHOT_SIZE, { statistic: cloudwatch.Stats.MAXIMUM, ...options });
  }

  public metricDiskSnapshotSize(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric(Metric.DISK_SNAPSHOT_SIZE, { statistic: cloudwatch.Stats.MAXIMUM, ...options });
  }

  public metricCodeInstallSize(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric(Metric.CODE_INSTALL_SIZE, { statistic: cloudwatch.Stats.MAXIMUM, ...options });
  }

  public metricVersions(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric(Metric.VERSIONS, { statistic: cloudwatch.Stats.MAXIMUM, ...options });
  }

  public metricVersionsInUse(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric(Metric.VERSIONS_IN_USE, { statistic: cloudwatch.Stats.MAXIMUM, ...options });
  }

  public metricBaseImageAge(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric(Metric.BASE_IMAGE_AGE, { statistic: cloudwatch.Stats.MAXIMUM, ...options });
  }
}

/** Only when that is known. What only the deployment tells, such as the ARN in a publication, is of where it is deployed. */
function elsewhere(place: string, here: string): string | undefined {
  return place === here || Token.isUnresolved(place) ? undefined : place;
}
