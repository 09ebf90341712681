import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import { App, Duration, Stack, Token } from 'aws-cdk-lib';
import { Match, Annotations } from 'aws-cdk-lib/assertions';
import * as ecr from 'aws-cdk-lib/aws-ecr';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { zipSync } from 'fflate';
import { ENV, imageIn, imageResource, stackOf, statementsOf, text, warnings } from './fixtures';
import { MicrovmAssetCodeOptions, MicrovmCode, MicrovmHooks } from '../../src';

let directory: string;
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'microvm-code-test-'));
  write('Dockerfile', 'FROM scratch\n');
});
afterEach(() => fs.rmSync(directory, { recursive: true }));

function write(name: string, content: string | Buffer = 'x') {
  fs.mkdirSync(path.dirname(path.join(directory, name)), { recursive: true });
  fs.writeFileSync(path.join(directory, name), content);
}

/** Builds an image from the code and lists the files that would be zipped. */
function staged(code: MicrovmCode, stack = stackOf()): string[] {
  imageIn(stack, { code });
  const key = /([0-9a-f]{64})\.zip$/.exec(text(imageResource(stack).Properties.CodeArtifactUri))![1];
  const folder = path.join((stack.node.root as App).outdir, `asset.${key}`);
  return (fs.readdirSync(folder, { recursive: true }) as string[])
    .filter((name) => fs.statSync(path.join(folder, name)).isFile())
    .sort();
}

describe('a directory', () => {
  const files = (options?: MicrovmAssetCodeOptions, stack?: Stack) => staged(MicrovmCode.fromAsset(directory, options), stack);

  test('goes as it is', () => {
    write('app/server.js');
    write('.config/settings');
    expect(files()).toEqual(['.config/settings', 'Dockerfile', 'app/server.js']);
  });

  test('leaves out what .dockerignore says, but never the Dockerfile', () => {
    write('.dockerignore', '# comment\nnode_modules\n**/*.md\n!README.md\nDockerfile\n');
    write('node_modules/a/index.js');
    write('README.md');
    write('docs/guide.md');
    expect(files()).toEqual(['.dockerignore', 'Dockerfile', 'README.md']);
  });

  test('leaves out what exclude says, after .dockerignore', () => {
    write('.dockerignore', 'a\n');
    write('a');
    write('b');
    expect(files({ exclude: ['!a', 'b', 'Dockerfile'] })).toEqual(['.dockerignore', 'Dockerfile', 'a']);
  });

  const SECRETS = [
    '.env', '.env.local', 'deploy/.env', 'tls.pem', 'certs/server.key', '.npmrc', '.netrc', 'id_rsa', 'id_ed25519.pub', '.aws/credentials', 'home/.ssh/config',
    '.docker/config.json', '.kube/config', 'trust.jks', 'app/debug.keystore', 'credentials.json', '.terraform/environment', 'terraform.tfstate.backup',
  ];

  test.each(SECRETS)('leaves %s out, and warns', (secret) => {
    write(secret);
    const stack = stackOf();
    expect(files({}, stack)).toEqual(['Dockerfile']);
    expect(warnings(stack)).toEqual(['cdk-lambda-microvms:secretFiles']);
  });

  test('leaves examples of them out without a word, unless the Dockerfile wants them', () => {
    write('.env.example');
    expect(files({}, stackOf())).toEqual(['Dockerfile']);
    const quiet = stackOf();
    files({}, quiet);
    expect(warnings(quiet)).toEqual([]);
    fs.appendFileSync(path.join(directory, 'Dockerfile'), '\nCOPY .env.example .env\n');
    const wanted = stackOf();
    files({}, wanted);
    expect(warnings(wanted)).toEqual(['cdk-lambda-microvms:secretFiles']);
  });

  test('names the files it left out', () => {
    write('app/.env');
    const stack = stackOf();
    files({}, stack);
    Annotations.fromStack(stack).hasWarning('/Stack/Image', Match.stringLikeRegexp('left out of the code: app/\\.env; .*includeSecretFiles'));
  });

  test('leaves the history of version control out without a word', () => {
    write('.git/config');
    const stack = stackOf();
    expect(files({}, stack)).toEqual(['Dockerfile']);
    expect(warnings(stack)).toEqual([]);
  });

  test('keeps all of them when told to', () => {
    [...SECRETS, '.git/config'].forEach((secret) => write(secret));
    const stack = stackOf();
    expect(files({ includeSecretFiles: true }, stack)).toEqual([...SECRETS, '.git/config', 'Dockerfile'].sort());
    expect(warnings(stack)).toEqual([]);
  });

  test.each([['.dockerignore', () => write('.dockerignore', '!ca.pem\n'), {}], ['exclude', () => undefined, { exclude: ['!ca.pem'] }]])(
    'keeps one that the user lets in with a pattern of %s', (_where, prepare, options) => {
      prepare();
      write('ca.pem');
      write('key.pem');
      expect(files(options)).toContain('ca.pem');
      expect(files(options, stackOf())).not.toContain('key.pem');
    });

  test('does not warn about a file that the user leaves out anyway', () => {
    write('.dockerignore', 'vendor\n');
    write('vendor/test/fixtures/tls.pem');
    const stack = stackOf();
    expect(files({}, stack)).toEqual(['.dockerignore', 'Dockerfile']);
    expect(warnings(stack)).toEqual([]);
  });

  test('with other content has another key, with the same content the same', () => {
    const uri = () => {
      const stack = stackOf();
      imageIn(stack, { code: MicrovmCode.fromAsset(directory) });
      return text(imageResource(stack).Properties.CodeArtifactUri);
    };
    const first = uri();
    expect(uri()).toBe(first);
    write('Dockerfile', 'FROM scratch\nCMD ["true"]\n');
    expect(uri()).not.toBe(first);
  });
});

test.each([['deflated', 6 as const], ['stored', 0 as const]])('a zip is checked and goes as it is (%s)', (_how, level) => {
  const zip = path.join(directory, 'code.zip');
  fs.writeFileSync(zip, zipSync({ 'a/b.txt': Buffer.from('b'.repeat(1000)), 'Dockerfile': [Buffer.from('FROM scratch\n'), { level }] }, { comment: 'made by a test' } as any));
  const stack = stackOf();
  imageIn(stack, { code: MicrovmCode.fromAsset(zip) });
  const key = /([0-9a-f]{64}\.zip)$/.exec(text(imageResource(stack).Properties.CodeArtifactUri))![1];
  expect(fs.readFileSync(path.join((stack.node.root as App).outdir, `asset.${key}`))).toEqual(fs.readFileSync(zip));
});

describe('inline code', () => {
  // A temporary folder of its own: other tests leave theirs beside it.
  const { TMPDIR } = process.env;
  let temporary: string;
  let stack: Stack;
  beforeEach(() => {
    temporary = fs.mkdtempSync(path.join(os.tmpdir(), 'microvm-code-test-'));
    process.env.TMPDIR = temporary;
    stack = stackOf({}, { outdir: path.join(temporary, 'cdk.out') });
  });
  afterEach(() => {
    Object.assign(process.env, { TMPDIR });
    if (TMPDIR === undefined) {
      delete process.env.TMPDIR;
    }
    fs.rmSync(temporary, { recursive: true });
  });

  test('is a directory of its files', () => {
    expect(staged(MicrovmCode.fromInline({ dockerfile: 'FROM scratch', files: { 'app/server.js': '1', 'run.sh': '2', '..hidden': '3' } }), stack))
      .toEqual(['..hidden', 'Dockerfile', 'app/server.js', 'run.sh']);
    expect(fs.readdirSync(temporary)).toEqual(['cdk.out']);
  });

  test.each([['FROM scratch', { 'a': '', 'a/b': '' }], ['FROM scratch', { a: undefined! }], ['RUN true', {}]])(
    'that is wrong leaves no directory behind: %s %j', (dockerfile, files) => {
      expect(() => imageIn(stack, { code: MicrovmCode.fromInline({ dockerfile, files }) })).toThrow();
      expect(fs.readdirSync(temporary)).toEqual(['cdk.out']);
    });
});

describe('a relative path', () => {
  let before: string;
  beforeEach(() => {
    before = process.cwd();
    write('image/Dockerfile', 'FROM scratch\n');
    write('image/.env');
    write('image/code.zip', Buffer.from(zipSync({ Dockerfile: Buffer.from('FROM scratch\n') })));
  });
  afterEach(() => process.chdir(before));

  test.each([['image', ''], ['./image/', ''], ['.', 'image']])('to a directory starts from the current one: %s', (source, current) => {
    process.chdir(path.join(directory, current));
    const stack = stackOf();
    const code = MicrovmCode.fromAsset(source, { exclude: ['*.zip'] });
    process.chdir(before);
    expect(staged(code, stack)).toEqual(['Dockerfile']);
    expect(warnings(stack)).toEqual(['cdk-lambda-microvms:secretFiles']);
  });

  test('to a zip starts from the current directory', () => {
    process.chdir(directory);
    const code = MicrovmCode.fromAsset('image/code.zip');
    process.chdir(before);
    const stack = stackOf();
    imageIn(stack, { code });
    expect(text(imageResource(stack).Properties.CodeArtifactUri)).toMatch(/\/[0-9a-f]{64}\.zip$/);
  });
});

test('one code may be used by two images', () => {
  const stack = stackOf();
  const code = MicrovmCode.fromAsset(directory);
  imageIn(stack, { code }, 'One');
  imageIn(stack, { code }, 'Two');
  expect(statementsOf(stack, 'OneBuildRole')[0]).toEqual(statementsOf(stack, 'TwoBuildRole')[0]);
});

describe('an object in a bucket', () => {
  test('is read, and nothing beside it', () => {
    const stack = stackOf();
    imageIn(stack, { code: MicrovmCode.fromBucket(s3.Bucket.fromBucketName(stack, 'Bucket', 'bucket'), 'a/b.zip') });
    expect(text(imageResource(stack).Properties.CodeArtifactUri)).toBe('s3://bucket/a/b.zip');
    expect(statementsOf(stack, 'ImageBuildRole')[0]).toEqual({ actions: ['s3:GetObject'], resources: ['arn:<AWS::Partition>:s3:::bucket/a/b.zip'] });
  });

  test('is decrypted with the key of its bucket, for which the role may do nothing else', () => {
    const stack = stackOf();
    const key = new kms.Key(stack, 'Key');
    imageIn(stack, { code: MicrovmCode.fromBucket(new s3.Bucket(stack, 'Bucket', { encryptionKey: key }), 'b.zip') });
    expect(statementsOf(stack, 'ImageBuildRole')).toContainEqual({ actions: ['kms:Decrypt'], resources: [expect.stringMatching(/^<Key\w+\.Arn>$/)] });
    expect(imageResource(stack).DependsOn).toEqual([expect.stringMatching(/^ImageBuildRoleDefaultPolicy/)]);
  });
});

describe('a container image in ECR', () => {
  const DIGEST = `sha256:${'0a'.repeat(32)}`;
  const fromArn = (stack: Stack, region = 'us-east-1', account = ENV.account) => MicrovmCode.fromEcrImage(
    ecr.Repository.fromRepositoryArn(stack, 'Repository', `arn:aws:ecr:${region}:${account}:repository/team/base`), DIGEST);

  test.each([['us-east-1', 'amazonaws.com'], ['cn-north-1', 'amazonaws.com.cn']])('is what a Dockerfile of one line starts from (%s)', (region, suffix) => {
    const stack = stackOf();
    const code = fromArn(stack, region);
    expect(staged(code, stack)).toEqual(['Dockerfile']);
    const folder = fs.readdirSync((stack.node.root as App).outdir).find((name) => /^asset\.[0-9a-f]{64}$/.test(name))!;
    expect(fs.readFileSync(path.join((stack.node.root as App).outdir, folder, 'Dockerfile'), 'utf8'))
      .toBe(`FROM 123456789012.dkr.ecr.${region}.${suffix}/team/base@${DIGEST}\n`);
  });

  test('may be imported by its name in a stack of a known environment', () => {
    const stack = stackOf({ env: ENV });
    expect(staged(MicrovmCode.fromEcrImage(ecr.Repository.fromRepositoryName(stack, 'Repository', 'base'), DIGEST), stack)).toEqual(['Dockerfile']);
  });

  test('is pulled from exactly this repository, before the image is built', () => {
    const stack = stackOf({ env: ENV });
    imageIn(stack, { code: fromArn(stack) });
    expect(statementsOf(stack, 'ImageBuildRole')).toEqual(expect.arrayContaining([
      { actions: ['ecr:BatchCheckLayerAvailability', 'ecr:GetDownloadUrlForLayer', 'ecr:BatchGetImage'], resources: ['arn:aws:ecr:us-east-1:123456789012:repository/team/base'] },
      { actions: ['ecr:GetAuthorizationToken'], resources: ['*'] },
    ]));
    expect(imageResource(stack).DependsOn).toContainEqual(expect.stringMatching(/^ImageBuildRoleDefaultPolicy/));
  });

  test('says nothing of its ports, so nothing is said about the port of the hooks', () => {
    const stack = stackOf();
    imageIn(stack, { code: fromArn(stack), hooks: MicrovmHooks.onPort(9000, { ready: Duration.minutes(5) }) });
    expect(warnings(stack)).toEqual([]);
  });

  test('a build role that this app does not change must be allowed to pull', () => {
    const stack = stackOf({ env: ENV });
    imageIn(stack, { code: fromArn(stack), buildRole: iam.Role.fromRoleArn(stack, 'Role', 'arn:aws:iam::123456789012:role/build', { mutable: false }) });
    Annotations.fromStack(stack).hasWarning('/Stack/Image', Match.stringLikeRegexp("ecr:GetAuthorizationToken, and to pull from 'arn:aws:ecr:us-east-1:123456789012:repository/team/base'"));
  });

  test.each(['latest', 'sha256:abc', `sha512:${'0a'.repeat(32)}`, `sha256:${'0A'.repeat(32)}`, Token.asString({ Ref: 'Digest' })])(
    'needs a digest that is known while synthesizing, not %s', (digest) => {
      const stack = stackOf({ env: ENV });
      const repository = ecr.Repository.fromRepositoryName(stack, 'Repository', 'base');
      expect(() => MicrovmCode.fromEcrImage(repository, digest)).toThrow(/digest must be 'sha256:'.*got .*aws ecr describe-images/);
    });

  test('needs a repository that is known while synthesizing', () => {
    const code = MicrovmCode.fromEcrImage(new ecr.Repository(stackOf(), 'Repository', { repositoryName: 'base' }), DIGEST);
    expect(() => imageIn(stackOf(), { code })).toThrow(/its account, region, name are not; give the stack an env and use Repository\.fromRepositoryName/);
  });

  test('of another account is refused: the service pulls from no other', () => {
    const stack = stackOf({ env: ENV });
    expect(() => imageIn(stack, { code: fromArn(stack, 'us-east-1', '210987654321') })).toThrow(/account '123456789012', got one of '210987654321'/);
  });
});
