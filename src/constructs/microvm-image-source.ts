import { RemovalPolicy, Stack, Token } from 'aws-cdk-lib';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as s3deploy from 'aws-cdk-lib/aws-s3-deployment';
import { Construct } from 'constructs';
import { MicrovmImageDefinition } from './microvm-image-definition';
import { MicrovmImagePublication } from './microvm-image-publication';
import { MicrovmImageSourceGrants } from './microvm-image-source-grants';
import { lit, propertyInjectable, ValidationError } from './private/cdk-internals';
import { warnAboutPrivateBases } from './private/dockerfile-checks';
import { codeDigestOf, encodeDocument, ImageDefinition } from './private/image-definition';
import { KindOf, validateKind } from './private/kinds';
import { ObjectCopier } from './private/object-copier';
import { sourceBucket } from './private/source-bucket';

const DEFINITION_FILE = 'definition.json';

/**
 * Properties of a `MicrovmImageSource`.
 */
export interface MicrovmImageSourceProps {
  /** The publication of the image, in the same stack. Its name is the folder of the source in the bucket. */
  readonly publication: MicrovmImagePublication;

  /**
   * The bucket the source is published in. Changing it leaves what is in the one before.
   *
   * The function that copies may list it, and write to the folder of the publication. Encrypt it with keys of S3 or with a
   * customer managed key: the key `aws/s3` lets no other account read.
   *
   * @default - a new one: private, encrypted with keys of S3, versioned, for TLS only, and kept when the stack goes
   */
  readonly bucket?: s3.IBucket;
}

/**
 * Publishes what a golden image is built from, for accounts and regions that cannot launch it: the service shares no image between
 * them.
 *
 * A deployment copies the zip of the code into a bucket, under its content hash, and, once the version is built, tested and
 * published, a JSON file with the definition next to it. `source.grants.read()` lets accounts or an organisation read both. There, a
 * `MicrovmImageReplica` builds from them.
 *
 * The environment variables of the image are part of the definition, and readable by whoever reads the source.
 *
 * Throws when the code has no content hash for a name (`MicrovmCode.fromBucket()` with another key), is a container image of an
 * account (`MicrovmCode.fromEcrImage()`), and when a setting is only known to the deployment.
 *
 * Adds a bucket and policies to the stack, and once a stack the function that copies: one of the CDK's bucket deployments, in Python.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/microvms-images.html
 *
 * @example
 * declare const publication: MicrovmImagePublication;
 * const source = new MicrovmImageSource(this, 'Source', { publication });
 * source.grants.read(new iam.OrganizationPrincipal('o-1234567890'));
 * new CfnOutput(this, 'DefinitionUrl', { value: source.definitionUrl });
 */
@propertyInjectable
export class MicrovmImageSource extends Construct {
  /** Uniquely identifies this class. */
  public static readonly PROPERTY_INJECTION_ID: string = 'cdk-lambda-microvms.MicrovmImageSource';

  /** What the image is built from, as it is published. */
  public readonly definition: MicrovmImageDefinition;

  /** Where the file of the definition is: `s3://<bucket>/<publicationName>/definition.json`. */
  public readonly definitionUrl: string;

  /** Where the source is. */
  public readonly bucket: s3.IBucket;

  /** Gives principals of any account permissions on the source. */
  public readonly grants: MicrovmImageSourceGrants;

  constructor(scope: Construct, id: string, props: MicrovmImageSourceProps) {
    super(scope, id);
    const { publication } = props;
    validateKind(this, 'publication', publication, KindOf.PUBLICATION);
    const { image, publicationName } = publication;
    this.validateStack(publication);
    const definition = { codeDigest: this.codeDigestOf(publication), ...image._settings };
    this.refuseTokens({ publicationName, ...definition });
    if (image._code.dockerfile) {
      warnAboutPrivateBases(this, image._code.dockerfile);
    }

    const bucket = this.bucket = props.bucket ?? sourceBucket(this, RemovalPolicy.RETAIN);
    const document = { publicationName, bucketName: bucket.bucketName, definition };
    this.definition = MicrovmImageDefinition._of(document);
    this.definitionUrl = bucket.s3UrlForObject(`${publicationName}/${DEFINITION_FILE}`);
    this.grants = MicrovmImageSourceGrants.fromBucket(bucket, publicationName);

    const copier = ObjectCopier.getOrCreate(this);
    const code = copier.copy(this, 'Code', {
      source: s3deploy.Source.bucket(image._code.bucket, image._code.key), extract: false, bucket, prefix: publicationName,
    });
    const file = copier.copy(this, 'Definition', {
      source: s3deploy.Source.data(DEFINITION_FILE, encodeDocument(document)), extract: true, bucket, prefix: publicationName,
    });
    // Whoever reads it finds the code, and knows that the version passed its tests.
    file.node.addDependency(code, publication);
  }

  private validateStack(publication: MicrovmImagePublication) {
    if (Stack.of(publication) !== Stack.of(this)) {
      throw new ValidationError(
        lit`MicrovmImageSourceStack`,
        `publication must be in the stack of its source '${Stack.of(this).node.path}', got one of '${Stack.of(publication).node.path}'; a source is published by the deployment that builds it`,
        this,
      );
    }
  }

  private codeDigestOf({ image: { _code: code } }: MicrovmImagePublication): string {
    if (code.repositoryArn) {
      throw new ValidationError(
        lit`MicrovmImageSourceEcrImage`,
        `code must be one that other accounts can build, but it is a container image in '${code.repositoryArn}': the service pulls from the account of the image only; ` +
        'publish its Dockerfile with MicrovmCode.fromAsset(), or push the container image to each account',
        this,
      );
    }
    const digest = Token.isUnresolved(code.key) ? undefined : codeDigestOf(code.key);
    if (digest === undefined) {
      throw new ValidationError(
        lit`MicrovmImageSourceCodeKey`,
        `code must be named after its content, '<64 hexadecimal digits>.zip', while synthesizing, got '${code.key}'; ` +
        'use MicrovmCode.fromAsset() or fromInline(), or put the SHA-256 of the zip into the key',
        this,
      );
    }
    return digest;
  }

  /** What only this deployment knows, another account cannot build with. */
  private refuseTokens(settings: ImageDefinition & { readonly publicationName: string }) {
    const [name] = Object.entries(settings).find(([, value]) => containsToken(value)) ?? [];
    if (name !== undefined) {
      throw new ValidationError(
        lit`MicrovmImageSourceToken`,
        `${name} must be known while synthesizing, so that other accounts can build with it, but holds a value that only this deployment knows; write it out`,
        this,
      );
    }
  }
}

function containsToken(value: unknown): boolean {
  return Token.isUnresolved(value) || (typeof value === 'object' && value !== null && Object.entries(value).flat().some(containsToken));
}
