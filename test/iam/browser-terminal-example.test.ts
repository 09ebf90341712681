import { App } from 'aws-cdk-lib';
import { allowed, DeployedExample } from './deployed-example';
import { BrowserTerminalStack } from '../../examples/browser-terminal/browser-terminal-stack';

const REQUEST = { requestContext: { authorizer: { jwt: { claims: { sub: 'user-1' } } } } };

let example: DeployedExample;
let imageArn: string;
beforeAll(async () => {
  example = await DeployedExample.of(new BrowserTerminalStack(new App(), 'BrowserTerminal'));
  [imageArn] = example.imageArns;
  Object.assign(process.env, example.environmentOf('Broker'));
}, 60_000);
afterAll(async () => example.stop());

test('the broker answers a shell of a new MicroVM, and its role allows exactly that', async () => {
  const { handler } = jest.requireActual<typeof import('../../examples/browser-terminal/broker')>('../../examples/browser-terminal/broker');
  const log = jest.spyOn(console, 'log').mockImplementation();
  example.simulator.calls.clear();
  const { statusCode, headers, body } = await handler(REQUEST);

  const { url, protocols } = JSON.parse(body);
  const [{ id, endpoint }] = example.simulator.microvms.map(({ microvmId, endpoint: host }: any) => ({ id: microvmId, endpoint: host }));
  expect([statusCode, headers['cache-control'], url]).toEqual([200, 'no-store', `wss://${endpoint}/shell`]);
  expect(protocols).toEqual(['lambda-microvms', expect.stringMatching(/^lambda-microvms\.authentication\.[\w.-]+$/), 'lambda-microvms.port.8022']);
  // The log tells who has which MicroVM, and does not open its door.
  const token = protocols[1].split('.').slice(2).join('.');
  expect(log.mock.calls).toEqual([[JSON.stringify({ user: 'user-1', microvmId: id })]]);
  expect(JSON.stringify(log.mock.calls)).not.toContain(token);
  log.mockRestore();

  const [{ body: run }] = example.simulator.calls.of('RunMicrovm') as any[];
  expect(run.ingressNetworkConnectors).toEqual([expect.stringMatching(/:SHELL_INGRESS$/)]);
  expect(run.executionRoleArn).toBeUndefined();
  expect(run.idlePolicy).toEqual({ maxIdleDurationSeconds: 900, suspendedDurationSeconds: 0, autoResumeEnabled: false });

  const checks = example.takeChecks();
  expect(checks).toContainEqual({ action: 'lambda:CreateMicrovmShellAuthToken', resource: imageArn });
  expect(await allowed(example.policiesOf('BrokerRole'), checks)).toEqual(checks);
  expect(await allowed(example.policiesOf('BrokerRole'), [
    ...example.neighboursOf(imageArn, checks),
    ...['CreateMicrovmAuthToken', 'GetMicrovm', 'SuspendMicrovm', 'TerminateMicrovm'].map((name) => ({ action: `lambda:${name}`, resource: imageArn })),
  ])).toEqual([]);
});

test('the function that serves the page to everybody may do nothing with MicroVMs', async () => {
  const actions = example.policiesOf('PageRole').flatMap(({ Statement }) => Statement).flatMap(({ Action }) => Action);
  expect(actions).toEqual(['logs:CreateLogStream', 'logs:PutLogEvents']);
});
