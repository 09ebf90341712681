import * as iam from 'aws-cdk-lib/aws-iam';
import { IConstruct } from 'constructs';
import { formatParameterArn, publicationRoot } from './private/publication-parameters';

/**
 * Gives principals permissions on the SSM parameters of a publication: who reads which version to launch, at run time or while
 * deploying with a role of its own.
 *
 * Launching takes more: `MicrovmImageGrants`.
 *
 * @see https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-access.html
 *
 * @example
 * declare const consumer: iam.Role;
 * MicrovmPublicationGrants.fromPublicationName(this, 'agents').read(consumer);
 */
export class MicrovmPublicationGrants {
  /**
   * Grants on a publication of the account and region of `scope`, whoever made it.
   *
   * @param parameterPrefix where its parameters are. Default `/microvm-images`
   */
  public static fromPublicationName(scope: IConstruct, publicationName: string, parameterPrefix?: string): MicrovmPublicationGrants {
    return new MicrovmPublicationGrants(scope, publicationRoot(scope, publicationName, parameterPrefix));
  }

  private constructor(private readonly scope: IConstruct, private readonly root: string) {}

  /**
   * Read the records and channels: `ssm:GetParameter`, `ssm:GetParameters` and `ssm:GetParametersByPath` on the path of the
   * publication.
   */
  public read(grantee: iam.IGrantable): iam.Grant {
    return iam.Grant.addToPrincipal({
      grantee,
      actions: ['ssm:GetParameter', 'ssm:GetParameters', 'ssm:GetParametersByPath'],
      resourceArns: [formatParameterArn(this.scope, this.root), formatParameterArn(this.scope, `${this.root}/*`)],
    });
  }
}
