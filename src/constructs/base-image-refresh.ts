import { Aws, Duration, Lazy, Stack, Token, Validations } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import { StepFunctionsStartExecution } from 'aws-cdk-lib/aws-scheduler-targets';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { MicrovmImage } from './microvm-image';
import { MicrovmImagePublication } from './microvm-image-publication';
import { MicrovmSmokeTest } from './microvm-smoke-test';
import { formatDefaultBusArn } from './private/arn';
import { lit, propertyInjectable, ValidationError } from './private/cdk-internals';
import { eventRule, putEventsStatement } from './private/image-events';
import { RefreshHandlers } from './private/image-request';
import { KindOf, validateGivenKinds, validateKind, validateKinds } from './private/kinds';
import { generateImageName } from './private/naming';
import { RefreshEvent, RefreshStep, refreshWorkflow } from './private/refresh-workflow';
import { contentDigest } from './private/version-reference';
import { BaseImageCheck } from '../custom-resources/base-image-check';
import { Metric, METRIC_DIMENSION, METRIC_NAMESPACE } from '../custom-resources/microvm-image/contract';

/** Days MicroVMs still run on a base image version on the day it is deprecated. */
const MAX_DAYS_LEFT = 90;
/** One page of executions is looked at. */
const MAX_FAILURES = 100;

/**
 * Properties of a `BaseImageRefresh`.
 *
 * @example
 * declare const image: MicrovmImage;
 * new BaseImageRefresh(this, 'Refresh', {
 *   image,
 *   schedule: scheduler.ScheduleExpression.cron({ weekDay: 'MON', hour: '4', minute: '0' }),
 *   maxFailures: 2,
 *   alarmDaysLeft: 30,
 * });
 */
export interface BaseImageRefreshProps {
  /**
   * The image to keep on the newest base image. It is of the same stack, built by `MicrovmImageEngine.custom()`, and its
   * `baseImage` is not pinned.
   */
  readonly image: MicrovmImage;

  /**
   * Tests that a version must pass before it counts: the same a deployment runs, on the version that was built. One that fails
   * is a failure of the refresh.
   *
   * @default - those of `publication`
   */
  readonly smokeTests?: MicrovmSmokeTest[];

  /**
   * What publishes the version when it passed the tests: its record, then its channels, as a deployment would.
   *
   * @default - nothing is published
   */
  readonly publication?: MicrovmImagePublication;

  /**
   * When to look whether the base image moved. It starts within 15 minutes of that.
   *
   * @default - once a day: `ScheduleExpression.rate(Duration.days(1))`
   */
  readonly schedule?: scheduler.ScheduleExpression;

  /**
   * After how many failures in a row the schedule is disabled, 1 to 100.
   *
   * A deployment that changes what the image is built from enables it again, and so does one that changes the schedule.
   *
   * @default 3
   */
  readonly maxFailures?: number;

  /**
   * With fewer days left than this, 1 to 90, the alarm goes off: days for which MicroVMs still run on the base image of the version
   * served. Up to the day it is deprecated there are 90.
   *
   * @default 90, so from the day it is deprecated
   */
  readonly alarmDaysLeft?: number;
}

/**
 * Keeps an image on the newest base image between deployments.
 *
 * On a schedule it looks whether the managed base image moved since the version served was built, and only then builds
 * the image anew, by the same functions and with the same properties a deployment would use. A later deployment neither
 * undoes nor repeats that. Deployments go first: while one is on its way nothing is refreshed, and a refresh that a
 * deployment overtakes ends. After too many failures in a row it disables its schedule.
 *
 * The stack's own consumers get the new version with the next deployment that changes the image's resource, such as its
 * tags. Until then the version they have is kept. Start the state machine by hand with the input `{"force": true}` to
 * build whether the base image moved or not.
 *
 * Adds a schedule, a state machine, a function with its log group, an alarm, and roles: to read this image and its base
 * image; to invoke the stack's image handlers; to disable this schedule; to put events of this library on the default bus.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/microvms-images.html
 *
 * @example
 * declare const image: MicrovmImage;
 * declare const topic: sns.ITopic;
 * const refresh = new BaseImageRefresh(this, 'Refresh', { image });
 * refresh.onFailed('TellTheTeam', { target: new targets.SnsTopic(topic) });
 */
@propertyInjectable
export class BaseImageRefresh extends Construct {
  /** Uniquely identifies this class. */
  public static readonly PROPERTY_INJECTION_ID: string = 'cdk-lambda-microvms.BaseImageRefresh';

  /** Starts a refresh: by the schedule, or by hand. Grant `grantStartExecution` to whoever may do so. */
  public readonly stateMachine: sfn.StateMachine;

  /** The schedule. It is disabled after too many failures. */
  public readonly schedule: scheduler.Schedule;

  /** Goes off when the base image of the version served is deprecated, expiring, expired or recalled. Add actions to it. */
  public readonly daysLeftAlarm: cloudwatch.Alarm;

  private readonly image: MicrovmImage;

  constructor(scope: Construct, id: string, props: BaseImageRefreshProps) {
    super(scope, id);
    const { image, maxFailures = 3, alarmDaysLeft = MAX_DAYS_LEFT } = props;
    this.image = image;
    validateKind(this, 'image', image, KindOf.BUILT_IMAGE);
    validateKinds(this, 'smokeTests', props.smokeTests ?? [], KindOf.SMOKE_TEST);
    validateGivenKinds(this, props, {
      publication: KindOf.PUBLICATION,
      schedule: ['expressionString', 'a ScheduleExpression, such as ScheduleExpression.rate()'],
    });
    this.validateSchedule(props.schedule?.expressionString);
    const handlers = this.handlersOf(image);
    this.validateNumber('maxFailures', maxFailures, MAX_FAILURES);
    this.validateNumber('alarmDaysLeft', alarmDaysLeft, MAX_DAYS_LEFT);

    const stack = Stack.of(this);
    const { resource, handedOver } = image._image;
    const check = new BaseImageCheck(this, 'Check', { imageArn: image._policyArn, baseImageArn: image._baseImage.arn });
    const scheduleName = generateImageName(this, 'Schedule');
    const scheduleRole = this.scheduleRole();
    const steps = this.stepsOf(props);
    const invoked = [check.handler, ...[handlers, ...steps.map((step) => step.handlers)].flatMap(({ onEvent, isComplete }) => [onEvent, isComplete])];
    const role = this.workflowRole(scheduleName, scheduleRole, [...new Set(invoked)]);
    this.stateMachine = new sfn.StateMachine(this, 'Workflow', {
      comment: 'Builds a Lambda MicroVM image anew when its base image moved',
      role,
      definitionBody: sfn.DefinitionBody.fromString(Lazy.string({
        produce: () => stack.toJsonString(refreshWorkflow(stack, {
          image: { name: 'the image', handlers, resource, properties: handedOver! },
          imageName: image._physicalName,
          check: check.handler,
          scheduleName,
          maxFailures,
          steps,
        })),
      })),
    });
    // What it hands over is what was served last.
    this.stateMachine.node.addDependency(resource, ...steps.map((step) => step.resource));
    new iam.Policy(this, 'OwnExecutions', {
      roles: [role],
      statements: [new iam.PolicyStatement({ actions: ['states:ListExecutions'], resources: [this.stateMachine.stateMachineArn] })],
    });
    this.schedule = new scheduler.Schedule(this, 'Schedule', {
      scheduleName,
      // A disabled schedule is enabled again by its next update: one that may mend what failed.
      description: Lazy.string({ produce: () => `Refreshes a Lambda MicroVM image (${contentDigest(resource, { ...handedOver, Tags: undefined })})` }),
      schedule: props.schedule ?? scheduler.ScheduleExpression.rate(Duration.days(1)),
      timeWindow: scheduler.TimeWindow.flexible(Duration.minutes(15)),
      target: new StepFunctionsStartExecution(this.stateMachine, {
        role: scheduleRole,
        input: scheduler.ScheduleTargetInput.fromObject({ force: false }),
        retryAttempts: 5,
        maxEventAge: Duration.hours(1),
      }),
    });
    this.daysLeftAlarm = new cloudwatch.Alarm(this, 'DaysLeftAlarm', {
      alarmDescription: 'MicroVMs will soon not run on the base image of a Lambda MicroVM image any more: the value is the days left',
      metric: this.metricDaysLeft(),
      threshold: alarmDaysLeft,
      comparisonOperator: cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
      evaluationPeriods: 1,
      // It is looked at when the schedule says, and stays as it was between.
      treatMissingData: cloudwatch.TreatMissingData.IGNORE,
    });
    this.acknowledgeRules();
  }

  /**
   * For how many days MicroVMs still run on the base image of the version served, as of the last look: 90 while it is available,
   * none when it is expired or recalled.
   *
   * @default - the minimum over an hour
   */
  public metricDaysLeft(props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return new cloudwatch.Metric({
      namespace: METRIC_NAMESPACE,
      metricName: Metric.BASE_IMAGE_DAYS_LEFT,
      dimensionsMap: { [METRIC_DIMENSION]: this.image._physicalName },
      statistic: cloudwatch.Stats.MINIMUM,
      period: Duration.hours(1),
      ...props,
    });
  }

  /** A rule for every version that a refresh built: `detail.imageVersion` says which. */
  public onRefreshed(id: string, options: events.OnEventOptions = {}): events.Rule {
    return this.onEvent(id, RefreshEvent.REFRESHED, options);
  }

  /** A rule for every refresh that failed: `detail.cause` says why, `detail.scheduleDisabled` whether it was one too many. */
  public onFailed(id: string, options: events.OnEventOptions = {}): events.Rule {
    return this.onEvent(id, RefreshEvent.FAILED, options);
  }

  private onEvent(id: string, type: string, options: events.OnEventOptions): events.Rule {
    return eventRule(this, id, { type, imageArn: this.image.imageArn }, options);
  }

  private validateSchedule(expression?: string) {
    if (expression !== undefined && !Token.isUnresolved(expression) && !/^(rate|cron|at)\(.+\)$/.test(expression)) {
      throw new ValidationError(
        lit`BaseImageRefreshSchedule`,
        `schedule must have the form 'rate(...)', 'cron(...)' or 'at(...)', got '${expression}'; use ScheduleExpression.rate() or cron()`,
        this,
      );
    }
  }

  private handlersOf(image: MicrovmImage): RefreshHandlers {
    const { handlers } = image._image;
    if (handlers === undefined) {
      throw new ValidationError(
        lit`BaseImageRefreshEngine`,
        `image '${image.node.path}' must be built by MicrovmImageEngine.custom(); CloudFormation's own resource takes a pinned base image only`,
        this,
      );
    }
    const { version } = image._baseImage;
    if (version !== undefined) {
      throw new ValidationError(
        lit`BaseImageRefreshPinned`,
        `image '${image.node.path}' must follow its base image, but is pinned to version '${version}'; use baseImage: MicrovmBaseImage.AL2023_1.newest()`,
        this,
      );
    }
    if (Stack.of(image) !== Stack.of(this)) {
      throw new ValidationError(
        lit`BaseImageRefreshStack`,
        `image '${image.node.path}' must be in the stack of its refresh, which runs the functions of that stack; create the BaseImageRefresh there`,
        this,
      );
    }
    return handlers;
  }

  private stepsOf({ image, publication, smokeTests = publication?._smokeTests ?? [] }: BaseImageRefreshProps): RefreshStep[] {
    const other = [...smokeTests, ...(publication ? [publication] : [])].find((each) => each.image !== image);
    if (other) {
      throw new ValidationError(
        lit`BaseImageRefreshOtherImage`,
        `'${other.node.path}' must be of the image that is refreshed, '${image.node.path}', got one of '${other.image.node.path}'`,
        this,
      );
    }
    return [
      ...smokeTests.map((test, index) => ({ ...test._tested, name: `smoke test ${index + 1}` })),
      // What publishes comes last.
      ...(publication ? [{ ...publication._published, name: 'the publication' }] : []),
    ];
  }

  private validateNumber(name: string, value: number, most: number) {
    if (!Token.isUnresolved(value) && (!Number.isInteger(value) || value < 1 || value > most)) {
      throw new ValidationError(lit`BaseImageRefreshNumber`, `${name} must be a whole number from 1 to ${most}, got ${value}`, this);
    }
  }

  private scheduleRole(): iam.Role {
    const group = Stack.of(this).formatArn({ service: 'scheduler', resource: 'schedule-group', resourceName: 'default' });
    return new iam.Role(this, 'ScheduleRole', {
      assumedBy: new iam.ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID, 'aws:SourceArn': group } },
      }),
    });
  }

  private workflowRole(scheduleName: string, scheduleRole: iam.Role, invoked: lambda.IFunction[]): iam.Role {
    const stack = Stack.of(this);
    const schedule = stack.formatArn({ service: 'scheduler', resource: 'schedule', resourceName: `default/${scheduleName}` });
    return new iam.Role(this, 'WorkflowRole', {
      assumedBy: new iam.ServicePrincipal('states.amazonaws.com', { conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } } }),
      inlinePolicies: {
        Refresh: new iam.PolicyDocument({
          statements: [
            new iam.PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: invoked.map(({ functionArn }) => functionArn) }),
            new iam.PolicyStatement({ actions: ['scheduler:GetSchedule', 'scheduler:UpdateSchedule'], resources: [schedule] }),
            new iam.PolicyStatement({
              actions: ['iam:PassRole'],
              resources: [scheduleRole.roleArn],
              conditions: { StringEquals: { 'iam:PassedToService': 'scheduler.amazonaws.com' } },
            }),
            putEventsStatement(formatDefaultBusArn(this)),
          ],
        }),
      },
    });
  }

  private acknowledgeRules() {
    Validations.of(this.stateMachine).acknowledge(
      { id: 'AwsSolutions-SF1', reason: 'Its input is the properties of the image: the functions it invokes log what they do, without values of environment variables' },
      { id: 'AwsSolutions-SF2', reason: 'It only polls functions' },
    );
  }
}
