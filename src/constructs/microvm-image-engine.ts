import { Duration, Fn, Token } from 'aws-cdk-lib';
import * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { lit, UnscopedValidationError, ValidationError } from './private/cdk-internals';
import { cloudFormationImage } from './private/cloudformation-image';
import { CustomImageResource } from './private/custom-image-resource';
import { secondsWithin } from './private/duration';
import { ImageRequest, ImageResource } from './private/image-request';
import { ImageUpkeep } from './private/image-upkeep';
import { VersionReference } from './private/version-reference';
import { EngineProperties, encodeProperties, RunningMicrovms as RunningMicrovmsProperty } from '../custom-resources/microvm-image/contract';
import { MicrovmImageProvider } from '../custom-resources/microvm-image-provider';

/**
 * What a delete of an image does about MicroVMs that still run from it. The service deletes no image with running
 * or suspended MicroVMs.
 */
export enum RunningMicrovms {
  /** Refuse, and name them. */
  FAIL = 'FAIL',
  /** Terminate them, with whatever they hold. */
  TERMINATE = 'TERMINATE',
}

/**
 * Options of the custom engine.
 *
 * @example
 * declare const code: MicrovmCode;
 * new MicrovmImage(this, 'Image', {
 *   code,
 *   engine: MicrovmImageEngine.custom({ keepVersions: 10, buildTimeout: Duration.minutes(20) }),
 * });
 */
export interface CustomEngineOptions {
  /**
   * What a delete of the image does about MicroVMs that still run from it.
   *
   * `TERMINATE` lets the stack's handler terminate the MicroVMs of every image of the stack (`lambda:TerminateMicrovm`).
   *
   * @default RunningMicrovms.FAIL
   */
  readonly runningMicrovms?: RunningMicrovms;

  /**
   * How many versions of the image to keep, from 2 to 47, the new one included.
   *
   * Before a version is built, up to three are deleted: failed ones, then the oldest beyond this number. More stay while
   * they are needed: the version served and the one before it, those that MicroVMs run, those superseded less than eight
   * hours ago (the longest life of a MicroVM; when the image comes within two of the 50 versions the service allows, this
   * protects no more), and those an adopted image had. A deployment that builds nothing deletes nothing.
   *
   * @default 5
   */
  readonly keepVersions?: number;

  /**
   * Take over an image that nobody owns when the resource is created: one made by hand, or released by another stack. It
   * is built only when no version of it is what is asked for.
   *
   * Needs an `imageName`, and a `logGroup`: the image has one already. An image that another resource owns is still an
   * error. A delete releases the image, with all its versions, and does not delete it.
   *
   * @default false
   */
  readonly adopt?: boolean;

  /**
   * Leave an image whose first build failed in place, so that it can be looked at, although CloudFormation rolls back.
   *
   * When the same resource of the same stack is created again, it repairs the image with a new build. In a new stack,
   * also one of the same name, delete the image first or `adopt` it. The log group and the build role go with the
   * rollback unless they are yours.
   *
   * @default false
   */
  readonly retainOnFailure?: boolean;

  /**
   * How long a create or update may take, waits before the build included: 1 to 55 minutes. Then the deployment fails. The
   * build itself cannot be cancelled and goes on.
   *
   * @default Duration.minutes(55)
   */
  readonly buildTimeout?: Duration;

  /**
   * Wait until the new version is built and usable.
   *
   * With `false` the deployment goes on as soon as the service accepted the build, and `imageVersion` is a version that is
   * still being built. It cannot be launched before it is done, and never if the build fails: then the deployment has
   * succeeded all the same, tells no reason, and is not rolled back.
   *
   * @default true
   */
  readonly waitForBuild?: boolean;
}

/**
 * Options of the CloudFormation engine.
 *
 * @example
 * declare const code: MicrovmCode;
 * new MicrovmImage(this, 'Image', {
 *   code,
 *   baseImage: MicrovmBaseImage.AL2023_1.pinned('1'),
 *   engine: MicrovmImageEngine.cloudFormation({ keepVersions: 10 }),
 * });
 */
export interface CloudFormationEngineOptions {
  /**
   * The customer managed key that encrypts the configuration of the image at rest.
   *
   * It is passed on as the image's `KmsKeyIdentifier`. AWS does not document which permissions on the key that takes, so none
   * are added.
   *
   * @default - a key of the service
   */
  readonly kmsKey?: kms.IKeyRef;

  /**
   * What a delete of the image does about MicroVMs that still run from it.
   *
   * CloudFormation itself never terminates them, and the delete fails. `TERMINATE` adds a custom resource that terminates them
   * just before, and lets the stack's handler do so (`lambda:TerminateMicrovm`).
   *
   * @default RunningMicrovms.FAIL
   */
  readonly runningMicrovms?: RunningMicrovms;

  /**
   * How many versions of the image to keep, from 2 to 47, the new one and the one before it included.
   *
   * Adds a custom resource that deletes others after a build, by the rules of the custom engine: none that MicroVMs run, and
   * none superseded less than eight hours ago unless the image comes within two of the 50 versions the service allows. It
   * knows no version a consumer still has after deployments that were rolled back: keep some more than you think you need.
   * It never fails a deployment.
   *
   * @default - all are kept, and the 51st build fails
   */
  readonly keepVersions?: number;
}

const DEFAULT_KEEP_VERSIONS = 5;
/** Below the number from which age protects a version no more: the two would contradict each other. */
const MAX_KEEP_VERSIONS = 47;
/** The longest CloudFormation waits is an hour; the rest is for the error to get out. */
const MAX_BUILD_TIMEOUT = Duration.minutes(55);

/**
 * What builds and keeps an image at deploy time.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/microvms-images.html
 *
 * @example
 * declare const code: MicrovmCode;
 * new MicrovmImage(this, 'Image', {
 *   code,
 *   engine: MicrovmImageEngine.custom({ runningMicrovms: RunningMicrovms.TERMINATE }),
 * });
 */
export abstract class MicrovmImageEngine {
  /**
   * A custom resource of this library: it waits until the image is built and usable, tells why a build failed, returns
   * the exact version, and never builds to roll back.
   *
   * Adds one set of Lambda functions and a state machine to the stack, shared by all its images. An operation may take
   * up to 55 minutes.
   */
  public static custom(options: CustomEngineOptions = {}): MicrovmImageEngine {
    const { keepVersions, buildTimeout } = options;
    validateKeepVersions(keepVersions);
    if (buildTimeout !== undefined && secondsWithin(buildTimeout, 60, MAX_BUILD_TIMEOUT.toSeconds()) === undefined) {
      throw new UnscopedValidationError(
        lit`MicrovmEngineBuildTimeout`,
        `buildTimeout must be 1 to ${MAX_BUILD_TIMEOUT.toMinutes()} minutes in whole seconds, got ${buildTimeout.toHumanString()}; ` +
        'CloudFormation waits no longer than an hour',
      );
    }
    return new CustomEngine(options);
  }

  /**
   * CloudFormation's own resource, `AWS::Lambda::MicrovmImage`: no Lambda function in the stack, up to two hours for a build,
   * and a customer managed key.
   *
   * It needs a pinned base image. It does not tell why a build failed, builds once more to roll back, and keeps every
   * version. `imageVersion` is the newest version that is active. Whoever deploys needs the permissions on images that
   * CloudFormation uses, and `iam:PassRole` on the build role.
   *
   * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-microvmimage.html
   */
  public static cloudFormation(options: CloudFormationEngineOptions = {}): MicrovmImageEngine {
    validateKeepVersions(options.keepVersions);
    return new CloudFormationEngine(options);
  }

  /** @internal */
  public abstract _createImage(scope: Construct, request: ImageRequest): ImageResource;
}

class CustomEngine extends MicrovmImageEngine {
  constructor(private readonly options: CustomEngineOptions) {
    super();
  }

  public _createImage(scope: Construct, request: ImageRequest): ImageResource {
    if (this.options.adopt && (request.permissions.explicitImageArn === undefined || !request.logGroupIsGiven)) {
      throw new ValidationError(
        lit`MicrovmEngineAdopt`,
        'adopt needs the imageName of the image to take over, and a logGroup: a group of the image\'s own would be new, and deleted with the stack',
        scope,
      );
    }
    const terminate = this.options.runningMicrovms === RunningMicrovms.TERMINATE;
    const provider = MicrovmImageProvider.getOrCreate(scope);
    provider.allow({ ...request.permissions, terminatesMicrovms: terminate });
    const resource = new CustomImageResource(scope, 'Resource', {
      serviceToken: provider.serviceToken,
      image: {
        ...request.settings,
        ...this.engineProperties(),
        eventBusArn: request.eventBusArn,
      },
    });
    const version = (attribute: string) => new VersionReference(resource, attribute, () => contentOf(request)).toString();
    return {
      resource,
      imageName: resource.getAtt('ImageName').toString(),
      imageVersion: version('ImageVersion'),
      baseImageVersion: version('BaseImageVersion'),
      reportsBuilds: true,
      handedOver: resource.properties,
      handlers: provider.handlers,
      tags: () => resource.cdkTagManager.tagValues(),
    };
  }

  private engineProperties(): EngineProperties {
    const { runningMicrovms, keepVersions, adopt, retainOnFailure, buildTimeout, waitForBuild } = this.options;
    return {
      runningMicrovms: propertyOf(runningMicrovms),
      keepVersions: keepVersions ?? DEFAULT_KEEP_VERSIONS,
      adopt: adopt || undefined,
      retainOnFailure: retainOnFailure || undefined,
      buildTimeoutSeconds: buildTimeout?.toSeconds(),
      waitForBuild: waitForBuild === false ? false : undefined,
    };
  }
}

class CloudFormationEngine extends MicrovmImageEngine {
  constructor(private readonly options: CloudFormationEngineOptions) {
    super();
  }

  public _createImage(scope: Construct, request: ImageRequest): ImageResource {
    const { baseImageVersion } = request.settings;
    if (baseImageVersion === undefined) {
      throw new ValidationError(
        lit`MicrovmEngineBaseImage`,
        "MicrovmImageEngine.cloudFormation() needs a pinned baseImage, got the newest; pin one, such as MicrovmBaseImage.AL2023_1.pinned('1'), " +
        'or use MicrovmImageEngine.custom(), which finds the newest when it builds',
        scope,
      );
    }
    const { kmsKey, runningMicrovms, keepVersions } = this.options;
    const needsUpkeep = runningMicrovms === RunningMicrovms.TERMINATE || keepVersions !== undefined;
    const kmsKeyIdentifier = kmsKey?.keyRef.keyArn;
    const resource = cloudFormationImage(scope, 'Resource', {
      settings: request.settings,
      baseImageVersion,
      kmsKeyIdentifier,
      tags: needsUpkeep ? [ImageUpkeep.IMAGE_TAG] : [],
    });
    const content = () => [contentOf(request), kmsKeyIdentifier];
    if (needsUpkeep) {
      const provider = MicrovmImageProvider.getOrCreate(scope);
      provider.allowUpkeep(runningMicrovms === RunningMicrovms.TERMINATE);
      new ImageUpkeep(scope, 'Upkeep', {
        serviceToken: provider.serviceToken,
        image: resource,
        upkeep: { imageName: request.settings.imageName, runningMicrovms: propertyOf(runningMicrovms), keepVersions },
        content,
      });
    }
    return {
      resource,
      imageName: Fn.select(6, Fn.split(':', resource.ref)),
      imageVersion: new VersionReference(resource, 'LatestActiveImageVersion', content).toString(),
      baseImageVersion,
      reportsBuilds: false,
      tags: () => Object.fromEntries(Object.entries(resource.cdkTagManager.tagValues())
        .filter(([key, value]) => key !== ImageUpkeep.IMAGE_TAG.key || value !== ImageUpkeep.IMAGE_TAG.value)),
    };
  }
}

function validateKeepVersions(keepVersions?: number) {
  if (keepVersions !== undefined && !Token.isUnresolved(keepVersions)
    && (!Number.isInteger(keepVersions) || keepVersions < 2 || keepVersions > MAX_KEEP_VERSIONS)) {
    throw new UnscopedValidationError(
      lit`MicrovmEngineKeepVersions`,
      `keepVersions must be a whole number from 2 (the new version and the one a rollback returns to) to ${MAX_KEEP_VERSIONS}, got ${keepVersions}`,
    );
  }
}

/** What a new version is built from, as it stands in the template. */
function contentOf({ settings }: ImageRequest): Record<string, unknown> {
  return encodeProperties({ ...settings, followLatest: undefined, tags: {}, runningMicrovms: RunningMicrovmsProperty.FAIL });
}

function propertyOf(runningMicrovms?: RunningMicrovms): RunningMicrovmsProperty {
  return runningMicrovms === RunningMicrovms.TERMINATE ? RunningMicrovmsProperty.TERMINATE : RunningMicrovmsProperty.FAIL;
}
