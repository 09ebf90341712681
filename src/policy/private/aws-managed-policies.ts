import { PolicyStatement, readStatements } from './policy-documents';

const ARN = /^arn:[^:]+:iam::aws:policy\/(.+)$/;

const allow = (...Action: string[]) => ({ Effect: 'Allow', Action, Resource: '*' });
const LOGS = ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'];
const PULL_AND_DESCRIBE = [
  'ecr:GetAuthorizationToken', 'ecr:BatchCheckLayerAvailability', 'ecr:GetDownloadUrlForLayer', 'ecr:GetRepositoryPolicy', 'ecr:DescribeRepositories',
  'ecr:ListImages', 'ecr:DescribeImages', 'ecr:BatchGetImage', 'ecr:GetLifecyclePolicy', 'ecr:GetLifecyclePolicyPreview', 'ecr:ListTagsForResource',
  'ecr:DescribeImageScanFindings',
];

/**
 * AWS's managed policies, whole and as AWS's reference has them: those that CDK attaches by itself to roles near MicroVMs, without
 * which nothing could be said of the role of any function, and those that allow what the checks look for.
 *
 * @see https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
 */
const STATEMENTS: Record<string, unknown[]> = {
  'AdministratorAccess': [allow('*')],
  'PowerUserAccess': [
    { Effect: 'Allow', NotAction: ['iam:*', 'organizations:*', 'account:*'], Resource: '*' },
    allow(
      'account:GetAccountInformation', 'account:GetPrimaryEmail', 'account:ListRegions', 'iam:CreateServiceLinkedRole', 'iam:DeleteServiceLinkedRole',
      'iam:ListRoles', 'organizations:DescribeOrganization',
    ),
  ],
  'IAMFullAccess': [allow(
    'iam:*', 'organizations:DescribeAccount', 'organizations:DescribeOrganization', 'organizations:DescribeOrganizationalUnit',
    'organizations:DescribePolicy', 'organizations:ListChildren', 'organizations:ListParents', 'organizations:ListPoliciesForTarget',
    'organizations:ListRoots', 'organizations:ListPolicies', 'organizations:ListTargetsForPolicy',
  )],
  'AWSLambda_FullAccess': [
    allow(
      'cloudformation:DescribeStacks', 'cloudformation:ListStackResources', 'cloudwatch:ListMetrics', 'cloudwatch:GetMetricData',
      'ec2:DescribeSecurityGroups', 'ec2:DescribeSubnets', 'ec2:DescribeVpcs', 'kms:DescribeKey', 'kms:ListAliases', 'iam:GetPolicy',
      'iam:GetPolicyVersion', 'iam:GetRole', 'iam:GetRolePolicy', 'iam:ListAttachedRolePolicies', 'iam:ListRolePolicies', 'iam:ListRoles', 'lambda:*',
      'logs:DescribeLogGroups', 'states:DescribeStateMachine', 'states:ListStateMachines', 'tag:GetResources', 'xray:GetTraceSummaries', 'xray:BatchGetTraces',
    ),
    { ...allow('iam:PassRole'), Condition: { StringEquals: { 'iam:PassedToService': 'lambda.amazonaws.com' } } },
    {
      Effect: 'Allow',
      Action: ['logs:DescribeLogStreams', 'logs:GetLogEvents', 'logs:FilterLogEvents', 'logs:StartLiveTail', 'logs:StopLiveTail'],
      Resource: 'arn:*:logs:*:*:log-group:/aws/lambda/*',
    },
    {
      Effect: 'Allow',
      Action: 'iam:CreateServiceLinkedRole',
      Resource: 'arn:*:iam::*:role/aws-service-role/lambda.amazonaws.com/AWSServiceRoleForLambda',
      Condition: { StringEquals: { 'iam:AWSServiceName': 'lambda.amazonaws.com' } },
    },
  ],
  'AmazonS3FullAccess': [allow('s3:*', 's3-object-lambda:*')],
  'AmazonS3ReadOnlyAccess': [allow('s3:Get*', 's3:List*', 's3:Describe*', 's3-object-lambda:Get*', 's3-object-lambda:List*')],
  'AmazonEC2ContainerRegistryFullAccess': [
    allow('ecr:*', 'cloudtrail:LookupEvents'),
    { ...allow('iam:CreateServiceLinkedRole'), Condition: { StringEquals: { 'iam:AWSServiceName': ['replication.ecr.amazonaws.com'] } } },
  ],
  'AmazonEC2ContainerRegistryPowerUser': [allow(
    ...PULL_AND_DESCRIBE, 'ecr:InitiateLayerUpload', 'ecr:UploadLayerPart', 'ecr:CompleteLayerUpload', 'ecr:PutImage',
  )],
  'AmazonEC2ContainerRegistryReadOnly': [allow(...PULL_AND_DESCRIBE)],
  'AmazonEC2ContainerRegistryPullOnly': [allow(
    'ecr:GetAuthorizationToken', 'ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer', 'ecr:BatchImportUpstreamImage',
  )],
  'service-role/AWSLambdaBasicExecutionRole': [allow(...LOGS)],
  'service-role/AWSLambdaVPCAccessExecutionRole': [allow(
    ...LOGS, 'ec2:CreateNetworkInterface', 'ec2:DescribeNetworkInterfaces', 'ec2:DescribeSubnets', 'ec2:DeleteNetworkInterface',
    'ec2:AssignPrivateIpAddresses', 'ec2:UnassignPrivateIpAddresses',
  )],
  'service-role/AmazonECSTaskExecutionRolePolicy': [allow(
    'ecr:GetAuthorizationToken', 'ecr:BatchCheckLayerAvailability', 'ecr:GetDownloadUrlForLayer', 'ecr:BatchGetImage', 'logs:CreateLogStream', 'logs:PutLogEvents',
  )],
  'AWSXRayDaemonWriteAccess': [allow(
    'xray:PutTraceSegments', 'xray:PutTelemetryRecords', 'xray:GetSamplingRules', 'xray:GetSamplingTargets', 'xray:GetSamplingStatisticSummaries',
  )],
  'AWSLambdaNetworkConnectorOperatorPolicy': [
    { Effect: 'Allow', Action: 'ec2:CreateNetworkInterface', Resource: ['arn:*:ec2:*:*:subnet/*', 'arn:*:ec2:*:*:security-group/*'] },
    {
      Effect: 'Allow',
      Action: 'ec2:CreateNetworkInterface',
      Resource: 'arn:*:ec2:*:*:network-interface/*',
      Condition: { 'ForAllValues:StringEquals': { 'aws:TagKeys': ['aws:lambda:networkConnectorName', 'aws:lambda:networkConnectorId'] } },
    },
    {
      Effect: 'Allow',
      Action: 'ec2:CreateTags',
      Resource: 'arn:*:ec2:*:*:network-interface/*',
      Condition: { StringEquals: { 'ec2:CreateAction': 'CreateNetworkInterface', 'ec2:ManagedResourceOperator': 'network-connectors.lambda.amazonaws.com' } },
    },
  ],
};

/** The statements of a managed policy of AWS. Undefined when it is not known here. */
export function managedPolicyOfAws(arn: string): PolicyStatement[] | undefined {
  const statements = STATEMENTS[ARN.exec(arn)?.[1] ?? ''];
  return statements && readStatements({ Version: '2012-10-17', Statement: statements });
}
