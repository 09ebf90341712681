import { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { IConstruct } from 'constructs';

export interface ServiceTrust {
  readonly sourceAccountCondition?: boolean;
  readonly sourceImageArns?: string[];
}

/**
 * Who may assume a role that Lambda MicroVMs uses: the service, which also tags its sessions, and by default only on
 * behalf of this account.
 */
export function trustMicrovms(scope: IConstruct, trust: ServiceTrust): iam.IPrincipal {
  const conditions: Record<string, Record<string, unknown>> = {};
  if (trust.sourceAccountCondition ?? true) {
    conditions.StringEquals = { 'aws:SourceAccount': Stack.of(scope).account };
  }
  if (trust.sourceImageArns && trust.sourceImageArns.length > 0) {
    conditions.ArnLike = { 'aws:SourceArn': trust.sourceImageArns };
  }
  return new iam.ServicePrincipal('lambda.amazonaws.com', { conditions }).withSessionTags();
}

/**
 * Lets a role write to one log group.
 *
 * Never `logs:CreateLogGroup`: a MicroVM that writes late would bring a deleted group back, and the next deployment of
 * the stack would fail because the group exists.
 */
export function grantLogDelivery(grantee: iam.IGrantable, logStreamsArn: string): iam.Grant {
  return iam.Grant.addToPrincipal({
    grantee,
    actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
    resourceArns: [logStreamsArn],
  });
}
