import { RequestContext } from './iam-context';
import { applies, Request } from './iam-statement';
import { hasUnknownPart } from './iam-text';
import { all, any, known, not, Truth, unknown } from './iam-truth';
import { PolicyStatement, Principal } from './policy-documents';

const SERVICE = 'lambda.amazonaws.com';
const ASSUME_ROLE = 'sts:AssumeRole';

/** Accounts that nobody has: this one where it is not known, and one that is certainly another. */
const THIS_ACCOUNT = '000000000000';
const ANOTHER_ACCOUNT = '999999999999';

/** Somebody who tries to assume a role. */
interface Attempt {
  readonly who: string;
  readonly principal: Principal;
  readonly keys: Record<string, string[]>;
}

/** Whether the service may assume the role, for somebody. */
export function trustsMicrovms(trust: PolicyStatement[]): boolean {
  return trust.some((statement) => statement.effect === 'Allow'
    && matches(statement, { type: 'Service', value: SERVICE }).holds !== 'no'
    && applies({ ...statement, conditions: [] }, request({})).holds !== 'no');
}

/**
 * Who can assume a role without being of its account: the service on behalf of others, or other accounts themselves. None:
 * the trust is confined.
 *
 * Each is tried as a request, so any condition counts that keeps them out.
 *
 * @param account of the role. The same placeholder as in the trust where it is not known
 */
export function strangers(trust: PolicyStatement[], account: string): string[] {
  // Before deployment no account is certain to be another one than this, so this one gets a number.
  const statements: PolicyStatement[] = hasUnknownPart(account) ? JSON.parse(JSON.stringify(trust).split(account).join(THIS_ACCOUNT)) : trust;
  const here = hasUnknownPart(account) ? THIS_ACCOUNT : account;
  return attempts(statements, here, here === account).filter((attempt) => succeeds(statements, attempt)).map(({ who }) => who);
}

function attempts(trust: PolicyStatement[], here: string, isHereKnown: boolean): Attempt[] {
  const allowed = trust.filter(({ effect }) => effect === 'Allow');
  const service = { type: 'Service', value: SERVICE };
  const named = allowed.flatMap(({ conditions }) => conditions).flatMap(({ values }) => values.join(' ').match(/\b\d{12}\b/g) ?? []);
  const principals = allowed.flatMap((statement) => statement.principals ?? []);
  return [
    { who: `${SERVICE} on behalf of any account`, principal: service, keys: onBehalfOf(ANOTHER_ACCOUNT) },
    { who: `${SERVICE} without saying on whose behalf`, principal: service, keys: onBehalfOf() },
    ...[...new Set(named)].filter((other) => isHereKnown && other !== here)
      .map((other) => ({ who: `${SERVICE} on behalf of account ${other}`, principal: service, keys: onBehalfOf(other) })),
    { who: 'any account', principal: { type: 'AWS', value: `arn:aws:iam::${ANOTHER_ACCOUNT}:role/any` }, keys: { 'aws:PrincipalAccount': [ANOTHER_ACCOUNT] } },
    ...principals.filter(({ type, value }) => type === 'AWS' && value !== '*' && accountOf(value) !== here)
      .map((principal) => ({ who: principal.value, principal, keys: { 'aws:PrincipalAccount': [accountOf(principal.value)] } })),
    ...principals.filter(({ type }) => type === 'Federated').map((principal) => ({ who: principal.value, principal, keys: {} })),
  ];
}

/** What the service presents when it assumes a role of a build or a MicroVM: the account, and the image. */
function onBehalfOf(account?: string): Record<string, string[]> {
  return {
    'aws:SourceAccount': account ? [account] : [],
    'aws:SourceArn': account ? [`arn:aws:lambda:us-east-1:${account}:microvm-image:any`] : [],
    'aws:SourceOrgID': account ? ['o-another'] : [],
    'aws:SourceOrgPaths': account ? ['o-another/r-any/'] : [],
  };
}

function succeeds(trust: PolicyStatement[], { principal, keys }: Attempt): boolean {
  const judged = (effect: string) => any(trust.filter((statement) => statement.effect === effect)
    .map((statement) => all([matches(statement, principal), appliesTo(statement, principal, keys)])));
  return judged('Deny').holds !== 'yes' && judged('Allow').holds !== 'no';
}

function appliesTo(statement: PolicyStatement, { type }: Principal, keys: Record<string, string[]>): Truth {
  // With conditions, who is behind an identity provider is up to the provider; without, it is anybody who has an account there.
  if (type === 'Federated') {
    return known(statement.conditions.length === 0);
  }
  return applies(statement, request(keys));
}

function request(keys: Record<string, string[]>): Request {
  return { action: ASSUME_ROLE, resource: '*', context: RequestContext.partial(keys) };
}

function matches({ principals, notPrincipals }: PolicyStatement, wanted: Principal): Truth {
  const one = ({ type, value }: Principal) => {
    if (type === 'AWS' && value === '*') {
      return known(true);
    }
    return type !== wanted.type ? known(false) : value === wanted.value ? known(true) : hasUnknownPart(value) ? unknown(value) : known(false);
  };
  return notPrincipals ? not(any(notPrincipals.map(one))) : any((principals ?? []).map(one));
}

/** Of an account number or an ARN. */
function accountOf(principal: string): string {
  return /^\d{12}$/.test(principal) ? principal : principal.split(':')[4] ?? principal;
}
