import { PolicyStatement, readStatements } from './policy-documents';

const ARN = /^arn:[^:]+:iam::aws:policy\/(.+)$/;

const allow = (...Action: string[]) => ({ Effect: 'Allow', Action, Resource: '*' });
const LOGS = ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'];

/**
 * AWS's managed policies that CDK attaches by itself to roles near MicroVMs, and those that allow all but everything, as AWS's
 * reference has them. Without them nothing could be said of the role of any function.
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
