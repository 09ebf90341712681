import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import { Annotations, App, Duration, Stack, SymlinkFollowMode } from 'aws-cdk-lib';
import { Annotations as Found, Match, Template } from 'aws-cdk-lib/assertions';
import * as ecr from 'aws-cdk-lib/aws-ecr';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as fc from 'fast-check';
import { zipSync } from 'fflate';
import { DOCKERFILE, ENV, imageIn, stackOf, warnings } from './fixtures';
import { PLANTED } from './planted-secrets';
import { MicrovmAssetCodeOptions, MicrovmCode, MicrovmHooks } from '../../src';

const KEY = `sk_${'live'}_aB3dE6gH9jK2mN5pQ8sT1vW4`;

let directory: string;
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'code-checks-test-'));
});
afterEach(() => fs.rmSync(directory, { recursive: true }));

type Files = Record<string, string | Buffer>;

function write(files: Files, folder = directory) {
  for (const [name, content] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), content);
  }
}

function codeOfDirectory(files: Files, options?: MicrovmAssetCodeOptions): MicrovmCode {
  const folder = fs.mkdtempSync(path.join(directory, 'code-'));
  write({ Dockerfile: DOCKERFILE, ...files }, folder);
  return MicrovmCode.fromAsset(folder, options);
}

function codeOfZip(files: Files): MicrovmCode {
  const file = path.join(fs.mkdtempSync(path.join(directory, 'zip-')), 'code.zip');
  const contents = Object.entries({ Dockerfile: DOCKERFILE, ...files }).map(([name, content]) => [name, Buffer.from(content)]);
  fs.writeFileSync(file, zipSync(Object.fromEntries(contents)));
  return MicrovmCode.fromAsset(file);
}

const codeInline = ({ Dockerfile = DOCKERFILE, ...files }: Record<string, string>) => MicrovmCode.fromInline({ dockerfile: Dockerfile, files });

const KINDS: Array<[string, (files: Record<string, string>) => MicrovmCode]> = [
  ['a directory', codeOfDirectory],
  ['a zip', codeOfZip],
  ['inline code', codeInline],
];

/** All annotations of an image with this code, in one text. */
function said(code: MicrovmCode, stack: Stack = stackOf()): string {
  imageIn(stack, { code });
  return [...Found.fromStack(stack).findWarning('*', Match.anyValue()), ...Found.fromStack(stack).findError('*', Match.anyValue())]
    .map(({ entry }) => String(entry.data)).join('\n');
}

describe.each(KINDS)('%s', (_kind, codeOf) => {
  test('with a secret in a file is warned about, by file and line', () => {
    const text = said(codeOf({ 'app/config.yml': `a: 1\nb: 2\nstripe: ${KEY}\n`, 'app/other.txt': 'nothing' }));
    expect(text).toMatch(/^secrets seem to be in the code: app\/config\.yml line 3 \(Stripe key\); .*execution role \[ack: cdk-lambda-microvms:secretContent\]$/);
    expect(text).not.toContain(KEY);
  });

  test('with a secret in the Dockerfile is warned about once', () => {
    expect(said(codeOf({ Dockerfile: `${DOCKERFILE}ENV STRIPE_API_KEY=${KEY}\nENV PASSWORD=hunter2\n` })))
      .toMatch(/: Dockerfile line 4 \(value of ENV PASSWORD\), Dockerfile line 3 \(Stripe key\); /);
  });

  test('with a few thousand letters and numbers is fine', () => {
    expect(said(codeOf({ 'server.mjs': 'export const port = 8080;\n'.repeat(500), 'README.md': '# App\nSet `API_KEY` before you start.\n' }))).toBe('');
  });

  test('with a secret in the code of others is fine', () => {
    expect(said(codeOf({
      'node_modules/stripe/test.js': KEY, 'lib/python3.12/site-packages/a.py': KEY, 'vendor/github.com/a/a.go': KEY,
    }))).toBe('');
  });

  test('with many secrets tells of the first, and how many more', () => {
    const files = Object.fromEntries(Array.from({ length: 15 }, (_, index) => [`file-${index}`, KEY]));
    const text = said(codeOf(files));
    expect(text.match(/ line 1 /g)).toHaveLength(10);
    expect(text).toContain('(Stripe key) and 5 more; ');
  });

  test('has its warning acknowledged like any other', () => {
    const stack = stackOf();
    const image = imageIn(stack, { code: codeOf({ key: KEY }) });
    expect(warnings(stack)).toEqual(['cdk-lambda-microvms:secretContent']);
    const acknowledged = stackOf();
    Annotations.of(imageIn(acknowledged, { code: codeOf({ key: KEY }) })).acknowledgeWarning('cdk-lambda-microvms:secretContent', 'made up');
    expect(warnings(acknowledged)).toEqual([]);
    expect(image.node.metadata.map(({ data }) => String(data)).join()).not.toContain(KEY);
  });
});

describe('a secret is found and never echoed', () => {
  /** What is said of each code, errors too, and every text the synthesis leaves behind but the code itself. */
  function everything(codes: MicrovmCode[]): { said: string[]; all: string } {
    const stack = stackOf({}, { outdir: fs.mkdtempSync(path.join(directory, 'out-')) });
    const stacks: string[] = [];
    const messages = codes.map((code, index) => {
      try {
        return imageIn(stack, { code }, `Image${index}`).node.metadata.map(({ data }) => String(data)).join('\n');
      } catch (error) {
        stacks.push((error as Error).stack!);
        return (error as Error).message;
      }
    });
    const assembly = (stack.node.root as App).synth();
    const documents = fs.readdirSync(assembly.directory).filter((name) => name.endsWith('.json')).map((name) => fs.readFileSync(path.join(assembly.directory, name), 'utf8'));
    return { said: messages, all: [...messages, ...stacks, ...documents].join('\n') };
  }

  /** Pieces of a secret that are long enough to be of use. */
  const pieces = (secret: string) => [secret.slice(-12), ...secret.split(/\n|\\n/).filter((line) => line.length > 12 && !line.startsWith('--'))];

  test.each(KINDS)('in a file of %s', (_kind, codeOf) => {
    const lines = fc.array(fc.stringMatching(/^[a-z ,.()]{0,40}$/), { maxLength: 20 });
    fc.assert(fc.property(lines, lines, (before, after) => {
      const { said: messages, all } = everything(PLANTED.map(([, text]) => codeOf({ 'conf/app.txt': [...before, text, ...after].join('\n') })));
      PLANTED.forEach(([kind, text, secret], index) => {
        const found = new RegExp(`: conf/app\\.txt line (\\d+) \\(${kind}\\); `).exec(messages[index]);
        expect(Number(found?.[1])).toBeGreaterThan(before.length);
        expect(Number(found?.[1])).toBeLessThanOrEqual(before.length + text.split('\n').length);
        pieces(secret).forEach((piece) => expect(all).not.toContain(piece));
      });
    }), { numRuns: 2 });
  });

  const ONE_LINE = PLANTED.filter(([, text]) => !text.includes('\n') && !text.startsWith(' '));

  test.each([
    ['a comment', (text: string) => `FROM scratch\n# ${text}\n`],
    ['RUN', (text: string) => `FROM scratch\nRUN echo ${text} \\\n && true\n`],
    ['LABEL', (text: string) => `FROM scratch\nLABEL "x"='${text}'\n`],
    ['ENV', (text: string) => `FROM scratch\nENV ${text}\n`],
    ['an image for x86', (text: string) => `FROM amd64/${text}\n`],
    ['a platform', (text: string) => `FROM --platform=linux/amd64/${text} debian\n`],
    ['a base', (text: string) => `ARG X=${text}\nFROM debian:$X\n`],
    ['ADD', (text: string) => `FROM scratch\nADD https://${text}.example.com/a /a\n`],
    ['a Dockerfile without FROM', (text: string) => `RUN ${text}\n`],
  ])('in a Dockerfile: %s', (_where, around) => {
    const { said: messages, all } = everything(ONE_LINE.map(([, text]) => codeInline({ Dockerfile: around(text) })));
    ONE_LINE.forEach(([kind, , secret], index) => {
      // A value that only its name gives away is found where it has its name.
      expect(messages[index]).toMatch(kind.startsWith('random') ? /^/ : new RegExp(`Dockerfile line \\d+ \\(.*${kind}|Dockerfile must`));
      pieces(secret).forEach((piece) => expect(all).not.toContain(piece));
    });
  });

  test('in the name of a file', () => {
    const text = said(codeOfDirectory({ [`${KEY}\nnext/a.txt`]: KEY }));
    expect(text).toMatch(/\*\*\*\?next\/a\.txt line 1 \(Stripe key\)/);
    expect(text).not.toContain(KEY);
  });
});

describe('looking at files is bounded', () => {
  test('of a long file, the first half MiB', () => {
    const filler = 'x\n'.repeat(300 * 1024);
    expect(said(codeOfDirectory({ 'a.log': KEY + filler }))).toContain('a.log line 1');
    expect(said(codeOfDirectory({ 'a.log': filler + KEY }))).toBe('');
    expect(said(codeOfZip({ 'a.log': KEY + filler }))).toContain('a.log line 1');
    expect(said(codeOfZip({ 'a.log': filler + KEY }))).toBe('');
  });

  test('what is no text is not searched', () => {
    expect(said(codeOfDirectory({ 'program': Buffer.concat([Buffer.from([0x7f, 0x45, 0]), Buffer.from(KEY)]), 'a.png': KEY }))).toBe('');
  });

  test('text of Windows in two bytes a character is', () => {
    expect(said(codeOfDirectory({ 'app.config': Buffer.from(`\uFEFFa\r\n${KEY}\r\n`, 'utf16le') }))).toContain('app.config line 2 (Stripe key)');
  });

  test('a zip that claims anything is searched as far as it goes', () => {
    const bomb = Buffer.alloc(64 * 1024 * 1024);
    expect(said(codeOfZip({ 'a.txt': bomb, 'b.txt': KEY }))).toContain('b.txt line 1');
  });

  test('the code of many images is looked at once', () => {
    const stack = stackOf();
    const code = codeOfDirectory({ 'a.txt': KEY });
    imageIn(stack, { code }, 'One');
    const [folder] = fs.readdirSync(directory);
    // CDK has copied it, and copies it no more.
    write({ 'a.txt': 'x' }, path.join(directory, folder));
    imageIn(stack, { code }, 'Two');
    expect(warnings(stack)).toEqual(['cdk-lambda-microvms:secretContent', 'cdk-lambda-microvms:secretContent']);
  });
});

describe('only what goes into the image counts', () => {
  test('not what .dockerignore, exclude or the library leaves out', () => {
    expect(said(codeOfDirectory({ '.dockerignore': 'test\n', 'test/a': KEY, 'b/c': KEY }, { exclude: ['b'] }))).toBe('');
    expect(said(codeOfDirectory({ 'app/.env': KEY }))).toMatch(/^files that usually hold credentials are left out of the code: app\/\.env;[^\n]*$/);
  });

  test('so it is when CDK makes no copy of the code', () => {
    const withoutCopy = () => stackOf({}, { context: { 'aws:cdk:disable-asset-staging': true } });
    const files = { '.dockerignore': 'test\n', 'test/a': KEY, 'b/c': KEY };
    expect(said(codeOfDirectory(files), withoutCopy())).toMatch(/ in the code: b\/c line 1 \(Stripe key\); /);
    expect(said(codeOfDirectory(files, { exclude: ['b'] }), withoutCopy())).toBe('');
  });

  test('but what the user lets in', () => {
    expect(said(codeOfDirectory({ '.env': KEY }, { includeSecretFiles: true }))).toMatch(/^secrets seem.*: \.env line 1/);
    expect(said(codeOfDirectory({ '.env': KEY }, { exclude: ['!.env'] }))).toMatch(/^secrets seem.*: \.env line 1/);
  });

  test('links count when they are followed', () => {
    write({ 'outside/a.txt': KEY, 'code/Dockerfile': DOCKERFILE, 'code/own/b.txt': 'x' });
    fs.symlinkSync('../outside', path.join(directory, 'code', 'link'));
    fs.symlinkSync('missing', path.join(directory, 'code', 'broken'));
    fs.symlinkSync('own', path.join(directory, 'code', 'inner'));
    const linked = (followSymlinks?: SymlinkFollowMode) => said(MicrovmCode.fromAsset(path.join(directory, 'code'), { followSymlinks }));
    expect(linked(SymlinkFollowMode.NEVER)).not.toContain('secrets seem');
    expect(linked()).toMatch(/: link\/a\.txt line 1 \(Stripe key\); /);
    expect(linked(SymlinkFollowMode.EXTERNAL)).toMatch(/: link\/a\.txt line 1 \(Stripe key\); /);
    write({ 'code/own/b.txt': KEY });
    fs.unlinkSync(path.join(directory, 'code', 'link'));
    expect(linked(SymlinkFollowMode.BLOCK_EXTERNAL)).toMatch(/: inner\/b\.txt line 1 \(Stripe key\), own\/b\.txt line 1 \(Stripe key\); /);
  });
});

describe('links that lead out of a directory', () => {
  const linked = (options?: MicrovmAssetCodeOptions) => said(MicrovmCode.fromAsset(path.join(directory, 'code'), options));
  beforeEach(() => {
    write({ 'home/.aws/credentials': '[default]', 'code/Dockerfile': DOCKERFILE, 'code/app/own.txt': 'x' });
    fs.symlinkSync(path.join(directory, 'home', '.aws'), path.join(directory, 'code', 'app', 'aws'));
    fs.symlinkSync('own.txt', path.join(directory, 'code', 'app', 'inner'));
    fs.symlinkSync('../missing', path.join(directory, 'code', 'broken'));
  });

  test('bring files of other places into the image, which is what CDK does by itself', () => {
    const stack = stackOf();
    imageIn(stack, { code: MicrovmCode.fromAsset(path.join(directory, 'code')) });
    const { directory: assembly } = (stack.node.root as App).synth();
    const [copy] = fs.readdirSync(assembly).map((name) => path.join(assembly, name, 'app')).filter((app) => fs.existsSync(app));
    expect(fs.readFileSync(path.join(copy, 'aws', 'credentials'), 'utf8')).toBe('[default]');
    expect(fs.lstatSync(path.join(copy, 'inner')).isSymbolicLink()).toBe(true);
  });

  test.each([[undefined], [SymlinkFollowMode.NEVER]])('are warned about with followSymlinks %s, by name', (followSymlinks) => {
    expect(linked({ followSymlinks })).toMatch(
      /^links lead out of the code: app\/aws; what they lead to is uploaded [^\n]* \[ack: cdk-lambda-microvms:externalLinks\]$/);
  });

  test.each([[SymlinkFollowMode.EXTERNAL], [SymlinkFollowMode.ALWAYS]])('are what is meant with followSymlinks %s', (followSymlinks) => {
    fs.unlinkSync(path.join(directory, 'code', 'broken'));
    expect(linked({ followSymlinks })).toBe('');
  });

  test('are refused by BLOCK_EXTERNAL', () => {
    expect(() => linked({ followSymlinks: SymlinkFollowMode.BLOCK_EXTERNAL })).toThrow(/external symbolic link which is forbidden/);
  });

  test.each([['app'], ['app/aws'], ['**/aws']])('do not count when %s is left out', (pattern) => {
    expect(linked({ exclude: [pattern] })).toBe('');
  });

  test('that a default is written out changes no asset', () => {
    const hashOf = (options?: MicrovmAssetCodeOptions) => {
      const stack = stackOf();
      imageIn(stack, { code: MicrovmCode.fromAsset(path.join(directory, 'code'), options) });
      return Object.values<any>(Template.fromStack(stack).findResources('Custom::LambdaMicrovmImage'))[0].Properties.CodeArtifactUri;
    };
    expect(hashOf({ followSymlinks: SymlinkFollowMode.EXTERNAL })).toEqual(hashOf());
  });
});

describe('files named like credentials', () => {
  test.each([['a zip', codeOfZip, 'the zip'], ['inline code', codeInline, 'files']] as const)('are warned about in %s, from which nothing is left out', (_kind, codeOf, where) => {
    expect(said(codeOf({ 'app/.env': 'A=1', '.aws/credentials': '[default]', 'a.txt': 'x' }))).toMatch(
      new RegExp(`^files that usually hold credentials are part of the code: app/\\.env, \\.aws/credentials; take them out of ${where}, .* \\[ack: cdk-lambda-microvms:secretFilesIncluded\\]$`));
  });

  test('are no credentials when they are examples, certificates or public keys', () => {
    expect(said(codeOfZip({
      '.env.example': 'A=', 'id_rsa.pub': 'ssh-rsa AAAA', 'ca.pem': '-----BEGIN CERTIFICATE-----\nMIID', 'node_modules/a/test/key.pem': 'x',
    }))).toBe('');
    expect(said(codeOfZip({ 'server.key': Buffer.from([0, 1, 2]) }))).toContain('server.key');
  });
});

describe('a large directory', () => {
  const many = (count: number, folder = 'node_modules/a') => Object.fromEntries(Array.from({ length: count }, (_, index) => [`${folder}/${index}.js`, '']));

  test('without .dockerignore is warned about, with where it is large', () => {
    expect(said(codeOfDirectory({ ...many(2001), 'src/a.js': 'x' }))).toMatch(
      /^the code has 2003 files, 0\.0 MiB and no \.dockerignore, most of it in node_modules \(2001 files, 0\.0 MiB\), .*\[ack: cdk-lambda-microvms:largeContext\]$/);
    expect(said(codeOfDirectory({ 'model.bin': Buffer.alloc(21 * 1024 * 1024) }))).toMatch(/2 files, 21\.0 MiB.* most of it in model\.bin \(1 file, 21\.0 MiB\), /);
    expect(said(codeOfDirectory({ '.dockerignore': '# nothing yet\n', ...many(2001) }))).toContain('largeContext');
  });

  test('with .dockerignore, with exclude, or not that large is fine', () => {
    expect(said(codeOfDirectory({ '.dockerignore': '*.md\n', ...many(2001) }))).toBe('');
    expect(said(codeOfDirectory(many(2001), { exclude: ['*.md'] }))).toBe('');
    expect(said(codeOfDirectory(many(1990)))).toBe('');
    expect(said(codeOfDirectory(many(2001, '.git/objects')))).toBe('');
  });
});

describe('nothing is said about code that is not there to read', () => {
  test('in a bucket, or in ECR', () => {
    const stack = stackOf({ env: ENV });
    const hooks = MicrovmHooks.onPort(9000, { ready: Duration.minutes(5) });
    imageIn(stack, { hooks, code: MicrovmCode.fromBucket(s3.Bucket.fromBucketName(stack, 'Bucket', 'bucket'), 'a.zip') }, 'InBucket');
    const repository = ecr.Repository.fromRepositoryName(stack, 'Repository', 'node');
    imageIn(stack, { hooks, code: MicrovmCode.fromEcrImage(repository, `sha256:${'0a'.repeat(32)}`) }, 'InEcr');
    expect(warnings(stack)).toEqual([]);
  });
});
