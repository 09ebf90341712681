import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { MicrovmConnector } from './microvm-connector';
import { lit, ValidationError } from './private/cdk-internals';
import { combine } from './private/grants';
import { ImageReference, policyArnOf } from './private/image-reference';
import { isNamedWithOthers } from './private/launch-validation';

/**
 * What a launch passes to the MicroVM, beyond the image.
 */
export interface MicrovmRunGrantOptions {
  /**
   * The role the launched MicroVMs run with. The grantee may pass exactly this role.
   *
   * @default - none: the grantee may launch MicroVMs without a role only
   */
  readonly executionRole?: iam.IRoleRef;

  /**
   * The connectors a launch names, ingress and egress. The grantee may pass exactly these. `ALL_INGRESS` next to another
   * ingress connector is an error.
   *
   * @default - what the service attaches to a launch that names none: `HTTP_INGRESS` and the egress connector of the
   * image, which is `INTERNET_EGRESS` for an image from elsewhere
   */
  readonly connectors?: MicrovmConnector[];
}

/**
 * What a build passes to the service, for an image that does not tell it.
 */
export interface MicrovmPublishGrantOptions {
  /**
   * The role that builds the image. The grantee may pass exactly this role.
   *
   * @default - the build role of a `MicrovmImage` of this app. For an image from elsewhere none: then no build is possible
   */
  readonly buildRole?: iam.IRoleRef;

  /**
   * The egress connector of the builds. The grantee may pass exactly this one.
   *
   * @default - that of a `MicrovmImage` of this app. For an image from elsewhere `INTERNET_EGRESS`
   */
  readonly egressConnector?: MicrovmConnector;
}

/**
 * Gives principals permissions on an image and on the MicroVMs that run from it.
 *
 * Works on a `MicrovmImage`, on an imported one and on a bare `CfnMicrovmImage`. The service authorizes calls on a
 * MicroVM against the ARN of its image. Each method returns the `iam.Grant`; a grantee that cannot have a policy, such
 * as a service principal, gets nothing, and `grant.success` is false.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/microvms-security.html
 *
 * @example
 * declare const image: lambda.CfnMicrovmImage;
 * declare const launcher: lambda.Function;
 * MicrovmImageGrants.fromImage(image).run(launcher);
 */
export class MicrovmImageGrants {
  /**
   * Grants on any image.
   *
   * @param image a `MicrovmImage`, an import of one, or a `CfnMicrovmImage`
   */
  public static fromImage(image: lambda.IMicrovmImageRef): MicrovmImageGrants {
    return new MicrovmImageGrants(image);
  }

  private readonly image: ImageReference;

  private constructor(image: lambda.IMicrovmImageRef) {
    this.image = image;
  }

  /**
   * Launch MicroVMs: `lambda:RunMicrovm` on the image, `lambda:PassNetworkConnector` on the connectors of the launch,
   * and `iam:PassRole` on its execution role.
   *
   * Give the same role and connectors that the launch will name.
   */
  public run(grantee: iam.IGrantable, options: MicrovmRunGrantOptions = {}): iam.Grant {
    const connectorArns = options.connectors?.map((connector) => connector.arnIn(this.image)) ?? [
      MicrovmConnector.HTTP_INGRESS.arnIn(this.image),
      this.image._egressConnectorArn ?? MicrovmConnector.INTERNET_EGRESS.arnIn(this.image),
    ];
    if (connectorArns.length === 0) {
      throw new ValidationError(
        lit`MicrovmRunGrantConnectors`,
        'connectors must be at least 1, got 0: the service asks for permission to pass connectors on every launch; leave it out for the usual ones',
        this.image,
      );
    }
    const ingressArns = (options.connectors ?? []).filter((connector) => connector._isIngress).map((connector) => connector.arnIn(this.image));
    if (isNamedWithOthers(ingressArns, 'ALL_INGRESS')) {
      throw new ValidationError(
        lit`MicrovmRunGrantAllIngress`,
        `connectors must have no other ingress connector next to ALL_INGRESS, got ${connectorArns.length} connectors, ` +
        `${ingressArns.length} of them ingress: the service refuses such a launch; remove ALL_INGRESS or the others`,
        this.image,
      );
    }
    const grants = [
      this.grant(grantee, ['lambda:RunMicrovm']),
      this.grant(grantee, ['lambda:PassNetworkConnector'], connectorArns),
    ];
    if (options.executionRole) {
      // No iam:PassedToService condition: the service has been seen to call without that key, and the launch was denied.
      grants.push(this.grant(grantee, ['iam:PassRole'], [options.executionRole.roleRef.roleArn]));
    }
    return combine(grants);
  }

  /**
   * Look after running MicroVMs whose ids one has: `lambda:GetMicrovm`, `lambda:ResumeMicrovm`, `lambda:SuspendMicrovm` and
   * `lambda:TerminateMicrovm` on the image.
   */
  public control(grantee: iam.IGrantable): iam.Grant {
    return this.grant(grantee, ['lambda:GetMicrovm', 'lambda:ResumeMicrovm', 'lambda:SuspendMicrovm', 'lambda:TerminateMicrovm']);
  }

  /**
   * Look after running MicroVMs and find them: what `control` allows, and `lambda:ListMicrovms` on `*`, since the service offers no
   * less. It shows the MicroVMs of every image of the account.
   */
  public manage(grantee: iam.IGrantable): iam.Grant {
    return combine([this.control(grantee), this.grant(grantee, ['lambda:ListMicrovms'], ['*'])]);
  }

  /**
   * Look at running MicroVMs, and touch none: `lambda:GetMicrovm` on the image, and `lambda:ListMicrovms` on `*`, since
   * the service offers no less.
   */
  public observe(grantee: iam.IGrantable): iam.Grant {
    return combine([this.grant(grantee, ['lambda:GetMicrovm']), this.grant(grantee, ['lambda:ListMicrovms'], ['*'])]);
  }

  /** Connect to the endpoint of MicroVMs: `lambda:CreateMicrovmAuthToken` on the image. */
  public connect(grantee: iam.IGrantable): iam.Grant {
    return this.grant(grantee, ['lambda:CreateMicrovmAuthToken']);
  }

  /**
   * Open a shell in MicroVMs: `lambda:CreateMicrovmShellAuthToken` on the image. The MicroVM must have been launched
   * with `SHELL_INGRESS`.
   */
  public shell(grantee: iam.IGrantable): iam.Grant {
    return this.grant(grantee, ['lambda:CreateMicrovmShellAuthToken']);
  }

  /** Read the image, its versions, builds and tags. */
  public read(grantee: iam.IGrantable): iam.Grant {
    return this.grant(grantee, [
      'lambda:GetMicrovmImage',
      'lambda:GetMicrovmImageBuild',
      'lambda:GetMicrovmImageVersion',
      'lambda:ListMicrovmImageBuilds',
      'lambda:ListMicrovmImageVersions',
      'lambda:ListTags',
    ]);
  }

  /**
   * Build new versions of the image and look after them, as a pipeline does: what `read` allows,
   * `lambda:UpdateMicrovmImage`, `lambda:UpdateMicrovmImageVersion` (activate and retire) and
   * `lambda:DeleteMicrovmImageVersion` on the image, `iam:PassRole` on its build role, and `lambda:PassNetworkConnector` on
   * the egress connector of its builds.
   *
   * Not to create, delete or tag images, and not to launch: `run` is for the other side.
   */
  public publish(grantee: iam.IGrantable, options: MicrovmPublishGrantOptions = {}): iam.Grant {
    const egressConnectorArn = options.egressConnector?.arnIn(this.image)
      ?? this.image._egressConnectorArn ?? MicrovmConnector.INTERNET_EGRESS.arnIn(this.image);
    const buildRoleArn = options.buildRole?.roleRef.roleArn ?? this.image.buildRoleArn;
    return combine([
      this.read(grantee),
      this.grant(grantee, ['lambda:DeleteMicrovmImageVersion', 'lambda:UpdateMicrovmImage', 'lambda:UpdateMicrovmImageVersion']),
      this.grant(grantee, ['lambda:PassNetworkConnector'], [egressConnectorArn]),
      ...(buildRoleArn ? [this.grant(grantee, ['iam:PassRole'], [buildRoleArn])] : []),
    ]);
  }

  private grant(grantee: iam.IGrantable, actions: string[], resourceArns?: string[]): iam.Grant {
    return iam.Grant.addToPrincipal({
      grantee,
      actions,
      resourceArns: resourceArns ?? [policyArnOf(this.image)],
    });
  }
}
