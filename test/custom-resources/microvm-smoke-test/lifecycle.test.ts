import { LambdaMicrovmsClient, RunMicrovmCommand } from '@aws-sdk/client-lambda-microvms';
import { EXECUTION_ROLE, LOG_GROUP, SmokeTestedImage } from './smoke-tested-image';
import { decodeSmokeTest } from '../../../src/custom-resources/microvm-smoke-test/contract';
import { SdkAdapter } from '../../../src/custom-resources/microvm-smoke-test/handler/sdk-adapter';
import { SimulatorOptions } from '../../simulator';

let world: SmokeTestedImage;
async function start(options?: SimulatorOptions): Promise<SmokeTestedImage> {
  return world = await SmokeTestedImage.start(options);
}
afterEach(async () => world.stop());

const tags = () => world.simulator.images[0].tags;
const testedTag = () => Object.entries(tags()).filter(([key]) => key.startsWith('microvm-cdk:tested-')).map(([, value]) => value);

describe('a version that works', () => {
  test('passes: one MicroVM is launched, called with a token for one port, and gone when the deployment goes on', async () => {
    const { simulator } = await start();
    const requests: object[] = [];
    simulator.respond('*', ({ method, path, port, imageVersion }) => {
      requests.push({ method, path, port, imageVersion });
      return { body: 'I am fine' };
    });
    const properties = world.properties('1.0', { http: { path: '/health?deep=1', status: 200, bodyContains: 'fine' }, port: 9090 });
    const response = await world.test().create(properties);

    expect(response).toMatchObject({ Status: 'SUCCESS', Data: { ImageVersion: '1.0' } });
    expect(requests).toEqual([{ method: 'GET', path: '/health?deep=1', port: 9090, imageVersion: '1.0' }]);
    expect(world.launches).toBe(1);
    expect(world.running).toEqual([]);
    expect(simulator.calls.of('RunMicrovm')[0].body).toMatchObject({
      imageVersion: '1.0',
      executionRoleArn: EXECUTION_ROLE,
      ingressNetworkConnectors: [expect.stringMatching(/:HTTP_INGRESS$/)],
      logging: { cloudWatch: { logGroup: LOG_GROUP } },
      maximumDurationInSeconds: 360,
    });
    expect(simulator.calls.of('CreateMicrovmAuthToken').map(({ body }) => body!.allowedPorts)).toEqual(expect.arrayContaining([[{ port: 9090 }]]));
  });

  test('is waited for while the endpoint answers 502, and the app 503', async () => {
    const { simulator } = await start();
    const answers = [503, 503, 200];
    simulator.respond('*', () => ({ status: answers.shift() }));
    expect(await world.test().create(world.properties('1.0'))).toMatchObject({ Status: 'SUCCESS' });
    expect(answers).toEqual([]);
    expect(world.launches).toBe(1);
  });

  test('is not tested a second time: an update back to it launches nothing', async () => {
    await start();
    const test = world.test();
    await test.create(world.properties('1.0'));
    await world.build(2);
    expect(await test.update(world.properties('2.0'))).toMatchObject({ Status: 'SUCCESS', Data: { ImageVersion: '2.0' } });
    const launches = world.launches;

    const response = await test.rollBack(world.properties('1.0'));
    expect(response).toMatchObject({ Status: 'SUCCESS', Data: { ImageVersion: '1.0' }, ticks: 1 });
    expect(world.launches).toBe(launches);
  });

  test('is tested again when something else is asked of it', async () => {
    await start();
    const test = world.test();
    await test.create(world.properties('1.0'));
    world.simulator.respond('*', ({ path }) => ({ status: path === '/ready' ? 404 : 200 }));
    expect(await test.update(world.properties('1.0', { http: { path: '/ready', status: 200 } }))).toMatchObject({ Status: 'FAILED' });
    expect(world.launches).toBe(2);
  });

  test('passes although the image takes no tags at that moment, and is then tested again on a rollback', async () => {
    await start();
    const test = world.test();
    const refusal = world.simulator.faults.inject({
      operation: 'TagResource', error: { type: 'ResourceConflictException', message: 'MicroVM Image is already in state: UPDATING', status: 409 },
    });
    expect(await test.create(world.properties('1.0'))).toMatchObject({ Status: 'SUCCESS' });
    expect(refusal.fired).toBe(1);
    expect(testedTag()).toEqual([]);
    expect(await test.rollBack(world.properties('1.0'))).toMatchObject({ Status: 'SUCCESS' });
    expect(testedTag()).toEqual([expect.stringMatching(/^1\.0\/[0-9a-f]{8}$/)]);
  });

  test('is noted with the last twelve, which fit into a tag', async () => {
    await start();
    const test = world.test();
    for (let port = 8001; port <= 8014; port++) {
      expect(await test.create(world.properties('1.0', { port }))).toMatchObject({ Status: 'SUCCESS' });
    }
    const [noted] = testedTag();
    expect(noted.split(' ')).toHaveLength(12);
    await test.create(world.properties('1.0', { port: 8014 }));
    await test.create(world.properties('1.0', { port: 8003 }));
    expect(world.launches).toBe(14);
    await test.create(world.properties('1.0', { port: 8002 }));
    expect(world.launches).toBe(15);
  }, 60_000);

  test('two tests of one image keep apart what they know, and a deleted one takes its note along', async () => {
    await start();
    const [one, two] = [world.test('One'), world.test('Two')];
    await one.create(world.properties('1.0'));
    await two.create(world.properties('1.0', { executionRoleArn: `${EXECUTION_ROLE}-2` }));
    expect(testedTag()).toHaveLength(2);
    await one.delete();
    expect(testedTag()).toHaveLength(1);
  });
});

describe('a version that does not work fails the deployment, with no MicroVM left', () => {
  test.each<[string, { status: number; body: string }, RegExp]>([
    ['another status', { status: 500, body: 'no\ndatabase' }, /GET \/health on port 8080 answered 500 instead of 200: 'no database'/],
    ['a redirect, which is not followed', { status: 302, body: '' }, /answered 302 instead of 200: an empty body/],
    ['another body', { status: 200, body: 'degraded' }, /answered 200 without 'fine' in the body: 'degraded'/],
  ])('%s', async (_what, answer, reason) => {
    const { simulator } = await start();
    const startedAt = simulator.clock.now();
    const group = simulator.logs.get(LOG_GROUP)!;
    simulator.respond('*', ({ microvmId }) => {
      const stream = simulator.logs.stream(group, `2026/11/27[1.0]${microvmId}`, startedAt);
      simulator.logs.append(stream, [{ timestamp: simulator.clock.now(), message: 'cannot reach the database\n' }], simulator.clock.now());
      const neighbour = simulator.logs.stream(group, '2026/11/27[1.0]microvm-of-another-test', startedAt);
      simulator.logs.append(neighbour, [{ timestamp: simulator.clock.now(), message: 'all is well\n' }], simulator.clock.now());
      return answer;
    });
    const response = await world.test().create(world.properties('1.0', { http: { path: '/health', status: 200, bodyContains: 'fine' } }));

    expect(response.Status).toBe('FAILED');
    expect(response.Reason).toMatch(/^Version 1\.0 of MicroVM image 'app-1234abcd-image-5678efab' failed its smoke test: /);
    expect(response.Reason).toMatch(reason);
    expect(response.Reason).toContain('Log group /smoke-test ends: cannot reach the database. Hint: ');
    expect(response.Reason.split('\n')[0]).toContain('Hint: ');
    expect(response.bytes).toBeLessThan(4_096);
    expect(world.running).toEqual([]);
  });

  test('an app that never answers, after the timeout and not much later', async () => {
    const { simulator } = await start();
    simulator.respond('*', () => ({ status: 502 }));
    const begun = simulator.clock.now();
    const response = await world.test().send('Create', world.properties('1.0', { timeoutSeconds: 60 }));
    expect(response.Reason).toMatch(/did not answer \/health on port 8080 within 60 seconds; last: HTTP 502 .*raise the timeout/);
    expect(simulator.clock.now() - begun).toBeLessThan(90_000);
  });

  test('a MicroVM that cannot be reached at all', async () => {
    await start();
    const properties = world.properties('1.0', {
      ingressNetworkConnectors: ['arn:aws:lambda:us-east-1:aws:network-connector:aws-network-connector:NO_INGRESS'],
    });
    expect((await world.test().create(properties)).Reason).toMatch(/last: no connection \(/);
    expect(world.running).toEqual([]);
  });

  test('a MicroVM that ends by itself', async () => {
    const { simulator } = await start();
    simulator.respond('*', () => ({ status: 502 }));
    const test = world.test();
    world.through = (service) => new Proxy(service, {
      get: (target, name) => name !== 'launch' ? Reflect.get(target, name).bind(target) : async (...args: Parameters<typeof service.launch>) => ({
        ...await target.launch(...args), state: 'TERMINATED', stateReason: 'Container Stopped with Exit Code: 1',
      }),
    });
    expect((await test.create(world.properties('1.0'))).Reason).toMatch(/ended before it answered: Container Stopped with Exit Code: 1/);
  });

  test('an endless answer is cut short', async () => {
    const { simulator } = await start();
    simulator.respond('*', () => ({ status: 500, body: 'x'.repeat(1_000_000) }));
    const response = await world.test().create(world.properties('1.0'));
    expect(response.Reason).toContain('xxx...');
    expect(response.bytes).toBeLessThan(4_096);
  });

  test('an answer without an end is read as far as it is judged, and no further', async () => {
    await start();
    let chunks = 0;
    let closed = false;
    const endless = new ReadableStream({
      pull: (controller) => (++chunks < 1_000 ? controller.enqueue(new Uint8Array(1_024).fill(120)) : controller.close()),
      cancel: () => { closed = true; },
    });
    const adapter = new SdkAdapter(undefined, async () => new Response(endless));
    const microvm = await adapter.launch(decodeSmokeTest(world.properties('1.0')), 360, 'token');
    expect(await adapter.callApp(microvm, 8080, { path: '/', status: 200 })).toEqual({ type: 'response', status: 200, body: 'x'.repeat(64 * 1_024) });
    expect([chunks < 100, closed]).toEqual([true, true]);
  });

  test('what the app is handed is in no error and in no log', async () => {
    const { simulator } = await start();
    await world.build(2, { hooks: { port: 9000, readySeconds: 60, runSeconds: 5 } });
    simulator.respond('*', () => ({ status: 500, body: 'got key=abcdef123456' }));
    const response = await world.test().create(world.properties('2.0', { runHookPayload: 'key=abcdef123456' }));
    expect(response.Reason).toContain("'got ***'");
    expect(world.logged.join('')).not.toContain('abcdef123456');
  });
});

describe('the service in a bad moment', () => {
  test('a full quota of memory is waited out', async () => {
    await start();
    const message = 'The base maximum allocated memory limit has been reached for this account.';
    const full = world.simulator.faults.inject({ operation: 'RunMicrovm', error: { type: 'ServiceQuotaExceededException', message, status: 402 }, times: 9 });
    expect(await world.test().create(world.properties('1.0'))).toMatchObject({ Status: 'SUCCESS' });
    expect(full.fired).toBe(9);
    expect(world.running).toEqual([]);
  });

  test('and reported after five minutes', async () => {
    await start();
    world.simulator.quotas.memoryMiB = 0;
    const begun = world.simulator.clock.now();
    const response = await world.test().send('Create', world.properties('1.0'));
    expect(response.Reason).toMatch(/could not be tested: RunMicrovm was refused: The base maximum allocated memory limit.*L-CD1C0CC4/);
    expect(world.simulator.clock.now() - begun).toBeLessThan(6 * 60_000);
  });

  test('throttles, gateway pages and lost answers of every call cost nothing but time', async () => {
    await start();
    for (const operation of ['ListMicrovms', 'CreateMicrovmAuthToken', 'TagResource', 'TerminateMicrovm']) {
      world.simulator.faults.inject({ operation, throttle: true, times: 2 });
      world.simulator.faults.inject({ operation, http502: true, times: 2 });
    }
    world.simulator.faults.inject({ operation: 'RunMicrovm', lostResponse: true, times: 3 });
    expect(await world.test().create(world.properties('1.0'))).toMatchObject({ Status: 'SUCCESS' });
    expect(world.launches).toBe(1);
    expect(world.running).toEqual([]);
  }, 60_000);

  test('a role whose policy is on its way is given two minutes', async () => {
    await start();
    world.simulator.faults.inject({ operation: 'RunMicrovm', error: { type: 'AccessDeniedException', message: 'no', status: 403 }, times: 10 });
    expect(await world.test().create(world.properties('1.0'))).toMatchObject({ Status: 'SUCCESS' });
    world.simulator.faults.inject({ operation: 'RunMicrovm', error: { type: 'AccessDeniedException', message: 'no', status: 403 }, times: 1_000 });
    expect((await world.test('Other').send('Create', world.properties('1.0', { executionRoleArn: `${EXECUTION_ROLE}-2` }))).Reason).toMatch(/RunMicrovm was refused: no\. Hint: look for a permissions boundary/);
  });

  test('a version that is not there is named', async () => {
    await start();
    expect((await world.test().send('Create', world.properties('7.0'))).Reason).toMatch(/No active version found for MicroVM image .* and version 7\.0/);
  });

  test('a list that does not show the MicroVM yet launches no second one', async () => {
    await start();
    world.simulator.respond('*', () => ({ status: 503 }));
    world.through = (service) => new Proxy(service, {
      get: (target, name) => (name === 'listMicrovms' ? async () => [] : Reflect.get(target, name).bind(target)),
    });
    expect((await world.test().create(world.properties('1.0'))).Reason).toMatch(/did not answer/);
    expect(world.launches).toBe(1);
  });

  test('notes that show late do not fail a version that passed', async () => {
    await start({ readings: { staleReadsAfterWrite: 2 } });
    expect(await world.test().create(world.properties('1.0'))).toMatchObject({ Status: 'SUCCESS' });
    expect(world.launches).toBe(1);
  });
});

describe('what is left of a run that was killed', () => {
  async function leaveOne(imageVersion = '1.0', executionRoleArn = EXECUTION_ROLE): Promise<string> {
    const { microvmId } = await new LambdaMicrovmsClient({}).send(new RunMicrovmCommand({
      imageIdentifier: world.imageArn, imageVersion, executionRoleArn, maximumDurationInSeconds: 360,
    }));
    await world.simulator.clock.advance(60_000);
    return microvmId!;
  }

  test('is ended by the next deployment before it launches its own', async () => {
    await start();
    await leaveOne();
    world.simulator.calls.clear();
    expect(await world.test().create(world.properties('1.0'))).toMatchObject({ Status: 'SUCCESS' });
    expect(world.simulator.calls.mutations().map(({ operation }) => operation).slice(0, 2)).toEqual(['TerminateMicrovm', 'RunMicrovm']);
    expect(world.running).toEqual([]);
    expect(world.launches).toBe(2);
  });

  test('is ended by a rollback, which launches none', async () => {
    await start();
    const test = world.test();
    await test.create(world.properties('1.0'));
    await world.build(2);
    await leaveOne('2.0');
    expect(await test.rollBack(world.properties('1.0'))).toMatchObject({ Status: 'SUCCESS' });
    expect(world.running).toEqual([]);
    expect(world.launches).toBe(2);
  });

  test('is ended by a delete, and MicroVMs of others are not', async () => {
    await start();
    const test = world.test();
    await test.create(world.properties('1.0'));
    await leaveOne();
    const foreign = await leaveOne('1.0', `${EXECUTION_ROLE}-of-another`);
    expect(await test.delete()).toMatchObject({ Status: 'SUCCESS' });
    expect(world.running).toEqual([foreign]);
  });

  test('does not hold up a delete when the handler may no longer look', async () => {
    await start();
    const test = world.test();
    await test.create(world.properties('1.0'));
    world.simulator.faults.inject({ operation: '*', error: { type: 'AccessDeniedException', message: 'no', status: 403 }, times: 100 });
    expect(await test.delete()).toMatchObject({ Status: 'SUCCESS', ticks: 1 });
  });
});
