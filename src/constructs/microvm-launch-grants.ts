import * as iam from 'aws-cdk-lib/aws-iam';
import { MicrovmConnector } from './microvm-connector';
import { MicrovmImageGrants } from './microvm-image-grants';
import { MicrovmLaunchProfile } from './microvm-launch-profile';
import { formatLogGroupArn, formatLogStreamsArn } from './private/arn';
import { lit, ValidationError } from './private/cdk-internals';
import { combine } from './private/grants';

/**
 * Gives principals permissions on what a `MicrovmLaunchProfile` names, and on nothing else.
 *
 * Built on `MicrovmImageGrants`: calls on a MicroVM are authorized against the ARN of its image. They reach every
 * MicroVM of the image, also those that another profile launched.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/microvms-security.html
 *
 * @example
 * declare const profile: MicrovmLaunchProfile;
 * declare const launcher: iam.Role;
 * declare const dashboard: iam.Role;
 * profile.grants.launcher(launcher);
 * profile.grants.observe(dashboard);
 */
export class MicrovmLaunchGrants {
  /** Grants on a profile. */
  public static fromProfile(profile: MicrovmLaunchProfile): MicrovmLaunchGrants {
    return new MicrovmLaunchGrants(profile);
  }

  private readonly image: MicrovmImageGrants;

  private constructor(private readonly profile: MicrovmLaunchProfile) {
    this.image = MicrovmImageGrants.fromImage(profile.image);
  }

  /**
   * Launch MicroVMs with the settings of the profile: `lambda:RunMicrovm` on the image, `lambda:PassNetworkConnector` on
   * exactly the connectors, and `iam:PassRole` on the execution role.
   */
  public launch(grantee: iam.IGrantable): iam.Grant {
    const { ingressConnectors, egressConnector, executionRole } = this.profile;
    return this.image.run(grantee, {
      executionRole,
      connectors: [...ingressConnectors, egressConnector ?? MicrovmConnector.INTERNET_EGRESS],
    });
  }

  /** Connect to the endpoint of MicroVMs: `lambda:CreateMicrovmAuthToken` on the image. */
  public connect(grantee: iam.IGrantable): iam.Grant {
    return this.image.connect(grantee);
  }

  /**
   * Open a shell in MicroVMs: `lambda:CreateMicrovmShellAuthToken` on the image. An error for a profile without
   * `SHELL_INGRESS`: the service refuses the token.
   */
  public shell(grantee: iam.IGrantable): iam.Grant {
    if (!this.hasIngress((name) => name === 'SHELL_INGRESS')) {
      throw new ValidationError(
        lit`MicrovmLaunchShell`,
        'ingressConnectors must have SHELL_INGRESS for grants.shell(), got a profile without; add MicrovmConnector.SHELL_INGRESS',
        this.profile,
      );
    }
    return this.image.shell(grantee);
  }

  /**
   * Look after MicroVMs whose ids one has, as whoever launched them does: `lambda:GetMicrovm`, `lambda:ResumeMicrovm`,
   * `lambda:SuspendMicrovm` and `lambda:TerminateMicrovm` on the image.
   */
  public control(grantee: iam.IGrantable): iam.Grant {
    return this.image.control(grantee);
  }

  /**
   * Look after MicroVMs and find them: what `control` allows, and `lambda:ListMicrovms` on `*`, since the service offers no less. It
   * shows the MicroVMs of every image of the account.
   */
  public manage(grantee: iam.IGrantable): iam.Grant {
    return this.image.manage(grantee);
  }

  /**
   * Look at MicroVMs, and touch none: `lambda:GetMicrovm` on the image, `lambda:ListMicrovms` on `*`, and reading the
   * `logGroup` of the profile, if it has one: `logs:DescribeLogStreams`, `logs:FilterLogEvents` and `logs:GetLogEvents`.
   */
  public observe(grantee: iam.IGrantable): iam.Grant {
    const look = this.image.observe(grantee);
    const group = this.profile.logGroup?.logGroupRef.logGroupName;
    return group === undefined ? look : combine([look, iam.Grant.addToPrincipal({
      grantee,
      actions: ['logs:DescribeLogStreams', 'logs:FilterLogEvents', 'logs:GetLogEvents'],
      resourceArns: [formatLogGroupArn(this.profile, group), formatLogStreamsArn(this.profile, group)],
    })]);
  }

  /**
   * The side of a platform that runs MicroVMs: `launch` and `manage`, and `connect` if the profile has an ingress connector
   * that takes requests. `image.grants.publish()` is the other side.
   *
   * `manage` shows the MicroVMs of every image of the account. For one of several tenants, grant `launch`, `control` and `connect`
   * instead.
   */
  public launcher(grantee: iam.IGrantable): iam.Grant {
    const takesRequests = this.hasIngress((name) => name !== 'NO_INGRESS' && name !== 'SHELL_INGRESS');
    return combine([this.launch(grantee), this.manage(grantee), ...(takesRequests ? [this.connect(grantee)] : [])]);
  }

  /** One whose ARN only the deployment knows may be any. */
  private hasIngress(wanted: (name: string) => boolean): boolean {
    return this.profile.ingressConnectors.some((connector) =>
      !connector._isIngress || wanted(connector.arnIn(this.profile).split(':').pop()!));
  }
}
