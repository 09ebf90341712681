import { Annotations, Resource } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { lit, ValidationError } from './private/cdk-internals';
import { combine } from './private/grants';
import { validateName } from './private/publication-parameters';

/** A principal that stands for everybody is held to an organisation by one of these. */
const ORGANIZATION_KEYS = ['aws:PrincipalOrgID', 'aws:PrincipalOrgPaths'];
/** Other operators hold for who is in no organisation as well. */
const POSITIVE_OPERATOR = /^(ForAnyValue:)?String(Equals|Like)$/;

/**
 * Gives principals of any account permissions on the source of a golden image.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/example-walkthroughs-managing-access-example4.html
 *
 * @example
 * declare const source: MicrovmImageSource;
 * source.grants.read(new iam.OrganizationPrincipal('o-1234567890'));
 */
export class MicrovmImageSourceGrants {
  /**
   * Grants on the source of a publication in a bucket, whoever made it.
   *
   * @param bucket where the source is
   * @param publicationName the name of the publication
   */
  public static fromBucket(bucket: s3.IBucket, publicationName: string): MicrovmImageSourceGrants {
    validateName(bucket, 'publicationName', publicationName);
    return new MicrovmImageSourceGrants(bucket, publicationName);
  }

  private constructor(private readonly bucket: s3.IBucket, private readonly publicationName: string) {}

  /**
   * Read the definition and the code: `s3:GetObject` on the folder of the publication, and `kms:Decrypt` on the key of the
   * bucket, if it has one of its own.
   *
   * An account (`iam.AccountPrincipal`) or an organisation (`iam.OrganizationPrincipal`) is let in by the policy of the bucket. Who
   * reads there must be allowed to by its own account as well, as the copy of a `MicrovmImageReplica` is.
   *
   * Throws for everybody (`*`) without the condition of an organisation.
   */
  public read(grantee: iam.IGrantable): iam.Grant {
    this.refuseEverybody(grantee);
    const grant = iam.Grant.addToPrincipalOrResource({
      grantee,
      actions: ['s3:GetObject'],
      resourceArns: [this.bucket.arnForObjects(`${this.publicationName}/*`)],
      resource: this.bucket,
    });
    if (grant.resourceStatements.length > 0 && !Resource.isOwnedResource(this.bucket)) {
      Annotations.of(this.bucket).addWarningV2(
        'cdk-lambda-microvms:importedSourceBucket',
        `the policy of this bucket is not changed by this app: it must allow ${grantee.grantPrincipal} s3:GetObject on '${this.publicationName}/*'`,
      );
    }
    const { encryptionKey } = this.bucket;
    return combine([grant, ...(encryptionKey ? [encryptionKey.grantDecrypt(grantee)] : [])]);
  }

  private refuseEverybody({ grantPrincipal }: iam.IGrantable) {
    const { principalJson, conditions } = grantPrincipal.policyFragment;
    const isEverybody = Object.values(principalJson).flat().includes('*');
    const isOfOrganization = Object.entries(conditions)
      .some(([operator, condition]) => POSITIVE_OPERATOR.test(operator) && ORGANIZATION_KEYS.some((key) => key in (condition as object)));
    if (isEverybody && !isOfOrganization) {
      throw new ValidationError(
        lit`MicrovmImageSourceEverybody`,
        "grantee must be an account, an organisation or a principal of one, got everybody ('*'); use iam.OrganizationPrincipal or iam.AccountPrincipal",
        this.bucket,
      );
    }
  }
}
