import * as fc from 'fast-check';

/** Everything here is in one account, and in the shape that IAM's own validation lets through. */
export const ACCOUNT = '111122223333';
const REGION = 'eu-west-1';
const LAMBDA = `arn:aws:lambda:${REGION}:${ACCOUNT}`;
const MANAGED = `arn:aws:lambda:${REGION}:aws:network-connector:aws-network-connector`;

export const ROLE_ARN = `arn:aws:iam::${ACCOUNT}:role/platform/Launcher`;

export interface AccessCase {
  readonly identity: any[];
  readonly boundary?: any;
  readonly action: string;
  readonly resource: string;
  readonly context: Record<string, string | string[]>;
}

const images = ['sandbox', 'sandbox-2', 'team-a', 'launcher'].map((name) => `${LAMBDA}:microvm-image:${name}`);
const neighbours = [
  `arn:aws:lambda:${REGION}:444455556666:microvm-image:sandbox`,
  `arn:aws:lambda:us-east-1:${ACCOUNT}:microvm-image:sandbox`,
  `arn:aws-cn:lambda:cn-north-1:${ACCOUNT}:microvm-image:sandbox`,
];
const connectors = [
  ...['HTTP_INGRESS', 'ALL_INGRESS', 'SHELL_INGRESS', 'NO_INGRESS', 'INTERNET_EGRESS'].map((name) => `${MANAGED}:${name}`),
  `${LAMBDA}:network-connector:vpc-1`, `${LAMBDA}:network-connector:vpc-1:2`,
];
const roles = ['Execution', 'team-a/Execution', 'Admin', 'platform/Launcher'].map((name) => `arn:aws:iam::${ACCOUNT}:role/${name}`);

const imageActions = [
  'RunMicrovm', 'GetMicrovm', 'SuspendMicrovm', 'ResumeMicrovm', 'TerminateMicrovm', 'CreateMicrovmAuthToken', 'CreateMicrovmShellAuthToken',
  'GetMicrovmImage', 'UpdateMicrovmImage', 'DeleteMicrovmImage', 'UpdateMicrovmImageVersion', 'ListMicrovmImageVersions',
].map((name) => `lambda:${name}`);

const actionPattern = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...imageActions, 'lambda:PassNetworkConnector', 'iam:PassRole', 'lambda:ListMicrovms', 'lambda:TagResource') },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      '*', '*', 'lambda:*', 'lambda:*', 'lambda:*', 'lambda:*Microvm', 'lambda:*Microvm*', 'lambda:CreateMicrovm*Token', 'lambda:runmicrovm', 'lambda:?unMicrovm', 'lambda:Get*',
      'lambda:Pass*', 'iam:*', 'iam:Pass????', 'iam:pass*', 'lambda:*Image', 'lambda:RunMicrovms', 'lambda:L*', 's3:*', 'lambda:InvokeFunction',
    ),
  },
);

const resourcePattern = fc.oneof(
  { weight: 5, arbitrary: fc.constant('*') },
  { weight: 5, arbitrary: fc.constantFrom(...images, ...neighbours, ...connectors, ...roles) },
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      `${LAMBDA}:microvm-image:*`, `${LAMBDA}:microvm-image:sandbox*`, `${LAMBDA}:microvm-image:sandbox-?`, `${LAMBDA}:microvm-image:*a*`, `${LAMBDA}:*`,
      'arn:*:lambda:*:*:microvm-image:*', 'arn:aws:lambda:*:*:*', `arn:aws:lambda:eu-*:${ACCOUNT}:microvm-image:sandbox`, 'arn:aws:lambda:*:1111????3333:microvm-image:sandbox',
      'arn:aws:lambda:*:microvm-image:sandbox', `${MANAGED}:*`, `${MANAGED}:*_INGRESS`, `${MANAGED}:?LL_INGRESS`, 'arn:*:lambda:*:aws:network-connector:aws-network-connector:HTTP_INGRESS',
      `${LAMBDA}:network-connector:*`, `arn:aws:iam::${ACCOUNT}:role/*`, `arn:aws:iam::${ACCOUNT}:role/team-a/*`, 'arn:aws:iam::*:role/Exec*', 'arn:aws:s3:::bucket/*',
      // Policy variables, which have no value, one, a default, or a wildcard that is none.
      `${LAMBDA}:microvm-image:\${aws:PrincipalTag/team}`, `${LAMBDA}:microvm-image:\${aws:PrincipalTag/team}*`, `${LAMBDA}:microvm-image:\${aws:PrincipalTag/team, 'sandbox'}`,
      `arn:aws:iam::${ACCOUNT}:role/\${aws:PrincipalTag/team}/*`, `${LAMBDA}:microvm-image:\${*}`, `${LAMBDA}:microvm-image:\${aws:username}`,
    ),
  },
);

const TEAMS = ['team-a', 'team-b', 'sandbox', 'Team-A', '*', ''];
const text = fc.constantFrom(...TEAMS.filter(Boolean), 'team-*', '?eam-a', 'sand*', '${aws:PrincipalTag/team}', '${aws:PrincipalTag/owner}', "${aws:PrincipalTag/owner, 'team-a'}", 'x${$}');
const number = fc.constantFrom('0', '1', '10', '60', '3600', '-5', '1.5', 'many');
const date = fc.constantFrom('2026-01-01T00:00:00Z', '2026-06-01T12:00:00Z', '2027-01-01T00:00:00Z', '2026-06-01', 'soon');
// Without what iam-simulate gets wrong: 0.0.0.0/0 covers nothing there, and no IPv4 address differs from a single IPv6 address.
const address = fc.constantFrom('10.0.0.0/8', '10.1.2.3/32', '192.168.0.0/16', '8.0.0.0/5', '2001:db8::/32', '2001:db8::1/128', '::/0', 'nonsense');
const arn = fc.constantFrom(ROLE_ARN, `arn:aws:iam::${ACCOUNT}:role/*`, 'arn:aws:iam::*:role/platform/*', images[0], `${LAMBDA}:microvm-image:*`, `arn:aws:lambda:*:${ACCOUNT}:*`, 'arn:aws:lambda');
const bool = fc.constantFrom('true', 'false', 'True', 'maybe');

const KEYS: Record<string, fc.Arbitrary<[string, fc.Arbitrary<string>]>> = {
  String: fc.constantFrom(
    ['aws:ResourceTag/team', text], ['aws:PrincipalTag/team', text], ['aws:PrincipalTag/owner', text], ['AWS:principaltag/Team', text],
    ['aws:PrincipalAccount', fc.constantFrom(ACCOUNT, '444455556666', '1111*')], ['aws:RequestedRegion', fc.constantFrom(REGION, 'eu-*', 'us-east-1')],
    ['iam:PassedToService', fc.constantFrom('lambda.amazonaws.com', '*.amazonaws.com', 'ec2.amazonaws.com')], ['aws:TagKeys', text],
  ),
  Arn: fc.constantFrom(['aws:PrincipalArn', arn], ['aws:SourceArn', arn], ['aws:PrincipalTag/owner', arn]),
  Numeric: fc.constantFrom(['aws:MultiFactorAuthAge', number], ['aws:PrincipalTag/owner', number]),
  Date: fc.constantFrom(['aws:CurrentTime', date], ['aws:TokenIssueTime', date]),
  Bool: fc.constantFrom(['aws:SecureTransport', bool], ['aws:MultiFactorAuthPresent', bool], ['aws:ViaAWSService', bool]),
  IpAddress: fc.constantFrom(['aws:SourceIp', address], ['aws:VpcSourceIp', address]),
};

const OPERATORS: Array<[string, string[]]> = [
  ['String', ['StringEquals', 'StringNotEquals', 'StringEqualsIgnoreCase', 'StringNotEqualsIgnoreCase', 'StringLike', 'StringNotLike', 'StringLike', 'StringEquals']],
  ['Arn', ['ArnEquals', 'ArnNotEquals', 'ArnLike', 'ArnNotLike']],
  ['Numeric', ['NumericEquals', 'NumericNotEquals', 'NumericLessThan', 'NumericLessThanEquals', 'NumericGreaterThan', 'NumericGreaterThanEquals']],
  ['Date', ['DateEquals', 'DateNotEquals', 'DateLessThan', 'DateLessThanEquals', 'DateGreaterThan', 'DateGreaterThanEquals']],
  ['Bool', ['Bool']],
  ['IpAddress', ['IpAddress', 'NotIpAddress']],
];

const comparison = fc.constantFrom(...OPERATORS).chain(([family, operators]) => fc.tuple(
  fc.constantFrom(...operators),
  // Nobody documents what ForAnyValue with IfExists means without the key.
  fc.constantFrom('', '', '', 'IfExists', 'ForAllValues:', 'ForAnyValue:', 'ForAllValues:IfExists'),
  KEYS[family].chain(([key, value]) => fc.tuple(fc.constant(key), fc.array(value, { minLength: 1, maxLength: 3 }))),
)).map(([operator, modifier, [key, values]]) => {
  const [set, ifExists] = modifier.split('IfExists');
  return { [`${set}${operator}${ifExists === undefined ? '' : 'IfExists'}`]: { [key]: values.length === 1 ? values[0] : values } };
});
const nullCheck = fc.tuple(fc.constantFrom('aws:PrincipalTag/team', 'aws:SourceIp', 'aws:TagKeys', 'aws:TokenIssueTime'), fc.constantFrom('true', 'false'))
  .map(([key, value]) => ({ Null: { [key]: value } }));

const condition = fc.array(fc.oneof({ weight: 6, arbitrary: comparison }, { weight: 1, arbitrary: nullCheck }), { minLength: 1, maxLength: 2 })
  .map((parts) => Object.assign({}, ...parts));

const statement = fc.record({
  Effect: fc.constantFrom('Allow', 'Allow', 'Allow', 'Allow', 'Deny'),
  actions: fc.tuple(fc.integer({ min: 0, max: 9 }), fc.array(actionPattern, { minLength: 1, maxLength: 3 })),
  resources: fc.tuple(fc.integer({ min: 0, max: 9 }), fc.array(resourcePattern, { minLength: 1, maxLength: 3 })),
  Condition: fc.option(condition, { freq: 2, nil: undefined }),
}).map(({ Effect, actions: [notAction, actions], resources: [notResource, resources], Condition }) => ({
  Effect,
  [notAction === 0 ? 'NotAction' : 'Action']: actions.length === 1 ? actions[0] : actions,
  // Nobody documents what a short ARN means in NotResource.
  ...(notResource === 0 ? { NotResource: resources.filter((arnPattern) => arnPattern.split(':').length >= 6).concat(images[1]) } : { Resource: resources }),
  ...(Condition ? { Condition } : {}),
}));

const document = (minLength: number) => fc.array(statement, { minLength, maxLength: 4 }).map((Statement) => ({ Version: '2012-10-17', Statement }));

const context = fc.record({
  'aws:PrincipalArn': fc.constant(ROLE_ARN),
  'aws:PrincipalAccount': fc.constant(ACCOUNT),
  'aws:ResourceTag/team': fc.constantFrom('team-a', 'team-b', 'sandbox'),
  'aws:PrincipalTag/team': fc.constantFrom('team-a', 'sandbox', '*'),
  'aws:PrincipalTag/owner': fc.constantFrom('team-a', '60', images[0]),
  'aws:RequestedRegion': fc.constantFrom(REGION, 'us-east-1'),
  'aws:SourceArn': fc.constantFrom(images[0], ROLE_ARN, 'not-an-arn'),
  'aws:MultiFactorAuthAge': fc.constantFrom('0', '60', '5000'),
  'aws:CurrentTime': fc.constant('2026-06-01T12:00:00Z'),
  'aws:TokenIssueTime': fc.constantFrom('2026-01-01T00:00:00Z', '2026-06-01T11:59:59Z'),
  'aws:SecureTransport': fc.constant('true'),
  'aws:MultiFactorAuthPresent': fc.constantFrom('true', 'false'),
  'aws:ViaAWSService': fc.constant('false'),
  'aws:SourceIp': fc.constantFrom('10.1.2.3', '192.168.1.1', '8.8.8.8', '2001:db8::1'),
  'aws:TagKeys': fc.constantFrom(['team-a'], ['team-a', 'other'], ['sandbox', 'team-b']),
}, { requiredKeys: ['aws:PrincipalArn', 'aws:PrincipalAccount'] });

const request = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constantFrom(...imageActions), fc.constantFrom(...images, ...images, ...neighbours.slice(0, 2))) },
  { weight: 3, arbitrary: fc.tuple(fc.constant('lambda:PassNetworkConnector'), fc.constantFrom(...connectors)) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('iam:PassRole'), fc.constantFrom(...roles)) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom('lambda:ListMicrovms', 'lambda:CreateMicrovmImage'), fc.constant('*')) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('lambda:TagResource'), fc.constantFrom(...images)) },
);

/** A role with its policies, and something asked of it. */
export const accessCase: fc.Arbitrary<AccessCase> = fc.record({
  identity: fc.array(document(1), { minLength: 1, maxLength: 3 }),
  boundary: fc.option(document(2), { freq: 2, nil: undefined }),
  request,
  context,
  passedToService: fc.constantFrom('lambda.amazonaws.com', 'ec2.amazonaws.com', undefined),
}).map(({ identity, boundary, request: [action, resource], context: keys, passedToService }) => ({
  identity,
  boundary,
  action,
  resource,
  context: { ...keys, ...(action === 'iam:PassRole' && passedToService ? { 'iam:PassedToService': passedToService } : {}) } as Record<string, any>,
}));
