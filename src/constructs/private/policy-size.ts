import { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';

/**
 * What the inline policies of one role may hold together, in characters.
 *
 * See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-entity-length
 */
export const MAX_INLINE_POLICIES = 10_240;

/** In characters. What CloudFormation fills in is only known to be between the two. */
export interface PolicySize {
  readonly least: number;
  readonly most: number;
}

type Bounds = readonly [least: number, most: number];

const PSEUDO_PARAMETERS: Record<string, Bounds> = {
  'AWS::AccountId': [12, 12],
  // `aws`, and `aws-us-gov`.
  'AWS::Partition': [3, 10],
  // `us-east-1`, and `us-isob-east-1`.
  'AWS::Region': [9, 14],
};
/** The ARN of a role may have a path, and a name of 64 characters. */
const ARN: Bounds = [32, 160];
/** Such as of a log group, which CloudFormation makes of the stack's name and the logical id. */
const NAME: Bounds = [1, 80];
const ANYTHING_ELSE: Bounds = [1, 160];

/** What IAM counts of policies, once CloudFormation has filled in what is not known yet: all but white space. */
export function policySize(stack: Stack, documents: iam.PolicyDocument[]): PolicySize {
  const resolved = documents.map((document) => stack.resolve(document) ?? '');
  const sizeAt = (bound: 0 | 1) => resolved.map((document) => JSON.stringify(filledIn(document, bound)).replace(/\s/g, '').length).reduce((a, b) => a + b, 0);
  return { least: sizeAt(0), most: sizeAt(1) };
}

/** The document as IAM gets it, with a text of the right length in place of each intrinsic function. */
function filledIn(value: unknown, bound: 0 | 1): unknown {
  if (Array.isArray(value)) {
    return value.map((entry) => filledIn(entry, bound));
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  const [[key, argument] = [], ...more] = Object.entries(value);
  if (more.length === 0 && (key === 'Ref' || key?.startsWith('Fn::'))) {
    if (key === 'Fn::Join' && Array.isArray(argument[1])) {
      return argument[1].map((part) => filledIn(part, bound)).join(argument[0]);
    }
    return 'x'.repeat(boundsOf(key, argument)[bound]);
  }
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, filledIn(entry, bound)]));
}

function boundsOf(intrinsic: string, argument: unknown): Bounds {
  if (intrinsic === 'Ref') {
    return PSEUDO_PARAMETERS[String(argument)] ?? NAME;
  }
  return intrinsic === 'Fn::GetAtt' && Array.isArray(argument) && argument[1] === 'Arn' ? ARN : ANYTHING_ELSE;
}
