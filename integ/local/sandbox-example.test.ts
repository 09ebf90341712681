import { cpSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { describeDeployments } from './emulated-aws';
import type { LaunchRequest } from '../../examples/sandbox/launcher';

jest.setTimeout(60_000);

describeDeployments('the sandbox example', (aws) => {
  let lambda: LambdaClient;
  let launcherName: string;

  beforeAll(async () => {
    const app = path.join(aws.emulator.folder, 'sandbox');
    cpSync(path.join(__dirname, '..', '..', 'examples', 'sandbox'), app, { recursive: true });
    const { exitCode, lines } = await aws.emulator.cdk(
      ['deploy', '--require-approval', 'never', '--outputs-file', 'outputs.json'],
      { cwd: app, env: { CDK_VALIDATION: 'false' } },
    );
    expect({ exitCode, lines: exitCode === 0 ? [] : lines }).toEqual({ exitCode: 0, lines: [] });
    launcherName = JSON.parse(readFileSync(path.join(app, 'outputs.json'), 'utf8')).Sandbox.LauncherName;
    lambda = new LambdaClient(aws.emulator.clientConfig);
  }, 60_000);
  afterAll(() => lambda?.destroy());
  beforeEach(() => aws.emulator.simulator.calls.clear());
  afterEach(() => aws.emulator.simulator.respond('*', undefined));

  const launch = async (request: LaunchRequest = { code: '1' }) => {
    const { FunctionError, Payload } = await lambda.send(new InvokeCommand({ FunctionName: launcherName, Payload: JSON.stringify(request) }));
    return { failed: FunctionError !== undefined, answer: JSON.parse(Buffer.from(Payload!).toString()) };
  };
  const appAnswers = (run: { status: number; body: string }) => {
    const requests: string[] = [];
    aws.emulator.simulator.respond('*', ({ method, path: url, body }) => {
      requests.push(`${method} ${url} ${body}`);
      return url === '/health' ? { status: requests.length < 3 ? 503 : 200 } : run;
    });
    return requests;
  };
  const runningMicrovms = () => aws.emulator.simulator.microvms.filter(({ state }) => !/^TERMINAT/.test(state));

  test('the launcher waits for the app, hands over the code once and terminates the MicroVM', async () => {
    const requests = appAnswers({ status: 200, body: '{"stdout":"1"}' });

    expect(await launch()).toMatchObject({ failed: false, answer: { imageVersion: '1.0', result: { stdout: '1' } } });
    expect(requests).toEqual(['GET /health ', 'GET /health ', 'GET /health ', 'POST /run {"code":"1"}']);
    expect(runningMicrovms()).toEqual([]);
  });

  test('the launcher terminates the MicroVM when the app fails, too', async () => {
    appAnswers({ status: 500, body: 'boom' });

    expect(await launch()).toMatchObject({ failed: true, answer: { errorMessage: expect.stringContaining('boom') } });
    expect(aws.emulator.simulator.calls.count('TerminateMicrovm')).toBe(1);
    expect(runningMicrovms()).toEqual([]);
  });

  test('a launch leaves nothing to the defaults of the service, and its token opens the app port only', async () => {
    appAnswers({ status: 200, body: '{}' });
    await launch();

    const [run] = aws.emulator.simulator.calls.of('RunMicrovm');
    expect(run.body).toMatchObject({
      imageVersion: '1.0',
      executionRoleArn: expect.stringContaining(':role/'),
      ingressNetworkConnectors: [expect.stringMatching(/:HTTP_INGRESS$/)],
      egressNetworkConnectors: [expect.stringMatching(/:INTERNET_EGRESS$/)],
      logging: { cloudWatch: { logGroup: expect.any(String) } },
      idlePolicy: { maxIdleDurationSeconds: 60, suspendedDurationSeconds: 0, autoResumeEnabled: false },
      maximumDurationInSeconds: 300,
    });
    const [token] = aws.emulator.simulator.calls.of('CreateMicrovmAuthToken');
    expect(token.body).toEqual({ expirationInMinutes: 15, allowedPorts: [{ port: 8080 }] });
  });

  describe('with the app of its image', () => {
    const operations = () => aws.emulator.simulator.calls.mutations().map(({ operation }) => operation);

    test('code is run, and what it printed comes back', async () => {
      expect(await launch({ code: 'console.log(6 * 7); console.error("but"); process.exit(3)' })).toMatchObject({
        failed: false, answer: { imageVersion: '1.0', result: { stdout: '42\n', stderr: 'but\n', exitCode: 3, run: 1 } },
      });
      expect(runningMicrovms()).toEqual([]);
    });

    test('a MicroVM that is kept is suspended, wakes with its memory, and ends', async () => {
      const first = await launch({ code: 'console.log("one")', keep: true });
      expect(first).toMatchObject({ failed: false, answer: { result: { stdout: 'one\n', run: 1 } } });
      expect(runningMicrovms().map(({ state }) => state)).toEqual(['SUSPENDED']);

      const second = await launch({ code: 'console.log("two")', keep: true, microvmId: first.answer.microvmId });
      expect(second).toMatchObject({ failed: false, answer: { microvmId: first.answer.microvmId, result: { stdout: 'two\n', run: 2 } } });
      expect(runningMicrovms().map(({ state }) => state)).toEqual(['SUSPENDED']);

      const third = await launch({ code: 'console.log("three")', microvmId: first.answer.microvmId });
      expect(third).toMatchObject({ failed: false, answer: { result: { stdout: 'three\n', run: 3 } } });
      expect(runningMicrovms()).toEqual([]);
      expect(operations()).toEqual([
        'RunMicrovm', 'CreateMicrovmAuthToken', 'SuspendMicrovm',
        'ResumeMicrovm', 'CreateMicrovmAuthToken', 'SuspendMicrovm',
        'ResumeMicrovm', 'CreateMicrovmAuthToken', 'TerminateMicrovm',
      ]);
    });

    test('a kept MicroVM that is gone is an error, and nothing is launched in its place', async () => {
      const { failed, answer } = await launch({ code: '1', microvmId: 'microvm-gone' });
      expect({ failed, error: answer.errorMessage }).toEqual({ failed: true, error: expect.stringContaining('microvm-gone') });
      expect(operations()).not.toContain('RunMicrovm');
    });
  });
}, { simulator: { guests: { mode: 'process', environment: { SNIPPET_UID: '' } } } });
