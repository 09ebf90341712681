import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import * as sdk from '@aws-sdk/client-lambda-microvms';
import { MicrovmSimulator } from '../index';
import { isAlive, refusal, World, zip } from './world';

let world: World;

beforeEach(async () => { world = await World.start(); });
afterEach(() => world.sim.stop());

describe('time', () => {
  test('the clock stands still by itself and only moves forward', async () => {
    const before = world.sim.clock.now();
    await world.create('app');
    await world.image('app');
    expect(world.sim.clock.now()).toBe(before);
    await expect(world.sim.clock.advance(-1)).rejects.toThrow('forward');
    world.sim.clock.autoAdvancePerCall = 1_000;
    await world.image('app');
    expect(world.sim.clock.now()).toBe(before + 1_000);
  });

  test('a clock that follows real time catches up with it before a call, and never goes back', async () => {
    await world.sim.stop();
    const start = Date.now();
    world = await World.start({ startAt: start - 60_000 });
    world.sim.clock.followsRealTime = true;
    expect(world.sim.clock.now()).toBe(start - 60_000);
    await world.create('app');
    expect(world.sim.clock.now()).toBeGreaterThanOrEqual(start);
    await world.sim.clock.advance(3_600_000);
    const ahead = world.sim.clock.now();
    await world.image('app');
    expect(world.sim.clock.now()).toBe(ahead);
  });

  test('counted reads move a build on without any clock', async () => {
    await world.sim.stop();
    world = await World.start({ advance: { mode: 'reads', reads: 3 } });
    await world.create('app');
    const states = [];
    for (let read = 0; read < 3; read++) {
      states.push((await world.version('app', '1.0')).state);
    }
    expect(states).toEqual(['PENDING', 'IN_PROGRESS', 'SUCCESSFUL']);
    await world.deleteImage('app');
    await world.image('app');
    await world.image('app');
    expect((await refusal(world.image('app'))).status).toBe(404);
  });

  test('reads of one image do not move another', async () => {
    await world.sim.stop();
    world = await World.start({ advance: { mode: 'reads', reads: 2 } });
    await world.create('a');
    await world.create('b');
    await world.image('b');
    expect(world.sim.images.map(({ state }) => state)).toEqual(['CREATING', 'CREATING']);
    await world.image('b');
    expect(world.sim.images.map(({ state }) => state)).toEqual(['CREATING', 'CREATED']);
    await world.client.send(new sdk.ListMicrovmImagesCommand({}));
    await world.client.send(new sdk.ListMicrovmImagesCommand({}));
    expect(world.sim.images.map(({ state }) => state)).toEqual(['CREATED', 'CREATED']);
  });

  test('refused calls count as reads too, so a caller that only retries gets through', async () => {
    await world.sim.stop();
    world = await World.start({ advance: { mode: 'reads', reads: 3 } });
    await world.create('app');
    const tries = [await refusal(world.update('app')), await refusal(world.update('app'))];
    expect(tries.map(({ status }) => status)).toEqual([409, 409]);
    expect((await world.update('app')).imageVersion).toBe('2.0');
  });

  test('a plan sets how long one build takes, in reads or in virtual time', async () => {
    world.sim.builds.plan({ image: 'app', reads: 1 });
    world.sim.builds.plan({ image: 'app', durationMs: 10 });
    await world.create('app');
    expect((await world.image('app')).state).toBe('CREATED');
    await world.update('app');
    await world.sim.clock.advance(10);
    expect((await world.image('app')).state).toBe('UPDATED');
  });

  test('eventual consistency: reads after a write can be stale', async () => {
    world.sim.readings.staleReadsAfterWrite = 1;
    await world.create('app');
    expect((await refusal(world.image('app'))).status).toBe(404);
    expect((await world.image('app')).state).toBe('CREATING');
    await world.settle();
    await world.update('app');
    expect((await world.image('app')).state).toBe('CREATED');
    expect((await world.image('app')).state).toBe('UPDATING');
  });
});

describe('faults', () => {
  test('an error strikes as often as asked, after the calls it lets through, and changes nothing', async () => {
    const fault = world.sim.faults.inject({ operation: 'CreateMicrovmImage', skip: 1, times: 2, error: { type: 'InternalServerException', message: null } });
    await world.create('a');
    expect((await refusal(world.create('b'))).name).toBe('InternalServerException');
    expect((await refusal(world.create('b'))).status).toBe(500);
    await world.create('b');
    expect(fault.fired).toBe(2);
    expect(world.sim.images.map(({ name }) => name)).toEqual(['a', 'b']);
  });

  test('it can be meant for one image, or for what a condition says', async () => {
    await world.built('app');
    await world.built('other');
    world.sim.faults.inject({ operation: '*', resource: 'microvm-image:app', times: 99, error: { type: 'ConflictException' } });
    expect((await refusal(world.image('app'))).status).toBe(409);
    await world.image('other');
    world.sim.faults.inject({ operation: 'CreateMicrovmImage', when: ({ body }) => body?.name === 'third', error: { type: 'ConflictException' } });
    await world.create('second');
    expect((await refusal(world.create('third'))).status).toBe(409);
    world.sim.faults.clear();
    await world.create('third');
  });

  test('4.3 the gateway answers HTML 502, which the SDK retries', async () => {
    await world.built('app');
    world.sim.faults.inject({ operation: 'GetMicrovmImage', http502: true, times: 2 });
    expect((await refusal(world.image('app'))).status).toBe(502);
    const patient = world.clientWith({ maxAttempts: 3, retryMode: 'standard' });
    const image = await patient.send(new sdk.GetMicrovmImageCommand({ imageIdentifier: world.arn('app') }));
    expect(image.$metadata.attempts).toBe(2);
    expect(world.sim.calls.of('GetMicrovmImage').map(({ outcome }) => outcome.status)).toEqual([502, 502, 200]);
  });

  test('3.1 throttling is 429 with retry-after, in the vocabulary of the operation', async () => {
    await world.built('app');
    world.sim.faults.inject({ operation: 'GetMicrovmImage', throttle: { retryAfterSeconds: 7 } });
    world.sim.faults.inject({ operation: 'ListTags', throttle: true });
    const error: any = await world.image('app').catch((thrown) => thrown);
    expect([error.name, error.$metadata.httpStatusCode, error.$response.headers['retry-after']]).toEqual(['ThrottlingException', 429, '7']);
    expect((await refusal(world.client.send(new sdk.ListTagsCommand({ Resource: world.arn('app') })))).name).toBe('TooManyRequestsException');
  });

  test('a lost response comes after the effect, and the retry with the same token replays it', async () => {
    await world.built('app');
    world.sim.faults.inject({ operation: 'UpdateMicrovmImage', lostResponse: true });
    const client = world.clientWith({ maxAttempts: 2 });
    const updated = await client.send(new sdk.UpdateMicrovmImageCommand({ ...world.config, imageIdentifier: world.arn('app') }));
    expect([updated.imageVersion, updated.$metadata.attempts]).toEqual(['2.0', 2]);
    expect(world.sim.images[0].versions).toHaveLength(2);
  });

  test('a 502 can also hide a success', async () => {
    world.sim.faults.inject({ operation: 'CreateMicrovmImage', http502AfterEffect: true });
    expect((await refusal(world.create('app'))).status).toBe(502);
    expect(world.sim.images.map(({ name }) => name)).toEqual(['app']);
  });

  test('an answer can be held while others go on, and so can the work', async () => {
    const answer = world.sim.faults.inject({ operation: 'CreateMicrovmImage', hold: true });
    const slow = world.create('a');
    while (world.sim.images.length === 0) {
      await world.client.send(new sdk.ListMicrovmImagesCommand({}));
    }
    answer.release();
    expect((await slow).name).toBe('a');
    const work = world.sim.faults.inject({ operation: 'CreateMicrovmImage', hold: 'before' });
    const late = world.create('b');
    while (work.fired === 0) {
      await world.image('a');
    }
    expect(world.sim.images.map(({ name }) => name)).toEqual(['a']);
    work.release();
    expect((await late).name).toBe('b');
  });

  test('stopping ends held and slow answers at once', async () => {
    world.sim.faults.inject({ operation: 'ListMicrovmImages', hold: true });
    world.sim.faults.inject({ operation: 'ListMicrovms', slowMs: 9_000 });
    const calls = [world.client.send(new sdk.ListMicrovmImagesCommand({})), world.client.send(new sdk.ListMicrovmsCommand({}))]
      .map((call) => call.then(() => 'answered', () => 'cut'));
    while (world.sim.calls.count('ListMicrovmImages', 'ListMicrovms') < 2) {
      await world.client.send(new sdk.ListManagedMicrovmImagesCommand({}));
    }
    await world.sim.stop();
    // Well before the 9 s of the slow one, or this test runs out of its time.
    expect(await Promise.all(calls)).toHaveLength(2);
    world = await World.start();
  });

  test('an unsupported region is access denied without a text', async () => {
    world.sim.faults.inject({ operation: '*', error: { type: 'AccessDeniedException', message: null } });
    const response = await world.client.send(new sdk.ListMicrovmImagesCommand({})).catch((error) => error);
    expect([response.name, response.$metadata.httpStatusCode]).toEqual(['AccessDeniedException', 403]);
  });
});

describe('bookkeeping', () => {
  test('the log counts, selects mutations and can be cleared', async () => {
    await world.built('app');
    await refusal(world.create('app'));
    await world.image('app');
    expect(world.sim.calls.count('CreateMicrovmImage')).toBe(2);
    expect(world.sim.calls.mutations()).toHaveLength(1);
    expect(world.sim.calls.of('CreateMicrovmImage')[1].outcome).toMatchObject({ status: 400, errorType: 'ValidationException' });
    world.sim.calls.clear();
    expect(world.sim.calls.count()).toBe(0);
  });

  test('a reset leaves an empty account with default readings on the same endpoint', async () => {
    const { endpoint } = world.sim;
    await world.built('app');
    const { endpoint: host } = await world.run('app');
    world.sim.readings.updateFailedLaunches = true;
    await world.sim.reset();
    expect([world.sim.images, world.sim.microvms, world.sim.calls.all]).toEqual([[], [], []]);
    expect(world.sim.readings.updateFailedLaunches).toBe(false);
    await expect(fetch(`http://${host}`)).rejects.toThrow();
    expect(world.sim.endpoint).toBe(endpoint);
    await world.built('app');
  });

  test('it listens on loopback only', () => {
    expect(world.sim.endpoint).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  test('a port in use is an error', async () => {
    await expect(MicrovmSimulator.start({ port: Number(new URL(world.sim.endpoint).port) })).rejects.toThrow('EADDRINUSE');
  });
});

describe('the control API', () => {
  async function control(path: string, body?: unknown): Promise<any> {
    const response = await fetch(`${world.sim.endpoint}/_simulator/${path}`, body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) });
    return response.json();
  }

  test('another process can put artifacts, plan, advance and look', async () => {
    expect(await control('health')).toMatchObject({ status: 'ok', region: 'us-east-1' });
    await control('artifacts', { uri: 's3://b/k', base64: Buffer.from(zip({ Dockerfile: 'FROM a' })).toString('base64') });
    await control('builds/plan', { image: 'app', failure: { kind: 'ready-timeout' } });
    await world.create('app', { codeArtifact: { uri: 's3://b/k' } });
    await control('clock/advance', { ms: 150_000 });
    expect(await control('images')).toMatchObject([{
      name: 'app', state: 'CREATE_FAILED', versions: [{ builds: [{ stateReason: 'Ready hook invocation timed out after PT30S' }, {}] }],
    }]);
    expect((await control('calls')).map(({ operation }: any) => operation)).toEqual(['CreateMicrovmImage']);
    await control('calls/clear', {});
    expect(await control('calls')).toEqual([]);
  });

  test('another process can inject faults, limit roles, change readings and quotas, and play the app', async () => {
    await world.built('app');
    await control('faults', { operation: 'GetMicrovmImage', http502: true });
    expect((await refusal(world.image('app'))).status).toBe(502);
    await control('readings', { tagsOnGetImage: false });
    expect(world.sim.readings.tagsOnGetImage).toBe(false);
    await control('quotas', { images: 1 });
    expect((await refusal(world.create('b'))).status).toBe(402);
    await control('build-roles', { roleArn: world.config.buildRoleArn, read: [] });
    await world.rebuilt('app');
    expect((await world.builds('app', '2.0'))[0].stateReason).toMatch(/^S3_ACCESS_DENIED/);
    await control('readings', { updateFailedLaunches: true });
    await control('respond', { image: 'app', status: 418, body: 'teapot' });
    const { microvmId, endpoint } = await world.run('app');
    await world.sim.clock.advance(2_000);
    expect(await world.ask(endpoint!, await world.token(microvmId!))).toEqual([418, 'teapot']);
    expect(await control('endpoint-ca')).toEqual({ pem: world.sim.endpointCa });
    expect(await control('microvms')).toMatchObject([{ microvmId, state: 'RUNNING' }]);
    await control('reset', {});
    expect(await control('images')).toEqual([]);
  });

  test('an unknown control is 404 and lists those there are, bad input is 400', async () => {
    expect((await control('nonsense')).controls).toContain('POST builds/plan');
    const response = await fetch(`${world.sim.endpoint}/_simulator/clock/advance`, { method: 'POST', body: '{"ms":-1}' });
    expect(response.status).toBe(400);
  });
});

describe('the standalone server', () => {
  const root = join(__dirname, '..', '..', '..');

  /** Starts it, and ends it with the signal when the work is done. */
  async function served(
    args: string[], work: (endpoint: string, client: sdk.LambdaMicrovmsClient) => Promise<void>, signal: NodeJS.Signals = 'SIGTERM',
  ): Promise<number | null> {
    const child = spawn(process.execPath, ['--import', 'tsx', join(root, 'test/simulator/serve.ts'), '--port', '0', ...args], { cwd: root });
    try {
      const [line] = await once(child.stdout, 'data');
      const endpoint = /^MicroVMs simulator listening on (http:\/\/127\.0\.0\.1:\d+)\n$/.exec(String(line))![1];
      await work(endpoint, world.clientWith({ endpoint }));
    } finally {
      child.kill(signal);
      await once(child, 'exit');
    }
    return child.exitCode;
  }

  const build = async (endpoint: string, client: sdk.LambdaMicrovmsClient, files: Record<string, string>) => {
    const base64 = Buffer.from(zip(files)).toString('base64');
    await fetch(`${endpoint}/_simulator/artifacts`, { method: 'POST', body: JSON.stringify({ uri: world.config.codeArtifact.uri, base64 }) });
    await client.send(new sdk.CreateMicrovmImageCommand({ ...world.config, name: 'app' }));
    await client.send(new sdk.GetMicrovmImageCommand({ imageIdentifier: world.arn('app') }));
    return client.send(new sdk.GetMicrovmImageCommand({ imageIdentifier: world.arn('app') }));
  };

  test('prints its address, serves a poller by reads and ends on SIGTERM', async () => {
    const exitCode = await served(['--reads', '2'], async (endpoint, client) => {
      expect((await build(endpoint, client, { Dockerfile: 'FROM a' })).state).toBe('CREATED');
    });
    expect(exitCode).toBe(0);
  });

  test('in process mode it runs the app of the image, and hands out the CA that callers must trust', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'simulator-ca-'));
    const ca = join(folder, 'ca.pem');
    const app = 'require("http").createServer((_, response) => response.end("from the app")).listen(8080)';
    const exitCode = await served(['--reads', '2', '--processes', '--ca-file', ca], async (endpoint, client) => {
      expect((await build(endpoint, client, { 'Dockerfile': 'FROM a\nCOPY app.js .\nCMD ["node", "app.js"]', 'app.js': app })).state).toBe('CREATED');
      const microvm = await client.send(new sdk.RunMicrovmCommand({ imageIdentifier: world.arn('app') }));
      const { authToken } = await client.send(new sdk.CreateMicrovmAuthTokenCommand({
        microvmIdentifier: microvm.microvmId, allowedPorts: [{ port: 8080 }], expirationInMinutes: 1,
      }));
      // As a deployed function would: it knows the endpoint, the token and one more variable.
      const script = `const call = async (tries) => {
        const response = await fetch('https://${microvm.endpoint}/', { headers: ${JSON.stringify(authToken)} });
        return response.status === 502 && tries > 0 ? call(tries - 1) : response.text();
      };
      call(1000).then(console.log);`;
      const caller = spawn(process.execPath, ['-e', script], { env: { PATH: process.env.PATH, NODE_EXTRA_CA_CERTS: ca } });
      const printed = await once(caller.stdout, 'data');
      expect(String(printed)).toBe('from the app\n');
    });
    rmSync(folder, { recursive: true });
    expect(exitCode).toBe(0);
  }, 20_000);

  test('however it ends, what it started ends with it, suspended or not', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'simulator-guests-'));
    const app = `require("fs").writeFileSync(${JSON.stringify(folder)} + "/" + process.pid, ""); require("http").createServer().listen(8080)`;
    const pids = () => readdirSync(folder).map(Number).filter((pid) => isAlive(pid));
    await served(['--reads', '2', '--processes'], async (endpoint, client) => {
      await build(endpoint, client, { 'Dockerfile': 'FROM a\nCOPY app.js .\nCMD ["node", "app.js"]', 'app.js': app });
      for (const isSuspended of [false, true]) {
        const { microvmId: microvmIdentifier } = await client.send(new sdk.RunMicrovmCommand({ imageIdentifier: world.arn('app') }));
        const show = () => client.send(new sdk.GetMicrovmCommand({ microvmIdentifier }));
        while ((await show()).state !== 'RUNNING') { /* each read moves it on */ }
        if (isSuspended) {
          await client.send(new sdk.SuspendMicrovmCommand({ microvmIdentifier }));
          while ((await show()).state !== 'SUSPENDED') { /* each read moves it on */ }
        }
      }
      expect(pids()).toHaveLength(2);
    }, 'SIGKILL');
    for (let poll = 0; poll < 100 && pids().length > 0; poll++) {
      await delay(50);
    }
    expect(pids()).toEqual([]);
    rmSync(folder, { recursive: true });
  }, 30_000);
});
