import { Duration, Lazy, Resource, Stack, Token } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as ssm from 'aws-cdk-lib/aws-ssm';
import { Construct, IConstruct } from 'constructs';
import { MicrovmConnector } from './microvm-connector';
import { MicrovmLaunchGrants } from './microvm-launch-grants';
import {
  MicrovmIdlePolicy, MicrovmLaunchFunctionOptions, MicrovmLaunchParameterOptions, MicrovmLaunchProfileProps,
} from './microvm-launch-profile-props';
import { formatLogStreamsArn } from './private/arn';
import { lit, propertyInjectable, ValidationError } from './private/cdk-internals';
import { ImageReference } from './private/image-reference';
import { validateImageVersion, validateLogGroupName } from './private/image-validation';
import { launchSeconds, validateEgress, validateIngress, validatePlace, validateRunHookPayload } from './private/launch-validation';
import { acknowledgeWildcards } from './private/rule-acknowledgments';
import { grantLogDelivery } from './private/service-role';

const EIGHT_HOURS = Duration.hours(8).toSeconds();

/** What all environment variables of a function hold together, and what a standard SSM parameter holds. */
const MAX_HANDED_OVER = 4096;
const MAX_ADVANCED_PARAMETER = 8192;

/** The environment variables that profiles set. CDK would let the second one win without a word. */
const VARIABLES_OF_FUNCTIONS = new WeakMap<lambda.Function, Set<string>>();

/**
 * Everything a launch of MicroVMs needs from infrastructure: image and exact version, role, connectors, times and logs.
 *
 * It adds no resource. It grants what such a launch takes, and hands the settings to the code that launches, as the JSON
 * input of `RunMicrovm`: to a function as an environment variable, to anything else as an SSM parameter or as text.
 *
 * What the service would refuse is an error here: `ALL_INGRESS` next to another connector, a log group without a role, a
 * payload without a run hook.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/microvms-launching.html
 *
 * @example
 * declare const image: MicrovmImage;
 * declare const executionRole: ExecutionRole;
 * declare const launcher: lambda.Function;
 * const profile = new MicrovmLaunchProfile(this, 'Launch', {
 *   image,
 *   executionRole,
 *   ingressConnectors: [MicrovmConnector.HTTP_INGRESS],
 *   maximumDuration: Duration.minutes(30),
 * });
 *
 * profile.addToFunction(launcher);         // MICROVM_LAUNCH, and the permission to launch
 * profile.grants.connect(launcher);
 */
@propertyInjectable
export class MicrovmLaunchProfile extends Construct {
  /** Uniquely identifies this class. */
  public static readonly PROPERTY_INJECTION_ID: string = 'cdk-lambda-microvms.MicrovmLaunchProfile';

  /** The image that is launched. */
  public readonly image: lambda.IMicrovmImageRef;

  /** The version that is launched. */
  public readonly imageVersion: string;

  /** The role the MicroVMs run with. Undefined when they have none. */
  public readonly executionRole?: iam.IRoleRef;

  /** How the MicroVMs can be reached. */
  public readonly ingressConnectors: MicrovmConnector[];

  /** What the MicroVMs can reach. Undefined when they get what the image has, which is from elsewhere. */
  public readonly egressConnector?: MicrovmConnector;

  /** Where the MicroVMs log to. Undefined when the service decides, or when logging is off. */
  public readonly logGroup?: logs.ILogGroupRef;

  /** Gives principals the permissions that go with these settings. */
  public readonly grants: MicrovmLaunchGrants;

  private readonly input: Record<string, unknown>;

  constructor(scope: Construct, id: string, props: MicrovmLaunchProfileProps) {
    super(scope, id);
    const image: ImageReference = props.image;
    validatePlace(this, 'image', image.env);
    this.image = image;
    this.imageVersion = this.versionOf(props);
    this.executionRole = props.executionRole;
    if (props.executionRole) {
      validatePlace(this, 'executionRole', { account: props.executionRole.env.account });
    }
    this.ingressConnectors = [...props.ingressConnectors ?? [MicrovmConnector.NO_INGRESS]];
    validateIngress(this, this.ingressConnectors.map((connector) => this.named(connector)));
    // Named although it would be inherited: the launch then passes what it is granted, whatever an older version has.
    this.egressConnector = props.egressConnector ?? (image._egressConnectorArn ? MicrovmConnector.fromArn(image._egressConnectorArn) : undefined);
    if (this.egressConnector) {
      validateEgress(this, this.named(this.egressConnector));
    }
    if (props.runHookPayload !== undefined) {
      validateRunHookPayload(this, props.runHookPayload, props.imageVersion === undefined ? image._hasRunHook : undefined);
    }
    this.logGroup = props.logGroup;
    this.grants = MicrovmLaunchGrants.fromProfile(this);
    this.input = {
      imageIdentifier: image.microvmImageRef.imageArn,
      imageVersion: this.imageVersion,
      executionRoleArn: props.executionRole?.roleRef.roleArn,
      ingressNetworkConnectors: [...new Set(this.ingressConnectors.map((connector) => connector.arnIn(this)))],
      egressNetworkConnectors: this.egressConnector && [this.egressConnector.arnIn(this)],
      idlePolicy: props.idlePolicy && this.idlePolicyOf(props.idlePolicy),
      maximumDurationInSeconds: props.maximumDuration && launchSeconds(this, 'maximumDuration', props.maximumDuration, 1, EIGHT_HOURS),
      logging: this.loggingOf(props),
      runHookPayload: props.runHookPayload,
    };
  }

  /**
   * Lets a function launch MicroVMs and hands it the settings: one environment variable with the JSON that
   * `RunMicrovmCommand` takes as its input.
   *
   * Grants what `grants.launch` does. Grant `connect`, `manage` or `shell` for what the function does with the MicroVMs
   * afterwards, or all that fit with `grants.launcher`. All environment variables of a function together hold 4 KB: longer
   * settings fail the synth.
   *
   * @returns the permission to launch
   */
  public addToFunction(fn: lambda.Function, options: MicrovmLaunchFunctionOptions = {}): iam.Grant {
    const variable = options.environmentVariable ?? 'MICROVM_LAUNCH';
    const taken = VARIABLES_OF_FUNCTIONS.get(fn) ?? new Set();
    VARIABLES_OF_FUNCTIONS.set(fn, taken);
    if (taken.has(variable)) {
      throw new ValidationError(
        lit`MicrovmLaunchVariable`,
        `environmentVariable must be unique in the function, got '${variable}', which another launch profile has set; name one of them`,
        fn,
      );
    }
    taken.add(variable);
    fn.addEnvironment(variable, this.toJson());
    this.limitSize(fn, `environment variable '${variable}'`, MAX_HANDED_OVER, 'or hand the settings over with toSsmParameter()');
    return this.grants.launch(fn);
  }

  /**
   * The settings as an SSM parameter, for containers and for code that another stack deploys: the JSON that `RunMicrovm`
   * takes as its input. Can be called once.
   *
   * Grants nothing. Whoever launches needs `grants.launch`, and `grantRead` of the parameter.
   */
  public toSsmParameter(options: MicrovmLaunchParameterOptions = {}): ssm.StringParameter {
    const parameter = new ssm.StringParameter(this, 'Parameter', {
      parameterName: options.parameterName,
      tier: options.tier,
      description: 'How to launch MicroVMs: the input of RunMicrovm',
      stringValue: this.toJson(),
    });
    const isAdvanced = options.tier === ssm.ParameterTier.ADVANCED || options.tier === ssm.ParameterTier.INTELLIGENT_TIERING;
    this.limitSize(parameter, 'the SSM parameter', isAdvanced ? MAX_ADVANCED_PARAMETER : MAX_HANDED_OVER, 'or give it the tier ADVANCED');
    return parameter;
  }

  /**
   * The settings as text: the JSON that `RunMicrovm` takes as its input. Grants nothing.
   */
  public toJson(): string {
    return Stack.of(this).toJsonString(this.input);
  }

  /**
   * The settings as the `parameters` of a Step Functions task `CallAwsService`, with service `lambdamicrovms` and action
   * `runMicrovm`. Names begin with a capital there. Replace what each execution decides, such as `RunHookPayload`.
   *
   * Each value is a token that becomes what the service wants, a list or an object too. Grants nothing: give the state
   * machine `grants.launch`.
   */
  public toStepFunctionsParameters(): Record<string, string> {
    return Object.fromEntries(Object.entries(this.input)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [capitalized(name), Token.asString(Lazy.any({ produce: () => withCapitalizedNames(value) }))]));
  }

  private versionOf(props: MicrovmLaunchProfileProps): string {
    const version = props.imageVersion ?? (props.image as ImageReference).imageVersion;
    if (version === undefined) {
      throw new ValidationError(
        lit`MicrovmLaunchImageVersion`,
        "imageVersion must be given for an image that does not tell its version; of a CfnMicrovmImage, give 'attrLatestActiveImageVersion'",
        this,
      );
    }
    validateImageVersion(this, version);
    return version;
  }

  private idlePolicyOf({ maxIdleDuration, suspendedDuration, autoResume }: MicrovmIdlePolicy) {
    if (autoResume === undefined) {
      throw new ValidationError(
        lit`MicrovmLaunchIdlePolicy`,
        'idlePolicy.autoResume must be true or false, got undefined; the service takes a whole idle policy or none',
        this,
      );
    }
    return {
      maxIdleDurationSeconds: launchSeconds(this, 'idlePolicy.maxIdleDuration', maxIdleDuration, 60, EIGHT_HOURS),
      suspendedDurationSeconds: launchSeconds(this, 'idlePolicy.suspendedDuration', suspendedDuration, 0),
      autoResumeEnabled: autoResume,
    };
  }

  private loggingOf({ logGroup, disableLogging, executionRole }: MicrovmLaunchProfileProps) {
    if (!logGroup) {
      return disableLogging ? { disabled: {} } : undefined;
    }
    if (disableLogging || !executionRole) {
      throw new ValidationError(
        lit`MicrovmLaunchLogGroup`,
        disableLogging
          ? 'logGroup and disableLogging must not both be given; remove one'
          : 'logGroup must not be given without an executionRole: the service refuses such a launch, since it is the role that writes; give one',
        this,
      );
    }
    const { logGroupName } = logGroup.logGroupRef;
    validateLogGroupName(this, logGroupName);
    validatePlace(this, 'logGroup', logGroup.env);
    // A role of another stack would wait for the log group of this one, which waits for the role.
    if (isGrantable(executionRole) && Resource.isOwnedResource(executionRole) && Stack.of(executionRole) === Stack.of(this)) {
      const streams = formatLogStreamsArn(this, logGroupName);
      grantLogDelivery(executionRole, streams);
      acknowledgeWildcards(executionRole, 'The log streams of one log group', [streams]);
    }
    return { cloudWatch: { logGroup: logGroupName } };
  }

  private named(connector: MicrovmConnector) {
    return { arn: connector.arnIn(this), isIngress: connector._isIngress, isEgress: connector._isEgress };
  }

  /** Only the deployment knows how long the text is. What is known while synthesizing may be too long already. */
  private limitSize(scope: IConstruct, what: string, limit: number, remedy: string) {
    scope.node.addValidation({
      validate: () => {
        const bytes = knownBytes(Stack.of(scope).resolve(this.toJson()));
        return bytes <= limit ? [] : [`${what} must be at most ${limit} bytes, got ${bytes} and more; shorten runHookPayload, ${remedy}`];
      },
    });
  }
}

function isGrantable(role: iam.IRoleRef): role is iam.IRoleRef & iam.IGrantable {
  return 'grantPrincipal' in role;
}

function knownBytes(text: any): number {
  const parts: unknown[] = typeof text === 'string' ? [text] : text['Fn::Join']?.[1] ?? [];
  return parts.reduce((sum: number, part) => sum + (typeof part === 'string' ? Buffer.byteLength(part) : 0), 0);
}

function withCapitalizedNames(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return value;
  }
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [capitalized(name), withCapitalizedNames(entry)]));
}

function capitalized(name: string): string {
  return name[0].toUpperCase() + name.slice(1);
}
