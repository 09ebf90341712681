import { X509Certificate } from 'node:crypto';
import * as sdk from '@aws-sdk/client-lambda-microvms';
import { connector, refusal, World } from './world';

let world: World;

beforeEach(async () => {
  world = await World.start();
  await world.built('app');
});
afterEach(() => world.sim.stop());

const INVALID = { name: 'ValidationException', status: 400 };

const ask = (host: string, headers: Record<string, string>, path?: string) => world.ask(host, headers, path);
const token = (id: string, ports?: sdk.PortSpecification[], minutes?: number) => world.token(id, ports, minutes);

async function suspended(autoResumeEnabled: boolean) {
  const microvm = await world.launched({ idlePolicy: { maxIdleDurationSeconds: 600, suspendedDurationSeconds: 600, autoResumeEnabled } });
  await world.suspend(microvm.id);
  await world.sim.clock.advance(1_500);
  return microvm;
}

test('11.1 a token opens the app, which does not see the headers of the proxy', async () => {
  world.sim.respond('app', ({ path, port, headers, imageVersion }) => ({
    status: 201, headers: { 'x-app': 'yes' }, body: JSON.stringify({ path, port, imageVersion, names: Object.keys(headers) }),
  }));
  const { id, host } = await world.launched();
  const [status, body] = await ask(host, { ...await token(id), 'x-mine': '1' }, '/run?a=b');
  expect(status).toBe(201);
  expect(JSON.parse(body)).toMatchObject({ path: '/run?a=b', port: 8080, imageVersion: '1.0' });
  expect(JSON.parse(body).names).toContain('x-mine');
  expect(body).not.toContain('x-aws-proxy');
});

test('11.1 no token, a made-up one, that of another MicroVM, an expired one: 403', async () => {
  const { id, host } = await world.launched();
  const other = await world.launched();
  expect(await ask(host, {})).toEqual([403, 'Request missing authentication']);
  expect(await ask(host, { 'x-aws-proxy-auth': 'nonsense' })).toEqual([403, 'Token authentication failed']);
  expect(await ask(host, await token(other.id))).toEqual([403, 'Token authentication failed']);
  const short = await token(id, undefined, 1);
  expect((await ask(host, short))[0]).toBe(200);
  await world.sim.clock.advance(60_000);
  expect(await ask(host, short)).toEqual([403, 'Token authentication failed']);
});

test('11.1 ports are enforced: single, range, all; a port that is none is 400', async () => {
  const { id, host } = await world.launched();
  const at = async (port: string, ports: sdk.PortSpecification[]) => ask(host, { ...await token(id, ports), 'x-aws-proxy-port': port });
  expect(await at('9000', [{ port: 8080 }])).toEqual([403, 'Access to port denied']);
  expect((await at('9000', [{ range: { startPort: 8999, endPort: 9000 } }]))[0]).toBe(200);
  expect((await at('9001', [{ range: { startPort: 8999, endPort: 9000 } }]))[0]).toBe(403);
  expect((await at('1', [{ allPorts: {} }]))[0]).toBe(200);
  expect((await at('http', [{ allPorts: {} }]))[0]).toBe(400);
});

test('11.1 before it runs and after its end a MicroVM is an empty 502', async () => {
  const microvm = await world.run('app');
  const auth = await token(microvm.microvmId!);
  expect(await ask(microvm.endpoint!, auth)).toEqual([502, '']);
  await world.sim.clock.advance(2_000);
  expect((await ask(microvm.endpoint!, auth))[0]).toBe(200);
  await world.terminate(microvm.microvmId!);
  await world.sim.clock.advance(3_000);
  expect(await ask(microvm.endpoint!, auth)).toEqual([502, '']);
});

test('11.1 while it is restored by a resume a MicroVM is an empty 502', async () => {
  const { id, host } = await world.launched();
  await world.suspend(id);
  await world.sim.clock.advance(1_500);
  const auth = await token(id);
  expect(await ask(host, auth)).toEqual([502, '']);
  await world.resume(id);
  expect(await ask(host, auth)).toEqual([502, '']);
  await world.sim.clock.advance(1_200);
  expect((await ask(host, auth))[0]).toBe(200);
});

test('7.5 traffic resumes a suspended MicroVM where auto-resume is on: the request is held until it runs', async () => {
  const { id, host } = await suspended(true);
  const auth = await token(id);
  expect((await Promise.all([ask(host, auth), ask(host, auth)])).map(([status]) => status)).toEqual([200, 200]);
  expect((await world.microvm(id)).state).toBe('RUNNING');
});

test('7.5 in the other reading the request that resumes it gets a 502, and so does the next until it runs', async () => {
  world.sim.readings.autoResumeHoldsRequest = false;
  const { id, host } = await suspended(true);
  const auth = await token(id);
  const statuses = [(await ask(host, auth))[0], (await ask(host, auth))[0]];
  await world.sim.clock.advance(1_200);
  statuses.push((await ask(host, auth))[0]);
  expect(statuses).toEqual([502, 502, 200]);
});

test('7.5 without auto-resume traffic wakes nothing, and does not put off the end either', async () => {
  const { id, host } = await suspended(false);
  expect(await ask(host, await token(id))).toEqual([502, '']);
  expect((await world.microvm(id)).state).toBe('SUSPENDED');
  await world.sim.clock.advance(600_000);
  expect((await world.microvm(id)).state).toBe('TERMINATING');
  expect((await refusal(token(id))).status).toBe(400);
});

test('19.16 requests come after the run hook, and in the other reading before it', async () => {
  const microvm = await world.run('app');
  const auth = await token(microvm.microvmId!);
  expect((await ask(microvm.endpoint!, auth))[0]).toBe(502);
  world.sim.readings.trafficOvertakesRun = true;
  expect((await ask(microvm.endpoint!, auth))[0]).toBe(200);
  expect((await world.microvm(microvm.microvmId!)).state).toBe('PENDING');
});

test('11.1 an endpoint speaks TLS with a certificate of the throw-away CA, and nothing else trusts it', async () => {
  const { id, host } = await world.launched();
  const auth = await token(id);
  expect((await ask(host, auth))[0]).toBe(200);
  await expect(fetch(`https://${host}/`, { headers: auth })).rejects.toMatchObject({ cause: { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' } });
  await expect(fetch(`http://${host}/`, { headers: auth })).rejects.toThrow();
  expect(new X509Certificate(world.sim.endpointCa)).toMatchObject({ ca: true, subject: expect.stringContaining('throw-away') });
});

test('2.2 SHELL_INGRESS alone lets no request in', async () => {
  const { id, host } = await world.launched({ ingressNetworkConnectors: [connector('SHELL_INGRESS')] });
  const auth = await token(id);
  await expect(ask(host, auth)).rejects.toThrow();
});

test('11.1 a token for a shell opens no other port', async () => {
  const { id, host } = await world.launched({ ingressNetworkConnectors: ['HTTP_INGRESS', 'SHELL_INGRESS'].map(connector) });
  const { authToken } = await world.client.send(new sdk.CreateMicrovmShellAuthTokenCommand({ microvmIdentifier: id, expirationInMinutes: 5 }));
  expect(await ask(host, authToken!)).toEqual([403, 'Access to port denied']);
});

test('2.2 NO_INGRESS lets nobody in', async () => {
  const { id, host } = await world.launched({ ingressNetworkConnectors: [connector('NO_INGRESS')] });
  const auth = await token(id);
  await expect(ask(host, auth)).rejects.toThrow();
});

test('3.2 a token lives 60 minutes at most and needs a proper list of ports', async () => {
  const { id } = await world.launched();
  expect((await refusal(token(id, [{ port: 1 }], 61))).message).toBe('ExpirationMinutes 61 exceeded max allowed of 60.');
  expect(await refusal(token(id, []))).toMatchObject(INVALID);
  expect((await refusal(token(id, [{ allPorts: true } as any]))).message).toBe('Expected null');
  expect(Object.keys(await token(id))).toEqual(['X-aws-proxy-auth']);
});

test('5.2 a shell token needs SHELL_INGRESS and no ALL_INGRESS beside it', async () => {
  const shell = async (names: string[]) => {
    const { id } = await world.launched({ ingressNetworkConnectors: names.map(connector) });
    return world.client.send(new sdk.CreateMicrovmShellAuthTokenCommand({ microvmIdentifier: id, expirationInMinutes: 5 }));
  };
  expect((await refusal(shell(['HTTP_INGRESS']))).message).toBe('Shell access requires SHELL_INGRESS network connector to be configured on the MicroVM.');
  expect((await refusal(shell(['SHELL_INGRESS', 'ALL_INGRESS']))).message).toContain('ALL_INGRESS cannot be combined');
  expect(Object.keys((await shell(['HTTP_INGRESS', 'SHELL_INGRESS'])).authToken!)).toEqual(['X-aws-proxy-auth']);
});
