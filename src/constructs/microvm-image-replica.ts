import { Duration, RemovalPolicy, Size } from 'aws-cdk-lib';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as s3deploy from 'aws-cdk-lib/aws-s3-deployment';
import { Construct } from 'constructs';
import { MicrovmBaseImage } from './microvm-base-image';
import { MicrovmCode } from './microvm-code';
import { MicrovmConnector } from './microvm-connector';
import { MicrovmHooks } from './microvm-hooks';
import { MicrovmImage } from './microvm-image';
import { MicrovmImageDefinition } from './microvm-image-definition';
import { MicrovmImageOptions } from './microvm-image-props';
import { MicrovmMemory } from './microvm-memory';
import { MicrovmOsCapability } from './microvm-os-capability';
import { BoundCode } from './private/bound-code';
import { lit, propertyInjectable, ValidationError } from './private/cdk-internals';
import { artifactKey, ImageSettings } from './private/image-definition';
import { validateKind } from './private/kinds';
import { ObjectCopier } from './private/object-copier';
import { sourceBucket } from './private/source-bucket';
import { HookProperties } from '../custom-resources/microvm-image/contract';

/**
 * Properties of a `MicrovmImageReplica`.
 */
export interface MicrovmImageReplicaProps extends MicrovmImageOptions {
  /** What to build, as a `MicrovmImageSource` published it. Another definition builds a new version. */
  readonly definition: MicrovmImageDefinition;

  /**
   * What builds can reach, and what MicroVMs can reach whose launch names no egress connector. Changing it builds a new version.
   *
   * Required when the publisher builds with a connector of its own, and then one with the same way out. An ingress connector is an
   * error.
   *
   * @default - the managed connector that the definition names
   */
  readonly egressConnector?: MicrovmConnector;

  /**
   * The bucket of this region that the code is copied to. Changing it builds a new version.
   *
   * The function that copies may list it, and write to the folder of the publication. One bucket serves any number of replicas.
   *
   * @default - a new one: private, encrypted with keys of S3, for TLS only, and with the `removalPolicy` of the image
   */
  readonly bucket?: s3.IBucket;

  /**
   * The bucket of the publisher, when its name does not tell all: import one that is encrypted with a customer managed key with
   * `Bucket.fromBucketAttributes()` and the `encryptionKey`, so that the copy may decrypt.
   *
   * @default - the bucket that the definition names
   */
  readonly sourceBucket?: s3.IBucket;
}

/**
 * A golden image, built from its published source in another account or region: from the same code, with the same settings, by
 * their digests. It is an image like any other: test, publish, refresh and launch it.
 *
 * A deployment copies the code from the bucket of the publisher into one of this account and region, and builds from there. Name,
 * network, logs, roles and tags are this account's own.
 *
 * Throws when the publisher builds with a connector of its own, and `egressConnector` is missing.
 *
 * Adds to the stack what a `MicrovmImage` adds, the bucket, and once a stack the function that copies: one of the CDK's bucket
 * deployments, in Python. It may read the folder of the publication, once the publisher has let this account in.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/microvms-images.html
 *
 * @example
 * const definition = MicrovmImageDefinition.fromFile('agents.json');
 * const replica = new MicrovmImageReplica(this, 'Agents', { definition });
 *
 * new MicrovmImagePublication(this, 'Publication', {
 *   image: replica,
 *   publicationName: definition.publicationName,
 *   smokeTests: [new MicrovmSmokeTest(this, 'SmokeTest', { image: replica })],
 * });
 */
@propertyInjectable
export class MicrovmImageReplica extends MicrovmImage {
  /** Uniquely identifies this class. */
  public static readonly PROPERTY_INJECTION_ID: string = 'cdk-lambda-microvms.MicrovmImageReplica';

  /** The content hash of the code: that of the publisher. */
  public readonly codeDigest: string;

  /** Names all that the versions are built from, wherever they are built: the digest of the publisher. */
  public readonly definitionDigest: string;

  constructor(scope: Construct, id: string, props: MicrovmImageReplicaProps) {
    const { definition, bucket: _bucket, sourceBucket: _sourceBucket, ...options } = props;
    validateKind(scope, 'definition', definition, ['_document', 'a MicrovmImageDefinition, such as MicrovmImageDefinition.fromFile()']);
    const settings = definition._document.definition;
    const code = new CopiedCode(props);
    super(scope, id, {
      ...options,
      code,
      description: settings.description,
      baseImage: baseImageOf(settings),
      memory: MicrovmMemory.of(Size.mebibytes(settings.memoryInMiB)),
      hooks: settings.hooks && hooksOf(settings.hooks),
      environment: settings.environment,
      additionalOsCapabilities: settings.additionalOsCapabilities as MicrovmOsCapability[],
      egressConnector: props.egressConnector ?? managedConnectorOf(scope, id, settings),
    });
    this._image.resource.node.addDependency(code.copy!);
    this.codeDigest = definition.codeDigest;
    this.definitionDigest = definition.definitionDigest;
  }
}

/** A zip that a deployment brings over before the build. */
class CopiedCode extends MicrovmCode {
  public copy?: Construct;

  constructor(private readonly props: MicrovmImageReplicaProps) {
    super();
  }

  public _bind(scope: Construct): BoundCode {
    const { definition: { _document: document }, removalPolicy = RemovalPolicy.DESTROY } = this.props;
    const bucket = this.props.bucket ?? sourceBucket(scope, removalPolicy);
    const origin = this.props.sourceBucket ?? s3.Bucket.fromBucketName(scope, 'SourceBucket', document.bucketName);
    const key = artifactKey(document);
    const code = MicrovmCode.fromBucket(bucket, key)._bind(scope);
    this.copy = ObjectCopier.getOrCreate(scope).copy(scope, 'CodeCopy', {
      source: s3deploy.Source.bucket(origin, key), extract: false, bucket, prefix: document.publicationName,
    });
    return code;
  }
}

function baseImageOf({ baseImage, baseImageVersion }: ImageSettings): MicrovmBaseImage {
  const image = MicrovmBaseImage.managed(baseImage);
  return baseImageVersion === undefined ? image : image.pinned(baseImageVersion);
}

function hooksOf(hooks: HookProperties): MicrovmHooks {
  const timeout = (seconds?: number) => (seconds === undefined ? undefined : Duration.seconds(seconds));
  return MicrovmHooks.onPort(hooks.port, {
    ready: timeout(hooks.readySeconds),
    validate: timeout(hooks.validateSeconds),
    run: timeout(hooks.runSeconds),
    resume: timeout(hooks.resumeSeconds),
    suspend: timeout(hooks.suspendSeconds),
    terminate: timeout(hooks.terminateSeconds),
  });
}

function managedConnectorOf(scope: Construct, id: string, { egressConnector }: ImageSettings): MicrovmConnector {
  if (egressConnector === undefined) {
    throw new ValidationError(
      lit`MicrovmImageReplicaEgressConnector`,
      `egressConnector must be given for '${id}': the publisher builds with a connector of its own account, which no other account can use; give one with the same way out`,
      scope,
    );
  }
  return MicrovmConnector._managed(egressConnector);
}
