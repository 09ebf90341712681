import { Token } from 'aws-cdk-lib';
import * as ecr from 'aws-cdk-lib/aws-ecr';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { formatImageArn } from './private/arn';
import { lit, propertyInjectable, ValidationError } from './private/cdk-internals';
import { rolePath } from './private/naming';
import { grantPull, ServiceRole } from './private/service-role';

/**
 * Properties of a `MicrovmBuildRole`.
 */
export interface MicrovmBuildRoleProps {
  /**
   * Whether the service may assume the role on behalf of this account only (`aws:SourceAccount` in the trust policy).
   *
   * @default true
   */
  readonly sourceAccountCondition?: boolean;

  /**
   * Names of the images the service may assume the role for (`aws:SourceArn` in the trust policy). `*` stands for any
   * part of a name. An empty list is an error.
   *
   * @default - any image of the account
   */
  readonly sourceImageNames?: string[];

  /**
   * Private repositories that the Dockerfile builds on (`FROM`). The role may pull from them. They must be in the
   * account of the image.
   *
   * @default - none
   */
  readonly repositories?: ecr.IRepository[];

  /**
   * What the role is for.
   *
   * @default 'Builds Lambda MicroVM images'
   */
  readonly description?: string;
}

/**
 * The role the service builds images with: it reads the code and writes the build log. Build hooks run with its
 * credentials.
 *
 * The images that use it give it what they need, on exactly their code and their log group. Grant it what the
 * Dockerfile or the build hooks need beyond that.
 *
 * Lambda may assume it (`sts:AssumeRole`, `sts:TagSession`), by default on behalf of this account only.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/microvms-security.html
 *
 * @example
 * declare const code: MicrovmCode;
 * declare const repository: ecr.Repository;
 * const buildRole = new MicrovmBuildRole(this, 'BuildRole', { repositories: [repository] });
 * new MicrovmImage(this, 'Image', { code, buildRole });
 */
@propertyInjectable
export class MicrovmBuildRole extends ServiceRole {
  /** Uniquely identifies this class. */
  public static readonly PROPERTY_INJECTION_ID: string = 'cdk-lambda-microvms.MicrovmBuildRole';

  constructor(scope: Construct, id: string, props: MicrovmBuildRoleProps = {}) {
    super(scope, id, {
      path: rolePath(scope),
      description: props.description ?? 'Builds Lambda MicroVM images',
      sourceAccountCondition: props.sourceAccountCondition,
      sourceImageArns: (role) => props.sourceImageNames?.map((name) => formatImageArn(role, name)),
    });
    if (props.sourceImageNames?.length === 0) {
      throw new ValidationError(
        lit`MicrovmBuildRoleSourceImagesNone`,
        "sourceImageNames must have at least 1 name, got []; leave it out, or give ['*'], for any image of the account",
        this,
      );
    }
    for (const name of props.sourceImageNames ?? []) {
      if (!Token.isUnresolved(name) && !/^[a-zA-Z0-9-_*]{1,64}$/.test(name)) {
        throw new ValidationError(
          lit`MicrovmBuildRoleSourceImage`,
          `sourceImageNames must be names of images, 1 to 64 letters, digits, '-', '_' and '*', got '${name}'`,
          this,
        );
      }
    }
    for (const repository of props.repositories ?? []) {
      grantPull(this, repository);
    }
  }

  /**
   * Whether the role is where the image handler's policy expects the library's own roles, so it needs no permission of
   * its own to pass it. @internal
   */
  public _isUnderOwnPath(scope: Construct): boolean {
    return (this.node.defaultChild as iam.CfnRole).path === rolePath(scope);
  }
}
