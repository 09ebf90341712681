import { CfnResource, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { ExecutionRole } from './execution-role';
import { MicrovmConnector } from './microvm-connector';
import { MicrovmImage } from './microvm-image';
import { MicrovmSmokeCheck } from './microvm-smoke-check';
import { connectorForPeople } from './private/arn';
import { lit, propertyInjectable, ValidationError } from './private/cdk-internals';
import { SERVICE_TIMEOUT_SECONDS } from './private/custom-image-resource';
import { secondsWithin } from './private/duration';
import { policyArnOf } from './private/image-reference';
import { KindOf, validateGivenKinds, validateKind } from './private/kinds';
import { validateRunHookPayload } from './private/launch-validation';
import { VersionStep } from './private/refresh-workflow';
import { encodeSmokeTest, SMOKE_TEST_RESOURCE_TYPE } from '../custom-resources/microvm-smoke-test/contract';
import { MicrovmSmokeTestProvider } from '../custom-resources/microvm-smoke-test-provider';

/**
 * Properties of a `MicrovmSmokeTest`.
 */
export interface MicrovmSmokeTestProps {
  /** The image of this stack whose versions are tested. */
  readonly image: MicrovmImage;

  /**
   * How the test tells whether a MicroVM works.
   *
   * @default MicrovmSmokeCheck.http()
   */
  readonly check?: MicrovmSmokeCheck;

  /**
   * How long the app may take to answer, from the launch on: 10 seconds to 30 minutes. It is the longest that one test MicroVM lives,
   * and 5 minutes more.
   *
   * @default Duration.minutes(2)
   */
  readonly timeout?: Duration;

  /**
   * What the run hook of the app is handed: up to 4096 characters, readable in the template. An error for an image without a run
   * hook.
   *
   * @default - nothing
   */
  readonly runHookPayload?: string;

  /**
   * What the test MicroVM can reach.
   *
   * @default - the egress connector of the image
   */
  readonly egressConnector?: MicrovmConnector;

  /**
   * Where the test MicroVM logs to. The end of its log becomes part of the error.
   *
   * @default - a log group of the test's own, kept for a month, and removed with the test
   */
  readonly logGroup?: logs.ILogGroupRef;
}

const DEFAULT_TIMEOUT = Duration.minutes(2);
const MAX_TIMEOUT = Duration.minutes(30);

/**
 * Runs a MicroVM from each new version of an image while it is deployed, and fails the deployment when it does not work.
 *
 * The MicroVM runs exactly the version this deployment built, with a role that may write its log and nothing else. It can be
 * reached with a token only, and is terminated whatever happens; should everything fail, the service ends it some minutes
 * after the `timeout`. A version that passed is not tested again by the same test, so a rollback launches nothing. Which ones
 * passed is noted in a tag of the image.
 *
 * What must not use a version before it passed depends on the test: `consumer.node.addDependency(smokeTest)`. A
 * `MicrovmImagePublication` does so by itself.
 *
 * Adds a role and a log group to the stack, and once a stack the functions that test images.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/microvms-launching.html
 *
 * @example
 * declare const image: MicrovmImage;
 * const smokeTest = new MicrovmSmokeTest(this, 'SmokeTest', {
 *   image,
 *   check: MicrovmSmokeCheck.http({ path: '/health', bodyContains: 'ok' }),
 * });
 */
@propertyInjectable
export class MicrovmSmokeTest extends Construct {
  /** Uniquely identifies this class. */
  public static readonly PROPERTY_INJECTION_ID: string = 'cdk-lambda-microvms.MicrovmSmokeTest';

  /** The image that is tested. */
  public readonly image: MicrovmImage;

  /** The role the test MicroVMs run with. Only they do: grant it what the app cannot start without. */
  public readonly executionRole: ExecutionRole;

  /** Where the test MicroVMs log to. */
  public readonly logGroup: logs.ILogGroupRef;

  /**
   * How a base image refresh tests the version it built.
   *
   * @internal
   */
  public readonly _tested: VersionStep;

  constructor(scope: Construct, id: string, props: MicrovmSmokeTestProps) {
    super(scope, id);
    const { image } = props;
    validateKind(this, 'image', image, KindOf.BUILT_IMAGE);
    validateGivenKinds(this, props, {
      check: ['_bound', 'a MicrovmSmokeCheck, such as MicrovmSmokeCheck.http()'],
      timeout: KindOf.DURATION,
      egressConnector: KindOf.CONNECTOR,
    });
    if (Stack.of(image) !== Stack.of(this)) {
      throw new ValidationError(
        lit`MicrovmSmokeTestStack`,
        `image must be in the stack of its smoke test '${Stack.of(this).node.path}', got one of '${Stack.of(image).node.path}'; a version is tested by the deployment that builds it`,
        this,
      );
    }
    if (props.runHookPayload !== undefined) {
      validateRunHookPayload(this, props.runHookPayload, image._hasRunHook);
    }
    const egressArn = this.egressArnOf(props);
    this.image = image;
    this.logGroup = props.logGroup ?? new logs.LogGroup(this, 'LogGroup', {
      retention: logs.RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.executionRole = new ExecutionRole(this, 'ExecutionRole', {
      description: 'Runs the MicroVMs of a smoke test',
      logGroup: this.logGroup,
      sourceImages: [image],
    });
    const check = (props.check ?? MicrovmSmokeCheck.http())._bound;
    const ingressArn = MicrovmConnector.HTTP_INGRESS.arnIn(this);
    const provider = MicrovmSmokeTestProvider.getOrCreate(this);
    provider.allow({
      imageArn: policyArnOf(image),
      executionRoleArn: this.executionRole.roleArn,
      connectorArns: [ingressArn, egressArn],
      logGroupName: this.logGroup.logGroupRef.logGroupName,
      checkFunctionArn: check.checkFunctionArn,
    });
    const properties = encodeSmokeTest({
      imageArn: image.imageArn,
      imageVersion: image.imageVersion,
      executionRoleArn: this.executionRole.roleArn,
      ingressNetworkConnectors: [ingressArn],
      egressNetworkConnectors: [egressArn],
      logGroup: this.logGroup.logGroupRef.logGroupName,
      runHookPayload: props.runHookPayload,
      ...check,
      timeoutSeconds: this.timeoutOf(props),
    });
    const resource = new CfnResource(this, 'Resource', {
      type: SMOKE_TEST_RESOURCE_TYPE,
      properties: { ServiceToken: provider.serviceToken, ServiceTimeout: SERVICE_TIMEOUT_SECONDS, ...properties },
    });
    this._tested = { handlers: provider.handlers, resource, properties };
    // The role can write its log before a MicroVM does.
    resource.node.addDependency(this.executionRole);
    image._keepTag();
  }

  private egressArnOf({ egressConnector, image }: MicrovmSmokeTestProps): string {
    if (egressConnector?._isIngress) {
      throw new ValidationError(
        lit`MicrovmSmokeTestEgress`,
        `egressConnector must be an egress connector, got '${connectorForPeople(egressConnector.arnIn(this))}'; the way in is the test's own business`,
        this,
      );
    }
    return egressConnector?.arnIn(this) ?? image._egressConnectorArn;
  }

  private timeoutOf({ timeout = DEFAULT_TIMEOUT }: MicrovmSmokeTestProps): number {
    const seconds = secondsWithin(timeout, 10, MAX_TIMEOUT.toSeconds());
    if (seconds === undefined) {
      throw new ValidationError(
        lit`MicrovmSmokeTestTimeout`,
        `timeout must be 10 seconds to ${MAX_TIMEOUT.toMinutes()} minutes in whole seconds, got ${timeout.toHumanString()}`,
        this,
      );
    }
    return seconds;
  }
}
