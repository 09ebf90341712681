import * as fc from 'fast-check';
import { AccessCase, accessCase } from './random-policies';
import { RequestContext } from '../../../src/policy/private/iam-context';
import { Decision, evaluate, PrincipalPolicies } from '../../../src/policy/private/iam-evaluation';
import { unknownText } from '../../../src/policy/private/iam-text';
import { readStatements } from '../../../src/policy/private/policy-documents';

const SEED = Number(process.env.SEED ?? 20260622);
const IMAGE = 'arn:aws:lambda:eu-west-1:111122223333:microvm-image:sandbox';
const ACTION = 'lambda:RunMicrovm';

interface Asked {
  readonly action?: string;
  readonly resource?: string;
  readonly context?: Record<string, string[]>;
  readonly boundary?: any[];
  readonly version?: string;
}

/** What nobody told is unknown. */
function ask(statements: any[], { action, resource, context, boundary, version }: Asked = {}): Decision {
  const read = (Statement: any[]) => readStatements({ Version: version ?? '2012-10-17', Statement });
  return evaluate(
    { identity: [{ name: 'Policy', statements: read(statements) }], boundary: boundary && { name: 'Boundary', statements: read(boundary) } },
    { action: action ?? ACTION, resource: resource ?? IMAGE, context: RequestContext.partial(context ?? {}) },
  );
}
const allow = (extra: Record<string, unknown> = {}) => ({ Effect: 'Allow', Action: ACTION, Resource: IMAGE, ...extra });
const deny = (extra: Record<string, unknown> = {}) => ({ ...allow(extra), Effect: 'Deny' });
const onlyTeam = { Condition: { StringEquals: { 'aws:ResourceTag/team': 'a' } } };

describe('what is known decides', () => {
  test.each<[string, any[], Asked, Decision['outcome']]>([
    ['nothing allows it', [], {}, 'denied'],
    ['a statement allows it', [allow()], {}, 'allowed'],
    ['the statement is about another image', [allow({ Resource: `${IMAGE}-2` })], {}, 'denied'],
    ['an explicit denial wins', [allow(), deny({ Resource: '*' })], {}, 'denied'],
    ['the statement names every action but this', [allow({ Action: undefined, NotAction: ['lambda:Run*'] })], {}, 'denied'],
    ['the statement names every action but another', [allow({ Action: undefined, NotAction: 'lambda:GetMicrovm' })], {}, 'allowed'],
    ['the statement names every resource but this', [allow({ Resource: undefined, NotResource: [IMAGE] })], {}, 'denied'],
    ['the boundary is silent', [allow()], { boundary: [allow({ Action: 'lambda:GetMicrovm' })] }, 'denied'],
    ['the boundary allows what no identity policy allows', [], { boundary: [allow()] }, 'denied'],
    ['the boundary denies', [allow()], { boundary: [allow(), deny()] }, 'denied'],
    ['identity policy and boundary allow', [allow()], { boundary: [allow({ Action: '*', Resource: '*' })] }, 'allowed'],
    ['a condition is met', [allow(onlyTeam)], { context: { 'AWS:resourcetag/TEAM': ['a'] } }, 'allowed'],
    ['a condition is not met', [allow(onlyTeam)], { context: { 'aws:ResourceTag/team': ['b'] } }, 'denied'],
    ['a key is known to be absent', [allow(onlyTeam)], { context: { 'aws:ResourceTag/team': [] } }, 'denied'],
    ['the absence of a key is asked for', [allow({ Condition: { Null: { 'aws:TokenIssueTime': true } } })], { context: { 'aws:TokenIssueTime': [] } }, 'allowed'],
    ['a boolean and a number are written as such', [allow({ Condition: { Bool: { 'aws:SecureTransport': true }, NumericLessThan: { 'aws:MultiFactorAuthAge': 60 } } })],
      { context: { 'aws:SecureTransport': ['true'], 'aws:MultiFactorAuthAge': ['59'] } }, 'allowed'],
    ['every IPv4 address is in 0.0.0.0/0', [allow({ Condition: { IpAddress: { 'aws:SourceIp': '0.0.0.0/0' } } })], { context: { 'aws:SourceIp': ['8.8.8.8'] } }, 'allowed'],
    ['no IPv4 address is a certain IPv6 address', [allow({ Condition: { NotIpAddress: { 'aws:SourceIp': '2001:db8::1' } } })], { context: { 'aws:SourceIp': ['8.8.8.8'] } }, 'allowed'],
    ['a wildcard ends at a colon', [allow({ Resource: 'arn:aws:lambda:*:microvm-image:sandbox' })], {}, 'denied'],
    ['a policy variable is filled in', [allow({ Resource: IMAGE.replace('sandbox', '${aws:PrincipalTag/image}') })], { context: { 'aws:PrincipalTag/image': ['sandbox'] } }, 'allowed'],
    ['a policy variable has a default', [allow({ Resource: IMAGE.replace('sandbox', "${aws:PrincipalTag/image, 'sandbox'}") })], { context: { 'aws:PrincipalTag/image': [] } }, 'allowed'],
    ['a star in a policy variable is no wildcard', [allow({ Resource: IMAGE.replace('sandbox', '${aws:PrincipalTag/image}') })], { context: { 'aws:PrincipalTag/image': ['*'] } }, 'denied'],
    ['a star of the policy language is a plain star, also where there are no wildcards', [allow({ Condition: { StringEquals: { 'aws:ResourceTag/team': '${*}' } } })],
      { context: { 'aws:ResourceTag/team': ['*'] } }, 'allowed'],
    ['an old policy knows no variables', [allow({ Resource: IMAGE.replace('sandbox', '${aws:PrincipalTag/image}') })],
      { context: { 'aws:PrincipalTag/image': ['sandbox'] }, version: '2008-10-17' }, 'denied'],
    ['an action without resources needs the wildcard', [allow({ Action: 'lambda:ListMicrovms' })], { action: 'lambda:ListMicrovms', resource: '*' }, 'denied'],
  ])('%s', (_name, statements, asked, outcome) => {
    expect(ask(statements, asked).outcome).toBe(outcome);
  });
});

describe('what is not known makes the answer conditional, and is named', () => {
  test.each<[string, any[], Asked, string]>([
    ['the condition of an Allow', [allow(onlyTeam)], {}, 'the condition key aws:ResourceTag/team'],
    ['the condition of a Deny', [allow(), deny(onlyTeam)], {}, 'the condition key aws:ResourceTag/team'],
    ['a negated condition', [allow({ Condition: { StringNotEquals: { 'aws:ResourceTag/team': 'a' } } })], {}, 'the condition key aws:ResourceTag/team'],
    ['whether a key is there', [allow({ Condition: { Null: { 'aws:TokenIssueTime': 'true' } } })], {}, 'the condition key aws:TokenIssueTime'],
    ['a condition of the boundary', [allow()], { boundary: [allow(onlyTeam)] }, 'the condition key aws:ResourceTag/team'],
    ['a policy variable', [allow({ Resource: IMAGE.replace('sandbox', '${aws:PrincipalTag/image}') })], {}, 'aws:PrincipalTag/image'],
    ['a name that the deployment gives', [allow({ Resource: IMAGE.replace('sandbox', unknownText('NameParameter')) })], {}, 'NameParameter'],
    ['a whole ARN that the deployment gives', [allow({ Resource: unknownText('Import') })], {}, 'Import'],
    ['the name of the resource itself', [allow()], { resource: IMAGE.replace('sandbox', unknownText('NameParameter')) }, 'NameParameter'],
    ['whether a name has just one character more', [allow({ Resource: `${IMAGE}-?` })], { resource: `${IMAGE}-${unknownText('Suffix')}` }, 'Suffix'],
    ['a value of a condition', [allow({ Condition: { StringEquals: { 'aws:ResourceTag/team': unknownText('Team') } } })], { context: { 'aws:ResourceTag/team': ['a'] } }, 'Team'],
    ['an operator nobody knows', [allow({ Condition: { StringResembles: { 'aws:ResourceTag/team': 'a' } } })], { context: { 'aws:ResourceTag/team': ['a'] } }, 'StringResembles'],
    ['a wildcard where IAM calls it wrong', [allow({ Resource: IMAGE.replace('microvm-image', 'microvm-*') })], {}, 'a wildcard in the type of a resource'],
    ['a wildcard in the name of a service', [allow({ Action: 'lamb*:RunMicrovm' })], {}, 'a wildcard in the name of a service'],
  ])('%s', (_name, statements, asked, unknown) => {
    const decision = ask(statements, asked);
    expect(decision.outcome).toBe('conditional');
    expect(decision.unknowns).toEqual([expect.stringContaining(unknown)]);
  });

  test('a policy that is elsewhere', () => {
    const request = { action: ACTION, resource: IMAGE, context: RequestContext.partial({}) };
    const elsewhere = { name: 'arn:aws:iam::aws:policy/Some' };
    const here = { name: 'Policy', statements: readStatements({ Version: '2012-10-17', Statement: [allow()] }) };
    expect(evaluate({ identity: [elsewhere] }, request).outcome).toBe('conditional');
    expect(evaluate({ identity: [here, elsewhere] }, request).outcome).toBe('conditional');
    expect(evaluate({ identity: [here], boundary: elsewhere }, request).outcome).toBe('conditional');
    expect(evaluate({ identity: [], boundary: elsewhere }, request).outcome).toBe('denied');
  });
});

test('what is not known is left out where it makes no difference', () => {
  expect(ask([allow(onlyTeam), allow()]).outcome).toBe('allowed');
  expect(ask([allow(), deny({ ...onlyTeam, Action: 'lambda:GetMicrovm' })]).outcome).toBe('allowed');
  expect(ask([allow(onlyTeam), deny()]).outcome).toBe('denied');
  expect(ask([allow({ Resource: `arn:aws:s3:::${unknownText('Bucket')}/*` })]).outcome).toBe('denied');
  const name = unknownText('NameParameter');
  expect(ask([allow({ Resource: IMAGE.replace('sandbox', name) })], { resource: IMAGE.replace('sandbox', name) }).outcome).toBe('allowed');
});

test('the statements that decide are told', () => {
  const names = (decision: Decision) => decision.reasons.map(({ statement, position }) => `${statement.effect} ${position}`);
  expect(names(ask([allow(), allow({ Resource: 'arn:aws:s3:::x' })]))).toEqual(['Allow 1']);
  expect(names(ask([allow(), deny(), deny()]))).toEqual(['Deny 2', 'Deny 3']);
  expect(names(ask([allow(), deny(onlyTeam)]))).toEqual(['Deny 2']);
  expect(ask([]).missing).toBe('identity');
  expect(ask([allow()], { boundary: [] }).missing).toBe('boundary');
});

describe(`an answer given early never turns out wrong (seed ${SEED})`, () => {
  const keysOf = ({ context }: AccessCase) => Object.fromEntries(Object.entries(context).map(([key, value]) => [key, [value].flat()]));
  const policiesOf = ({ identity, boundary }: AccessCase): PrincipalPolicies => ({
    identity: identity.map((document, index) => ({ name: `${index}`, statements: readStatements(document) })),
    boundary: boundary && { name: 'boundary', statements: readStatements(boundary) },
  });

  test('when condition keys become known', () => {
    let early = 0;
    let late = 0;
    fc.assert(fc.property(accessCase, fc.array(fc.boolean(), { minLength: 16, maxLength: 16 }), (access, hidden) => {
      const keys = keysOf(access);
      const told = Object.fromEntries(Object.entries(keys).filter((_entry, index) => !hidden[index]));
      const before = evaluate(policiesOf(access), { ...access, context: RequestContext.partial(told) }).outcome;
      const after = evaluate(policiesOf(access), { ...access, context: RequestContext.complete(keys) }).outcome;
      before === 'conditional' ? late++ : early++;
      return before === 'conditional' || before === after;
    }), { numRuns: 2000, seed: SEED, unbiased: true });
    // Not by never answering.
    expect(Math.min(early, late)).toBeGreaterThan(100);
  });

  /** Everything that is written in a policy, but the words of the language itself. */
  function hide(value: any, part: string): any {
    if (typeof value === 'string') {
      return value.split(part).join(unknownText('Later'));
    }
    return Array.isArray(value) ? value.map((entry) => hide(entry, part))
      : typeof value !== 'object' ? value
        : Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, /^(Effect|Version)$/.test(key) ? entry : hide(entry, part)]));
  }

  test('when texts of the template become known', () => {
    let early = 0;
    let late = 0;
    const parts = fc.constantFrom('sandbox', '111122223333', 'arn:aws', 'INGRESS', 'eu-west-1', 'lambda', 'Microvm', 'microvm-image', 'role');
    fc.assert(fc.property(accessCase, parts, fc.boolean(), (access, part, alsoInRequest) => {
      const context = RequestContext.complete(keysOf(access));
      const before = evaluate(
        policiesOf(hide(access, part)),
        { action: access.action, resource: alsoInRequest ? hide(access.resource, part) : access.resource, context },
      ).outcome;
      const after = evaluate(policiesOf(access), { ...access, context }).outcome;
      before === 'conditional' ? late++ : early++;
      return before === 'conditional' || before === after;
    }), { numRuns: 2000, seed: SEED, unbiased: true });
    expect(Math.min(early, late)).toBeGreaterThan(100);
  });
});
