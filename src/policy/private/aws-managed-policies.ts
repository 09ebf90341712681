import { PolicyStatement, readStatements } from './policy-documents';

const ARN = /^arn:[^:]+:iam::aws:policy\/(.+)$/;

const logs = ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'];
const allow = (...Action: string[]) => ({ Effect: 'Allow', Action, Resource: '*' });

/**
 * AWS's managed policies that CDK attaches by itself to roles near MicroVMs, or that allow everything, as documented in the
 * reference of AWS managed policies. Their newer versions may allow more of the same services.
 *
 * @see https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
 */
const STATEMENTS: Record<string, unknown[]> = {
  'AdministratorAccess': [allow('*')],
  'PowerUserAccess': [{ Effect: 'Allow', NotAction: ['iam:*', 'organizations:*', 'account:*'], Resource: '*' }],
  'AWSLambda_FullAccess': [allow('lambda:*', 'logs:*', 'iam:ListRoles', 'iam:GetRole'),
    { ...allow('iam:PassRole'), Condition: { StringEquals: { 'iam:PassedToService': 'lambda.amazonaws.com' } } }],
  'service-role/AWSLambdaBasicExecutionRole': [allow(...logs)],
  'service-role/AWSLambdaVPCAccessExecutionRole': [allow(...logs, 'ec2:*')],
  'service-role/AmazonECSTaskExecutionRolePolicy': [allow(...logs, 'ecr:*')],
  'AWSXRayDaemonWriteAccess': [allow('xray:*')],
  'AWSLambdaNetworkConnectorOperatorPolicy': [allow('ec2:*')],
  'AmazonSSMManagedInstanceCore': [allow('ssm:*', 'ssmmessages:*', 'ec2messages:*')],
};

/** The statements of a managed policy, never less than it allows. Undefined when it is not known here. */
export function awsManagedPolicy(arn: string): PolicyStatement[] | undefined {
  const statements = STATEMENTS[ARN.exec(arn)?.[1] ?? ''];
  return statements && readStatements({ Version: '2012-10-17', Statement: statements });
}
