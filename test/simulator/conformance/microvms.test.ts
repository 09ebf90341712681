import { X509Certificate } from 'node:crypto';
import * as sdk from '@aws-sdk/client-lambda-microvms';
import { ask as askAt, connector, refusal, World } from './world';

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

/** Asks for it, and answers the state it shows at once. */
async function suspend(microvmIdentifier: string) {
  await world.client.send(new sdk.SuspendMicrovmCommand({ microvmIdentifier }));
  return (await get(microvmIdentifier)).state;
}

async function resume(microvmIdentifier: string) {
  await world.client.send(new sdk.ResumeMicrovmCommand({ microvmIdentifier }));
  return (await get(microvmIdentifier)).state;
}

/** The state after each of these advances of the clock. */
async function statesAfter(microvmIdentifier: string, advances: number[]) {
  const states = [];
  for (const ms of advances) {
    await world.sim.clock.advance(ms);
    states.push((await get(microvmIdentifier)).state);
  }
  return states;
}

const APP_PORT: sdk.PortSpecification[] = [{ port: 8080 }];

async function token(microvmIdentifier: string, allowedPorts = APP_PORT, expirationInMinutes = 15): Promise<Record<string, string>> {
  const { authToken } = await world.client.send(new sdk.CreateMicrovmAuthTokenCommand({ microvmIdentifier, allowedPorts, expirationInMinutes }));
  return authToken!;
}

const ask = (host: string, headers: Record<string, string>, path?: string) => askAt(world.sim, host, headers, path);

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

  test('7.5 a suspend passes SUSPENDING, a resume stays SUSPENDED until it runs, and both are idempotent', async () => {
    const { id } = await launched();
    const states = [await suspend(id), await suspend(id)];
    await world.sim.clock.advance(1_500);
    states.push(await suspend(id), await resume(id), await resume(id));
    await world.sim.clock.advance(1_200);
    states.push(await resume(id));
    expect(states).toEqual(['SUSPENDING', 'SUSPENDING', 'SUSPENDED', 'SUSPENDED', 'SUSPENDED', 'RUNNING']);
  });

  test('5.2 suspend and resume are 409 where another change is under way, and both are 400 after a terminate', async () => {
    const microvmIdentifier = (await world.run('app')).microvmId!;
    const refused = [await refusal(suspend(microvmIdentifier)), await refusal(resume(microvmIdentifier))];
    await world.sim.clock.advance(2_000);
    await suspend(microvmIdentifier);
    refused.push(await refusal(resume(microvmIdentifier)));
    await world.sim.clock.advance(1_500);
    await resume(microvmIdentifier);
    refused.push(await refusal(suspend(microvmIdentifier)));
    expect(refused.map(({ name, status, message }) => [name, status, message.split(': ')[1]])).toEqual([
      ['ConflictException', 409, 'PENDING'], ['ConflictException', 409, 'PENDING'], ['ConflictException', 409, 'SUSPENDING'], ['ConflictException', 409, 'RESUMING'],
    ]);
    await world.terminate(microvmIdentifier);
    expect(await refusal(suspend(microvmIdentifier))).toMatchObject(INVALID);
    expect(await refusal(resume(microvmIdentifier))).toMatchObject(INVALID);
  });

  test('7.5 an idle MicroVM is suspended, and terminated when it was suspended too long', async () => {
    const { id } = await launched({ idlePolicy: { maxIdleDurationSeconds: 60, suspendedDurationSeconds: 100, autoResumeEnabled: false } });
    const states = await statesAfter(id, [59_999, 1, 1_500, 99_999, 1, 3_000]);
    expect(states).toEqual(['RUNNING', 'SUSPENDING', 'SUSPENDED', 'SUSPENDED', 'TERMINATING', 'TERMINATED']);
    expect((await get(id)).stateReason).toBe('Success.');
  });

  test('7.5 however far the clock leaps, each thing happens at its time', async () => {
    const { id } = await launched({ idlePolicy: { maxIdleDurationSeconds: 60, suspendedDurationSeconds: 100, autoResumeEnabled: false } });
    const running = world.sim.clock.now();
    await world.sim.clock.advance(24 * 3_600_000);
    expect((await get(id)).terminatedAt).toEqual(new Date(running + 60_000 + 1_500 + 100_000 + 3_000));
  });

  test('7.5 traffic keeps a MicroVM awake, and nothing else does', async () => {
    const { id, host } = await launched({ idlePolicy: { maxIdleDurationSeconds: 60, suspendedDurationSeconds: 100, autoResumeEnabled: false } });
    const auth = await token(id);
    await world.sim.clock.advance(40_000);
    await ask(host, auth);
    await world.sim.clock.advance(40_000);
    expect((await get(id)).state).toBe('RUNNING');
    await ask(host, {});
    await ask(host, { ...auth, 'x-aws-proxy-port': '9000' });
    await token(id);
    await world.sim.clock.advance(20_000);
    expect((await get(id)).state).toBe('SUSPENDING');
  });

  test('7.5 with a suspended duration of 0 a suspend is the end', async () => {
    const policy = { maxIdleDurationSeconds: 60, suspendedDurationSeconds: 0, autoResumeEnabled: true };
    const asked = await launched({ idlePolicy: policy });
    await suspend(asked.id);
    expect(await statesAfter(asked.id, [1_500, 3_000])).toEqual(['TERMINATING', 'TERMINATED']);
    const idle = await launched({ idlePolicy: policy });
    expect(await statesAfter(idle.id, [60_000, 1_500, 3_000])).toEqual(['SUSPENDING', 'TERMINATING', 'TERMINATED']);
  });

  test('7.5 without an idle policy nothing but the maximum duration ends a suspended MicroVM', async () => {
    const { id } = await launched();
    await suspend(id);
    expect(await statesAfter(id, [8 * 3_600_000 - 2_001, 1, 3_000])).toEqual(['SUSPENDED', 'TERMINATING', 'TERMINATED']);
  });

  test('7.5 the maximum duration ends a MicroVM, suspended time included', async () => {
    const { id } = await launched({ maximumDurationInSeconds: 100 });
    await suspend(id);
    await world.sim.clock.advance(50_000);
    await resume(id);
    expect(await statesAfter(id, [47_999, 1, 3_000])).toEqual(['RUNNING', 'TERMINATING', 'TERMINATED']);
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
  async function suspended(autoResumeEnabled: boolean) {
    const microvm = await launched({ idlePolicy: { maxIdleDurationSeconds: 600, suspendedDurationSeconds: 600, autoResumeEnabled } });
    await suspend(microvm.id);
    await world.sim.clock.advance(1_500);
    return microvm;
  }

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

  test('11.1 while it is restored by a resume a MicroVM is an empty 502', async () => {
    const { id, host } = await launched();
    await suspend(id);
    await world.sim.clock.advance(1_500);
    const auth = await token(id);
    expect(await ask(host, auth)).toEqual([502, '']);
    await resume(id);
    expect(await ask(host, auth)).toEqual([502, '']);
    await world.sim.clock.advance(1_200);
    expect((await ask(host, auth))[0]).toBe(200);
  });

  test('7.5 traffic resumes a suspended MicroVM where auto-resume is on: the request is held until it runs', async () => {
    const { id, host } = await suspended(true);
    const auth = await token(id);
    expect((await Promise.all([ask(host, auth), ask(host, auth)])).map(([status]) => status)).toEqual([200, 200]);
    expect((await get(id)).state).toBe('RUNNING');
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
    expect((await get(id)).state).toBe('SUSPENDED');
    await world.sim.clock.advance(600_000);
    expect((await get(id)).state).toBe('TERMINATING');
    expect((await refusal(token(id))).status).toBe(400);
  });

  test('19.16 requests come after the run hook, and in the other reading before it', async () => {
    const microvm = await world.run('app');
    const auth = await token(microvm.microvmId!);
    expect((await ask(microvm.endpoint!, auth))[0]).toBe(502);
    world.sim.readings.trafficOvertakesRun = true;
    expect((await ask(microvm.endpoint!, auth))[0]).toBe(200);
    expect((await get(microvm.microvmId!)).state).toBe('PENDING');
  });

  test('11.1 an endpoint speaks TLS with a certificate of the throw-away CA, and nothing else trusts it', async () => {
    const { id, host } = await launched();
    const auth = await token(id);
    expect((await ask(host, auth))[0]).toBe(200);
    await expect(fetch(`https://${host}/`, { headers: auth })).rejects.toMatchObject({ cause: { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' } });
    await expect(fetch(`http://${host}/`, { headers: auth })).rejects.toThrow();
    expect(new X509Certificate(world.sim.endpointCa)).toMatchObject({ ca: true, subject: expect.stringContaining('throw-away') });
  });

  test('2.2 SHELL_INGRESS alone lets no request in', async () => {
    const { id, host } = await launched({ ingressNetworkConnectors: [connector('SHELL_INGRESS')] });
    const auth = await token(id);
    await expect(ask(host, auth)).rejects.toThrow();
  });

  test('11.1 a token for a shell opens no other port', async () => {
    const { id, host } = await launched({ ingressNetworkConnectors: ['HTTP_INGRESS', 'SHELL_INGRESS'].map(connector) });
    const { authToken } = await world.client.send(new sdk.CreateMicrovmShellAuthTokenCommand({ microvmIdentifier: id, expirationInMinutes: 5 }));
    expect(await ask(host, authToken!)).toEqual([403, 'Access to port denied']);
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
