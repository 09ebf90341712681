import { RemovalPolicy } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as logs from 'aws-cdk-lib/aws-logs';
import { MicrovmBaseImage } from './microvm-base-image';
import { MicrovmCode } from './microvm-code';
import { MicrovmConnector } from './microvm-connector';
import { MicrovmHooks } from './microvm-hooks';
import { MicrovmImageEngine } from './microvm-image-engine';
import { MicrovmLogging } from './microvm-logging';
import { MicrovmMemory } from './microvm-memory';
import { MicrovmOsCapability } from './microvm-os-capability';

/**
 * What is known of an image that is defined elsewhere.
 */
export interface MicrovmImageAttributes {
  /** The ARN of the image: `arn:<partition>:lambda:<region>:<account>:microvm-image:<name>`. */
  readonly imageArn: string;

  /**
   * The version to launch, such as `3.0`.
   *
   * @default - not known; reading `imageVersion` throws
   */
  readonly imageVersion?: string;
}

/**
 * Which published version of an image is meant: the one a channel names, or a certain one.
 */
export interface MicrovmPublicationAttributes {
  /** The name of the publication. */
  readonly publicationName: string;

  /**
   * The channel to follow, such as `stable`. Not together with `version`.
   *
   * @default - `version` says which
   */
  readonly channel?: string;

  /**
   * The version, such as `3.0`. Not together with `channel`.
   *
   * @default - `channel` says which
   */
  readonly version?: string;

  /**
   * Resolve it once, while synthesizing, and keep the answer in `cdk.context.json`, as an AMI look-up does. `cdk context --reset`
   * looks again. The stack needs an explicit account and region.
   *
   * @default false - it is resolved at each deployment
   */
  readonly pinAtSynth?: boolean;

  /**
   * The path under which the SSM parameters are.
   *
   * @default '/microvm-images'
   */
  readonly parameterPrefix?: string;
}

/**
 * What each account and region decides for itself about an image.
 */
export interface MicrovmImageOptions {
  /**
   * The name: 1 to 64 letters, digits, `-` and `_`, unique in the account and region. Changing it replaces the image.
   *
   * @default - generated from the name of the stack and the path of the construct; the same in every deployment
   */
  readonly imageName?: string;

  /**
   * A log group of yours for the builds. Not together with `logging`. Changing it builds a new version.
   *
   * @default - what `logging` says
   */
  readonly logGroup?: logs.ILogGroupRef;

  /**
   * A log group of the image's own for the builds, or none. Changing it builds a new version.
   *
   * @default MicrovmLogging.ownedLogGroup()
   */
  readonly logging?: MicrovmLogging;

  /**
   * The role the service builds the image with. Changing it builds a new version.
   *
   * A role of this app is given what it needs: to read the code and to write to the log group. A role that is imported,
   * or that takes no policies (`withoutPolicyUpdates()`), is left as it is, and a warning says what it must be allowed.
   *
   * To share one role between images, create a `MicrovmBuildRole` and pass it to each. A role of another stack must not
   * be granted anything of the image's own stack: each stack would wait for the other, an error (cyclic reference).
   *
   * @default - a new `MicrovmBuildRole`
   */
  readonly buildRole?: iam.IRoleRef & iam.IGrantable;

  /**
   * Tags of the image, next to those of `Tags.of()`. Tags given to `cdk deploy --tags` do not reach it. Changing tags
   * builds nothing.
   *
   * At most 42. Keys that start with `aws:` or `microvm-cdk:` are an error.
   *
   * @default - none
   */
  readonly tags?: Record<string, string>;

  /**
   * Whether some launches name no version, and so get the highest `ACTIVE` version of the image, whatever it is.
   *
   * By default every launch is expected to name `imageVersion`, and a deployment that returns to an older version, such as
   * a rollback, leaves newer ones as they are. With `true` it retires the newer ones (their status becomes `INACTIVE`;
   * MicroVMs that run them go on), and activates them again when they are asked for. Builds nothing.
   *
   * Following has its price. A launch gets a new version as soon as it is built, before the deployment has ended and even
   * if it fails later; between two launches of one deployment the version may change; a rollback cannot retire a version
   * that is still being built and waits for the build to end; and a launch finds no version while none is active.
   *
   * @default false
   */
  readonly followLatest?: boolean;

  /**
   * What happens to the image, and to its own log group, when they leave the stack or are replaced.
   *
   * To keep them, use `RETAIN_ON_UPDATE_OR_DELETE`. Plain `RETAIN` also keeps what a failed first deployment leaves: the
   * next one fails, because the names are the same again and taken. `SNAPSHOT` is an error.
   *
   * @default RemovalPolicy.DESTROY
   */
  readonly removalPolicy?: RemovalPolicy;

  /**
   * The event bus that events about builds are put on. Changing it builds nothing.
   *
   * Giving one turns the events on, and lets the stack's handler call `events:PutEvents` on the bus. A bus of another account or region must
   * let it do so too, and takes its own rules there.
   *
   * @default - the default bus, once `onBuildSucceeded()` or the like was called; until then there are no events
   */
  readonly eventBus?: events.IEventBusRef;

  /**
   * What builds the image at deploy time.
   *
   * @default MicrovmImageEngine.custom()
   */
  readonly engine?: MicrovmImageEngine;
}

/**
 * Properties of a `MicrovmImage`.
 */
export interface MicrovmImageProps extends MicrovmImageOptions {
  /** What the image is built from. New content builds a new version. */
  readonly code: MicrovmCode;

  /**
   * A description: letters, digits, spaces and `_ . : / = + - @`. Changing it builds a new version.
   *
   * @default - none
   */
  readonly description?: string;

  /**
   * The managed base image to build on. Changing it builds a new version.
   *
   * @default MicrovmBaseImage.AL2023_1.newest()
   */
  readonly baseImage?: MicrovmBaseImage;

  /**
   * How much memory, CPU and disk MicroVMs have. Changing it builds a new version.
   *
   * @default MicrovmMemory.MIB_2048
   */
  readonly memory?: MicrovmMemory;

  /**
   * The calls by which the service tells the app about its life. Changing them builds a new version.
   *
   * @default - none: the snapshot is taken some time after the container started
   */
  readonly hooks?: MicrovmHooks;

  /**
   * Environment variables of the app, readable in the template and in every MicroVM: no place for secrets.
   *
   * At most 50; names of 1 to 256 characters without whitespace, other than `AWS_REGION`; values of up to 4096
   * characters. Changing them builds a new version.
   *
   * @default - none
   */
  readonly environment?: Record<string, string>;

  /**
   * What builds can reach, and what MicroVMs can reach whose launch names no egress connector. Changing it builds a new
   * version. An ingress connector is an error.
   *
   * @default MicrovmConnector.INTERNET_EGRESS
   */
  readonly egressConnector?: MicrovmConnector;

  /**
   * Linux capabilities the container gets beyond the usual, each at most once. Changing them builds a new version.
   *
   * @default - none
   */
  readonly additionalOsCapabilities?: MicrovmOsCapability[];
}
