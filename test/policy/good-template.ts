/** A template written by hand that no rule finds anything in, in whatever form its values are. */
export function goodTemplate(): any {
  const trust = (conditions?: Record<string, unknown>) => ({
    Version: '2012-10-17',
    Statement: [{
      Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: ['sts:AssumeRole', 'sts:TagSession'], ...(conditions && { Condition: conditions }),
    }],
  });
  const mine = { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } };
  return {
    AWSTemplateFormatVersion: '2010-09-09',
    Resources: {
      Logs: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: '/aws/lambda-microvms/shop', RetentionInDays: 30 } },
      BuildRole: {
        Type: 'AWS::IAM::Role',
        Properties: {
          AssumeRolePolicyDocument: trust(mine),
          Policies: [{
            PolicyName: 'build',
            PolicyDocument: {
              Version: '2012-10-17',
              Statement: [
                { Effect: 'Allow', Action: 's3:GetObject', Resource: { 'Fn::Sub': 'arn:${AWS::Partition}:s3:::artifacts/9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip' } },
                { Effect: 'Allow', Action: 'ecr:GetAuthorizationToken', Resource: '*' },
                { Effect: 'Allow', Action: ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'], Resource: { 'Fn::Sub': 'arn:${AWS::Partition}:ecr:${AWS::Region}:${AWS::AccountId}:repository/base' } },
                { Effect: 'Allow', Action: ['logs:CreateLogStream', 'logs:PutLogEvents'], Resource: { 'Fn::GetAtt': ['Logs', 'Arn'] } },
              ],
            },
          }],
        },
      },
      ExecutionRole: { Type: 'AWS::IAM::Role', Properties: { AssumeRolePolicyDocument: trust(mine) } },
      OperatorRole: {
        Type: 'AWS::IAM::Role',
        Properties: {
          AssumeRolePolicyDocument: trust(),
          ManagedPolicyArns: [{ 'Fn::Sub': 'arn:${AWS::Partition}:iam::aws:policy/AWSLambdaNetworkConnectorOperatorPolicy' }],
        },
      },
      Connector: {
        Type: 'AWS::Lambda::NetworkConnector',
        Properties: {
          OperatorRole: { 'Fn::GetAtt': ['OperatorRole', 'Arn'] },
          Configuration: { VpcEgressConfiguration: { AssociatedComputeResourceTypes: ['MicroVm'], NetworkProtocol: 'IPv4', SubnetIds: ['subnet-1'], SecurityGroupIds: ['sg-1'] } },
        },
      },
      Image: {
        Type: 'AWS::Lambda::MicrovmImage',
        Properties: {
          Name: 'shop',
          Description: 'Runs the shop',
          BaseImageArn: { 'Fn::Sub': 'arn:${AWS::Partition}:lambda:${AWS::Region}:aws:microvm-image:al2023-1' },
          BaseImageVersion: '1',
          BuildRoleArn: { 'Fn::GetAtt': ['BuildRole', 'Arn'] },
          CodeArtifact: { Uri: 's3://artifacts/9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.zip' },
          Logging: { CloudWatch: { LogGroup: { Ref: 'Logs' } } },
          EgressNetworkConnectors: [{ 'Fn::GetAtt': ['Connector', 'Arn'] }],
          CpuConfigurations: [{ Architecture: 'ARM_64' }],
          Resources: [{ MinimumMemoryInMiB: 2048 }],
          AdditionalOsCapabilities: [],
          Hooks: { Port: 9000, MicrovmImageHooks: { Ready: 'ENABLED', ReadyTimeoutInSeconds: 60, Validate: 'ENABLED', ValidateTimeoutInSeconds: 60 } },
          EnvironmentVariables: [{ Key: 'STAGE', Value: 'prod' }, { Key: 'DB_SECRET_ARN', Value: { Ref: 'Secret' } }],
          Tags: [{ Key: 'team', Value: 'shop' }],
        },
      },
      Secret: { Type: 'AWS::SecretsManager::Secret', Properties: {} },
      LauncherRole: {
        Type: 'AWS::IAM::Role',
        Properties: {
          AssumeRolePolicyDocument: {
            Version: '2012-10-17',
            Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
          },
        },
      },
      LauncherPolicy: {
        Type: 'AWS::IAM::Policy',
        Properties: {
          PolicyName: 'launch',
          Roles: [{ Ref: 'LauncherRole' }],
          PolicyDocument: {
            Version: '2012-10-17',
            Statement: [
              { Effect: 'Allow', Action: 'lambda:RunMicrovm', Resource: { 'Fn::GetAtt': ['Image', 'ImageArn'] } },
              { Effect: 'Allow', Action: 'iam:PassRole', Resource: { 'Fn::GetAtt': ['ExecutionRole', 'Arn'] } },
              {
                Effect: 'Allow',
                Action: 'lambda:PassNetworkConnector',
                Resource: [
                  { 'Fn::Sub': 'arn:${AWS::Partition}:lambda:${AWS::Region}:aws:network-connector:aws-network-connector:NO_INGRESS' },
                  { 'Fn::GetAtt': ['Connector', 'Arn'] },
                ],
              },
              { Effect: 'Allow', Action: 'lambda:ListMicrovms', Resource: '*' },
            ],
          },
        },
      },
      Launcher: {
        Type: 'AWS::Lambda::Function',
        Properties: {
          Role: { 'Fn::GetAtt': ['LauncherRole', 'Arn'] },
          Code: { ZipFile: 'x' },
          Environment: {
            Variables: {
              MICROVM_LAUNCH: {
                'Fn::Sub': ['{"imageIdentifier":"${Image}","imageVersion":"${Image.LatestActiveImageVersion}","executionRoleArn":"${ExecutionRole.Arn}","ingressNetworkConnectors":["${None}"],"egressNetworkConnectors":["${Connector.Arn}"]}', {
                  None: { 'Fn::Sub': 'arn:${AWS::Partition}:lambda:${AWS::Region}:aws:network-connector:aws-network-connector:NO_INGRESS' },
                }],
              },
            },
          },
        },
      },
    },
  };
}

/** The same image, as this library's handler is asked to build it. */
export function goodCustomTemplate(): any {
  const template = goodTemplate();
  const native = template.Resources.Image.Properties;
  const { Name, CodeArtifact, Logging, Resources, Hooks, EnvironmentVariables, Tags, CpuConfigurations, ...same } = native;
  template.Resources.Image = {
    Type: 'Custom::LambdaMicrovmImage',
    Properties: {
      ServiceToken: 'arn:aws:lambda:us-east-1:111122223333:function:provider',
      ...same,
      ImageName: Name,
      CodeArtifactUri: CodeArtifact.Uri,
      MinimumMemoryInMiB: Resources[0].MinimumMemoryInMiB,
      Logging: { LogGroup: Logging.CloudWatch.LogGroup },
      Hooks: { Port: 9000, ReadyTimeoutInSeconds: 60, ValidateTimeoutInSeconds: 60 },
      EnvironmentVariables: Object.fromEntries(EnvironmentVariables.map(({ Key, Value }: any) => [Key, Value])),
      Tags: Object.fromEntries(Tags.map(({ Key, Value }: any) => [Key, Value])),
    },
  };
  const [variables] = template.Resources.Launcher.Properties.Environment.Variables.MICROVM_LAUNCH['Fn::Sub'];
  template.Resources.Launcher.Properties.Environment.Variables.MICROVM_LAUNCH['Fn::Sub'][0] = variables.replace('LatestActiveImageVersion', 'ImageVersion');
  return template;
}
