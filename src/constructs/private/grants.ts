import * as iam from 'aws-cdk-lib/aws-iam';

/** One grant of all. */
export function combine(grants: iam.Grant[]): iam.Grant {
  return grants.reduce((all, grant) => all.combine(grant));
}
