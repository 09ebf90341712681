import * as path from 'node:path';
import { CfnOutput, Duration, RemovalPolicy, Stack, StackProps, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import * as logs from 'aws-cdk-lib/aws-logs';
import {
  ExecutionRole, MicrovmCode, MicrovmConnector, MicrovmHooks, MicrovmImage, MicrovmLaunchProfile, MicrovmMemory, NetworkConnectorPolicy,
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

    // What all launches have in common. The sandboxed code can read the credentials of the role: it allows writing logs and nothing else.
    const settings = {
      image,
      executionRole: new ExecutionRole(this, 'ExecutionRole', { sourceImages: [image] }),
      logGroup: microvmLogs,
      ingressConnectors: [MicrovmConnector.HTTP_INGRESS],
      egressConnector: MicrovmConnector.INTERNET_EGRESS,
    };
    // For one piece of code. Should the launcher die before it ends the MicroVM: gone a minute after the last traffic, at the latest in five.
    const once = new MicrovmLaunchProfile(this, 'LaunchOnce', {
      ...settings,
      idlePolicy: { maxIdleDuration: Duration.minutes(1), suspendedDuration: Duration.seconds(0), autoResume: false },
      maximumDuration: Duration.minutes(5),
    });
    // For several, one after the other: suspended in between, for an hour at most. Only the launcher wakes it.
    const session = new MicrovmLaunchProfile(this, 'LaunchSession', {
      ...settings,
      idlePolicy: { maxIdleDuration: Duration.minutes(1), suspendedDuration: Duration.hours(1), autoResume: false },
      maximumDuration: Duration.hours(4),
    });

    const launcher = this.launcher();
    once.addToFunction(launcher, { environmentVariable: 'LAUNCH_ONCE' });
    session.addToFunction(launcher, { environmentVariable: 'LAUNCH_SESSION' });
    session.grants.launcher(launcher);
    Validations.of(launcher.role!).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'ListMicrovms, part of grants.launcher: the service offers no narrower resource for it',
    });

    // The checks of app.ts ask for a reason.
    Validations.of(this).acknowledge({
      id: 'cdk-lambda-microvms::public-ingress',
      reason: 'The launcher sends snippets to the endpoint of each MicroVM, and shows its token to nobody',
    });

    // For people and pipelines that launch this image from elsewhere.
    const connectorPolicy = new NetworkConnectorPolicy(this, 'ConnectorPolicy', {
      connectors: [...settings.ingressConnectors, settings.egressConnector],
    });

    new CfnOutput(this, 'LauncherName', { value: launcher.functionName });
    new CfnOutput(this, 'ImageVersion', { value: image.imageVersion });
    new CfnOutput(this, 'ConnectorPolicyArn', { value: connectorPolicy.managedPolicyArn });
  }

  private launcher(): lambda.Function {
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
      // The SDK in the Lambda runtime may not know MicroVMs yet: bring it along.
      bundling: { externalModules: [], mainFields: ['module', 'main'], minify: true },
    });
  }

  private logGroup(id: string): logs.LogGroup {
    return new logs.LogGroup(this, id, { retention: logs.RetentionDays.ONE_MONTH, removalPolicy: RemovalPolicy.DESTROY });
  }
}
