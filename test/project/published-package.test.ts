import { execFileSync } from 'child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';

const ROOT = join(__dirname, '..', '..');
const APP = `
const { App, Stack, Duration } = require('aws-cdk-lib');
const { MicrovmCode, MicrovmHooks, MicrovmImage } = require('cdk-lambda-microvms');

const app = new App({ outdir: 'cdk.out' });
const stack = new Stack(app, 'Consumer');
new MicrovmImage(stack, 'Image', {
  code: MicrovmCode.fromInline({ dockerfile: 'FROM public.ecr.aws/lambda/microvms:al2023-minimal\\nEXPOSE 9000' }),
  hooks: MicrovmHooks.onPort(9000, { ready: Duration.minutes(1) }),
});
app.synth();
`;

let folder: string;
let packed: string[];

/** A project that has nothing but the packed library and its peers. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'consumer-'));
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, 'cdk-lambda-microvms'), { recursive: true });
  const [{ filename, files }] = JSON.parse(execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'],
  }));
  packed = files.map((file: { path: string }) => file.path);
  execFileSync('tar', ['-xzf', join(folder, filename), '-C', join(modules, 'cdk-lambda-microvms'), '--strip-components=1']);
  for (const peer of ['aws-cdk-lib', 'constructs']) {
    symlinkSync(join(ROOT, 'node_modules', peer), join(modules, peer));
  }
  writeFileSync(join(folder, 'app.js'), APP);
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('synthesises in a project of its own, with the handlers as assets', () => {
  execFileSync(process.execPath, ['app.js'], { cwd: folder, env: { ...process.env, CDK_VALIDATION: 'false' }, stdio: 'pipe' });
  const template = JSON.parse(readFileSync(join(folder, 'cdk.out', 'Consumer.template.json'), 'utf8'));
  const types = Object.values<any>(template.Resources).map((resource) => resource.Type);
  expect(types).toContain('Custom::LambdaMicrovmImage');

  const bundles = readdirSync(join(folder, 'cdk.out'))
    .map((name) => join(folder, 'cdk.out', name, 'index.js'))
    .filter((file) => existsSync(file));
  expect(bundles.some((file) => readFileSync(file, 'utf8').includes('CreateMicrovmImage'))).toBe(true);
});

test('loads a file when a name of it is used, and not before', () => {
  const run = (file: string, script: string) => {
    writeFileSync(join(folder, file), script);
    return JSON.parse(execFileSync(process.execPath, ['--preserve-symlinks', file], { cwd: folder, encoding: 'utf8' }));
  };
  const loaded = "Object.keys(require.cache).map((file) => file.split('/cdk-lambda-microvms/lib/')[1]).filter(Boolean)";
  expect(run('nothing.js', `require('cdk-lambda-microvms'); console.log(JSON.stringify(${loaded}));`)).toEqual(['index.js']);
  const some = run('some.js', `require('cdk-lambda-microvms').MicrovmMemory; console.log(JSON.stringify(${loaded}));`);
  expect(some).toContain('constructs/microvm-memory.js');
  expect(some).not.toContain('constructs/microvm-image.js');

  const { types } = JSON.parse(readFileSync(join(folder, 'node_modules', 'cdk-lambda-microvms', '.jsii'), 'utf8'));
  const names = Object.values<any>(types).filter(({ kind }) => kind !== 'interface').map(({ name }) => name).sort();
  const required = "const all = require('cdk-lambda-microvms'); console.log(JSON.stringify(Object.keys(all).filter((name) => all[name]).sort()));";
  expect(run('all.js', required)).toEqual(names);
  expect(run('all.mjs', `import { ${names.join(', ')} } from 'cdk-lambda-microvms'; console.log(JSON.stringify([${names}].map((type) => typeof type)));`))
    .not.toContain('undefined');
});

test('holds what users need and nothing of how it is made', () => {
  expect(packed).toEqual(expect.arrayContaining(['.jsii', 'API.md', 'LICENSE', 'README.md', 'lib/index.js', 'lib/index.d.ts']));
  expect(packed.filter((file) => /^(src|test|integ|examples|tools|projenrc|decisions|docs|\.ci|\.demo|\.tmp|rosetta|coverage)\//.test(file))).toEqual([]);
});
