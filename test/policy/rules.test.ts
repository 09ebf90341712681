import { findingsInTemplate } from './findings';
import { goodCustomTemplate, goodTemplate } from './good-template';
import { MicrovmPolicyChecksProps } from '../../src';

/** Everything that an organisation can ask for, and the good templates have. */
const EVERYTHING: MicrovmPolicyChecksProps = {
  strict: true, requiredTags: ['team'], maximumMemoryMiB: 2048, allowedBaseImages: ['al2023-*'], failOnWarnings: true,
};

const THIS_ACCOUNT = { Ref: 'AWS::AccountId' };
const managedConnector = (name: string) => ({ 'Fn::Sub': `arn:\${AWS::Partition}:lambda:\${AWS::Region}:aws:network-connector:aws-network-connector:${name}` });
const launchWith = (settings: Record<string, unknown>) => JSON.stringify({
  imageIdentifier: 'arn:aws:lambda:us-east-1:111122223333:microvm-image:shop', imageVersion: '3.0', ingressNetworkConnectors: ['arn:aws:lambda:us-east-1:aws:network-connector:aws-network-connector:NO_INGRESS'], ...settings,
});
const connectorArn = (name: string) => `arn:aws:lambda:us-east-1:aws:network-connector:aws-network-connector:${name}`;

const trustOf = (resources: any, role: string) => resources[role].Properties.AssumeRolePolicyDocument.Statement[0];
const launcherStatements = (resources: any) => resources.LauncherPolicy.Properties.PolicyDocument.Statement;
const buildStatements = (resources: any) => resources.BuildRole.Properties.Policies[0].PolicyDocument.Statement;
const machine = (args: unknown, substitutions?: Record<string, unknown>) => ({
  Type: 'AWS::StepFunctions::StateMachine',
  Properties: { Definition: { States: { Run: { Type: 'Task', Resource: 'arn:aws:states:::aws-sdk:lambdamicrovms:runMicrovm', Arguments: args } } }, DefinitionSubstitutions: substitutions },
});
const allow = (action: unknown, resource: unknown, more = {}) => ({ Effect: 'Allow', Action: action, Resource: resource, ...more });

type Change = (resources: any) => void;

test.each([['CloudFormation', goodTemplate], ['this library', goodCustomTemplate]])('a good template has no finding, whatever is asked for: an image built by %s', (_by, template) => {
  expect(findingsInTemplate(template(), EVERYTHING)).toEqual([]);
});

describe.each([['CloudFormation', goodTemplate], ['this library', goodCustomTemplate]])('around an image built by %s', (_by, good) => {
  const findings = (change: Change, props?: MicrovmPolicyChecksProps) => {
    const template = good();
    change(template.Resources);
    return findingsInTemplate(template, props);
  };

  test.each<[string, string, Change]>([
    ['role-trust', 'no condition on the build role', (r) => delete trustOf(r, 'BuildRole').Condition],
    ['role-trust', 'no condition on the execution role', (r) => delete trustOf(r, 'ExecutionRole').Condition],
    ['role-trust', 'only a source ARN', (r) => (trustOf(r, 'BuildRole').Condition = { ArnLike: { 'aws:SourceArn': { 'Fn::Sub': 'arn:aws:lambda:*:${AWS::AccountId}:microvm-image:*' } } })],
    ['role-trust', 'any account', (r) => (trustOf(r, 'BuildRole').Condition = { StringLike: { 'aws:SourceAccount': '*' } })],
    ['role-trust', 'one of any account', (r) => (trustOf(r, 'BuildRole').Condition = { StringLike: { 'aws:SourceAccount': [THIS_ACCOUNT, '1*'] } })],
    ['role-trust', 'a condition that holds without the key', (r) => (trustOf(r, 'BuildRole').Condition = { StringEqualsIfExists: { 'aws:SourceAccount': THIS_ACCOUNT } })],
    ['role-trust', 'a condition for all of no values', (r) => (trustOf(r, 'BuildRole').Condition = { 'ForAllValues:StringEquals': { 'aws:SourceAccount': THIS_ACCOUNT } })],
    ['role-trust', 'a negated condition', (r) => (trustOf(r, 'BuildRole').Condition = { StringNotEquals: { 'aws:SourceAccount': '111122223333' } })],
    ['role-trust', 'no account at all', (r) => (trustOf(r, 'BuildRole').Condition = { StringEquals: { 'aws:SourceAccount': [] } })],
    ['role-trust', 'two accounts, one of which is another', (r) => (trustOf(r, 'BuildRole').Condition = { StringEquals: { 'aws:SourceAccount': ['111122223333', '444455556666'] } })],
    ['role-trust', 'everybody is trusted', (r) => Object.assign(trustOf(r, 'BuildRole'), { Principal: '*', Condition: undefined })],
    ['role-trust', 'every AWS account is trusted', (r) => Object.assign(trustOf(r, 'BuildRole'), { Principal: { AWS: '*' }, Condition: undefined })],
    ['role-trust', 'a second statement without a condition', (r) => r.BuildRole.Properties.AssumeRolePolicyDocument.Statement.push({ Effect: 'Allow', Principal: { Service: ['ec2.amazonaws.com', 'lambda.amazonaws.com'] }, Action: 'sts:*' })],
    ['role-trust', 'a role nobody uses here, but with tagged sessions', (r) => (r.Spare = { ...r.ExecutionRole, Properties: { AssumeRolePolicyDocument: { Statement: { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: ['sts:AssumeRole', 'sts:TagSession'] } } } })],
    ['role-trust', 'a role that only the policy of the launcher names', (r) => {
      r.Other = { Type: 'AWS::IAM::Role', Properties: { AssumeRolePolicyDocument: { Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }] } } };
      launcherStatements(r)[1].Resource = { 'Fn::Sub': '${Other.Arn}' };
    }],
    ['operator-role-trust', 'a source account', (r) => (trustOf(r, 'OperatorRole').Condition = { StringEquals: { 'aws:SourceAccount': THIS_ACCOUNT } })],
    ['operator-role-trust', 'a source ARN, in other letters', (r) => (trustOf(r, 'OperatorRole').Condition = { ArnLike: { 'AWS:sourcearn': '*' } })],
    ['shared-role', 'a launch with the build role', (r) => (r.Launcher.Properties.Environment.Variables.MICROVM_LAUNCH = { 'Fn::Join': ['', ['{"imageIdentifier":"x","imageVersion":"1.0","ingressNetworkConnectors":["', managedConnector('NO_INGRESS'), '"],"executionRoleArn":"', { 'Fn::GetAtt': 'BuildRole.Arn' }, '"}']] })],
    ['shared-role', 'a launcher that passes the build role', (r) => (launcherStatements(r)[1].Resource = [{ 'Fn::GetAtt': ['BuildRole', 'Arn'] }])],
    ['shared-role', 'a variable with the build role', (r) => (r.Launcher.Properties.Environment.Variables = { IMAGE: { Ref: 'Image' }, IMAGE_VERSION: '3.0', ROLE_ARN: { 'Fn::GetAtt': ['BuildRole', 'Arn'] } })],
    ['shared-role', 'a variable with the build role, after one with a word', (r) => (r.Launcher.Properties.Environment.Variables = { IMAGE: { Ref: 'Image' }, IMAGE_VERSION: '3.0', APP: 'role-of-the-shop', ROLE_ARN: { 'Fn::GetAtt': ['BuildRole', 'Arn'] } })],
    ['wildcard-run', 'everything', (r) => launcherStatements(r).push(allow('lambda:RunMicrovm', '*'))],
    ['wildcard-run', 'every image', (r) => launcherStatements(r).push(allow(['lambda:Run*'], [{ 'Fn::Sub': 'arn:aws:lambda:us-east-1:${AWS::AccountId}:microvm-image:*' }]))],
    ['wildcard-run', 'every image of every place', (r) => (launcherStatements(r)[0].Resource = 'arn:*:lambda:*:*:microvm-image:*')],
    ['wildcard-run', 'all but an action', (r) => launcherStatements(r).push({ Effect: 'Allow', NotAction: ['iam:*', 's3:*', 'lambda:PassNetworkConnector'], Resource: '*' })],
    ['wildcard-run', 'all but a resource', (r) => launcherStatements(r).push({ Effect: 'Allow', Action: 'lambda:RunMicrovm', NotResource: 'arn:aws:lambda:us-east-1:111122223333:microvm-image:secret' })],
    ['wildcard-run', 'a managed policy nobody has yet', (r) => (r.Managed = { Type: 'AWS::IAM::ManagedPolicy', Properties: { PolicyDocument: { Statement: allow('LAMBDA:RUNMICROVM', '*') } } })],
    ['wildcard-run', 'the inline policy of a user', (r) => (r.User = { Type: 'AWS::IAM::User', Properties: { Policies: [{ PolicyName: 'x', PolicyDocument: { Statement: allow('lambda:RunMicrovm', '*') } }] } })],
    ['wildcard-run', 'a tag that may be anything', (r) => launcherStatements(r).push(allow('lambda:RunMicrovm', '*', { Condition: { StringLike: { 'aws:ResourceTag/team': '*' } } }))],
    ['wildcard-run', 'a tag that may be one or anything', (r) => launcherStatements(r).push(allow('lambda:RunMicrovm', '*', { Condition: { StringLike: { 'aws:ResourceTag/team': ['shop', '*'] } } }))],
    ['wildcard-run', 'a permission set', (r) => (r.Set = { Type: 'AWS::SSO::PermissionSet', Properties: { InlinePolicy: { Statement: allow('lambda:RunMicrovm', '*') } } })],
    ['wildcard-run', 'a permission set whose policy is text', (r) => (r.Set = { Type: 'AWS::SSO::PermissionSet', Properties: { InlinePolicy: JSON.stringify({ Statement: allow('lambda:RunMicrovm', '*') }) } })],
    ['wildcard-run', 'a function of SAM', (r) => (r.Function = { Type: 'AWS::Serverless::Function', Properties: { Policies: ['AWSXRayDaemonWriteAccess', { Statement: [allow('lambda:RunMicrovm', '*')] }] } })],
    ['wildcard-pass-role', 'every role, to services whose names begin like that of Lambda', (r) => launcherStatements(r).push(allow('iam:PassRole', '*', { Condition: { StringLike: { 'iam:PassedToService': 'lambda*' } } }))],
    ['wildcard-pass-role', 'everything', (r) => (launcherStatements(r)[1].Resource = '*')],
    ['wildcard-pass-role', 'every role', (r) => (launcherStatements(r)[1].Resource = { 'Fn::Sub': 'arn:${AWS::Partition}:iam::${AWS::AccountId}:role/*' })],
    ['wildcard-pass-role', 'every role, to Lambda', (r) => launcherStatements(r).push(allow('iam:Pass*', '*', { Condition: { StringEquals: { 'iam:PassedToService': 'lambda.amazonaws.com' } } }))],
    ['wildcard-pass-role', 'every role, also to a service that is not named', (r) => launcherStatements(r).push(allow('iam:PassRole', '*', { Condition: { StringEqualsIfExists: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } } }))],
    ['wildcard-pass-connector', 'everything', (r) => (launcherStatements(r)[2].Resource = '*')],
    ['wildcard-pass-connector', 'every connector', (r) => (launcherStatements(r)[2].Resource = 'arn:aws:lambda:*:*:network-connector:*')],
    ['wildcard-pass-connector', 'every managed connector', (r) => (launcherStatements(r)[2].Resource = managedConnector('*'))],
    ['artifact-read', 'the bucket', (r) => (buildStatements(r)[0].Resource = 'arn:aws:s3:::artifacts/*')],
    ['artifact-read', 'the bucket of the template', (r) => {
      r.Bucket = { Type: 'AWS::S3::Bucket' };
      buildStatements(r).push(allow(['s3:GetObject*', 's3:List*'], [{ 'Fn::GetAtt': ['Bucket', 'Arn'] }, { 'Fn::Sub': '${Bucket.Arn}/*' }]));
    }],
    ['artifact-read', 'all archives of the bucket', (r) => (buildStatements(r)[0].Resource = 'arn:aws:s3:::artifacts/*.zip')],
    ['artifact-read', 'the versions of all objects', (r) => buildStatements(r).push(allow('s3:GetObjectVersion', 'arn:aws:s3:::artifacts/*'))],
    ['artifact-read', 'every bucket', (r) => buildStatements(r).push(allow('s3:*', '*'))],
    ['artifact-read', 'all of S3', (r) => buildStatements(r).push(allow('s3:GetObject', 'arn:aws:s3*'))],
    ['artifact-read', 'in a policy of its own', (r) => (r.More = { Type: 'AWS::IAM::RolePolicy', Properties: { RoleName: { Ref: 'BuildRole' }, PolicyName: 'p', PolicyDocument: { Statement: [allow('s3:Get*', 'arn:aws:s3:::*')] } } })],
    ['artifact-read', 'by a policy of AWS', (r) => (r.BuildRole.Properties.ManagedPolicyArns = ['arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess'])],
    ['ecr-access', 'all actions', (r) => buildStatements(r).push(allow('ecr:*', '*'))],
    ['ecr-access', 'all actions on one repository', (r) => (buildStatements(r)[2].Action = 'ecr:*')],
    ['ecr-access', 'push to every repository', (r) => buildStatements(r).push(allow(['ecr:PutImage', 'ecr:UploadLayerPart'], '*'))],
    ['ecr-access', 'pull from every repository', (r) => (buildStatements(r)[2].Resource = '*')],
    ['ecr-access', 'pull from every repository of the account', (r) => (buildStatements(r)[2].Resource = { 'Fn::Sub': 'arn:aws:ecr:*:${AWS::AccountId}:repository/*' })],
    ['ecr-access', 'by a policy of AWS', (r) => (r.BuildRole.Properties.ManagedPolicyArns = [{ 'Fn::Sub': 'arn:${AWS::Partition}:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly' }])],
    ['ecr-access', 'by the policy of ECS tasks', (r) => (r.ExecutionRole.Properties.ManagedPolicyArns = ['arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy'])],
    ['public-ingress', 'a launch with HTTP_INGRESS', (r) => (r.Launcher.Properties.Environment.Variables.MICROVM_LAUNCH = launchWith({ ingressNetworkConnectors: [connectorArn('HTTP_INGRESS')] }))],
    ['public-ingress', 'a launch with ALL_INGRESS', (r) => (r.Launcher.Properties.Environment.Variables.MICROVM_LAUNCH = launchWith({ ingressNetworkConnectors: [connectorArn('ALL_INGRESS')] }))],
    ['public-ingress', 'a launch that says nothing', (r) => (r.Launcher.Properties.Environment.Variables.MICROVM_LAUNCH = launchWith({ ingressNetworkConnectors: undefined }))],
    ['public-ingress', 'a launch with an empty list', (r) => (r.Launcher.Properties.Environment.Variables.MICROVM_LAUNCH = launchWith({ ingressNetworkConnectors: [] }))],
    ['public-ingress', 'one of several launches', (r) => (r.Launcher.Properties.Environment.Variables.LAUNCHES = `{"small":${launchWith({})},"open":[${launchWith({ ingressNetworkConnectors: undefined })}]}`)],
    ['public-ingress', 'a launch with a number that only the deployment knows', (r) => (r.Launcher.Properties.Environment.Variables.MICROVM_LAUNCH = {
      'Fn::Sub': launchWith({ ingressNetworkConnectors: [connectorArn('HTTP_INGRESS')], maximumDurationInSeconds: 60 }).replace('60', '${Seconds}'),
    })],
    ['public-ingress', 'a policy with a pattern', (r) => launcherStatements(r)[2].Resource.push(managedConnector('HTTP_*'))],
    ['shell-ingress', 'a policy with a pattern', (r) => launcherStatements(r)[2].Resource.push('arn:aws:lambda:*:*:network-connector:*SHELL_INGRESS')],
    ['public-ingress', 'a variable', (r) => (r.Launcher.Properties.Environment.Variables.INGRESS = managedConnector('HTTP_INGRESS')) && delete r.Launcher.Properties.Environment.Variables.MICROVM_LAUNCH],
    ['public-ingress', 'a policy', (r) => launcherStatements(r)[2].Resource.push(managedConnector('HTTP_INGRESS'))],
    ['public-ingress', 'a container', (r) => (r.Task = { Type: 'AWS::ECS::TaskDefinition', Properties: { ContainerDefinitions: [{ Environment: [{ Name: 'L', Value: launchWith({ ingressNetworkConnectors: [connectorArn('HTTP_INGRESS')] }) }] }] } })],
    ['shell-ingress', 'a launch', (r) => (r.Launcher.Properties.Environment.Variables.MICROVM_LAUNCH = launchWith({ ingressNetworkConnectors: [connectorArn('SHELL_INGRESS')] }))],
    ['shell-ingress', 'a policy', (r) => launcherStatements(r)[2].Resource.push(connectorArn('SHELL_INGRESS'))],
    ['os-capabilities', 'all of them', (r) => (r.Image.Properties.AdditionalOsCapabilities = ['ALL'])],
    ['log-group', 'none', (r) => (r.Image.Properties.Logging = {})],
    ['log-group', 'logging is off', (r) => (r.Image.Properties.Logging = { Disabled: 'true' })],
    ['log-group', 'MicroVMs that do not log', (r) => (r.Launcher.Properties.Environment.Variables.MICROVM_LAUNCH = launchWith({ logging: { disabled: {} } }))],
    ['log-group', 'one of MicroVMs that is not of the app', (r) => (r.Launcher.Properties.Environment.Variables.MICROVM_LAUNCH = launchWith({ logging: { cloudWatch: { logGroup: '/shared' } } }))],
    ['log-group', 'one that is not of the app', (r) => (r.Image.Properties.Logging = { LogGroup: '/shared', CloudWatch: { LogGroup: '/shared' } })],
    ['log-group', 'no retention', (r) => delete r.Logs.Properties.RetentionInDays],
    ['pinned-version', 'a launch without a version', (r) => (r.Launcher.Properties.Environment.Variables.MICROVM_LAUNCH = launchWith({ imageVersion: undefined }))],
    ['pinned-version', 'a launch of the latest', (r) => (r.Launcher.Properties.Environment.Variables.MICROVM_LAUNCH = launchWith({ imageVersion: '$LATEST' }))],
    ['pinned-version', 'a variable with the image, and none with a version', (r) => (r.Launcher.Properties.Environment.Variables = { IMAGE_ARN: { Ref: 'Image' } })],
    ['pinned-version', 'a variable with the latest', (r) => (r.Launcher.Properties.Environment.Variables = { IMAGE_ARN: { Ref: 'Image' }, IMAGE_VERSION: 'latest' })],
    ['pinned-version', 'a container that may launch', (r) => (r.Task = {
      Type: 'AWS::ECS::TaskDefinition', Properties: { TaskRoleArn: { 'Fn::GetAtt': ['LauncherRole', 'Arn'] }, ContainerDefinitions: [{ Environment: [{ Name: 'IMAGE_ARN', Value: { Ref: 'Image' } }] }] },
    })],
    ['pinned-version', 'a job of Batch that may launch', (r) => (r.Job = {
      Type: 'AWS::Batch::JobDefinition', Properties: { ContainerProperties: { JobRoleArn: { 'Fn::GetAtt': ['LauncherRole', 'Arn'] }, Environment: [{ Name: 'IMAGE_ARN', Value: { Ref: 'Image' } }] } },
    })],
    ['pinned-version', 'a build of CodeBuild that may launch', (r) => (r.Build = {
      Type: 'AWS::CodeBuild::Project', Properties: { ServiceRole: { 'Fn::GetAtt': ['LauncherRole', 'Arn'] }, Environment: { EnvironmentVariables: [{ Name: 'IMAGE_ARN', Value: { Ref: 'Image' } }] } },
    })],
    ['pinned-version', 'a state machine of SAM', (r) => (r.Machine = { ...machine({ ImageIdentifier: 'x', IngressNetworkConnectors: [managedConnector('NO_INGRESS')] }), Type: 'AWS::Serverless::StateMachine' })],
    ['pinned-version', 'an SSM parameter', (r) => (r.Parameter = { Type: 'AWS::SSM::Parameter', Properties: { Type: 'String', Value: launchWith({ imageVersion: undefined }) } })],
    ['pinned-version', 'a task of a state machine', (r) => (r.Machine = { Type: 'AWS::StepFunctions::StateMachine', Properties: { DefinitionString: { 'Fn::Join': ['', ['{"StartAt":"All","States":{"All":{"Type":"Parallel","Branches":[{"StartAt":"Run","States":{"Run":{"Type":"Task","Resource":"arn:aws:states:::aws-sdk:lambdamicrovms:runMicrovm","Parameters":{"ImageIdentifier":"', { Ref: 'Image' }, '","IngressNetworkConnectors":["', managedConnector('NO_INGRESS'), '"]}}}}]}}}']] } } })],
    ['pinned-version', 'a task of a state machine, as an object', (r) => (r.Machine = { Type: 'AWS::StepFunctions::StateMachine', Properties: { Definition: { States: { Run: { Type: 'Task', Resource: 'arn:aws:states:::aws-sdk:lambdamicrovms:runMicrovm', Arguments: { ImageIdentifier: { Ref: 'Image' }, IngressNetworkConnectors: [managedConnector('NO_INGRESS')] } } } } } })],
    ['pinned-version', 'a task whose version is put in', (r) => (r.Machine = machine({ ImageIdentifier: 'x', ImageVersion: '${version}', IngressNetworkConnectors: [managedConnector('NO_INGRESS')] }, { version: 'latest' }))],
    ['pinned-version', 'a task beside a number that only the deployment knows', (r) => (r.Machine = {
      Type: 'AWS::StepFunctions::StateMachine',
      Properties: { DefinitionString: { 'Fn::Sub': `{"TimeoutSeconds":\${Seconds},"States":{"Run":{"Resource":"arn:aws:states:::aws-sdk:lambdamicrovms:runMicrovm","Parameters":{"ImageIdentifier":"x","IngressNetworkConnectors":["${connectorArn('NO_INGRESS')}"]}}}}` } },
    })],
    ['pinned-version', 'a schedule', (r) => (r.Schedule = { Type: 'AWS::Scheduler::Schedule', Properties: { Target: { Arn: 'arn:aws:scheduler:::aws-sdk:lambdamicrovms:runMicrovm', Input: launchWith({ imageVersion: undefined }) } } })],
    ['allowed-base-image', 'of another account', (r) => (r.Image.Properties.BaseImageArn = 'arn:aws:lambda:us-east-1:999988887777:microvm-image:theirs')],
    ['allowed-base-image', 'a version of one of another account', (r) => (r.Image.Properties.BaseImageArn = 'arn:aws:lambda:us-east-1:999988887777:microvm-image:theirs:3')],
    ['allowed-base-image', 'a name that is no ARN', (r) => (r.Image.Properties.BaseImageArn = 'al2023-1')],
    ['old-base-image', 'one that was replaced', (r) => (r.Image.Properties.BaseImageVersion = 0)],
    ['content-addressed-artifact', 'a key with a name', (r) => Object.assign(r.Image.Properties, { CodeArtifact: { Uri: 's3://artifacts/app-1.2.3.zip' }, CodeArtifactUri: 's3://artifacts/app-1.2.3.zip' })],
    ['content-addressed-artifact', 'a key in the bucket of the template', (r) => {
      r.Bucket = { Type: 'AWS::S3::Bucket' };
      Object.assign(r.Image.Properties, { CodeArtifact: { Uri: { 'Fn::Sub': 's3://${Bucket}/app.zip' } }, CodeArtifactUri: { 'Fn::Sub': 's3://${Bucket}/app.zip' } });
    }],
  ])('%s is found: %s', (rule, _what, change) => {
    expect(findings(change)).toEqual([rule]);
  });

  test.each<[string, MicrovmPolicyChecksProps, string, Change]>([
    ['internet-egress', { allowInternetEgress: false }, 'an image', (r) => (r.Image.Properties.EgressNetworkConnectors = [managedConnector('INTERNET_EGRESS')])],
    ['internet-egress', { strict: true }, 'an image that says nothing', (r) => (r.Image.Properties.EgressNetworkConnectors = [])],
    ['internet-egress', { allowInternetEgress: false }, 'a launch', (r) => (r.Launcher.Properties.Environment.Variables.MICROVM_LAUNCH = launchWith({ egressNetworkConnectors: [connectorArn('INTERNET_EGRESS')] }))],
    ['internet-egress', { allowInternetEgress: false }, 'a policy', (r) => launcherStatements(r)[2].Resource.push(managedConnector('INTERNET_EGRESS'))],
    ['build-hooks', { requireBuildHooks: true }, 'no hooks', (r) => (r.Image.Properties.Hooks = {})],
    ['build-hooks', { requireBuildHooks: true }, 'ready alone', (r) => {
      delete r.Image.Properties.Hooks.ValidateTimeoutInSeconds;
      delete r.Image.Properties.Hooks.MicrovmImageHooks?.Validate;
    }],
    ['build-hooks', {}, 'others alone', (r) => (r.Image.Properties.Hooks = { Port: 9000, RunTimeoutInSeconds: 5, MicrovmHooks: { Run: 'ENABLED' } })],
    ['pinned-base-image', { requirePinnedBaseImage: true }, 'the newest', (r) => (r.Image.Properties.BaseImageVersion = '')],
    ['pinned-base-image', { requirePinnedBaseImage: true }, 'a word', (r) => (r.Image.Properties.BaseImageVersion = 'latest')],
    ['old-base-image', { minimumBaseImageVersion: 2 }, 'older than wanted', () => undefined],
    ['allowed-base-image', { allowedBaseImages: ['al2027-*'] }, 'another name', () => undefined],
    ['maximum-memory', { maximumMemoryMiB: 1024 }, 'more', () => undefined],
    ['maximum-memory', { maximumMemoryMiB: 1024 }, 'not said, which is 2048', (r) => {
      r.Image.Properties.Resources = [{}];
      delete r.Image.Properties.MinimumMemoryInMiB;
    }],
    ['required-tags', { requiredTags: ['team', 'cost-centre'] }, 'one is missing', () => undefined],
    ['required-tags', { requiredTags: ['team'] }, 'one is empty', (r) => (r.Image.Properties.Tags = Array.isArray(r.Image.Properties.Tags) ? [{ Key: 'team', Value: '' }] : { team: '' })],
  ])('%s is found with %j: %s', (rule, props, _what, change) => {
    expect(findings(change, props)).toEqual([rule]);
  });

  test.each<[string, Change]>([
    ['a literal account', (r) => (trustOf(r, 'BuildRole').Condition = { StringEquals: { 'AWS:SOURCEACCOUNT': '111122223333' } })],
    ['a condition in other words', (r) => (trustOf(r, 'BuildRole').Condition = { 'ForAnyValue:StringLike': { 'aws:SourceAccount': [THIS_ACCOUNT] } })],
    ['an ordinary function role without a condition', (r) => (r.Plain = r.LauncherRole)],
    ['another service that may assume a role', (r) => r.ExecutionRole.Properties.AssumeRolePolicyDocument.Statement.push({ Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' })],
    ['sessions with tags in a statement of their own', (r) => {
      trustOf(r, 'BuildRole').Action = 'sts:AssumeRole';
      r.BuildRole.Properties.AssumeRolePolicyDocument.Statement.push({ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:TagSession' });
    }],
    ['images of a prefix', (r) => launcherStatements(r).push(allow('lambda:RunMicrovm', { 'Fn::Sub': 'arn:aws:lambda:*:${AWS::AccountId}:microvm-image:shop-*' }))],
    ['every image with the tag of the team', (r) => launcherStatements(r).push(allow('lambda:RunMicrovm', '*', { Condition: { StringEquals: { 'aws:ResourceTag/team': 'shop' } } }))],
    ['a deny of everything', (r) => launcherStatements(r).push({ Effect: 'Deny', Action: '*', Resource: '*' })],
    ['roles of a path', (r) => launcherStatements(r).push(allow('iam:PassRole', { 'Fn::Sub': 'arn:aws:iam::${AWS::AccountId}:role/microvms/*' }))],
    ['roles for another service', (r) => (r.Deployer = { Type: 'AWS::IAM::ManagedPolicy', Properties: { PolicyDocument: { Statement: allow('iam:PassRole', '*', { Condition: { StringEquals: { 'iam:PassedToService': ['ecs-tasks.amazonaws.com'] } } }) } } })],
    ['roles for services whose names begin otherwise', (r) => launcherStatements(r).push(allow('iam:PassRole', '*', { Condition: { StringLike: { 'iam:PassedToService': 'states.*' } } }))],
    ['a base image that only the deployment knows', (r) => (r.Image.Properties.BaseImageArn = { 'Fn::ImportValue': 'base' })],
    ['an operator role whose condition holds without the key', (r) => (trustOf(r, 'OperatorRole').Condition = { StringEqualsIfExists: { 'aws:SourceAccount': THIS_ACCOUNT } })],
    ['every role with the tag of the team', (r) => launcherStatements(r).push(allow('iam:PassRole', '*', { Condition: { StringEquals: { 'iam:ResourceTag/team': 'shop' } } }))],
    ['who launches and also builds, and passes the role of the build', (r) => (r.Deployer = {
      Type: 'AWS::IAM::ManagedPolicy',
      Properties: {
        Roles: [{ Ref: 'DeployerRole' }],
        PolicyDocument: { Statement: [allow('lambda:CreateMicrovmImage', '*'), allow('lambda:RunMicrovm', { Ref: 'Image' }), allow('iam:PassRole', { 'Fn::GetAtt': ['BuildRole', 'Arn'] })] },
      },
    }) && (r.DeployerRole = r.LauncherRole)],
    ['a variable with the role of the build, for who builds', (r) => (r.Launcher.Properties.Environment.Variables = { IMAGE: { Ref: 'Image' }, IMAGE_VERSION: '3.0', BUILD_ROLE_ARN: { 'Fn::GetAtt': ['BuildRole', 'Arn'] } })],
    ['a launch whose version an expression says', (r) => (r.Machine = machine({ ImageIdentifier: 'x', ImageVersion: '{% $states.input.version %}', IngressNetworkConnectors: '{% $in %}' }))],
    ['a base image of an account that only the deployment knows', (r) => (r.Image.Properties.BaseImageArn = { 'Fn::Sub': 'arn:aws:lambda:us-east-1:${Platform}:microvm-image:golden' })],
    ['versions of one connector', (r) => launcherStatements(r)[2].Resource.push({ 'Fn::Sub': '${Connector.Arn}:*' })],
    ['code below a prefix', (r) => (buildStatements(r)[0].Resource = 'arn:aws:s3:::artifacts/shop/*')],
    ['another role that reads a bucket', (r) => launcherStatements(r).push(allow('s3:GetObject', 'arn:aws:s3:::data/*'))],
    ['another role that pulls everything', (r) => launcherStatements(r).push(allow('ecr:BatchGetImage', '*'))],
    ['a log group that another stack exports', (r) => (r.Image.Properties.Logging = { LogGroup: { 'Fn::ImportValue': 'logs' }, CloudWatch: { LogGroup: { 'Fn::ImportValue': 'logs' } } })],
    ['a version from SSM', (r) => (r.Launcher.Properties.Environment.Variables.MICROVM_LAUNCH = launchWith({ imageVersion: '{{resolve:ssm:/shop/version}}' }))],
    ['a version that the execution says', (r) => (r.Machine = { Type: 'AWS::StepFunctions::StateMachine', Properties: { DefinitionString: '{"States":{"Run":{"Type":"Task","Resource":"arn:aws:states:::aws-sdk:lambdamicrovms:runMicrovm","Parameters":{"ImageIdentifier":"x","ImageVersion.$":"$.version","IngressNetworkConnectors.$":"$.in"}}}}' } })],
    ['a version that is put in', (r) => (r.Machine = machine({ ImageIdentifier: 'x', ImageVersion: '${version}', IngressNetworkConnectors: ['${in}'] }, { version: '3.0', in: managedConnector('NO_INGRESS') }))],
    ['a launch that an expression makes', (r) => (r.Machine = machine('{% $states.input.launch %}'))],
    ['a launch that is what the state gets', (r) => (r.Machine = machine(undefined))],
    ['several launches', (r) => (r.Launcher.Properties.Environment.Variables.MICROVM_LAUNCH = `{"small":${launchWith({})},"large":${launchWith({})}}`)],
    ['a function that only looks after MicroVMs', (r) => {
      launcherStatements(r)[0].Action = ['lambda:GetMicrovm', 'lambda:TerminateMicrovm'];
      r.Launcher.Properties.Environment.Variables = { IMAGE_ARN: { Ref: 'Image' } };
    }],
    ['JSON of something else', (r) => (r.Launcher.Properties.Environment.Variables.OTHER = '{"imageIdentifier')],
    ['a key with the hash of a commit', (r) => Object.assign(r.Image.Properties, { CodeArtifact: { Uri: 's3://a/app-0123456789abcdef0123456789abcdef01234567.zip' }, CodeArtifactUri: 's3://a/app-0123456789abcdef0123456789abcdef01234567.zip' })],
    ['a bucket and a key that are parameters', (r) => Object.assign(r.Image.Properties, { CodeArtifact: { Uri: { 'Fn::Sub': 's3://${CodeBucket}/${CodeKey}' } }, CodeArtifactUri: { 'Fn::Sub': 's3://${CodeBucket}/${CodeKey}' } })],
  ])('nothing is found: %s', (_what, change) => {
    expect(findings(change)).toEqual([]);
  });

  test('what is allowed is not found', () => {
    const everywhere: Change = (r) => (r.Launcher.Properties.Environment.Variables.MICROVM_LAUNCH = launchWith({
      ingressNetworkConnectors: [connectorArn('HTTP_INGRESS'), connectorArn('SHELL_INGRESS')], egressNetworkConnectors: [connectorArn('INTERNET_EGRESS')],
    }));
    expect(findings(everywhere, { allowPublicIngress: true, allowShellIngress: true, allowInternetEgress: true })).toEqual([]);
  });

  test('a fault in either branch of a condition is found', () => {
    for (const [then, otherwise] of [['ALL', undefined], [undefined, 'ALL']]) {
      const template = good();
      template.Parameters = { Stage: { Type: 'String', Default: 'dev' } };
      template.Conditions = { Prod: { 'Fn::Equals': [{ Ref: 'Stage' }, 'prod'] } };
      const branch = (value?: string) => (value ? [value] : []);
      template.Resources.Image.Properties.AdditionalOsCapabilities = { 'Fn::If': ['Prod', branch(then), branch(otherwise)] };
      expect(findingsInTemplate(template)).toEqual(['os-capabilities']);
    }
  });

  test('a fault for one of several stages is found', () => {
    const template = good();
    template.Parameters = { Stage: { Type: 'String' } };
    template.Conditions = { Prod: { 'Fn::Equals': [{ Ref: 'Stage' }, 'prod'] }, Dev: { 'Fn::Equals': [{ Ref: 'Stage' }, 'dev'] } };
    template.Resources.Image.Properties.AdditionalOsCapabilities = { 'Fn::If': ['Prod', [], { 'Fn::If': ['Dev', ['ALL'], []] }] };
    expect(findingsInTemplate(template)).toEqual(['os-capabilities']);
  });

  test('a policy of AWS is read whole', () => {
    const template = good();
    template.Resources.LauncherRole.Properties.ManagedPolicyArns = ['arn:aws:iam::aws:policy/AWSLambda_FullAccess'];
    expect(findingsInTemplate(template, EVERYTHING)).toEqual(expect.arrayContaining(['wildcard-run', 'wildcard-pass-role', 'wildcard-pass-connector']));
  });

  test('in China all is the same', () => {
    const template = JSON.parse(JSON.stringify(good()).replace(/arn:aws:/g, 'arn:aws-cn:').replace(/lambda\.amazonaws\.com/g, 'lambda.amazonaws.com.cn'));
    expect(findingsInTemplate(template, EVERYTHING)).toEqual([]);
    launcherStatements(template.Resources)[0].Resource = 'arn:aws-cn:lambda:cn-north-1:111122223333:microvm-image:*';
    delete trustOf(template.Resources, 'ExecutionRole').Condition;
    expect(findingsInTemplate(template, EVERYTHING)).toEqual(['role-trust', 'wildcard-run']);
  });
});

describe('an image built by CloudFormation', () => {
  const findings = (change: Change, props?: MicrovmPolicyChecksProps) => {
    const template = goodTemplate();
    change(template.Resources);
    return findingsInTemplate(template, props);
  };

  test.each([
    'Name', 'Description', 'BaseImageArn', 'CodeArtifact', 'CpuConfigurations', 'Resources', 'AdditionalOsCapabilities', 'EnvironmentVariables', 'BuildRoleArn',
  ])('must have the setting %s', (name) => {
    expect(findings((r) => delete r.Image.Properties[name])).toContain('native-settings');
  });

  test('has as much memory as the largest of its resources', () => {
    expect(findings((r) => (r.Image.Properties.Resources = [{ MinimumMemoryInMiB: 512 }, { MinimumMemoryInMiB: 8192 }]), { maximumMemoryMiB: 4096 })).toEqual(['maximum-memory']);
  });

  test('decides about egress, hooks and the base image in its template, so they are always checked', () => {
    expect(findings((r) => (r.Image.Properties.EgressNetworkConnectors = [managedConnector('INTERNET_EGRESS')]))).toEqual(['internet-egress']);
    expect(findings((r) => (r.Image.Properties.Hooks = {}))).toEqual(['build-hooks']);
    expect(findings((r) => (r.Image.Properties.Hooks.MicrovmImageHooks = { Ready: 'DISABLED', Validate: 'DISABLED' }))).toEqual(['build-hooks']);
    expect(findings((r) => (r.Image.Properties.BaseImageVersion = '$LATEST'))).toEqual(['pinned-base-image']);
  });
});
