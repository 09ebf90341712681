import { MicrovmPolicySeverity } from '../../microvm-policy-rule';
import { isLambda } from '../iam-trust';
import { buildRoles, launchers, operatorRoles, passedRoles, rolesPassedBy } from '../microvm-roles';
import { Condition, Identity, PolicyStatement } from '../policy-documents';
import { allows } from '../statements';
import { Finding, Rule } from './rule';

const TRUST = 'Properties.AssumeRolePolicyDocument';

export const roleTrust: Rule = {
  id: 'role-trust',
  severity: MicrovmPolicySeverity.ERROR,
  why: 'without aws:SourceAccount the service can be made to assume the role on behalf of another account',
  fix: "add the condition StringEquals 'aws:SourceAccount' with this account to the trust policy, or use MicrovmBuildRole and ExecutionRole",
  check: (subjects) => passedRoles(subjects).flatMap((role) => role.trust
    .filter((statement) => allows(statement, 'sts:AssumeRole') && trustsTheService(statement))
    .flatMap((statement): Finding[] => {
      const problem = unconfined(statement, role);
      return problem === undefined ? [] : [{ resource: role.resource, location: TRUST, message: `the role is passed to MicroVMs and ${problem}` }];
    })),
};

export const operatorRoleTrust: Rule = {
  id: 'operator-role-trust',
  severity: MicrovmPolicySeverity.ERROR,
  why: 'the service presents neither source account nor source ARN when it assumes this role, so such a condition denies it',
  fix: 'remove the condition from the trust policy, and use the role for this connector alone',
  check: (subjects) => operatorRoles(subjects).flatMap((role) => role.trust
    .filter((statement) => allows(statement, 'sts:AssumeRole') && trustsTheService(statement))
    .flatMap(({ conditions }) => conditions
      .filter(({ operator, key }) => /^aws:Source(Account|Arn|OrgID|OrgPaths)$/i.test(key) && !/IfExists$/i.test(operator))
      .map(({ key }) => ({ resource: role.resource, location: TRUST, message: `the operator role of a network connector is trusted only with '${key}'` })))),
};

export const sharedRole: Rule = {
  id: 'shared-role',
  severity: MicrovmPolicySeverity.ERROR,
  why: 'whatever runs in a MicroVM could read the code of the image and use all that a build may',
  fix: 'give MicroVMs an ExecutionRole of their own, with only what the code in them needs',
  check: (subjects) => {
    const forBuilds = buildRoles(subjects);
    const byLaunch = subjects.launches.map(({ resource, location, executionRoleArn }) => ({ resource, location, roles: [executionRoleArn] }));
    const byPolicy = launchers(subjects).map((launcher) => ({
      resource: launcher.resource, location: 'Properties', roles: rolesPassedBy(launcher, subjects).map(({ resource }) => resource.arn),
    }));
    return [...byLaunch, ...byPolicy].flatMap(({ resource, location, roles }) => forBuilds
      .filter((role) => roles.includes(role.resource.arn))
      .map((role) => ({ resource, location, message: `MicroVMs are launched with the role '${role.resource.logicalId}', which images are built with` })));
  },
};

function trustsTheService({ principals, notPrincipals }: PolicyStatement): boolean {
  return notPrincipals !== undefined
    || (principals ?? []).some(({ type, value }) => value === '*' || (type === 'Service' && isLambda(value)));
}

/** What is wrong with a statement that trusts the service. Undefined: nothing. */
function unconfined({ conditions }: PolicyStatement, { resource }: Identity): string | undefined {
  const accounts = conditions.filter((condition) => /^aws:SourceAccount$/i.test(condition.key));
  if (accounts.length === 0) {
    return "its trust policy has no condition 'aws:SourceAccount'";
  }
  const effective = accounts.find(isPositive);
  if (effective === undefined) {
    return `the condition of its trust policy does not confine it: '${accounts[0].operator}' also holds without 'aws:SourceAccount', or for other accounts`;
  }
  const wild = effective.values.length === 0 || effective.values.some((value) => /[*?]/.test(value));
  if (wild) {
    return "'aws:SourceAccount' in its trust policy is a wildcard";
  }
  const { account } = resource.template.place;
  const others = effective.values.filter((value) => /^\d{12}$/.test(value) && value !== account);
  if (/^\d{12}$/.test(account) && others.length > 0) {
    return `'aws:SourceAccount' in its trust policy is not only the account of the stack, '${account}'`;
  }
  return new Set(others).size > 1 ? "'aws:SourceAccount' in its trust policy has several accounts" : undefined;
}

/** Whether a condition fails when the key is missing or is something else. */
function isPositive({ operator }: Condition): boolean {
  return /^(ForAnyValue:)?(StringEquals|StringEqualsIgnoreCase|StringLike|ArnEquals|ArnLike|NumericEquals)$/i.test(operator);
}

