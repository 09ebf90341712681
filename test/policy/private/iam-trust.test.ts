import { runSimulation } from '@cloud-copilot/iam-simulate';
import * as fc from 'fast-check';
import { strangers } from '../../../src/policy/private/iam-trust';
import { readStatements } from '../../../src/policy/private/policy-documents';

const SEED = Number(process.env.SEED ?? 20260622);
const ACCOUNT = '111122223333';
const OTHER = '444455556666';
const NOBODY = '999999999999';
const PLACE = { partition: 'aws', region: 'us-east-1', account: ACCOUNT };
const imageOf = (account: string, name = 'any', region = PLACE.region) => `arn:aws:lambda:${region}:${account}:microvm-image:${name}`;

const account = fc.constantFrom(ACCOUNT, ACCOUNT, '1111*', '*', '????????????', OTHER);
const image = fc.constantFrom(
  imageOf(ACCOUNT), imageOf(ACCOUNT, '*', '*'), 'arn:*:lambda:*:*:microvm-image:*', imageOf(NOBODY, '*', '*'), `arn:aws:lambda:us-east-1:${ACCOUNT}:*`,
  imageOf('*', 'prod-*', '*'), imageOf('*', '*', 'eu-west-?'),
);
const one = fc.oneof(
  fc.tuple(fc.constantFrom('StringEquals', 'StringLike', 'StringNotEquals', 'StringNotLike', 'StringEqualsIfExists', 'StringLikeIfExists'), fc.constant('aws:SourceAccount'), fc.array(account, { minLength: 1, maxLength: 2 })),
  fc.tuple(fc.constantFrom('ArnLike', 'ArnEquals', 'ArnNotLike', 'ArnLikeIfExists', 'StringLike'), fc.constant('aws:SourceArn'), fc.array(image, { minLength: 1, maxLength: 2 })),
  fc.tuple(fc.constant('Null'), fc.constantFrom('aws:SourceAccount', 'aws:SourceArn'), fc.constantFrom(['true'], ['false'])),
);
const statement = fc.record({
  Effect: fc.constantFrom('Allow', 'Allow', 'Allow', 'Deny'),
  Principal: fc.constantFrom({ Service: 'lambda.amazonaws.com' }, { Service: ['lambda.amazonaws.com', 'ec2.amazonaws.com'] }, { Service: 'ec2.amazonaws.com' }, '*', { AWS: '*' }),
  Action: fc.constantFrom('sts:AssumeRole', 'sts:*', ['sts:AssumeRole', 'sts:TagSession'], 'sts:TagSession'),
  Condition: fc.array(one, { maxLength: 2 })
    .map((parts) => Object.fromEntries(parts.map(([operator, key, values]) => [operator, { [key]: values }]))),
});

async function isAllowed(trust: any, contextVariables: Record<string, string>): Promise<boolean> {
  const result = await runSimulation({
    request: {
      principal: 'lambda.amazonaws.com',
      action: 'sts:AssumeRole',
      resource: { resource: `arn:aws:iam::${ACCOUNT}:role/Execution`, accountId: ACCOUNT },
      contextVariables,
    },
    identityPolicies: [],
    serviceControlPolicies: [],
    resourceControlPolicies: [],
    resourcePolicy: trust,
  }, {});
  if (result.resultType === 'error') {
    throw new Error(JSON.stringify(result.errors));
  }
  return result.overallResult === 'Allowed';
}

test(`whether Lambda can assume a role for others is what iam-simulate says, over 500 trusts (seed ${SEED})`, async () => {
  const seen = { true: 0, false: 0 };
  await fc.assert(fc.asyncProperty(fc.array(statement, { minLength: 1, maxLength: 3 }), async (statements) => {
    const policy = { Version: '2012-10-17', Statement: statements };
    const found = strangers(readStatements(policy), PLACE);
    // Whoever has an account calls images as he likes, in any region.
    const images = ['any', 'prod-x'].flatMap((name) => ['us-east-1', 'eu-west-1'].map((region) => imageOf(NOBODY, name, region)));
    for (const [who, contexts] of [
      ['lambda.amazonaws.com on behalf of any account', images.map((arn) => ({ 'aws:SourceAccount': NOBODY, 'aws:SourceArn': arn }))],
      ['lambda.amazonaws.com without saying on whose behalf', [{}]],
    ] as Array<[string, Array<Record<string, string>>]>) {
      const allowed = (await Promise.all(contexts.map((context) => isAllowed(policy, context)))).includes(true);
      seen[`${allowed}`]++;
      expect([who, found.includes(who)]).toEqual([who, allowed]);
    }
  }), { numRuns: 500, seed: SEED, unbiased: true });
  expect(Math.min(seen.true, seen.false)).toBeGreaterThan(100);
}, 60_000);
