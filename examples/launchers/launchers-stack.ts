import * as path from 'node:path';
import { CfnOutput, Duration, RemovalPolicy, Stack, StackProps, Validations } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import * as logs from 'aws-cdk-lib/aws-logs';
import { ExecutionRole, MicrovmCode, MicrovmHooks, MicrovmImage, MicrovmLaunchProfile, MicrovmMemory } from 'cdk-lambda-microvms';
import { Construct } from 'constructs';
import { JobMachine } from './job-machine';
import { pythonCode } from './python-code';

/** One image and one launch profile, launched by four kinds of code. */
export class LaunchersStack extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);
    const profile = this.jobProfile();

    const typescript = new NodejsFunction(this, 'TypeScript', {
      entry: path.join(__dirname, 'typescript', 'index.ts'),
      // The SDK in the Lambda runtime may not know MicroVMs yet: bring it along.
      bundling: { externalModules: [], mainFields: ['module', 'main'], minify: true },
      runtime: lambda.Runtime.NODEJS_24_X,
      ...this.functionProps('TypeScript'),
    });
    profile.addToFunction(typescript);

    const python = new lambda.Function(this, 'Python', {
      code: pythonCode(path.join(__dirname, 'python'), lambda.Runtime.PYTHON_3_15),
      handler: 'index.handler',
      runtime: lambda.Runtime.PYTHON_3_15,
      ...this.functionProps('Python'),
    });
    profile.addToFunction(python);

    this.containerTask(profile);
    const machine = new JobMachine(this, 'Machine', { profile });

    new CfnOutput(this, 'TypeScriptFunction', { value: typescript.functionName });
    new CfnOutput(this, 'PythonFunction', { value: python.functionName });
    new CfnOutput(this, 'StateMachineArn', { value: machine.stateMachine.stateMachineArn });
  }

  /** MicroVMs that get a job when they are launched, do it, print the result and end. Nobody connects to them. */
  private jobProfile(): MicrovmLaunchProfile {
    const logGroup = this.logGroup('JobLogs');
    const image = new MicrovmImage(this, 'Image', {
      description: 'Prints the checksum of a file on the internet',
      code: MicrovmCode.fromAsset(path.join(__dirname, 'image')),
      memory: MicrovmMemory.MIB_512,
      logGroup,
      hooks: MicrovmHooks.onPort(9000, { ready: Duration.minutes(1), run: Duration.seconds(5) }),
    });
    return new MicrovmLaunchProfile(this, 'Launch', {
      image,
      executionRole: new ExecutionRole(this, 'JobRole', { sourceImages: [image] }),
      logGroup,
      // No idle policy: nobody calls, so it would be suspended in the middle of its work.
      maximumDuration: Duration.minutes(10),
    });
  }

  /** A container that launches with nothing but the AWS CLI: the parameter is the input of the command. */
  private containerTask(profile: MicrovmLaunchProfile) {
    const vpc = new ec2.Vpc(this, 'Vpc', {
      maxAzs: 2,
      natGateways: 0,
      subnetConfiguration: [{ name: 'Tasks', subnetType: ec2.SubnetType.PUBLIC, mapPublicIpOnLaunch: false }],
    });
    Validations.of(vpc).acknowledge({ id: 'AwsSolutions-VPC7', reason: 'Only the launcher runs in it, for seconds, and nothing can connect to it' });
    const cluster = new ecs.Cluster(this, 'Cluster', { vpc, containerInsightsV2: ecs.ContainerInsights.ENABLED });

    const task = new ecs.FargateTaskDefinition(this, 'Task', {
      cpu: 256,
      memoryLimitMiB: 512,
      runtimePlatform: { cpuArchitecture: ecs.CpuArchitecture.ARM64, operatingSystemFamily: ecs.OperatingSystemFamily.LINUX },
    });
    task.addContainer('Launcher', {
      // MicroVMs came with version 2.35.
      image: ecs.ContainerImage.fromRegistry('public.ecr.aws/aws-cli/aws-cli:2.35.0'),
      entryPoint: ['sh', '-c', [
        'aws lambda-microvms run-microvm', '--region', this.region, '--cli-input-json "$MICROVM_LAUNCH"', '--run-hook-payload "$1"',
      ].join(' '), 'launch'],
      // What a run of the task replaces.
      command: ['{"url":"https://aws.amazon.com/robots.txt"}'],
      secrets: { MICROVM_LAUNCH: ecs.Secret.fromSsmParameter(profile.toSsmParameter()) },
      logging: ecs.LogDrivers.awsLogs({ streamPrefix: 'launcher', logGroup: this.logGroup('TaskLogs') }),
    });
    profile.grants.launch(task.taskRole);
    Validations.of(task.obtainExecutionRole()).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'ecr:GetAuthorizationToken, which has no narrower resource',
    });

    const securityGroup = new ec2.SecurityGroup(this, 'TaskSecurityGroup', { vpc, description: 'Launchers: out to AWS, nothing in' });
    new CfnOutput(this, 'ClusterName', { value: cluster.clusterName });
    new CfnOutput(this, 'TaskDefinitionArn', { value: task.taskDefinitionArn });
    new CfnOutput(this, 'TaskSubnet', { value: vpc.publicSubnets[0].subnetId });
    new CfnOutput(this, 'TaskSecurityGroupId', { value: securityGroup.securityGroupId });
  }

  private functionProps(id: string) {
    const logGroup = this.logGroup(`${id}Logs`);
    const role = new iam.Role(this, `${id}Role`, { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
    logGroup.grantWrite(role);
    return { architecture: lambda.Architecture.ARM_64, memorySize: 256, timeout: Duration.seconds(30), role, logGroup };
  }

  private logGroup(id: string): logs.LogGroup {
    return new logs.LogGroup(this, id, { retention: logs.RetentionDays.ONE_MONTH, removalPolicy: RemovalPolicy.DESTROY });
  }
}
