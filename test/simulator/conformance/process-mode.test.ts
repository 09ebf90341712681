import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as sdk from '@aws-sdk/client-lambda-microvms';
import { ARTIFACT, isAlive, World, zip } from './world';

let world: World;

beforeEach(async () => { world = await World.start({ guests: { mode: 'process' } }); });
afterEach(() => world.sim.stop());

const ROLE = 'arn:aws:iam::000000000000:role/run';
const GROUP = '/aws/lambda-microvms/app';
const HOOKS = '/aws/lambda-microvms/runtime/v1/';
const ALL_HOOKS = {
  port: 9000,
  microvmImageHooks: { ready: 'ENABLED', readyTimeoutInSeconds: 20, validate: 'ENABLED', validateTimeoutInSeconds: 20 },
  microvmHooks: Object.fromEntries(['run', 'resume', 'suspend', 'terminate'].flatMap((hook) => [[hook, 'ENABLED'], [`${hook}TimeoutInSeconds`, 20]])),
} satisfies sdk.Hooks;

const DOCKERFILE = 'FROM base\nWORKDIR /srv\nCOPY app.js ./\nENV GREETING="hello you" PORT=8080\nEXPOSE 8080 9000\nCMD ["node", "app.js"]\n';

/**
 * An app that answers hooks with what `answers` says, and tells on port 8080 what it has seen.
 *
 * @param answers JavaScript: hook name to status, or to a list of statuses of which the last one stays
 */
function app(answers: string = '{}', more: string = ''): string {
  return `
    const http = require('node:http');
    const answers = ${answers};
    const seen = [];
    const read = async (request) => { let body = ''; for await (const chunk of request) body += chunk; return body; };
    http.createServer(async (request, response) => {
      const hook = request.url.slice(${HOOKS.length});
      seen.push([hook, await read(request)]);
      console.log('hook ' + hook);
      const answer = [answers[hook] ?? 200].flat();
      response.writeHead(answer.length > 1 ? answers[hook].shift() : answer[0]).end();
    }).listen(9000, '0.0.0.0');
    http.createServer(async (request, response) => {
      const { method, url, headers } = request;
      const body = await read(request);
      response.writeHead(201, { 'x-app': 'yes', 'set-cookie': ['a=1', 'b=2'] }).end(JSON.stringify({ method, url, headers, body, seen, env: process.env, cwd: process.cwd(), pid: process.pid }));
    }).listen(process.env.PORT);
    ${more}`;
}

/** Builds a version and returns its state, the reasons of its builds and its log. */
async function build(files: Record<string, string>, hooks: sdk.Hooks | undefined = ALL_HOOKS) {
  world.sim.artifacts.put(ARTIFACT, zip({ Dockerfile: DOCKERFILE, ...files }));
  await world.built('app', { hooks, environmentVariables: { FROM_IMAGE: 'yes' } });
  return {
    state: (await world.image('app')).state,
    reasons: (await world.builds('app', '1.0')).map(({ stateReason }) => stateReason),
    log: world.sim.logs.lines(GROUP),
  };
}

async function launch(more: Partial<sdk.RunMicrovmCommandInput> = {}) {
  const { microvmId, endpoint } = await world.run('app', more);
  const auth = await world.token(microvmId!, [{ allPorts: {} }]);
  await world.sim.clock.advance(2_000);
  return {
    microvmIdentifier: microvmId!,
    ask: (path?: string, body?: string, headers: Record<string, string> = {}) => world.ask(endpoint!, { ...auth, ...headers }, path, body),
    get: () => world.microvm(microvmId!),
  };
}

const suspend = (id: string) => world.suspend(id);
const resume = (id: string) => world.resume(id);

describe('8.2 the app decides whether its build succeeds', () => {
  test('8.1 each of the two builds asks ready until it is no more 503, then validate, and logs what the app printed', async () => {
    const { state, log } = await build({ 'app.js': app('{ ready: [503, 503, 200] }') });
    expect(state).toBe('CREATED');
    const ofOne = ['hook ready', 'hook ready', 'hook ready', 'hook validate'];
    expect(log.filter((line) => line.startsWith('hook'))).toEqual([...ofOne, ...ofOne]);
  });

  test.each([
    ['ready 500', '{ ready: 500 }', 'Ready hook check failed: the application returned a server error (HTTP 5xx) response'],
    ['ready 404', '{ ready: 404 }', 'Ready hook check failed: the application returned a client error (HTTP 4xx) response'],
    ['validate 500', '{ validate: 500 }', 'Validate hook check failed: the application returned a server error (HTTP 5xx) response'],
    ['ready 503 for ever', '{ ready: 503 }', 'Ready hook invocation timed out after PT1S'],
    ['validate 503 for ever', '{ validate: 503 }', 'Validate hook invocation timed out after PT1S'],
  ])('8.2 %s', async (_name, answers, reason) => {
    const hooks = { ...ALL_HOOKS, microvmImageHooks: { ...ALL_HOOKS.microvmImageHooks } };
    if (reason.includes('timed out')) {
      Object.assign(hooks.microvmImageHooks, reason.startsWith('Ready') ? { readyTimeoutInSeconds: 1 } : { validateTimeoutInSeconds: 1 });
    }
    expect(await build({ 'app.js': app(answers) }, hooks)).toMatchObject({ state: 'CREATE_FAILED', reasons: [reason, reason] });
  });

  test('8.2 a hook that is held open ends with its timeout', async () => {
    const held = 'require("http").createServer(() => {}).listen(9000)';
    const hooks = { port: 9000, microvmImageHooks: { ready: 'ENABLED', readyTimeoutInSeconds: 1 } } satisfies sdk.Hooks;
    expect((await build({ 'app.js': held }, hooks)).reasons).toEqual(Array(2).fill('Ready hook invocation timed out after PT1S'));
  });

  test('8.2 a port that the hooks do not answer on is a timeout, with a log that looks fine', async () => {
    const hooks = { port: 9001, microvmImageHooks: { ready: 'ENABLED', readyTimeoutInSeconds: 1 } } satisfies sdk.Hooks;
    const { reasons, log } = await build({ 'app.js': app('{}', 'console.log("listening")') }, hooks);
    expect(reasons[0]).toBe('Ready hook invocation timed out after PT1S');
    expect(log).toContain('listening');
  });

  test('8.2 the hooks are greeted in TLS first, and an app that dies of it fails its build', async () => {
    const fragile = app('{}', 'process.on("exit", () => console.log("bye"));').replace(
      ".listen(9000, '0.0.0.0')", ".on('clientError', (error) => { throw error; }).listen(9000)");
    const { state, log } = await build({ 'app.js': fragile });
    expect(state).toBe('CREATE_FAILED');
    expect(log).toContain('bye');
  });

  test('8.2 without hooks the app only has to stay', async () => {
    const { state } = await build({ 'app.js': app() }, null as any);
    expect(state).toBe('CREATED');
  });

  test('7.5 an app that ends at once fails its build', async () => {
    expect(await build({ 'app.js': 'console.log("no way"); process.exit(3)' }, null as any)).toMatchObject({
      state: 'CREATE_FAILED', reasons: Array(2).fill('Container Stopped with Exit Code: 3'), log: expect.arrayContaining(['no way']),
    });
  });

  test('a CMD that is no Node program fails the build and says why, and how to script it instead', async () => {
    const { state, log } = await build({ Dockerfile: 'FROM base\nCMD ["python3", "app.py"]\n' }, null as any);
    expect(state).toBe('CREATE_FAILED');
    expect(log.join('\n')).toMatch(/process mode.*python3 app\.py/);
  });
});

describe('7.5 the app lives with its MicroVM', () => {
  test('11.1 requests reach it as they were sent, and its answers come back as they are', async () => {
    await build({ 'app.js': app() });
    const { ask: askApp } = await launch();
    const [status, body] = await askApp('/run?a=b', 'the body', { 'x-mine': '1' });
    expect(status).toBe(201);
    expect(JSON.parse(body)).toMatchObject({ method: 'POST', url: '/run?a=b', body: 'the body', headers: { 'x-mine': '1' } });
    expect(Object.keys(JSON.parse(body).headers).join()).not.toContain('x-aws-proxy');
  });

  test('8.1 the run hook is told who it is, with the payload as it was sent', async () => {
    await build({ 'app.js': app() });
    const { microvmIdentifier, ask: askApp } = await launch({ runHookPayload: '{"tenant":1}' });
    const { seen } = JSON.parse((await askApp())[1]);
    const [, body] = seen.find(([hook]: string[]) => hook === 'run');
    expect(JSON.parse(body)).toEqual({ microvmId: microvmIdentifier, runHookPayload: '{"tenant":1}' });
  });

  test('16 it gets the variables of the Dockerfile, the image and the service, and none of this process', async () => {
    process.env.SECRET_OF_THE_DEVELOPER = 'x';
    await build({ 'app.js': app() });
    const { ask: askApp } = await launch();
    const { env, cwd } = JSON.parse((await askApp())[1]);
    expect(env).toMatchObject({
      GREETING: 'hello you',
      FROM_IMAGE: 'yes',
      AWS_LAMBDA_MICROVM_IMAGE_NAME: 'app',
      AWS_LAMBDA_MICROVM_IMAGE_ARN: world.arn('app'),
      AWS_LAMBDA_MICROVM_IMAGE_VERSION: '1.0',
      AWS_REGION: 'us-east-1',
      AWS_EC2_METADATA_DISABLED: 'true',
    });
    expect(cwd).toMatch(/\/srv$/);
    expect(Object.keys(env)).not.toContain('SECRET_OF_THE_DEVELOPER');
    expect(Object.keys(env)).not.toContain('AWS_ACCESS_KEY_ID');
  });

  test('7.5 suspended it does not answer, resumed it has its memory, and both are told by a hook', async () => {
    await build({ 'app.js': app() });
    const { microvmIdentifier, ask: askApp, get } = await launch();
    await askApp('/before');
    await suspend(microvmIdentifier);
    await world.sim.clock.advance(1_500);
    expect((await get()).state).toBe('SUSPENDED');
    expect(await askApp()).toEqual([502, '']);
    await resume(microvmIdentifier);
    await world.sim.clock.advance(1_200);
    const { seen } = JSON.parse((await askApp())[1]);
    expect(seen.map(([hook]: string[]) => hook)).toEqual(['ready', 'run', 'suspend', 'resume']);
  });

  test('7.5 suspended its process is stopped, resumed it goes on', async () => {
    await build({ 'app.js': app() });
    const { microvmIdentifier, ask: askApp } = await launch();
    const { pid } = JSON.parse((await askApp())[1]);
    const isStopped = () => String(execFileSync('ps', ['-o', 'stat=', '-p', pid])).startsWith('T');
    /** A signal is on its way for a moment. */
    const becomes = async (expected: boolean) => {
      for (let poll = 0; poll < 100 && isStopped() !== expected; poll++) {
        await world.microvm(microvmIdentifier);
      }
      return isStopped();
    };
    await suspend(microvmIdentifier);
    await world.sim.clock.advance(1_500);
    expect(await becomes(true)).toBe(true);
    await resume(microvmIdentifier);
    await world.sim.clock.advance(1_200);
    expect(await becomes(false)).toBe(false);
  });

  test('7.5 traffic wakes it where auto-resume is on, and waits for its resume hook', async () => {
    await build({ 'app.js': app() });
    const idlePolicy = { maxIdleDurationSeconds: 60, suspendedDurationSeconds: 60, autoResumeEnabled: true };
    const { microvmIdentifier, ask: askApp } = await launch({ idlePolicy });
    await suspend(microvmIdentifier);
    await world.sim.clock.advance(1_500);
    const [status, body] = await askApp();
    expect(status).toBe(201);
    expect(JSON.parse(body).seen.map(([hook]: string[]) => hook)).toEqual(['ready', 'run', 'suspend', 'resume']);
  });

  test.each([
    ['run', 'Run lifecycle hook returned HTTP status 500.'],
    ['suspend', 'Suspend lifecycle hook returned HTTP status 500.'],
    ['resume', 'Resume lifecycle hook returned HTTP status 500.'],
    ['terminate', 'Success.'],
  ])('7.5 a %s hook that fails', async (hook, reason) => {
    await build({ 'app.js': app(`{ ${hook}: 500 }`) });
    const { microvmIdentifier, get } = await launch();
    for (const act of hook === 'run' ? [] : [suspend, resume, world.terminate.bind(world)]) {
      await act(microvmIdentifier).catch(() => undefined);
      await world.sim.clock.advance(3_000);
    }
    await world.sim.clock.advance(3_000);
    expect(await get()).toMatchObject({ state: 'TERMINATED', stateReason: reason });
  });

  test('19.15 in the other reading a MicroVM whose suspend hook fails goes on running', async () => {
    world.sim.readings.suspendFailureTerminates = false;
    await build({ 'app.js': app('{ suspend: 500 }') });
    const { microvmIdentifier, ask: askApp } = await launch();
    await suspend(microvmIdentifier);
    await world.sim.clock.advance(1_500);
    expect((await askApp())[0]).toBe(201);
  });

  test('8.1 a run hook that does not answer in time ends the MicroVM, which was never RUNNING', async () => {
    const hooks = { ...ALL_HOOKS, microvmHooks: { run: 'ENABLED', runTimeoutInSeconds: 1 } } satisfies sdk.Hooks;
    const silent = app().replace('seen.push(', 'if (hook === "run") return; seen.push(');
    await build({ 'app.js': silent }, hooks);
    const { get } = await launch();
    expect((await get()).state).toBe('TERMINATING');
    await world.sim.clock.advance(3_000);
    expect(await get()).toMatchObject({ state: 'TERMINATED', stateReason: 'Run lifecycle hook timed out.' });
  });

  test('7.5 the end of the app ends the MicroVM a quarter of a minute later', async () => {
    await build({ 'app.js': app('{}', 'require("http").createServer(() => process.exit(7)).listen(8081)') });
    const { ask: askApp, get } = await launch();
    expect(await askApp('/', undefined, { 'x-aws-proxy-port': '8081' })).toEqual([502, '']);
    const ended = world.sim.clock.now();
    while ((await get()).state === 'RUNNING') {
      await world.sim.clock.advance(1_000);
    }
    await world.sim.clock.advance(3_000);
    expect(await get()).toMatchObject({ state: 'TERMINATED', stateReason: 'Container Stopped with Exit Code: 7' });
    expect((await get()).terminatedAt!.getTime() - ended).toBeGreaterThanOrEqual(18_000);
  });

  test('14 what it prints goes to the log of the launch, if it has a role', async () => {
    await build({ 'app.js': app() });
    world.sim.logs.create('/runs', world.sim.clock.now());
    const quiet = await launch({});
    const loud = await launch({ executionRoleArn: ROLE, logging: { cloudWatch: { logGroup: '/runs' } } });
    for (const { microvmIdentifier } of [quiet, loud]) {
      await world.terminate(microvmIdentifier);
      await world.sim.clock.advance(3_000);
    }
    expect(world.sim.logs.lines('/runs')).toEqual(['hook ready', 'hook run', 'hook terminate']);
    expect([...world.sim.logs.get('/runs')!.streams.keys()]).toEqual([expect.stringMatching(`^\\d{4}/\\d\\d/\\d\\d\\[1\\.0\\]${loud.microvmIdentifier}$`)]);
  });

  test('11.1 a port that nothing listens on is a 502', async () => {
    await build({ 'app.js': app() });
    const { ask: askApp } = await launch();
    expect(await askApp('/', undefined, { 'x-aws-proxy-port': '8022' })).toEqual([502, '']);
  });

  test('a responder answers in place of the process, whose hooks are then not called', async () => {
    await build({ 'app.js': app('{ run: 500 }') });
    world.sim.respond('app', () => ({ body: 'scripted' }));
    expect(await (await launch()).ask()).toEqual([200, 'scripted']);
    world.sim.respond('app', undefined);
    expect((await (await launch()).get()).state).toBe('TERMINATING');
  });
});

describe('it stays on this machine and ends with the simulator', () => {
  const LISTENERS = `
    const { execFileSync } = require('node:child_process');
    const addresses = [];
    const net = require('node:net');
    const note = (server) => server.on('listening', () => addresses.push(server.address().address));
    note(net.createServer().listen(7001)); note(net.createServer().listen(7002, '0.0.0.0')); note(net.createServer().listen({ port: 7003, host: '::' }));
    note(net.createServer().listen('7004', () => {})); note(net.createServer().listen(0)); note(net.createServer().listen());
    net.createServer().on('error', ({ code }) => addresses.push(code)).listen(7001);
    require('node:http').createServer(async (request, response) => {
      const self = await fetch('http://localhost:8080/').then((answer) => answer.status);
      const child = execFileSync(process.execPath, ['-e', 'const s = require("net").createServer().listen(7005, "0.0.0.0", () => { console.log(s.address().address); s.close(); })']);
      response.end(JSON.stringify({ addresses, self, child: String(child).trim(), pid: process.pid }));
    }).listen(8000);
    `;

  async function listeners() {
    await build({ 'app.js': app('{}', LISTENERS) });
    const microvm = await launch();
    return { ...microvm, ...JSON.parse((await microvm.ask('/', undefined, { 'x-aws-proxy-port': '8000' }))[1]) };
  }

  test('whatever address it listens on, it is that of loopback; a port it listens on already is taken; its own ports lead to itself', async () => {
    const { addresses, self, child } = await listeners();
    expect(addresses.sort()).toEqual([...Array(6).fill('127.0.0.1'), 'EADDRINUSE']);
    expect({ self, child }).toEqual({ self: 201, child: '127.0.0.1' });
  });

  test.each([
    ['its MicroVM', async (id: string) => { await world.terminate(id); await world.sim.clock.advance(3_000); }],
    ['the simulator', () => world.sim.stop()],
    ['the account, emptied', () => world.sim.reset()],
  ])('nothing of it is left after %s', async (_name, end) => {
    const { pid, microvmIdentifier } = await listeners();
    expect(isAlive(pid)).toBe(true);
    await end(microvmIdentifier);
    expect(isAlive(pid)).toBe(false);
  });

  test('a suspended one ends with the simulator, too, and its files are gone', async () => {
    await build({ 'app.js': app() });
    const { microvmIdentifier, ask: askApp } = await launch();
    const { cwd } = JSON.parse((await askApp())[1]);
    await suspend(microvmIdentifier);
    await world.sim.clock.advance(1_500);
    expect(existsSync(cwd)).toBe(true);
    await world.sim.stop();
    expect(existsSync(cwd)).toBe(false);
  });
});
