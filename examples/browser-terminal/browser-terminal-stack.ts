import * as path from 'node:path';
import { CfnOutput, Duration, RemovalPolicy, Stack, StackProps } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import * as logs from 'aws-cdk-lib/aws-logs';
import { MicrovmCode, MicrovmConnector, MicrovmImage, MicrovmLaunchProfile, MicrovmMemory } from 'cdk-lambda-microvms';
import { Construct } from 'constructs';
import { SignedInApi } from './signed-in-api';

/** A web page with a terminal: whoever signs in gets a MicroVM of their own, and is root in it. */
export class BrowserTerminalStack extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);

    const image = new MicrovmImage(this, 'Image', {
      description: 'A Linux to try things out in',
      code: MicrovmCode.fromAsset(path.join(__dirname, 'image')),
      memory: MicrovmMemory.MIB_1024,
      logGroup: this.logGroup('ImageLogs'),
    });

    const profile = new MicrovmLaunchProfile(this, 'Launch', {
      image,
      // The shell and nothing else: no port of the MicroVM can be reached, whoever holds a token.
      ingressConnectors: [MicrovmConnector.SHELL_INGRESS],
      // No execution role: whoever is root in there could read its credentials.
      // An open but silent shell is idle too. There is nothing to come back to, so idle is the end.
      idlePolicy: { maxIdleDuration: Duration.minutes(15), suspendedDuration: Duration.seconds(0), autoResume: false },
      maximumDuration: Duration.hours(1),
    });

    const broker = new NodejsFunction(this, 'Broker', {
      entry: path.join(__dirname, 'broker', 'index.ts'),
      ...this.functionProps('Broker'),
      // The SDK in the Lambda runtime may not know MicroVMs yet: bring it along.
      bundling: { externalModules: [], mainFields: ['module', 'main'], minify: true },
    });
    profile.addToFunction(broker);
    profile.grants.shell(broker);

    const page = new lambda.Function(this, 'Page', {
      code: lambda.Code.fromAsset(path.join(__dirname, 'page')),
      handler: 'index.handler',
      ...this.functionProps('Page'),
    });

    const api = new SignedInApi(this, 'Api', { page, broker, logGroup: this.logGroup('ApiLogs') });
    page.addEnvironment('CLIENT_ID', api.clientId);
    page.addEnvironment('LOGIN_URL', api.loginUrl);

    new CfnOutput(this, 'PageUrl', { value: api.url });
    new CfnOutput(this, 'UserPoolId', { value: api.userPoolId });
  }

  private functionProps(id: string) {
    const logGroup = this.logGroup(`${id}Logs`);
    const role = new iam.Role(this, `${id}Role`, { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
    logGroup.grantWrite(role);
    return {
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      memorySize: 256,
      timeout: Duration.seconds(20),
      role,
      logGroup,
    };
  }

  private logGroup(id: string): logs.LogGroup {
    return new logs.LogGroup(this, id, { retention: logs.RetentionDays.ONE_MONTH, removalPolicy: RemovalPolicy.DESTROY });
  }
}
