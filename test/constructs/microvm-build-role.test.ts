import { App, Stack } from 'aws-cdk-lib';
import * as ecr from 'aws-cdk-lib/aws-ecr';
import { only, stackOf, statementsOf, text } from './fixtures';
import { MicrovmBuildRole } from '../../src';

const trust = (stack: Stack) => only(stack, 'AWS::IAM::Role').Properties.AssumeRolePolicyDocument.Statement;

test('only Lambda may assume it, with session tags, for this account', () => {
  const stack = stackOf();
  new MicrovmBuildRole(stack, 'Role');
  expect(trust(stack)).toEqual([{
    Effect: 'Allow',
    Principal: { Service: 'lambda.amazonaws.com' },
    Action: ['sts:AssumeRole', 'sts:TagSession'],
    Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
  }]);
});

test('the condition on the account can be left out', () => {
  const stack = stackOf();
  new MicrovmBuildRole(stack, 'Role', { sourceAccountCondition: false });
  expect(trust(stack)[0].Condition).toBeUndefined();
});

test('it can be for images by name, with a colon in their ARN', () => {
  const stack = stackOf();
  new MicrovmBuildRole(stack, 'Role', { sourceImageNames: ['golden', 'team-*'] });
  expect(trust(stack)[0].Condition.ArnLike['aws:SourceArn'].map(text)).toEqual([
    'arn:<AWS::Partition>:lambda:<AWS::Region>:<AWS::AccountId>:microvm-image:golden',
    'arn:<AWS::Partition>:lambda:<AWS::Region>:<AWS::AccountId>:microvm-image:team-*',
  ]);
});

test('it is under the path the handler may pass roles of, which no other stack has', () => {
  const paths = ['One', 'Two'].map((name) => {
    const stack = new Stack(new App(), name);
    new MicrovmBuildRole(stack, 'Role');
    return text(only(stack, 'AWS::IAM::Role').Properties.Path);
  });
  expect(paths).toEqual([expect.stringMatching(/^\/cdk-lambda-microvms\/<AWS::Region>\/One-[0-9a-f]{8}\/$/), expect.stringMatching(/^\/cdk-lambda-microvms\/<AWS::Region>\/Two-[0-9a-f]{8}\/$/)]);
});

test('it may do nothing by itself but pull from the repositories it is given', () => {
  const stack = stackOf();
  new MicrovmBuildRole(stack, 'Role', { repositories: [ecr.Repository.fromRepositoryName(stack, 'Repository', 'base')] });
  expect(statementsOf(stack, 'Role')).toEqual([
    {
      actions: ['ecr:BatchCheckLayerAvailability', 'ecr:GetDownloadUrlForLayer', 'ecr:BatchGetImage'],
      resources: ['arn:<AWS::Partition>:ecr:<AWS::Region>:<AWS::AccountId>:repository/base'],
    },
    { actions: ['ecr:GetAuthorizationToken'], resources: ['*'] },
  ]);
  const bare = stackOf();
  new MicrovmBuildRole(bare, 'Role');
  expect(statementsOf(bare, 'Role')).toEqual([]);
});

test('its attributes are those of the role', () => {
  const stack = stackOf();
  const role = new MicrovmBuildRole(stack, 'Role', { description: 'Mine' });
  expect([role.roleArn, role.roleName, role.roleRef.roleArn]).toEqual([role.role.roleArn, role.role.roleName, role.role.roleArn]);
  expect(only(stack, 'AWS::IAM::Role').Properties.Description).toBe('Mine');
});
