import { runSimulation } from '@cloud-copilot/iam-simulate';
import { ACCOUNT, PolicyDocument } from './deployed-template';

/** Whether policies allow an action, as IAM would decide. */
export async function isAllowed(
  policies: PolicyDocument[], action: string, resource: string, context: Record<string, string | string[]> = {},
): Promise<boolean> {
  // The reference knows no resource for this action, so the simulator refuses every ARN. The service checks the ARN.
  if (action === 'lambda:PassNetworkConnector') {
    const statements = policies.flatMap((policy) => policy.Statement);
    const covered = (effect: string) => statements.some((statement) => statement.Effect === effect
      && asList(statement.Action).some((pattern) => covers(pattern, action))
      && asList(statement.Resource).some((pattern) => covers(pattern, resource)));
    return covered('Allow') && !covered('Deny');
  }
  const response = await runSimulation({
    request: {
      principal: `arn:aws:iam::${ACCOUNT}:role/caller`,
      action,
      resource: { resource, accountId: ACCOUNT },
      contextVariables: context,
    },
    identityPolicies: policies.map((policy, index) => ({ name: `policy-${index}`, policy })),
    serviceControlPolicies: [],
    resourceControlPolicies: [],
  }, {});
  if (response.resultType === 'error') {
    throw new Error(`${action} on ${resource}: ${JSON.stringify(response.errors)}`);
  }
  return response.overallResult === 'Allowed';
}

export function resourceTags(tags: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:ResourceTag/${key}`, value]));
}

function asList(value: string | string[]): string[] {
  return Array.isArray(value) ? value : [value];
}

function covers(pattern: string, resource: string): boolean {
  const expression = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.*');
  return new RegExp(`^${expression}$`).test(resource);
}
