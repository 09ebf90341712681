import { RequestContext } from './iam-context';
import { applies, Request } from './iam-statement';
import { colonParts, hasUnknownPart } from './iam-text';
import { all, any, known, not, Truth, unknown } from './iam-truth';
import { Place } from './physical-names';
import { PolicyStatement, Principal } from './policy-documents';

export const SERVICE = 'lambda.amazonaws.com';
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

/** Whether a service principal is Lambda: in China, and where a region is named, it is written another way. */
export function isLambda(service: string): boolean {
  return /^lambda\.([\w-]+\.)?amazonaws\.com(\.cn)?$/.test(service);
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
 * @param place of the role. Its account and region are the same placeholders as in the trust where they are not known
 */
export function strangers(trust: PolicyStatement[], place: Place): string[] {
  const { account } = place;
  // Before deployment no account is certain to be another one than this, so this one gets a number.
  const statements: PolicyStatement[] = hasUnknownPart(account) ? JSON.parse(JSON.stringify(trust).split(account).join(THIS_ACCOUNT)) : trust;
  const here = hasUnknownPart(account) ? THIS_ACCOUNT : account;
  const found = attempts(statements, { ...place, account: here }, here === account).filter((attempt) => succeeds(statements, attempt));
  return [...new Set(found.map(({ who }) => who))];
}

function attempts(trust: PolicyStatement[], place: Place, isHereKnown: boolean): Attempt[] {
  const { partition, account: here } = place;
  const allowed = trust.filter(({ effect }) => effect === 'Allow');
  const service = { type: 'Service', value: SERVICE };
  const named = allowed.flatMap(({ conditions }) => conditions).flatMap(({ values }) => values.join(' ').match(/\b\d{12}\b/g) ?? []);
  const principals = allowed.flatMap((statement) => statement.principals ?? []);
  const onBehalf = (who: string, account: string): Attempt[] =>
    imagesOf(account, allowed, place).map((image) => ({ who: `${SERVICE} on behalf of ${who}`, principal: service, keys: sourceKeys(account, image) }));
  return [
    ...onBehalf('any account', ANOTHER_ACCOUNT),
    { who: `${SERVICE} without saying on whose behalf`, principal: service, keys: sourceKeys() },
    ...[...new Set(named)].filter((other) => isHereKnown && other !== here).flatMap((other) => onBehalf(`account ${other}`, other)),
    { who: 'any account', principal: { type: 'AWS', value: `arn:${partition}:iam::${ANOTHER_ACCOUNT}:role/any` }, keys: { 'aws:PrincipalAccount': [ANOTHER_ACCOUNT] } },
    ...principals.filter(({ type, value }) => type === 'AWS' && value !== '*' && accountOf(value) !== here)
      .map((principal) => ({ who: principal.value, principal, keys: { 'aws:PrincipalAccount': [accountOf(principal.value)] } })),
    ...principals.filter(({ type }) => type === 'Federated').map((principal) => ({ who: principal.value, principal, keys: {} })),
  ];
}

/**
 * Images another account could have: one in the place of the role, and for each image that the trust names one that is called alike.
 *
 * Accounts call their images as they like, in any region, so a pattern of names and regions keeps nobody out.
 */
function imagesOf(account: string, trust: PolicyStatement[], { partition, region }: Place): string[] {
  const alike = trust.flatMap(({ conditions }) => conditions).filter(({ key }) => /^aws:SourceArn$/i.test(key)).flatMap(({ values }) => values).map((value) => {
    const [, , , wantedRegion = '*', , wantedImage = '*'] = colonParts(value, 6);
    const image = /^microvm-image:./.test(wantedImage) ? wantedImage : 'microvm-image:any';
    return `arn:${partition}:lambda:${wantedRegion === '*' ? region : wantedRegion}:${account}:${image}`.replace(/[*?]/g, 'x');
  });
  return [...new Set([`arn:${partition}:lambda:${region}:${account}:microvm-image:any`, ...alike])];
}

/** What the service presents when it assumes a role of a build or a MicroVM: the account, and the image. */
function sourceKeys(account?: string, imageArn?: string): Record<string, string[]> {
  return {
    'aws:SourceAccount': account ? [account] : [],
    'aws:SourceArn': imageArn ? [imageArn] : [],
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
    const isSame = value === wanted.value || (type === 'Service' && isLambda(value) && isLambda(wanted.value));
    return type !== wanted.type ? known(false) : isSame ? known(true) : hasUnknownPart(value) ? unknown(value) : known(false);
  };
  return notPrincipals ? not(any(notPrincipals.map(one))) : any((principals ?? []).map(one));
}

/** Of an account number or an ARN. */
function accountOf(principal: string): string {
  return /^\d{12}$/.test(principal) ? principal : colonParts(principal, 6)[4] ?? principal;
}
