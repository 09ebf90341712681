import { App } from 'aws-cdk-lib';
import { allowed, DeployedExample } from './deployed-example';
import { WebsocketAppStack } from '../../examples/websocket-app/websocket-app-stack';

let example: DeployedExample;
let imageArn: string;
let handler: typeof import('../../examples/websocket-app/rooms').handler;
beforeAll(async () => {
  example = await DeployedExample.of(new WebsocketAppStack(new App(), 'WebsocketApp'));
  [imageArn] = example.imageArns;
  Object.assign(process.env, example.environmentOf('Rooms'));
  handler = jest.requireActual<typeof import('../../examples/websocket-app/rooms')>('../../examples/websocket-app/rooms').handler;
}, 60_000);
afterAll(async () => example.stop());

test('rooms are opened, joined and closed, and the role allows exactly that', async () => {
  example.simulator.calls.clear();
  const opened = (await handler({ action: 'open' }))!;
  expect(opened).toEqual({
    room: expect.stringMatching(/^microvm-/),
    url: expect.stringMatching(/^wss:\/\/.+\/$/),
    protocols: ['lambda-microvms', expect.stringMatching(/^lambda-microvms\.authentication\.[\w.-]+$/), 'lambda-microvms.port.8080'],
  });
  const joined = (await handler({ action: 'join', room: opened.room }))!;
  expect([joined.room, joined.url]).toEqual([opened.room, opened.url]);
  await handler({ action: 'close', room: opened.room });

  const { calls } = example.simulator;
  expect(calls.of('CreateMicrovmAuthToken').map(({ body }) => body)).toEqual(Array(2).fill({ expirationInMinutes: 15, allowedPorts: [{ port: 8080 }] }));
  expect(calls.of('RunMicrovm')[0].body).toMatchObject({
    ingressNetworkConnectors: [expect.stringMatching(/:HTTP_INGRESS$/)],
    idlePolicy: { maxIdleDurationSeconds: 300, suspendedDurationSeconds: 28800, autoResumeEnabled: true },
  });
  const checks = example.takeChecks();
  expect(await allowed(example.policiesOf('RoomsFunctionRole'), checks)).toEqual(checks);
  expect(await allowed(example.policiesOf('RoomsFunctionRole'), [
    ...example.neighboursOf(imageArn, checks),
    { action: 'lambda:CreateMicrovmShellAuthToken', resource: imageArn },
  ])).toEqual([]);
});

test.each([
  [{ action: 'join' }, /room must be given/],
  [{ action: 'burn', room: 'microvm-1' }, /action must be open, join or close, got "burn"/],
])('%j is refused', async (request, message) => {
  await expect(handler(request as any)).rejects.toThrow(message);
});

test('what is said in a room gets credentials that write the log and do nothing else', () => {
  expect(example.policiesOf('RoomRole').flatMap(({ Statement }) => Statement).flatMap(({ Action }) => Action))
    .toEqual(['logs:CreateLogStream', 'logs:PutLogEvents']);
});
