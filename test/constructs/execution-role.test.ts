import { IPropertyInjector, PropertyInjectors } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { imageIn, resources, stackOf, statementsOf, text } from './fixtures';
import { ExecutionRole, MicrovmImage } from '../../src';

const role = (stack: ReturnType<typeof stackOf>) =>
  Object.entries(resources(stack, 'AWS::IAM::Role')).find(([id]) => id.startsWith('Execution'))![1].Properties;

test('only Lambda may assume it, with session tags, for this account', () => {
  const stack = stackOf();
  new ExecutionRole(stack, 'Execution');
  expect(role(stack).AssumeRolePolicyDocument.Statement).toEqual([{
    Effect: 'Allow',
    Principal: { Service: 'lambda.amazonaws.com' },
    Action: ['sts:AssumeRole', 'sts:TagSession'],
    Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
  }]);
  expect(statementsOf(stack, 'Execution')).toEqual([]);
});

test('the condition on the account can be left out', () => {
  const stack = stackOf();
  new ExecutionRole(stack, 'Execution', { sourceAccountCondition: false });
  expect(role(stack).AssumeRolePolicyDocument.Statement[0].Condition).toBeUndefined();
});

test('it can be for images of any kind', () => {
  const stack = stackOf();
  const foreign = 'arn:aws:lambda:us-east-1:123456789012:microvm-image:foreign';
  const bare = { microvmImageRef: { imageArn: 'arn:of:bare' } } as unknown as lambda.IMicrovmImageRef;
  new ExecutionRole(stack, 'Execution', { sourceImages: [imageIn(stack, { imageName: 'own' }), MicrovmImage.fromImageArn(stack, 'Foreign', foreign), bare] });
  expect(role(stack).AssumeRolePolicyDocument.Statement[0].Condition.ArnLike['aws:SourceArn'].map(text)).toEqual([
    'arn:<AWS::Partition>:lambda:<AWS::Region>:<AWS::AccountId>:microvm-image:own', foreign, 'arn:of:bare',
  ]);
});

test('it writes to its log group and to no other, and never creates one', () => {
  const stack = stackOf();
  new ExecutionRole(stack, 'Execution', { logGroup: logs.LogGroup.fromLogGroupName(stack, 'Log', '/app') });
  expect(statementsOf(stack, 'Execution')).toEqual([{
    actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
    resources: ['arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:log-group:/app:*'],
  }]);
});

test('the image handler of the stack may not pass it', () => {
  const stack = stackOf();
  imageIn(stack);
  new ExecutionRole(stack, 'Execution');
  expect(role(stack).Path).toBeUndefined();
});

test('an organisation sets a permission boundary and a path on it, as on every role, by property injection', () => {
  const stack = stackOf();
  const boundary = iam.ManagedPolicy.fromManagedPolicyArn(stack, 'Boundary', 'arn:aws:iam::123456789012:policy/boundary');
  const everyRole: IPropertyInjector = {
    constructUniqueId: iam.Role.PROPERTY_INJECTION_ID,
    inject: (props: iam.RoleProps) => ({ ...props, permissionsBoundary: boundary, path: '/workloads/' }),
  };
  PropertyInjectors.of(stack).add(everyRole);
  new ExecutionRole(stack, 'Execution', { logGroup: logs.LogGroup.fromLogGroupName(stack, 'Log', '/app') });
  expect(role(stack)).toMatchObject({ PermissionsBoundary: 'arn:aws:iam::123456789012:policy/boundary', Path: '/workloads/' });
  expect(statementsOf(stack, 'Execution').flatMap(({ actions }) => actions)).toEqual(['logs:CreateLogStream', 'logs:PutLogEvents']);
});
