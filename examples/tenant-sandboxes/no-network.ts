import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { MicrovmConnector } from 'cdk-lambda-microvms';
import { Construct } from 'constructs';

/**
 * A way out that leads nowhere. There is no managed connector for that, and a launch that names none gets the internet.
 *
 * One does for all tenants: nothing gets through, so nobody meets anybody.
 */
export class NoNetwork extends Construct {
  public readonly connector: MicrovmConnector;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    const vpc = new ec2.Vpc(this, 'Vpc', {
      maxAzs: 2,
      natGateways: 0,
      subnetConfiguration: [{ name: 'Nowhere', subnetType: ec2.SubnetType.PRIVATE_ISOLATED, cidrMask: 24 }],
    });
    // Who tried to get out.
    const logGroup = new logs.LogGroup(this, 'Rejected', { retention: logs.RetentionDays.ONE_MONTH, removalPolicy: RemovalPolicy.DESTROY });
    vpc.addFlowLog('FlowLog', { trafficType: ec2.FlowLogTrafficType.REJECT, destination: ec2.FlowLogDestination.toCloudWatchLogs(logGroup) });

    // Without allowAllOutbound CDK writes a rule that matches nothing. With no rule at all EC2 would allow everything.
    const nothingOut = new ec2.SecurityGroup(this, 'NothingOut', { vpc, allowAllOutbound: false, description: 'Nothing in, nothing out' });

    const connector = new lambda.NetworkConnector(this, 'Connector', {
      configuration: lambda.NetworkConnectorConfiguration.vpcEgress({
        computeType: lambda.NetworkConnectorComputeType.MICRO_VM,
        vpc,
        vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_ISOLATED },
        securityGroups: [nothingOut],
      }),
    });
    Validations.of(connector.operatorRole!).acknowledge({
      id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/AWSLambdaNetworkConnectorOperatorPolicy]',
      reason: 'What the service documents for the role by which it makes network interfaces',
    });
    this.connector = MicrovmConnector.fromNetworkConnector(connector);
  }
}
