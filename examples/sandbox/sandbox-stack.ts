import * as path from 'node:path';
import { CfnOutput, Duration, RemovalPolicy, Stack, StackProps, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import * as logs from 'aws-cdk-lib/aws-logs';
import {
  ExecutionRole, MicrovmCode, MicrovmConnector, MicrovmHooks, MicrovmImage, MicrovmMemory, NetworkConnectorPolicy,
} from 'cdk-lambda-microvms';
import { Construct } from 'constructs';

/** Runs code nobody has read: each piece in a MicroVM of its own, by way of a launcher function. */
export class SandboxStack extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);

    // What the builds print, and later the MicroVMs.
    const microvmLogs = this.logGroup('MicrovmLogs');

    const image = new MicrovmImage(this, 'Image', {
      description: 'Runs JavaScript in a sandbox',
      code: MicrovmCode.fromAsset(path.join(__dirname, 'image')),
      memory: MicrovmMemory.MIB_512,
      logGroup: microvmLogs,
      hooks: MicrovmHooks.onPort(9000, {
        ready: Duration.minutes(2),
        validate: Duration.minutes(1),
        run: Duration.seconds(5),
        resume: Duration.seconds(5),
        suspend: Duration.seconds(5),
        terminate: Duration.seconds(5),
      }),
    });

    // The sandboxed code can read these credentials, so they allow writing logs and nothing else.
    const executionRole = new ExecutionRole(this, 'ExecutionRole', { logGroup: microvmLogs, sourceImages: [image] });

    const ingress = MicrovmConnector.HTTP_INGRESS;
    const egress = MicrovmConnector.INTERNET_EGRESS;

    const launcher = this.launcher({
      IMAGE_ARN: image.imageArn,
      // The version this very deployment built: a rollback brings back the version before, with no build.
      IMAGE_VERSION: image.imageVersion,
      EXECUTION_ROLE_ARN: executionRole.roleArn,
      LOG_GROUP_NAME: microvmLogs.logGroupName,
      INGRESS_CONNECTOR_ARN: ingress.arnIn(this),
      EGRESS_CONNECTOR_ARN: egress.arnIn(this),
    });
    image.grants.run(launcher, { executionRole, connectors: [ingress, egress] });
    image.grants.connect(launcher);
    image.grants.manage(launcher);
    Validations.of(launcher.role!).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'ListMicrovms, part of grants.manage: the service offers no narrower resource for it',
    });

    // The checks of app.ts ask for a reason.
    Validations.of(this).acknowledge({
      id: 'cdk-lambda-microvms::public-ingress',
      reason: 'The launcher sends snippets to the endpoint of each MicroVM, and shows its token to nobody',
    });

    // For people and pipelines that launch this image from elsewhere.
    const connectorPolicy = new NetworkConnectorPolicy(this, 'ConnectorPolicy', { connectors: [ingress, egress] });

    new CfnOutput(this, 'LauncherName', { value: launcher.functionName });
    new CfnOutput(this, 'ImageVersion', { value: image.imageVersion });
    new CfnOutput(this, 'ConnectorPolicyArn', { value: connectorPolicy.managedPolicyArn });
  }

  private launcher(environment: Record<string, string>): lambda.Function {
    const logGroup = this.logGroup('LauncherLogs');
    const role = new iam.Role(this, 'LauncherRole', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
    logGroup.grantWrite(role);
    return new NodejsFunction(this, 'Launcher', {
      entry: path.join(__dirname, 'launcher', 'index.ts'),
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      memorySize: 512,
      timeout: Duration.minutes(1),
      role,
      logGroup,
      environment,
      // The SDK in the Lambda runtime may not know MicroVMs yet: bring it along.
      bundling: { externalModules: [], mainFields: ['module', 'main'], minify: true },
    });
  }

  private logGroup(id: string): logs.LogGroup {
    return new logs.LogGroup(this, id, { retention: logs.RetentionDays.ONE_MONTH, removalPolicy: RemovalPolicy.DESTROY });
  }
}
