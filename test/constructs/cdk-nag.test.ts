import { App, Stack } from 'aws-cdk-lib';
import * as ecr from 'aws-cdk-lib/aws-ecr';
import * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { AwsSolutionsChecks } from 'cdk-nag';
import { ENV, FLAGS, imageIn } from './fixtures';
import { ExecutionRole, MicrovmBaseImage, MicrovmBuildRole, MicrovmCode, MicrovmConnector, MicrovmImageAlarms, MicrovmImageDashboard, MicrovmImageEngine, MicrovmLaunchProfile, MicrovmLogging, NetworkConnectorPolicy, RunningMicrovms } from '../../src';

function findings(stack: Stack): string[] {
  return new AwsSolutionsChecks().validateScope(stack).violations.map(({ ruleName }) => ruleName);
}

test.each([
  ['of a known environment', ENV, {}],
  ['of an unknown environment', undefined, {}],
  ['in a new app', undefined, FLAGS],
])('a stack %s with everything has no finding', (_what, env, context) => {
  const stack = new Stack(new App({ context }), 'Stack', { env });
  const image = imageIn(stack);
  imageIn(stack, { imageName: 'golden', engine: MicrovmImageEngine.custom({ runningMicrovms: RunningMicrovms.TERMINATE }) }, 'Named');
  imageIn(stack, { logGroup: new logs.LogGroup(stack, 'OwnedLog') }, 'Logging');
  imageIn(stack, { logGroup: logs.LogGroup.fromLogGroupName(stack, 'ImportedLog', '/mine') }, 'LoggingElsewhere');
  imageIn(stack, { logging: MicrovmLogging.disabled() }, 'Silent');
  const repository = ecr.Repository.fromRepositoryName(stack, 'Repository', 'base');
  imageIn(stack, { buildRole: new MicrovmBuildRole(stack, 'BuildRole', { repositories: [repository], sourceImageNames: ['*'] }) }, 'OwnRole');
  const inEcr = MicrovmCode.fromEcrImage(ecr.Repository.fromRepositoryArn(stack, 'Tools', `arn:aws:ecr:us-east-1:${ENV.account}:repository/tools`), `sha256:${'0'.repeat(64)}`);
  imageIn(stack, { code: inEcr }, 'InEcr');
  imageIn(stack, { buildRole: new iam.Role(stack, 'PlainRole', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') }) }, 'PlainRoleImage');
  const cloudFormation = MicrovmImageEngine.cloudFormation({ runningMicrovms: RunningMicrovms.TERMINATE, keepVersions: 5 });
  imageIn(stack, { imageName: 'native', engine: cloudFormation, baseImage: MicrovmBaseImage.AL2023_1.pinned('1') }, 'Native');
  image.onBuildFailed('OnBuildFailed');
  imageIn(stack, { eventBus: new events.EventBus(stack, 'Bus') }, 'OnBus').onBuildSucceeded('OnBuildSucceeded');
  new MicrovmImageAlarms(stack, 'Alarms', { image });
  new MicrovmImageDashboard(stack, 'Dashboard', { images: [image] });
  const executionRole = new ExecutionRole(stack, 'ExecutionRole', { logGroup: new logs.LogGroup(stack, 'AppLog'), sourceImages: [image] });
  new NetworkConnectorPolicy(stack, 'Connectors', { connectors: [MicrovmConnector.NO_INGRESS] });
  image.grants.run(new iam.Role(stack, 'Launcher', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') }), { executionRole });

  const logGroup = new logs.LogGroup(stack, 'RunLog');
  const plainRole = new iam.Role(stack, 'PlainExecutionRole', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
  const profile = new MicrovmLaunchProfile(stack, 'Launch', { image, executionRole: plainRole, logGroup });
  profile.grants.launch(new iam.Role(stack, 'ProfileLauncher', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') }));
  profile.toSsmParameter();

  expect(findings(stack)).toEqual([]);
});

test('what a user adds to the roles of the library is still found', () => {
  const stack = new Stack(new App(), 'Stack');
  const image = imageIn(stack);
  image.buildRole.grantPrincipal.addToPrincipalPolicy(new iam.PolicyStatement({ actions: ['s3:*'], resources: ['*'] }));
  new lambda.Function(stack, 'Old', { runtime: lambda.Runtime.NODEJS_20_X, handler: 'x', code: lambda.Code.fromInline('x') });

  expect(findings(stack)).toEqual(expect.arrayContaining(['AwsSolutions-IAM5[Action::s3:*]', 'AwsSolutions-IAM5[Resource::*]', 'AwsSolutions-L1']));
});
