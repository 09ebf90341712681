import { Annotations, Resource, Stack, Token } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { formatLogStreamsArn } from './arn';
import { BoundCode } from './bound-code';
import { acknowledgeWildcards } from './rule-acknowledgments';
import { dropsGrants, grantLogDelivery } from './service-role';

/**
 * Lets a role read the code of an image and write the logs of its builds. A role that this app cannot change gets a warning
 * which says what it must allow.
 */
export function grantBuild(image: Construct, role: iam.IRoleRef & iam.IGrantable, code: BoundCode, logGroupName?: string): iam.Grant[] {
  const logStreams = logGroupName && formatLogStreamsArn(image, logGroupName);
  const grants = Resource.isOwnedResource(role)
    ? [...code.grantRead(role), ...(logStreams ? [grantLogDelivery(role, logStreams)] : [])]
    : [];
  if (grants.length === 0 || dropsGrants(role)) {
    warnAboutUnchangedRole(image, role, code, logStreams);
  } else if (logStreams) {
    acknowledgeWildcards(role, 'The log streams of one log group', [logStreams]);
  }
  return grants;
}

function warnAboutUnchangedRole(image: Construct, role: iam.IRoleRef, { objectArn, repositoryArn }: BoundCode, logStreams?: string) {
  const show = (value: string) => Token.isUnresolved(value) ? JSON.stringify(Stack.of(image).resolve(value)) : `'${value}'`;
  Annotations.of(image).addWarningV2(
    'cdk-lambda-microvms:importedBuildRole',
    `build role ${show(role.roleRef.roleArn)} is not changed by this app. It must let lambda.amazonaws.com assume it ` +
    `(sts:AssumeRole, sts:TagSession), allow s3:GetObject on ${show(objectArn)}` +
    (logStreams ? `, and allow logs:CreateLogStream and logs:PutLogEvents on ${show(logStreams)}` : '') +
    (repositoryArn ? `, and allow ecr:GetAuthorizationToken, and to pull from ${show(repositoryArn)}` : ''),
  );
}
