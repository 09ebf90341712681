import { execFileSync } from 'child_process';
import { createHash } from 'crypto';
import { mkdtempSync, readFileSync, rmSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';

const ROOT = join(__dirname, '..', '..');
const RESOURCES = ['microvm-image', 'microvm-smoke-test', 'microvm-image-publication'];
const NAMES = RESOURCES.flatMap((resource) => ['on-event', 'is-complete'].map((handler) => `${resource}/handler/${handler}`));

interface BundleTask {
  readonly steps: Array<{ readonly execArgs: string[] }>;
}

/** The very command the build runs. */
function bundleArguments(name: string): string[] {
  const { tasks } = JSON.parse(readFileSync(join(ROOT, '.projen', 'tasks.json'), 'utf8'));
  const task: BundleTask = tasks[`bundle:custom-resources/${name}.lambda`];
  return task.steps[0].execArgs;
}

function shipped(name: string): string {
  return join(ROOT, 'lib', 'custom-resources', `${name}.lambda`, 'index.js');
}

function digest(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'bundles-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each(NAMES)('the bundle of %s', (name) => {
  test('comes out byte for byte the same every time, so that an upgrade of this library alone redeploys nothing', () => {
    const digests = [1, 2].map((run) => {
      const out = join(folder, `${name.replaceAll('/', '-')}-${run}.js`);
      const [command, ...args] = bundleArguments(name).map((arg) => (arg.startsWith('--outfile=') ? `--outfile=${out}` : arg));
      execFileSync(join(ROOT, 'node_modules', '.bin', command), args, { cwd: ROOT, stdio: 'pipe' });
      return digest(out);
    });
    expect(digests).toEqual([digest(shipped(name)), digest(shipped(name))]);
  });

  test('runs with nothing but Node beside it', () => {
    const probe = `const { handler } = require(${JSON.stringify(shipped(name))}); if (typeof handler !== 'function') process.exit(1);`;
    expect(() => execFileSync(process.execPath, ['-e', probe], { cwd: folder, env: { PATH: process.env.PATH }, stdio: 'pipe' })).not.toThrow();
  });

  test('carries no path of the machine it was made on', () => {
    expect(readFileSync(shipped(name), 'utf8')).not.toContain(ROOT);
  });
});

test.each(RESOURCES)('onEvent of %s carries no SDK: it calls no API', (resource) => {
  expect(readFileSync(shipped(`${resource}/handler/on-event`)).length).toBeLessThan(10_000);
});

test.each(RESOURCES)('isComplete of %s carries no client that looks for credentials elsewhere than in the environment', (resource) => {
  const bundle = readFileSync(shipped(`${resource}/handler/is-complete`), 'utf8');
  expect(['GetRoleCredentials', 'AssumeRoleWithWebIdentity', 'credential_process'].filter((trace) => bundle.includes(trace))).toEqual([]);
});

test('isComplete takes its credentials from the environment', () => {
  const request = {
    RequestType: 'Delete',
    RequestId: 'request',
    StackId: 'arn:aws:cloudformation:us-east-1:000000000000:stack/App/1',
    LogicalResourceId: 'Image',
    PhysicalResourceId: 'arn:aws:lambda:us-east-1:000000000000:microvm-image:gone',
    ResourceProperties: {},
    AcceptedAt: '2020-01-01T00:00:00Z',
  };
  const probe = `require(${JSON.stringify(shipped('microvm-image/handler/is-complete'))}).handler(${JSON.stringify(request)}).catch((error) => console.log(error.message))`;
  const answer = (credentials: Record<string, string>) => execFileSync(process.execPath, ['-e', probe], {
    cwd: folder, encoding: 'utf8', env: { HOME: folder, AWS_REGION: 'us-east-1', AWS_ENDPOINT_URL: 'http://127.0.0.1:9', ...credentials },
  });
  expect(answer({})).toContain('Unable to find environment variable credentials');
  // Nobody listens there: it got as far as the call.
  expect(answer({ AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' })).toContain('ECONNREFUSED');
});
