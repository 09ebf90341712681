import { App, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { ExecutionRole, MicrovmBaseImage, MicrovmCode, MicrovmConnector, MicrovmHooks, MicrovmImage, MicrovmImageEngine, MicrovmLaunchProfile, MicrovmMemory, RunningMicrovms } from 'cdk-lambda-microvms';

const app = new App({ analyticsReporting: false });

const publisher = new Stack(app, 'Publisher');
new MicrovmImage(publisher, 'Image', {
  code: MicrovmCode.fromInline({ dockerfile: 'FROM public.ecr.aws/lambda/microvms:al2023-minimal\nEXPOSE 9000\n', files: { 'hello.txt': 'hello' } }),
  imageName: 'golden',
  baseImage: MicrovmBaseImage.AL2023_1.newest({ refreshToken: '2026-12' }),
  memory: MicrovmMemory.MIB_1024,
  hooks: MicrovmHooks.onPort(9000, { ready: Duration.minutes(2) }),
  environment: { STAGE: 'prod' },
  engine: MicrovmImageEngine.custom({ runningMicrovms: RunningMicrovms.TERMINATE, keepVersions: 3 }),
});

const consumer = new Stack(app, 'Consumer');
const image = MicrovmImage.fromPublication(consumer, 'Image', { publicationName: 'agents', channel: 'stable' });
const logGroup = new logs.LogGroup(consumer, 'RunLogs', { removalPolicy: RemovalPolicy.DESTROY });
const profile = new MicrovmLaunchProfile(consumer, 'Launch', {
  image,
  executionRole: new ExecutionRole(consumer, 'ExecutionRole', { logGroup, sourceImages: [image] }),
  logGroup,
  ingressConnectors: [MicrovmConnector.HTTP_INGRESS],
  idlePolicy: { maxIdleDuration: Duration.minutes(15), suspendedDuration: Duration.hours(1), autoResume: true },
  maximumDuration: Duration.hours(2),
});
const launcher = new lambda.Function(consumer, 'Launcher', {
  runtime: lambda.Runtime.NODEJS_22_X,
  handler: 'index.handler',
  code: lambda.Code.fromInline('exports.handler = async () => {};'),
});
profile.addToFunction(launcher);
profile.grants.connect(launcher);

app.synth();
