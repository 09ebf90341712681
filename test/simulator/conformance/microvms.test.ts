import * as sdk from '@aws-sdk/client-lambda-microvms';
import { connector, refusal, World } from './world';

let world: World;

beforeEach(async () => {
  world = await World.start();
  await world.built('app');
});
afterEach(() => world.sim.stop());

const INVALID = { name: 'ValidationException', status: 400 };
const ROLE = 'arn:aws:iam::000000000000:role/run';

const get = (microvmIdentifier: string) => world.client.send(new sdk.GetMicrovmCommand({ microvmIdentifier }));
const list = (more: sdk.ListMicrovmsCommandInput = {}) => world.client.send(new sdk.ListMicrovmsCommand(more));

/** Launches a MicroVM and lets it start. */
async function launched(more: Partial<sdk.RunMicrovmCommandInput> = {}) {
  const microvm = await world.run('app', more);
  await world.sim.clock.advance(2_000);
  return { id: microvm.microvmId!, host: microvm.endpoint! };
}

const APP_PORT: sdk.PortSpecification[] = [{ port: 8080 }];

async function token(microvmIdentifier: string, allowedPorts = APP_PORT, expirationInMinutes = 15): Promise<Record<string, string>> {
  const { authToken } = await world.client.send(new sdk.CreateMicrovmAuthTokenCommand({ microvmIdentifier, allowedPorts, expirationInMinutes }));
  return authToken!;
}

async function ask(host: string, headers: Record<string, string>, path = '/'): Promise<[number, string]> {
  const response = await fetch(`http://${host}${path}`, { headers });
  return [response.status, await response.text()];
}

describe('5.1 run', () => {
  test('5.1 what is left out gets the defaults, of which a public ingress is one', async () => {
    expect(await world.run('app')).toMatchObject({
      state: 'PENDING',
      microvmId: expect.stringMatching(/^microvm-[0-9a-f-]{36}$/),
      endpoint: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      imageVersion: '1.0',
      maximumDurationInSeconds: 28800,
      ingressNetworkConnectors: [connector('HTTP_INGRESS')],
      egressNetworkConnectors: [connector('INTERNET_EGRESS')],
    });
  });

  test('5.1 the egress of the image version is inherited, and an empty list counts as left out', async () => {
    const own = 'arn:aws:lambda:us-east-1:000000000000:network-connector:nc-1';
    await world.rebuilt('app', { egressNetworkConnectors: [own] });
    expect((await world.run('app', { egressNetworkConnectors: [] })).egressNetworkConnectors).toEqual([own]);
    expect((await world.run('app', { imageVersion: '1.0' })).egressNetworkConnectors).toEqual([connector('INTERNET_EGRESS')]);
    expect(world.sim.calls.of('RunMicrovm')[0].requires).toContainEqual({ action: 'lambda:PassNetworkConnector', resource: own });
  });

  test('5.1 an unpinned launch takes the newest ACTIVE version by number', async () => {
    for (let version = 2; version <= 10; version++) {
      await world.rebuilt('app');
    }
    expect((await world.run('app')).imageVersion).toBe('10.0');
  });

  test('5.1 without an ACTIVE version the answer is 404, with the version in the text when one was named', async () => {
    await world.setStatus('app', '1.0', 'INACTIVE');
    const text = `No active version found for MicroVM image ${world.arn('app')}`;
    expect(await refusal(world.run('app'))).toEqual({ name: 'ResourceNotFoundException', status: 404, message: text });
    expect((await refusal(world.run('app', { imageVersion: '1.0' }))).message).toBe(`${text} and version 1.0`);
    expect((await refusal(world.run('ghost'))).message).toBe(`No active version found for MicroVM image ${world.arn('ghost')}`);
    await world.setStatus('app', '1.0', 'ACTIVE');
    await world.run('app', { imageVersion: '1.0' });
  });

  test('7.2 an image in UPDATE_FAILED launches nothing, and in the other reading its older ACTIVE versions', async () => {
    world.sim.builds.plan({ failure: { kind: 'container' } });
    await world.rebuilt('app');
    expect((await refusal(world.run('app', { imageVersion: '1.0' }))).status).toBe(404);
    world.sim.readings.updateFailedLaunches = true;
    expect((await world.run('app', { imageVersion: '1.0' })).imageVersion).toBe('1.0');
  });

  test('7.2 the previous version launches while a new one is built', async () => {
    await world.update('app');
    expect((await world.run('app')).imageVersion).toBe('1.0');
  });

  test.each<[string, Partial<sdk.RunMicrovmCommandInput>, string]>([
    ['logging without a role', { logging: { cloudWatch: { logGroup: '/g' } } }, 'Logging cannot be enabled without providing executionRoleArn'],
    ['a payload without the run hook', { runHookPayload: 'x' }, 'The run hook must be enabled in the MicroVM image to pass the run hook payload'],
    ['a payload of 4097 characters', { runHookPayload: 'x'.repeat(4097) }, 'length less than or equal to 4096'],
    ['a duration beyond 8 h', { maximumDurationInSeconds: 28801 }, 'value less than or equal to 28800'],
    ['an idle time below a minute', { idlePolicy: { maxIdleDurationSeconds: 59, suspendedDurationSeconds: 0, autoResumeEnabled: true } }, 'greater than or equal to 60'],
    ['egress as ingress', { ingressNetworkConnectors: [connector('INTERNET_EGRESS')] }, 'cannot be used for ingress'],
  ])('5.1 %s is refused', async (_, more, message) => {
    const answer = await refusal(world.run('app', more));
    expect(answer).toMatchObject(INVALID);
    expect(answer.message).toContain(message);
  });

  test('5.1 the memory quota is 402 and frees up with termination', async () => {
    world.sim.quotas.memoryMiB = 2048;
    const { id } = await launched({ executionRoleArn: ROLE });
    expect(await refusal(world.run('app'))).toEqual({
      name: 'ServiceQuotaExceededException', status: 402, message: 'The base maximum allocated memory limit has been reached for this account.',
    });
    await world.terminate(id);
    await world.sim.clock.advance(5_000);
    await world.run('app');
  });

  test('3.3 a replayed client token launches nothing', async () => {
    const first = await world.run('app', { clientToken: 't' });
    expect((await world.run('app', { clientToken: 't' })).microvmId).toBe(first.microvmId);
    expect(world.sim.microvms).toHaveLength(1);
  });
});

describe('7.5 life', () => {
  test('7.5 PENDING, RUNNING, TERMINATING, TERMINATED with the clean reason, and terminate is idempotent', async () => {
    const { microvmId } = await world.run('app');
    const states = [(await get(microvmId!)).state];
    await world.sim.clock.advance(2_000);
    states.push((await get(microvmId!)).state);
    await world.terminate(microvmId!);
    states.push((await get(microvmId!)).state);
    await world.sim.clock.advance(3_000);
    await world.terminate(microvmId!);
    const ended = await get(microvmId!);
    expect([...states, ended.state]).toEqual(['PENDING', 'RUNNING', 'TERMINATING', 'TERMINATED']);
    expect(ended.stateReason).toBe('Success.');
    expect(ended.terminatedAt).toEqual(new Date(world.sim.clock.now()));
  });

  test('5.2 a missing MicroVM is 404 and a terminated one cannot change', async () => {
    expect(await refusal(get('microvm-x'))).toEqual({ name: 'ResourceNotFoundException', status: 404, message: 'MicroVM not found: microvm-x' });
    const { id } = await launched();
    await world.terminate(id);
    await world.sim.clock.advance(3_000);
    expect(await refusal(world.client.send(new sdk.SuspendMicrovmCommand({ microvmIdentifier: id })))).toEqual({
      ...INVALID, message: `The MicroVM ${id} has been terminated and its state cannot be changed.`,
    });
  });

  test('7.5 idle MicroVMs are suspended, and terminated when suspended too long', async () => {
    const { id } = await launched({ idlePolicy: { maxIdleDurationSeconds: 60, suspendedDurationSeconds: 100, autoResumeEnabled: false } });
    await world.sim.clock.advance(60_000);
    expect((await get(id)).state).toBe('SUSPENDED');
    await world.sim.clock.advance(100_000);
    expect((await get(id)).state).toBe('TERMINATED');
  });

  test('7.5 the maximum duration ends a MicroVM', async () => {
    const { id } = await launched({ maximumDurationInSeconds: 100 });
    await world.sim.clock.advance(98_000);
    expect((await get(id)).state).toBe('TERMINATED');
  });
});

describe('5.2 lists', () => {
  test('5.2 items lack the endpoint, TERMINATED ones stay, the default page is 10', async () => {
    for (let count = 0; count < 11; count++) {
      await world.terminate((await world.run('app')).microvmId!);
    }
    await world.sim.clock.advance(3_000);
    await world.run('app');
    const first = await list();
    expect(first.items).toHaveLength(10);
    expect(first.items!.every(({ state }) => state === 'TERMINATED')).toBe(true);
    expect(first.items![0]).not.toHaveProperty('endpoint');
    const second = await list({ nextToken: first.nextToken });
    expect(second.items!.map(({ state }) => state)).toEqual(['TERMINATED', 'PENDING']);
  });

  test('5.2 lists are narrowed by image and version', async () => {
    await world.rebuilt('app');
    await world.built('other');
    const old = await world.run('app', { imageVersion: '1.0' });
    await world.run('app');
    await world.run('other');
    const { items } = await list({ imageIdentifier: world.arn('app'), imageVersion: '1.0' });
    expect(items!.map(({ microvmId }) => microvmId)).toEqual([old.microvmId]);
    expect((await list({ imageIdentifier: world.arn('other') })).items).toHaveLength(1);
  });

  test('19.24 in the other reading TERMINATED ones leave the list after a while', async () => {
    world.sim.readings.terminatedRetentionMs = 20 * 60_000;
    const { id } = await launched();
    await world.terminate(id);
    await world.sim.clock.advance(3_000);
    expect((await list()).items).toHaveLength(1);
    await world.sim.clock.advance(20 * 60_000);
    expect((await list()).items).toHaveLength(0);
  });
});

describe('11.1 endpoints', () => {
  test('11.1 a token opens the app, which does not see the headers of the proxy', async () => {
    world.sim.respond('app', ({ path, port, headers, imageVersion }) => ({
      status: 201, headers: { 'x-app': 'yes' }, body: JSON.stringify({ path, port, imageVersion, names: Object.keys(headers) }),
    }));
    const { id, host } = await launched();
    const [status, body] = await ask(host, { ...await token(id), 'x-mine': '1' }, '/run?a=b');
    expect(status).toBe(201);
    expect(JSON.parse(body)).toMatchObject({ path: '/run?a=b', port: 8080, imageVersion: '1.0' });
    expect(JSON.parse(body).names).toContain('x-mine');
    expect(body).not.toContain('x-aws-proxy');
  });

  test('11.1 no token, a made-up one, that of another MicroVM, an expired one: 403', async () => {
    const { id, host } = await launched();
    const other = await launched();
    expect(await ask(host, {})).toEqual([403, 'Request missing authentication']);
    expect(await ask(host, { 'x-aws-proxy-auth': 'nonsense' })).toEqual([403, 'Token authentication failed']);
    expect(await ask(host, await token(other.id))).toEqual([403, 'Token authentication failed']);
    const short = await token(id, undefined, 1);
    expect((await ask(host, short))[0]).toBe(200);
    await world.sim.clock.advance(60_000);
    expect(await ask(host, short)).toEqual([403, 'Token authentication failed']);
  });

  test('11.1 ports are enforced: single, range, all; a port that is none is 400', async () => {
    const { id, host } = await launched();
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

  test('7.5 traffic resumes a suspended MicroVM only where auto-resume is on', async () => {
    for (const [autoResumeEnabled, status] of [[true, 200], [false, 502]] as const) {
      const { id, host } = await launched({ idlePolicy: { maxIdleDurationSeconds: 600, suspendedDurationSeconds: 600, autoResumeEnabled } });
      await world.client.send(new sdk.SuspendMicrovmCommand({ microvmIdentifier: id }));
      await world.sim.clock.advance(2_000);
      expect((await ask(host, await token(id)))[0]).toBe(status);
      await world.client.send(new sdk.ResumeMicrovmCommand({ microvmIdentifier: id }));
      expect((await get(id)).state).toBe('RUNNING');
    }
  });

  test('2.2 NO_INGRESS lets nobody in', async () => {
    const { id, host } = await launched({ ingressNetworkConnectors: [connector('NO_INGRESS')] });
    const auth = await token(id);
    await expect(ask(host, auth)).rejects.toThrow();
  });

  test('3.2 a token lives 60 minutes at most and needs a proper list of ports', async () => {
    const { id } = await launched();
    expect((await refusal(token(id, [{ port: 1 }], 61))).message).toBe('ExpirationMinutes 61 exceeded max allowed of 60.');
    expect(await refusal(token(id, []))).toMatchObject(INVALID);
    expect((await refusal(token(id, [{ allPorts: true } as any]))).message).toBe('Expected null');
    expect(Object.keys(await token(id))).toEqual(['X-aws-proxy-auth']);
  });

  test('5.2 a shell token needs SHELL_INGRESS and no ALL_INGRESS beside it', async () => {
    const shell = async (names: string[]) => {
      const { id } = await launched({ ingressNetworkConnectors: names.map(connector) });
      return world.client.send(new sdk.CreateMicrovmShellAuthTokenCommand({ microvmIdentifier: id, expirationInMinutes: 5 }));
    };
    expect((await refusal(shell(['HTTP_INGRESS']))).message).toBe('Shell access requires SHELL_INGRESS network connector to be configured on the MicroVM.');
    expect((await refusal(shell(['SHELL_INGRESS', 'ALL_INGRESS']))).message).toContain('ALL_INGRESS cannot be combined');
    expect(Object.keys((await shell(['HTTP_INGRESS', 'SHELL_INGRESS'])).authToken!)).toEqual(['X-aws-proxy-auth']);
  });
});
