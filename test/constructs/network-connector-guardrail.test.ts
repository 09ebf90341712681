import * as iam from 'aws-cdk-lib/aws-iam';
import { only, stackOf } from './fixtures';
import { NetworkConnectorGuardrail } from '../../src';

const CONNECTOR = 'arn:*:lambda:*:aws:network-connector:aws-network-connector:';

test.each([
  [{ publicIngress: true }, [`${CONNECTOR}HTTP_INGRESS`, `${CONNECTOR}ALL_INGRESS`]],
  [{ shellIngress: true, internetEgress: false }, [`${CONNECTOR}SHELL_INGRESS`]],
  [{ internetEgress: true }, [`${CONNECTOR}INTERNET_EGRESS`]],
  [
    { publicIngress: true, shellIngress: true, internetEgress: true },
    [`${CONNECTOR}HTTP_INGRESS`, `${CONNECTOR}ALL_INGRESS`, `${CONNECTOR}SHELL_INGRESS`, `${CONNECTOR}INTERNET_EGRESS`],
  ],
])('%j denies passing these connectors, in every partition and region, and allows nothing', (options, connectors) => {
  const { Version, Statement } = JSON.parse(NetworkConnectorGuardrail.forbid(options).toJson());
  expect(Version).toBe('2012-10-17');
  expect(Statement.map(({ Effect }: any) => Effect)).toEqual(Statement.map(() => 'Deny'));
  expect(Statement.filter(({ Action }: any) => Action === 'lambda:PassNetworkConnector').flatMap(({ Resource }: any) => Resource)).toEqual(connectors);
});

test('forbidding shells denies tokens for them too', () => {
  const tokens = (options: object) => JSON.parse(NetworkConnectorGuardrail.forbid(options).toJson()).Statement
    .filter(({ Action }: any) => Action === 'lambda:CreateMicrovmShellAuthToken').map(({ Resource }: any) => Resource);
  expect(tokens({ shellIngress: true })).toEqual(['arn:*:lambda:*:*:microvm-image:*']);
  expect(tokens({ publicIngress: true, internetEgress: true })).toEqual([]);
});

test.each([{}, { publicIngress: false }])('forbidding nothing is an error: %j', (options) => {
  expect(() => NetworkConnectorGuardrail.forbid(options)).toThrow(/publicIngress, shellIngress or internetEgress must be true/);
});

test('a document can be completed to a permission boundary, and the next one is new', () => {
  const stack = stackOf();
  const guardrail = NetworkConnectorGuardrail.forbid({ publicIngress: true });
  const document = guardrail.toPolicyDocument();
  document.addStatements(new iam.PolicyStatement({ actions: ['lambda:*'], resources: ['*'] }));
  new iam.ManagedPolicy(stack, 'Boundary', { document });
  expect(only(stack, 'AWS::IAM::ManagedPolicy').Properties.PolicyDocument.Statement.map(({ Effect }: any) => Effect)).toEqual(['Deny', 'Allow']);
  expect(guardrail.toPolicyDocument().statementCount).toBe(1);
});

test('the longest document fits into an SCP', () => {
  const document = NetworkConnectorGuardrail.forbid({ publicIngress: true, shellIngress: true, internetEgress: true }).toJson();
  expect(document.length).toBeLessThan(5120);
});
