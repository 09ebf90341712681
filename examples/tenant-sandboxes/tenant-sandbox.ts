import * as path from 'node:path';
import { Duration, RemovalPolicy, Tags } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as logs from 'aws-cdk-lib/aws-logs';
import {
  ExecutionRole, MicrovmCode, MicrovmConnector, MicrovmHooks, MicrovmImage, MicrovmLaunchProfile, MicrovmMemory,
} from 'cdk-lambda-microvms';
import { Construct } from 'constructs';

export interface TenantSandboxProps {
  readonly tenant: string;

  /** What the MicroVMs can reach. */
  readonly egressConnector: MicrovmConnector;

  /** Where the settings of the launch are kept. */
  readonly parameterName: string;

  readonly roleName: string;

  /** Who acts for the tenants, one at a time. */
  readonly broker: iam.IRole;
}

/**
 * Everything one tenant has: an image, an execution role, a log, and a role that reaches these and nothing of another tenant.
 *
 * An image for each tenant, although all are built from the same code: the service authorizes calls on a MicroVM against the
 * ARN of its image, so two tenants that share an image share the permission to reach its MicroVMs.
 */
export class TenantSandbox extends Construct {
  constructor(scope: Construct, id: string, { tenant, egressConnector, parameterName, roleName, broker }: TenantSandboxProps) {
    super(scope, id);
    const logGroup = new logs.LogGroup(this, 'Logs', { retention: logs.RetentionDays.ONE_MONTH, removalPolicy: RemovalPolicy.DESTROY });

    const image = new MicrovmImage(this, 'Image', {
      description: 'Runs the Python of a tenant',
      code: MicrovmCode.fromAsset(path.join(__dirname, 'image')),
      memory: MicrovmMemory.MIB_512,
      logGroup,
      hooks: MicrovmHooks.onPort(9000, {
        ready: Duration.minutes(2),
        validate: Duration.minutes(1),
        run: Duration.seconds(5),
        resume: Duration.seconds(5),
        suspend: Duration.seconds(5),
        terminate: Duration.seconds(5),
      }),
      // No egressConnector: builds have packages to install, over the internet.
    });

    const profile = new MicrovmLaunchProfile(this, 'Launch', {
      image,
      // The tenant's code can read these credentials, so they allow writing the tenant's log and nothing else.
      executionRole: new ExecutionRole(this, 'SandboxRole', { sourceImages: [image] }),
      logGroup,
      ingressConnectors: [MicrovmConnector.HTTP_INGRESS],
      egressConnector,
      idlePolicy: { maxIdleDuration: Duration.minutes(5), suspendedDuration: Duration.hours(8), autoResume: true },
      maximumDuration: Duration.hours(8),
    });

    const role = new iam.Role(this, 'Role', {
      roleName,
      description: `Reaches the sandboxes of tenant ${tenant}`,
      assumedBy: broker,
    });
    // Not grants.launcher: it may list, and the service lists the MicroVMs of every image or of none.
    profile.grants.launch(role);
    profile.grants.control(role);
    profile.grants.connect(role);
    profile.toSsmParameter({ parameterName }).grantRead(role);
    role.grantAssumeRole(broker);

    // Also what the bill can be split by.
    Tags.of(this).add('tenant', tenant);
  }
}
