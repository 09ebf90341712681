import * as path from 'node:path';
import { CfnOutput, Duration, RemovalPolicy, Stack, StackProps } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { NoNetwork } from './no-network';
import { TenantSandbox } from './tenant-sandbox';

export interface TenantSandboxesStackProps extends StackProps {
  readonly tenants: string[];
}

/** Sandboxes for the code of several tenants, none of whom can reach another's, and a broker that acts for one at a time. */
export class TenantSandboxesStack extends Stack {
  constructor(scope: Construct, id: string, props: TenantSandboxesStackProps) {
    super(scope, id, props);
    const rolePrefix = `${this.stackName}-${this.region}-`;
    const parameterPrefix = `/${this.stackName}/`;

    const broker = this.broker({
      // By names the broker finds what is a tenant's, whoever and how many they are.
      TENANT_ROLE_PREFIX: this.formatArn({ service: 'iam', region: '', resource: 'role', resourceName: rolePrefix }),
      PARAMETER_PREFIX: parameterPrefix,
    });

    const { connector } = new NoNetwork(this, 'NoNetwork');
    for (const tenant of props.tenants) {
      new TenantSandbox(this, `Tenant-${tenant}`, {
        tenant,
        egressConnector: connector,
        roleName: rolePrefix + tenant,
        parameterName: parameterPrefix + tenant,
        broker: broker.role!,
      });
    }

    new CfnOutput(this, 'BrokerName', { value: broker.functionName });
  }

  private broker(environment: Record<string, string>): lambda.Function {
    const logGroup = new logs.LogGroup(this, 'BrokerLogs', { retention: logs.RetentionDays.ONE_MONTH, removalPolicy: RemovalPolicy.DESTROY });
    // It may become a tenant, and is nothing by itself.
    const role = new iam.Role(this, 'BrokerRole', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
    logGroup.grantWrite(role);
    return new NodejsFunction(this, 'Broker', {
      entry: path.join(__dirname, 'broker', 'index.ts'),
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      memorySize: 256,
      timeout: Duration.minutes(1),
      role,
      logGroup,
      environment,
      // The SDK in the Lambda runtime may not know MicroVMs yet: bring it along.
      bundling: { externalModules: [], mainFields: ['module', 'main'], minify: true },
    });
  }
}
