import { Duration, Token } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { IMicrovmImage } from './microvm-image-base';
import { lit, ValidationError } from './private/cdk-internals';
import { KindOf, validateKind } from './private/kinds';

/** Versions the service allows an image. See https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const VERSION_QUOTA = 50;
/** In seconds. */
const DAY = 86_400;
const DEFAULT_BUILD_DURATION = Duration.minutes(30);
const DEFAULT_VERSIONS = 45;
const DEFAULT_BASE_IMAGE_AGE = Duration.days(90);

/**
 * Properties of `MicrovmImageAlarms`.
 */
export interface MicrovmImageAlarmsProps {
  /** The image to watch. */
  readonly image: IMicrovmImage;

  /**
   * The longest a build may take. A deployment fails after 55 minutes.
   *
   * @default Duration.minutes(30)
   */
  readonly buildDuration?: Duration;

  /**
   * The most versions the image may have, from 1 to 49. The service allows 50, and the 51st build fails.
   *
   * @default 45
   */
  readonly versions?: number;

  /**
   * The oldest base image a build may use, in whole days.
   *
   * It is looked at when a version is built, and not between builds.
   *
   * @default Duration.days(90)
   */
  readonly baseImageAge?: Duration;
}

/**
 * CloudWatch alarms of an image.
 *
 * They are about the last build: each keeps its state until the next one ends, since there are no values between
 * builds. To hear of every build that fails, use `image.onBuildFailed()`.
 *
 * Adds four alarms to the stack, and no permission.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Alarms.html
 *
 * @example
 * declare const image: MicrovmImage;
 * declare const topic: sns.Topic;
 * const alarms = new MicrovmImageAlarms(this, 'Alarms', { image, buildDuration: Duration.minutes(10) });
 * alarms.addAlarmAction(new actions.SnsAction(topic));
 */
export class MicrovmImageAlarms extends Construct {
  /** The last build failed. */
  public readonly buildFailed: cloudwatch.Alarm;

  /** The last build took longer than `buildDuration`. */
  public readonly buildSlow: cloudwatch.Alarm;

  /** After the last build the image had more than `versions`: what MicroVMs run cannot be deleted to make room. */
  public readonly versionsNearQuota: cloudwatch.Alarm;

  /** The last version was built on a base image that had been out for longer than `baseImageAge`. */
  public readonly baseImageOld: cloudwatch.Alarm;

  constructor(scope: Construct, id: string, props: MicrovmImageAlarmsProps) {
    super(scope, id);
    const { image } = props;
    const { buildDuration = DEFAULT_BUILD_DURATION, versions = DEFAULT_VERSIONS, baseImageAge = DEFAULT_BASE_IMAGE_AGE } = props;
    validateKind(this, 'image', image, ['metricBuildsFailed', 'a MicrovmImage, or one that was imported']);
    this.validateDuration('buildDuration', buildDuration, 'seconds', 1);
    this.validateDuration('baseImageAge', baseImageAge, 'days', DAY);
    if (!Token.isUnresolved(versions) && (!Number.isInteger(versions) || versions < 1 || versions >= VERSION_QUOTA)) {
      throw new ValidationError(
        lit`MicrovmImageAlarmsVersions`,
        `versions must be a whole number from 1 to ${VERSION_QUOTA - 1}, got ${versions}; the service allows an image ${VERSION_QUOTA}`,
        this,
      );
    }
    // Failed and successful builds of one image are minutes apart: in a minute there is at most one.
    const period = Duration.minutes(1);
    this.buildFailed = this.alarm('BuildFailed', image.metricBuildsFailed({ period }), 0, 'The last build of the image failed');
    this.buildSlow = this.alarm(
      'BuildSlow', image.metricBuildDuration({ period }), buildDuration.toSeconds(), `The last build of the image took longer than ${buildDuration.toHumanString()}`,
    );
    this.versionsNearQuota = this.alarm(
      'VersionsNearQuota', image.metricVersions({ period }), versions, `The image has more than ${versions} versions; the service allows ${VERSION_QUOTA}`,
    );
    this.baseImageOld = this.alarm(
      'BaseImageOld', image.metricBaseImageAge({ period }), baseImageAge.toDays(), `The image was built on a base image older than ${baseImageAge.toHumanString()}`,
    );
  }

  /** Has each of the alarms do something when it is raised. */
  public addAlarmAction(...actions: cloudwatch.IAlarmAction[]) {
    for (const alarm of [this.buildFailed, this.buildSlow, this.versionsNearQuota, this.baseImageOld]) {
      alarm.addAlarmAction(...actions);
    }
  }

  private validateDuration(name: string, duration: Duration, unit: string, seconds: number) {
    validateKind(this, name, duration, KindOf.DURATION);
    if (!duration.isUnresolved() && duration.toMilliseconds() % (seconds * 1_000) !== 0) {
      throw new ValidationError(
        lit`MicrovmImageAlarmsDuration`, `${name} must be a whole number of ${unit}, got ${duration.toHumanString()}; round it`, this,
      );
    }
  }

  private alarm(id: string, metric: cloudwatch.Metric, threshold: number, alarmDescription: string): cloudwatch.Alarm {
    return new cloudwatch.Alarm(this, id, {
      metric,
      threshold,
      alarmDescription,
      comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: 1,
      treatMissingData: cloudwatch.TreatMissingData.IGNORE,
    });
  }
}
