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

const get = (id: string) => world.microvm(id);
const list = (more: sdk.ListMicrovmsCommandInput = {}) => world.client.send(new sdk.ListMicrovmsCommand(more));
const suspend = (id: string) => world.suspend(id);
const resume = (id: string) => world.resume(id);

/** The state after each of these advances of the clock. */
async function statesAfter(microvmIdentifier: string, advances: number[]) {
  const states = [];
  for (const ms of advances) {
    await world.sim.clock.advance(ms);
    states.push((await get(microvmIdentifier)).state);
  }
  return states;
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
    const { id } = await world.launched({ executionRoleArn: ROLE });
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
    const { id } = await world.launched();
    await world.terminate(id);
    await world.sim.clock.advance(3_000);
    expect(await refusal(world.client.send(new sdk.SuspendMicrovmCommand({ microvmIdentifier: id })))).toEqual({
      ...INVALID, message: `The MicroVM ${id} has been terminated and its state cannot be changed.`,
    });
  });

  test('7.5 a suspend passes SUSPENDING, a resume stays SUSPENDED until it runs, and both are idempotent', async () => {
    const { id } = await world.launched();
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
    const { id } = await world.launched({ idlePolicy: { maxIdleDurationSeconds: 60, suspendedDurationSeconds: 100, autoResumeEnabled: false } });
    const states = await statesAfter(id, [59_999, 1, 1_500, 99_999, 1, 3_000]);
    expect(states).toEqual(['RUNNING', 'SUSPENDING', 'SUSPENDED', 'SUSPENDED', 'TERMINATING', 'TERMINATED']);
    expect((await get(id)).stateReason).toBe('Success.');
  });

  test('7.5 however far the clock leaps, each thing happens at its time', async () => {
    const { id } = await world.launched({ idlePolicy: { maxIdleDurationSeconds: 60, suspendedDurationSeconds: 100, autoResumeEnabled: false } });
    const running = world.sim.clock.now();
    await world.sim.clock.advance(24 * 3_600_000);
    expect((await get(id)).terminatedAt).toEqual(new Date(running + 60_000 + 1_500 + 100_000 + 3_000));
  });

  test('7.5 traffic keeps a MicroVM awake, and nothing else does', async () => {
    const idlePolicy = { maxIdleDurationSeconds: 60, suspendedDurationSeconds: 100, autoResumeEnabled: false };
    const { id, host } = await world.launched({ idlePolicy });
    const auth = await world.token(id);
    await world.sim.clock.advance(40_000);
    await world.ask(host, auth);
    await world.sim.clock.advance(40_000);
    expect((await get(id)).state).toBe('RUNNING');
    await world.ask(host, {});
    await world.ask(host, { ...auth, 'x-aws-proxy-port': '9000' });
    await world.token(id);
    await world.sim.clock.advance(20_000);
    expect((await get(id)).state).toBe('SUSPENDING');
  });

  test('7.5 with a suspended duration of 0 a suspend is the end', async () => {
    const policy = { maxIdleDurationSeconds: 60, suspendedDurationSeconds: 0, autoResumeEnabled: true };
    const asked = await world.launched({ idlePolicy: policy });
    await suspend(asked.id);
    expect(await statesAfter(asked.id, [1_500, 3_000])).toEqual(['TERMINATING', 'TERMINATED']);
    const idle = await world.launched({ idlePolicy: policy });
    expect(await statesAfter(idle.id, [60_000, 1_500, 3_000])).toEqual(['SUSPENDING', 'TERMINATING', 'TERMINATED']);
  });

  test('7.5 without an idle policy nothing but the maximum duration ends a suspended MicroVM', async () => {
    const { id } = await world.launched();
    await suspend(id);
    expect(await statesAfter(id, [8 * 3_600_000 - 2_001, 1, 3_000])).toEqual(['SUSPENDED', 'TERMINATING', 'TERMINATED']);
  });

  test('7.5 the maximum duration ends a MicroVM that still starts, or is about to be suspended', async () => {
    const { microvmId } = await world.run('app', { maximumDurationInSeconds: 1 });
    expect(await statesAfter(microvmId!, [999, 1, 3_000])).toEqual(['PENDING', 'TERMINATING', 'TERMINATED']);
    const { id } = await world.launched({ maximumDurationInSeconds: 3 });
    await suspend(id);
    expect(await statesAfter(id, [999, 1, 3_000])).toEqual(['SUSPENDING', 'TERMINATING', 'TERMINATED']);
  });

  test('7.5 the maximum duration ends a MicroVM, suspended time included', async () => {
    const { id } = await world.launched({ maximumDurationInSeconds: 100 });
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
    const { id } = await world.launched();
    await world.terminate(id);
    await world.sim.clock.advance(3_000);
    expect((await list()).items).toHaveLength(1);
    await world.sim.clock.advance(20 * 60_000);
    expect((await list()).items).toHaveLength(0);
  });
});
