/**
 * An image with every property set, its execution role, a connector policy and the grants.
 *
 * Deployed for real: one build of about 3 minutes, snapshot storage billed for a week, a NAT-less VPC and one network
 * connector.
 */
import { join } from 'path';
import { ExpectedResult, IntegTest } from '@aws-cdk/integ-tests-alpha';
import { App, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecr from 'aws-cdk-lib/aws-ecr';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { expectImage } from './assertions';
import {
  ExecutionRole, MicrovmBaseImage, MicrovmBuildRole, MicrovmCode, MicrovmConnector, MicrovmHooks, MicrovmImage, MicrovmImageEngine, MicrovmLogging,
  MicrovmMemory, MicrovmOsCapability, NetworkConnectorPolicy, RunningMicrovms,
} from '../src';

const app = new App();
const stack = new Stack(app, 'MicrovmImageEverything');

const vpc = new ec2.Vpc(stack, 'Vpc', { maxAzs: 2, natGateways: 0, restrictDefaultSecurityGroup: false });
const connector = new lambda.NetworkConnector(stack, 'Connector', {
  configuration: lambda.NetworkConnectorConfiguration.vpcEgress({
    computeType: lambda.NetworkConnectorComputeType.MICRO_VM,
    vpc,
    vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_ISOLATED },
    securityGroups: [new ec2.SecurityGroup(stack, 'Egress', { vpc })],
  }),
});
const buildRole = new MicrovmBuildRole(stack, 'BuildRole', {
  description: 'Builds the image of the integration test',
  repositories: [new ecr.Repository(stack, 'Repository', { removalPolicy: RemovalPolicy.DESTROY })],
  sourceImageNames: ['integ-everything'],
});
const image = new MicrovmImage(stack, 'Image', {
  code: MicrovmCode.fromAsset(join(__dirname, 'image'), { exclude: ['*.md'] }),
  imageName: 'integ-everything',
  description: 'Every property is set',
  baseImage: MicrovmBaseImage.AL2023_1.newest({ refreshToken: '2026-11' }),
  memory: MicrovmMemory.MIB_4096,
  hooks: MicrovmHooks.onPort(9000, {
    ready: Duration.minutes(5),
    validate: Duration.minutes(5),
    run: Duration.seconds(10),
    resume: Duration.seconds(10),
    suspend: Duration.seconds(10),
    terminate: Duration.seconds(10),
  }),
  environment: { STAGE: 'integ' },
  egressConnector: MicrovmConnector.INTERNET_EGRESS,
  additionalOsCapabilities: [MicrovmOsCapability.ALL],
  logging: MicrovmLogging.ownedLogGroup({ retention: logs.RetentionDays.ONE_WEEK, logStream: 'builds' }),
  buildRole,
  tags: { purpose: 'integ' },
  removalPolicy: RemovalPolicy.DESTROY,
  engine: MicrovmImageEngine.custom({ runningMicrovms: RunningMicrovms.TERMINATE }),
});

const executionRole = new ExecutionRole(stack, 'ExecutionRole', { logGroup: image.logGroup });
const launcher = new iam.Role(stack, 'Launcher', { assumedBy: new iam.AccountRootPrincipal() });
const connectors = [MicrovmConnector.NO_INGRESS, MicrovmConnector.fromNetworkConnector(connector)];
image.grants.run(launcher, { executionRole, connectors });
image.grants.manage(launcher);
image.grants.connect(launcher);
image.grants.shell(launcher);
image.grants.read(launcher);
new NetworkConnectorPolicy(stack, 'Connectors', { connectors, roles: [launcher] });

const integ = new IntegTest(app, 'MicrovmImageEverythingTest', { testCases: [stack] });
expectImage(integ, image, ExpectedResult.objectLike({ name: 'integ-everything', state: 'CREATED' }));
