import { Arn, ArnFormat, Lazy, PhysicalName, ReferenceStrength, RemovalPolicy, Stack, Token } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { MicrovmBaseImage } from './microvm-base-image';
import { MicrovmBuildRole } from './microvm-build-role';
import { MicrovmConnector } from './microvm-connector';
import { IMicrovmImage, MicrovmImageBase } from './microvm-image-base';
import { MicrovmImageEngine } from './microvm-image-engine';
import { MicrovmImageAttributes, MicrovmImageProps, MicrovmPublicationAttributes } from './microvm-image-props';
import { MicrovmLogging } from './microvm-logging';
import { MicrovmMemory } from './microvm-memory';
import { MicrovmOsCapability } from './microvm-os-capability';
import { connectorForPeople, formatImageArn, managedConnectorName } from './private/arn';
import { BoundCode } from './private/bound-code';
import { lit, propertyInjectable, ValidationError } from './private/cdk-internals';
import { warnAboutHiddenPort } from './private/dockerfile-checks';
import { grantBuild } from './private/image-build-role';
import { ImageSettings } from './private/image-definition';
import { ImageEvents } from './private/image-events';
import { ImageResource } from './private/image-request';
import {
  sizeProblems, tagProblems, validateDescription, validateEnvironment, validateImageKinds, validateImageName, validateImageVersion,
  validateLogGroupName, validateOsCapabilities, validateRegion, validateTags, validateUniqueImageName,
} from './private/image-validation';
import { generateImageName } from './private/naming';
import { publishedVersion } from './private/publication-parameters';
import { EventType } from '../custom-resources/microvm-events';
import { MicrovmImageProvider } from '../custom-resources/microvm-image-provider';

export type { IMicrovmImage } from './microvm-image-base';

const MICROVM_IMAGE = Symbol.for('cdk-lambda-microvms.MicrovmImage');

/**
 * A Lambda MicroVM image: built when the stack is deployed, ready to launch MicroVMs from when the deployment ends.
 *
 * A change of content or settings builds a new version; the last good one stays usable meanwhile. A failed build fails
 * the deployment with the reason and the end of the build log, and a rollback returns to the version before without
 * building. `imageVersion` is the version this deployment is about: a `MicrovmLaunchProfile` gives it to the code that
 * launches MicroVMs.
 *
 * Adds the image, its log group and its build role to the stack, and once a stack the functions that build images.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/microvms-images.html
 *
 * @example
 * declare const launcher: lambda.Function;
 * const image = new MicrovmImage(this, 'Sandbox', {
 *   code: MicrovmCode.fromAsset('sandbox'),
 *   hooks: MicrovmHooks.onPort(9000, { ready: Duration.minutes(5) }),
 * });
 *
 * const profile = new MicrovmLaunchProfile(this, 'Launch', { image });
 * profile.addToFunction(launcher);
 */
@propertyInjectable
export class MicrovmImage extends MicrovmImageBase {
  /** Uniquely identifies this class. */
  public static readonly PROPERTY_INJECTION_ID: string = 'cdk-lambda-microvms.MicrovmImage';

  /** Whether the given object is a `MicrovmImage` defined in this app. */
  public static isMicrovmImage(x: any): x is MicrovmImage {
    return x !== null && typeof x === 'object' && MICROVM_IMAGE in x;
  }

  /**
   * An image that is defined elsewhere, by its ARN. Reading its `imageVersion` throws.
   *
   * @param imageArn `arn:<partition>:lambda:<region>:<account>:microvm-image:<name>`
   */
  public static fromImageArn(scope: Construct, id: string, imageArn: string): IMicrovmImage {
    return MicrovmImage.fromImageAttributes(scope, id, { imageArn });
  }

  /** An image that is defined elsewhere. */
  public static fromImageAttributes(scope: Construct, id: string, attrs: MicrovmImageAttributes): IMicrovmImage {
    if (!Token.isUnresolved(attrs.imageArn) && !/^arn:[^:]+:lambda:[^:]+:\d{12}:microvm-image:[a-zA-Z0-9-_]{1,64}$/.test(attrs.imageArn)) {
      throw new ValidationError(
        lit`MicrovmImageArn`,
        `imageArn must have the form 'arn:<partition>:lambda:<region>:<account>:microvm-image:<name>', got '${attrs.imageArn}'`,
        scope,
      );
    }
    if (attrs.imageVersion !== undefined) {
      validateImageVersion(scope, attrs.imageVersion);
    }

    class Import extends MicrovmImageBase {
      public readonly imageArn = attrs.imageArn;
      public readonly imageName = Arn.split(attrs.imageArn, ArnFormat.COLON_RESOURCE_NAME).resourceName!;

      public get imageVersion(): string {
        if (attrs.imageVersion === undefined) {
          throw new ValidationError(
            lit`MicrovmImageImportedWithoutVersion`,
            'imageVersion is not known of an image that was imported without it; import it with MicrovmImage.fromImageAttributes(), ' +
            'or give the launch profile an imageVersion',
            this,
          );
        }
        return attrs.imageVersion;
      }
    }
    return new Import(scope, id, { environmentFromArn: attrs.imageArn });
  }

  /**
   * A version that a `MicrovmImagePublication` of this account and region published.
   *
   * A stack that names a channel gets what the channel names when it is deployed, and again at each later deployment. Whoever
   * deploys must be allowed to read the parameters, as the roles of `cdk bootstrap` are. A channel or version that is not
   * published fails the deployment before it begins.
   */
  public static fromPublication(scope: Construct, id: string, attrs: MicrovmPublicationAttributes): IMicrovmImage {
    return MicrovmImage.fromImageAttributes(scope, id, publishedVersion(scope, attrs));
  }

  /**
   * The role the service builds the image with. Grant it what the Dockerfile and the build hooks need beyond the code and
   * the log group.
   */
  public readonly buildRole: iam.IGrantable;

  /** The ARN of the role the service builds the image with. */
  public readonly buildRoleArn: string;

  /** Where builds log to. Undefined when logging is off. */
  public readonly logGroup?: logs.ILogGroupRef;

  /** @internal */
  public readonly _policyArn: string;

  /** @internal */
  public readonly _egressConnectorArn: string;

  /** @internal */
  public readonly _hasRunHook: boolean;

  private keptTags = 0;

  private readonly events: ImageEvents;

  /** @internal */
  public readonly _image: ImageResource;

  /** @internal */
  public get _physicalName(): string {
    return this.physicalName;
  }

  /** @internal */
  public readonly _baseImage: { readonly arn: string; readonly version?: string };

  /** @internal */
  public readonly _code: BoundCode;

  /**
   * What else a version is built from, and any account could build.
   *
   * @internal
   */
  public readonly _settings: ImageSettings;

  constructor(scope: Construct, id: string, props: MicrovmImageProps) {
    const explicitName = props.imageName === PhysicalName.GENERATE_IF_NEEDED ? undefined : props.imageName;
    super(scope, id, { physicalName: explicitName ?? generateImageName(scope, id) });
    validateImageKinds(this, props);
    validateRegion(this, Stack.of(this).region);
    validateImageName(this, this.physicalName);
    if (explicitName !== undefined) {
      validateUniqueImageName(this, explicitName);
    }
    validateDescription(this, props.description ?? '');
    validateEnvironment(this, props.environment ?? {});
    validateOsCapabilities(this, props.additionalOsCapabilities ?? [], Object.values(MicrovmOsCapability));
    validateTags(this, props.tags ?? {});
    this._policyArn = formatImageArn(this, this.physicalName);
    this._egressConnectorArn = this.egressConnectorOf(props).arnIn(this);
    this._hasRunHook = props.hooks?._properties().runSeconds !== undefined;

    const removalPolicy = this.removalPolicyOf(props);
    const logging = this.bindLogging(props, removalPolicy);
    this.logGroup = logging.group;
    const code = this._code = props.code._bind(this);
    if (props.hooks && code.dockerfile) {
      warnAboutHiddenPort(this, props.hooks.port, code.dockerfile);
    }

    const role = props.buildRole ?? new MicrovmBuildRole(this, 'BuildRole');
    this.buildRole = role;
    this.buildRoleArn = role.roleRef.roleArn;
    const grants = grantBuild(this, role, code, logging.groupName);

    const baseImage = this._baseImage = (props.baseImage ?? MicrovmBaseImage.AL2023_1)._settings(this);
    this._settings = {
      description: props.description || undefined,
      baseImage: baseImage.name,
      baseImageVersion: baseImage.version,
      memoryInMiB: (props.memory ?? MicrovmMemory.MIB_2048).mebibytes,
      egressConnector: managedConnectorName(this._egressConnectorArn),
      additionalOsCapabilities: [...props.additionalOsCapabilities ?? []],
      environment: { ...props.environment },
      hooks: props.hooks?._properties(),
    };
    this.events = new ImageEvents(this, (bus) => MicrovmImageProvider.getOrCreate(this).allowEvents(bus), props.eventBus);
    this._image = (props.engine ?? MicrovmImageEngine.custom())._createImage(this, {
      settings: {
        imageName: this.physicalName,
        description: this._settings.description,
        baseImageArn: baseImage.arn,
        baseImageVersion: baseImage.version,
        baseImageRefreshToken: baseImage.refreshToken,
        buildRoleArn: this.buildRoleArn,
        codeArtifactUri: code.uri,
        minimumMemoryInMiB: this._settings.memoryInMiB,
        egressNetworkConnectors: [this._egressConnectorArn],
        additionalOsCapabilities: this._settings.additionalOsCapabilities,
        environmentVariables: this._settings.environment,
        hooks: this._settings.hooks,
        logging: {
          disabled: logging.disabled,
          logGroup: logging.group?.logGroupRef.logGroupName,
          logStream: logging.stream,
        },
        tags: { ...props.tags },
        followLatest: props.followLatest || undefined,
      },
      permissions: {
        explicitImageArn: explicitName && this._policyArn,
        foreignRoleArn: role instanceof MicrovmBuildRole && role._isUnderOwnPath(this) ? undefined : this.buildRoleArn,
        connectorArns: [this._egressConnectorArn],
        explicitLogGroupName: explicitName || props.logGroup ? logging.groupName : undefined,
      },
      logGroupIsGiven: props.logGroup !== undefined,
      eventBusArn: Lazy.string({ produce: () => this.events.busArn }),
    });
    if (props.eventBus) {
      this.requireReports('events');
      this.events.enable();
    }

    const { resource } = this._image;
    resource.applyRemovalPolicy(removalPolicy);
    // The version changes with every build. A strong export could not change while another stack imports it.
    resource.applyCrossStackReferenceStrength(ReferenceStrength.WEAK);
    grants.forEach((grant) => grant.applyBefore(resource));
    this.node.addValidation({ validate: () => [...tagProblems(this._image.tags(), this.keptTags), ...sizeProblems(this, this._image.handedOver)] });
  }

  public get imageArn(): string {
    return this.getResourceArnAttribute(this._image.resource.ref, {
      service: 'lambda',
      resource: 'microvm-image',
      resourceName: this.physicalName,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
  }

  public get imageName(): string {
    return this.getResourceNameAttribute(this._image.imageName);
  }

  /**
   * The exact version this deployment built, or found to be the same, such as `3.0`.
   *
   * @attribute
   */
  public get imageVersion(): string {
    return this._image.imageVersion;
  }

  /**
   * The version of the managed base image it was built on, such as `1`. Empty when the service does not tell.
   *
   * @attribute
   */
  public get baseImageVersion(): string {
    return this._image.baseImageVersion;
  }

  public metric(metricName: string, options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    this.requireReports('metrics');
    return super.metric(metricName, options);
  }

  /**
   * Calls a target when a version was built.
   *
   * The target gets the event `MicroVM Image Build Succeeded`. Like the other `on` methods, this turns the events of the image on: the
   * stack's handler may then call `events:PutEvents` on the bus, and nothing is built. An event that cannot be put fails no deployment. It
   * may come twice, with the same `detail.id`.
   *
   * A target that uses `imageVersion` is deployed after the image, and hears of its next build.
   *
   * Throws when CloudFormation builds the image (`MicrovmImageEngine.cloudFormation()`): nothing would put events.
   *
   * @param id of the rule, in the scope of the image
   * @param options of the rule: its target, and a pattern to narrow it
   *
   * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rules.html
   */
  public onBuildSucceeded(id: string, options: events.OnEventOptions = {}): events.Rule {
    return this.onEvent(id, EventType.BUILD_SUCCEEDED, options);
  }

  /**
   * Calls a target when a deployment fails because a version could not be built: the event `MicroVM Image Build Failed`, with the reason.
   *
   * Turns events on, and throws, as `onBuildSucceeded()` does.
   *
   * @param id of the rule, in the scope of the image
   * @param options of the rule: its target, and a pattern to narrow it
   */
  public onBuildFailed(id: string, options: events.OnEventOptions = {}): events.Rule {
    return this.onEvent(id, EventType.BUILD_FAILED, options);
  }

  /**
   * Calls a target when the library deleted a version, to make room or because its build had failed: the event
   * `MicroVM Image Version Pruned`.
   *
   * Turns events on, and throws, as `onBuildSucceeded()` does.
   *
   * @param id of the rule, in the scope of the image
   * @param options of the rule: its target, and a pattern to narrow it
   */
  public onVersionPruned(id: string, options: events.OnEventOptions = {}): events.Rule {
    return this.onEvent(id, EventType.VERSION_PRUNED, options);
  }

  private onEvent(id: string, type: string, options: events.OnEventOptions): events.Rule {
    this.requireReports('events');
    // Of the image's name: a rule that needed the image itself would miss its first build.
    return this.events.rule(id, { type, imageArn: this._policyArn }, options);
  }

  private requireReports(what: string) {
    if (!this._image.reportsBuilds) {
      throw new ValidationError(
        lit`MicrovmImageUnreported`,
        `there are no ${what} of an image that CloudFormation builds (MicrovmImageEngine.cloudFormation()); use MicrovmImageEngine.custom(), ` +
        'whose handler reports on its builds',
        this,
      );
    }
  }

  /** One tag more is the library's own. @internal */
  public _keepTag() {
    this.keptTags++;
  }

  private removalPolicyOf(props: MicrovmImageProps): RemovalPolicy {
    if (props.removalPolicy === RemovalPolicy.SNAPSHOT) {
      throw new ValidationError(
        lit`MicrovmImageRemovalPolicy`,
        "removalPolicy must be DESTROY, RETAIN or RETAIN_ON_UPDATE_OR_DELETE, got 'snapshot'; CloudFormation takes none of an image",
        this,
      );
    }
    return props.removalPolicy ?? RemovalPolicy.DESTROY;
  }

  private egressConnectorOf(props: MicrovmImageProps): MicrovmConnector {
    const connector = props.egressConnector ?? MicrovmConnector.INTERNET_EGRESS;
    if (connector._isIngress) {
      throw new ValidationError(
        lit`MicrovmImageEgressConnector`,
        `egressConnector must be an egress connector, got '${connectorForPeople(connector.arnIn(this))}'; ingress connectors are named at launch`,
        this,
      );
    }
    const arn = connector.arnIn(this);
    const { region } = Stack.of(this);
    if (!Token.isUnresolved(arn) && !Token.isUnresolved(region) && arn.split(':')[3] !== region) {
      throw new ValidationError(
        lit`MicrovmImageEgressConnectorRegion`,
        `egressConnector must be in the image's region '${region}', got '${arn}'; make a connector in '${region}'`,
        this,
      );
    }
    return connector;
  }

  private bindLogging(props: MicrovmImageProps, removalPolicy: RemovalPolicy) {
    if (props.logGroup && props.logging) {
      throw new ValidationError(
        lit`MicrovmImageLogging`,
        'logGroup and logging must not both be given; logging is for a log group of the image\'s own',
        this,
      );
    }
    if (props.logGroup) {
      const groupName = props.logGroup.logGroupRef.logGroupName;
      validateLogGroupName(this, groupName);
      return { disabled: false, group: props.logGroup, groupName, stream: undefined };
    }
    return (props.logging ?? MicrovmLogging.ownedLogGroup())._bind(this, this.physicalName, removalPolicy);
  }
}

Object.defineProperty(MicrovmImage.prototype, MICROVM_IMAGE, { value: true });
