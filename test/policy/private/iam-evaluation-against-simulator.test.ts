import { runSimulation, runUnsafeSimulation } from '@cloud-copilot/iam-simulate';
import * as fc from 'fast-check';
import { ACCOUNT, AccessCase, accessCase, ROLE_ARN } from './random-policies';
import { RequestContext } from '../../../src/policy/private/iam-context';
import { evaluate } from '../../../src/policy/private/iam-evaluation';
import { readStatements } from '../../../src/policy/private/policy-documents';

const CASES = Number(process.env.CASES ?? 3000);
const SEED = Number(process.env.SEED ?? 20260622);

/** What an independent implementation answers. */
async function simulated({ identity, boundary, action, resource, context }: AccessCase): Promise<string> {
  const simulation = {
    request: { principal: ROLE_ARN, action, resource: { resource, accountId: ACCOUNT }, contextVariables: context },
    identityPolicies: identity.map((policy, index) => ({ name: `identity-${index}`, policy })),
    permissionBoundaryPolicies: boundary && [{ name: 'boundary', policy: boundary }],
    serviceControlPolicies: [],
    resourceControlPolicies: [],
  };
  // AWS's reference lists no resource for this action, so a simulation that consults it refuses every ARN.
  if (action === 'lambda:PassNetworkConnector') {
    return runUnsafeSimulation(simulation, {});
  }
  const result = await runSimulation(simulation, {});
  if (result.resultType === 'error') {
    throw new Error(JSON.stringify(result.errors));
  }
  return result.overallResult;
}

function evaluated({ identity, boundary, action, resource, context }: AccessCase): string {
  const policies = {
    identity: identity.map((document, index) => ({ name: `identity-${index}`, statements: readStatements(document) })),
    boundary: boundary && { name: 'boundary', statements: readStatements(boundary) },
  };
  const keys = Object.fromEntries(Object.entries(context).map(([key, value]) => [key, [value].flat()]));
  const { outcome, reasons } = evaluate(policies, { action, resource, context: RequestContext.complete(keys) });
  return outcome === 'allowed' ? 'Allowed' : outcome === 'conditional' ? 'Conditional' : reasons.length > 0 ? 'ExplicitlyDenied' : 'ImplicitlyDenied';
}

test(`the evaluator and iam-simulate agree on ${CASES} cases of role, action and resource (seed ${SEED})`, async () => {
  process.stdout.write(`iam evaluation: SEED=${SEED} CASES=${CASES}\n`);
  const answers: Record<string, number> = {};
  const disagreements: unknown[] = [];
  for (const access of fc.sample(accessCase, { numRuns: CASES, seed: SEED })) {
    const [expected, got] = [await simulated(access), evaluated(access)];
    answers[expected] = (answers[expected] ?? 0) + 1;
    if (got !== expected) {
      disagreements.push({ expected, got, access });
    }
  }
  process.stdout.write(`iam evaluation: ${JSON.stringify(answers)}\n`);
  // The shortest is the quickest to understand.
  const shortest = disagreements.map((disagreement) => JSON.stringify(disagreement)).sort((a, b) => a.length - b.length)[0];
  expect([disagreements.length, shortest]).toEqual([0, undefined]);
  // A set that is nearly all denials would prove little.
  for (const answer of ['Allowed', 'ExplicitlyDenied', 'ImplicitlyDenied']) {
    expect([answer, answers[answer] > CASES / 10]).toEqual([answer, true]);
  }
}, 120_000);
