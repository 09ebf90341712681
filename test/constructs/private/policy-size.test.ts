import { App, Aws, Fn, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as fc from 'fast-check';
import { policySize } from '../../../src/constructs/private/policy-size';

const allowing = (...resources: string[]) => new iam.PolicyDocument({ statements: [new iam.PolicyStatement({ actions: ['ssm:GetParameters'], resources })] });
/** What IAM counts: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
const counted = (...resources: string[]) => JSON.stringify({
  Statement: [{ Action: 'ssm:GetParameters', Effect: 'Allow', Resource: resources.length === 1 ? resources[0] : resources }], Version: '2012-10-17',
}).replace(/\s/g, '').length;

test('a policy of which all is known has its own size, without white space, and several have the sum', () => {
  const literal = allowing('arn:aws:s3:::a key with spaces');
  const size = counted('arn:aws:s3:::akeywithspaces');
  expect(policySize(new Stack(), [literal])).toEqual({ least: size, most: size });
  expect(policySize(new Stack(), [literal, literal])).toEqual({ least: 2 * size, most: 2 * size });
  expect(policySize(new Stack(), [])).toEqual({ least: 0, most: 0 });
});

test.each([
  ['aws', 'us-east-1'], ['aws', 'ap-southeast-1'], ['aws-cn', 'cn-northwest-1'], ['aws-us-gov', 'us-gov-east-1'], ['aws-iso-b', 'us-isob-east-1'],
  ['aws-eusc', 'eusc-de-east-1'],
])('what is not known in an unknown environment is within bounds in %s, %s', (partition, region) => {
  const arn = (one: string, two: string, three: string) => `arn:${one}:ssm:${two}:${three}:parameter/x`;
  const { least, most } = policySize(new Stack(), [allowing(arn(Aws.PARTITION, Aws.REGION, Aws.ACCOUNT_ID), 'literal')]);
  const real = counted(arn(partition, region, '123456789012'), 'literal');
  expect(least).toBeLessThanOrEqual(real);
  expect(most).toBeGreaterThanOrEqual(real);
  expect(most - least).toBeLessThanOrEqual(12);
});

test('a reference to a role or another resource is within what CloudFormation can make of it, in whatever function it stands', () => {
  const stack = new Stack(new App(), 'App');
  const role = new iam.Role(stack, 'Role', { assumedBy: new iam.AccountRootPrincipal() });
  fc.assert(fc.property(
    fc.string({ minLength: 1, maxLength: 64, unit: fc.constantFrom('a', '-', '9') }), fc.boolean(),
    (name, inList) => {
      const { least, most } = policySize(stack, [inList ? allowing(role.roleArn, Fn.select(1, Fn.split('/', role.roleName))) : allowing(role.roleArn)]);
      const arn = `arn:aws:iam::123456789012:role/${name}`;
      const real = inList ? counted(arn, name) : counted(arn);
      return least <= real && real <= most;
    },
  ));
});
