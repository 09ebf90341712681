import * as fs from 'fs';
import * as path from 'path';
import { Annotations, FileSystem, IgnoreMode, Stack, Stage, SymlinkFollowMode, Token } from 'aws-cdk-lib';
import * as ecr from 'aws-cdk-lib/aws-ecr';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { DISABLE_ASSET_STAGING_CONTEXT } from 'aws-cdk-lib/cx-api';
import { RegionInfo } from 'aws-cdk-lib/region-info';
import { Construct } from 'constructs';
import { BoundCode, inBucket } from './private/bound-code';
import { lit, UnscopedValidationError, ValidationError } from './private/cdk-internals';
import { directoryContext, inlineContext, zipContext } from './private/code-context';
import { checkContext } from './private/context-checks';
import { checkDockerfile } from './private/dockerfile-checks';
import { DockerfileFacts } from './private/dockerfile-stages';
import { warnAboutExternalLinks } from './private/external-links';
import { leftOutSecretFiles, SECRET_FILE_PATTERNS } from './private/secret-files';
import { grantPull } from './private/service-role';
import { readFromZip } from './private/zip-reader';

const DOCKERFILE = 'Dockerfile';
const REPORTED_SECRET_FILES = 5;

/**
 * How a directory becomes the code of an image.
 */
export interface MicrovmAssetCodeOptions {
  /**
   * Files to leave out, in `.dockerignore` syntax, after those of the directory's own `.dockerignore`.
   *
   * The last pattern that matches a file decides. The `Dockerfile` always stays.
   *
   * @default - what `.dockerignore` and `includeSecretFiles` say
   */
  readonly exclude?: string[];

  /**
   * Whether files that usually hold credentials (`.env`, `*.pem`, `*.key`, `.npmrc`, `.aws/`, `.ssh/` and the like)
   * and version control folders are part of the code.
   *
   * One of them can be let in with a `!` pattern in `.dockerignore` or in `exclude`, such as `!ca.pem`.
   *
   * @default false
   */
  readonly includeSecretFiles?: boolean;

  /**
   * Which symbolic links the CDK replaces by what they lead to, when it copies the directory.
   *
   * An image has no links of the directory in any case: the CDK CLI follows those that are left when it makes the zip. Make links in the
   * Dockerfile. One that leads out of the directory brings files of another place into the image, and gets a warning unless you say
   * here that it is meant, with `EXTERNAL` or `ALWAYS`; `BLOCK_EXTERNAL` refuses it.
   *
   * Another value than the default builds a new version.
   *
   * @default SymlinkFollowMode.EXTERNAL
   */
  readonly followSymlinks?: SymlinkFollowMode;
}

/**
 * Code written in the app itself.
 */
export interface MicrovmInlineCode {
  /** The content of the Dockerfile. */
  readonly dockerfile: string;

  /**
   * Other files: their content by relative path.
   *
   * @default - none
   */
  readonly files?: Record<string, string>;
}

/**
 * What an image is built from: a zip in S3 with a `Dockerfile` at its root, next to the files it copies.
 *
 * The image's base (`FROM`) must be Linux on arm64. New content builds a new version of the image.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/microvms-images.html
 *
 * @example
 * new MicrovmImage(this, 'Image', {
 *   code: MicrovmCode.fromInline({
 *     dockerfile: 'FROM public.ecr.aws/lambda/microvms:al2023-minimal\nCMD ["sleep", "infinity"]',
 *   }),
 * });
 */
export abstract class MicrovmCode {
  /**
   * A local directory with a `Dockerfile` at its root, or a `.zip` of one.
   *
   * `.dockerignore` is honoured, and files that usually hold credentials are left out of a directory, with a warning.
   * It is an error when there is no `Dockerfile`, or when its last `FROM` is made for x86 only.
   *
   * @param directoryOrZip relative to the current directory
   */
  public static fromAsset(directoryOrZip: string, options: MicrovmAssetCodeOptions = {}): MicrovmCode {
    return new AssetCode(directoryOrZip, options);
  }

  /** A Dockerfile, and files for it to copy, written in the app. */
  public static fromInline(code: MicrovmInlineCode): MicrovmCode {
    return new InlineCode(code);
  }

  /**
   * A zip that is in S3 already, in the region of the image.
   *
   * A build happens only when the key changes: put a hash of the content into it. The build role may read exactly this
   * object, and decrypt with the bucket's key if it has one.
   *
   * @param bucket where the zip is
   * @param key the key of the zip: no wildcards (`*`, `?`), no policy variables (`${`), no whitespace, no `/` at its start
   */
  public static fromBucket(bucket: s3.IBucket, key: string): MicrovmCode {
    return new BucketCode(bucket, key);
  }

  /**
   * A container image for arm64 in a private ECR repository of the image's own account.
   *
   * The service builds from a zip in S3 only, so the code is a Dockerfile of one line, `FROM <repository>@<digest>`. That line
   * is written while synthesizing: account, region and name of the repository must be literal then. Import it with
   * `Repository.fromRepositoryArn()`, or in a stack with an `env` with `Repository.fromRepositoryName()`. A new digest builds a
   * new version.
   *
   * The build role may pull from exactly this repository, and may get an authorization token (`ecr:GetAuthorizationToken`, which
   * has no resource).
   *
   * @param repository where the container image is
   * @param digest of the container image for arm64: `sha256:` and 64 hexadecimal digits
   */
  public static fromEcrImage(repository: ecr.IRepository, digest: string): MicrovmCode {
    return new EcrImageCode(repository, digest);
  }

  /** @internal */
  public abstract _bind(scope: Construct): BoundCode;
}

class BucketCode extends MicrovmCode {
  constructor(private readonly bucket: s3.IBucket, private readonly key: string) {
    super();
    if (!Token.isUnresolved(key) && (!/^[^\s*?]{1,1024}$/.test(key) || key.includes('${') || key.startsWith('/'))) {
      throw new UnscopedValidationError(
        lit`MicrovmCodeBucketKey`,
        `key must be 1 to 1024 characters without whitespace, '*' and '?', '\${' and a '/' at its start, got '${key}': ` +
        'the build role is given exactly this object, and a policy would read a wildcard or a variable in it; rename the object',
      );
    }
  }

  public _bind(scope: Construct): BoundCode {
    const { region } = Stack.of(scope);
    const bucketRegion = this.bucket.env.region;
    if (!Token.isUnresolved(region) && !Token.isUnresolved(bucketRegion) && region !== bucketRegion) {
      throw new ValidationError(
        lit`MicrovmCodeBucketRegion`,
        `code must be in a bucket of the image's region '${region}', got one of '${bucketRegion}'; copy the zip to a bucket of '${region}'`,
        scope,
      );
    }
    return inBucket(this.bucket, this.key);
  }
}

class AssetCode extends MicrovmCode {
  private readonly source: string;

  constructor(directoryOrZip: string, private readonly options: MicrovmAssetCodeOptions) {
    super();
    // Now, while the current directory is the caller's. Ignore patterns want an absolute path, too.
    this.source = path.resolve(directoryOrZip);
  }

  public _bind(scope: Construct): BoundCode {
    const stat = fs.statSync(this.source, { throwIfNoEntry: false });
    if (!stat) {
      throw new ValidationError(
        lit`MicrovmCodePath`,
        `code must be a directory with a Dockerfile or a .zip of one, but '${this.source}' does not exist`,
        scope,
      );
    }
    const dockerfile = stat.isDirectory() ? this.fromDirectory() : this.fromZip(scope);
    if (dockerfile === undefined) {
      throw new ValidationError(
        lit`MicrovmCodeDockerfile`,
        `code must have a file named 'Dockerfile' at its root, but '${this.source}' has none; ` +
        'the service looks at no other place and for no other name',
        scope,
      );
    }
    const facts = checkDockerfile(scope, dockerfile);
    return stat.isDirectory() ? this.bindDirectory(scope, facts, dockerfile) : this.bindZip(scope, facts);
  }

  private bindDirectory(scope: Construct, dockerfile: DockerfileFacts, dockerfileText: string): BoundCode {
    const { followSymlinks } = this.options;
    const own = [...dockerignorePatterns(this.source), ...(this.options.exclude ?? [])];
    const exclude = [...(this.options.includeSecretFiles ? [] : SECRET_FILE_PATTERNS), ...own, `!${DOCKERFILE}`];
    warnAboutLeftOutFiles(scope, this.source, exclude, dockerfileText);
    warnAboutExternalLinks(scope, this.source, exclude, followSymlinks);
    const asset = new Asset(scope, 'Code', { path: this.source, exclude, ignoreMode: IgnoreMode.DOCKER, followSymlinks });
    // The copy CDK has made needs no more matching of patterns, which is slow. Without staging, there is none.
    const copy = path.resolve(Stage.of(scope)!.outdir, asset.assetPath);
    checkContext(scope, {
      dockerfile,
      context: copy === this.source ? directoryContext(this.source, exclude, followSymlinks) : directoryContext(copy, [], SymlinkFollowMode.NEVER),
      hash: asset.assetHash,
      isWholeDirectory: own.every((line) => line.startsWith('#')),
    });
    return { ...inBucket(asset.bucket, asset.s3ObjectKey), uri: asset.s3ObjectUrl, dockerfile };
  }

  private bindZip(scope: Construct, dockerfile: DockerfileFacts): BoundCode {
    const asset = new Asset(scope, 'Code', { path: this.source });
    checkContext(scope, { dockerfile, context: zipContext(this.source), hash: asset.assetHash, isWholeDirectory: false, credentialFilesAreIn: 'the zip' });
    return { ...inBucket(asset.bucket, asset.s3ObjectKey), uri: asset.s3ObjectUrl, dockerfile };
  }

  private fromDirectory(): string | undefined {
    const file = path.join(this.source, DOCKERFILE);
    // The listing, not the path: on a file system that ignores case, 'dockerfile' would pass and then fail to build.
    return fs.readdirSync(this.source).includes(DOCKERFILE) && fs.statSync(file).isFile() ? fs.readFileSync(file, 'utf8') : undefined;
  }

  private fromZip(scope: Construct): string | undefined {
    const problem = (reason: string) => new ValidationError(
      lit`MicrovmCodeZip`,
      `code must be a directory with a Dockerfile or a .zip of one, but '${this.source}' is not: ${reason}`,
      scope,
    );
    if (path.extname(this.source).toLowerCase() !== '.zip') {
      throw problem("its name does not end in '.zip'");
    }
    if (this.options.exclude || this.options.includeSecretFiles !== undefined || this.options.followSymlinks !== undefined) {
      throw problem('exclude, includeSecretFiles and followSymlinks are for directories; make the zip without the files');
    }
    try {
      return readFromZip(this.source, DOCKERFILE);
    } catch (error) {
      throw problem((error as Error).message);
    }
  }
}

class InlineCode extends MicrovmCode {
  private readonly files: Record<string, string>;

  constructor(code: MicrovmInlineCode) {
    super();
    this.files = { ...code.files, [DOCKERFILE]: code.dockerfile };
    for (const name of Object.keys(code.files ?? {})) {
      const normal = path.posix.normalize(name);
      if (name === '' || path.posix.isAbsolute(name) || /\\|\/$/.test(name) || /^\.\.?(\/|$)/.test(normal) || normal === DOCKERFILE) {
        throw new UnscopedValidationError(
          lit`MicrovmInlineCodePath`,
          `files must have relative paths inside the code, with '/' between folders and other than 'Dockerfile', got '${name}'`,
        );
      }
    }
    refuseSamePaths(Object.keys(this.files));
    for (const [name, content] of Object.entries(this.files)) {
      if (typeof content !== 'string') {
        throw new UnscopedValidationError(
          lit`MicrovmInlineCodeContent`,
          `inline code must have text for every file, but '${name}' is ${content}; give it a string`,
        );
      }
      if (Token.isUnresolved(content)) {
        throw new UnscopedValidationError(
          lit`MicrovmInlineCodeToken`,
          `inline code must be known while synthesizing, but '${name}' holds a value that only deployment knows; pass such a value in environment`,
        );
      }
    }
  }

  public _bind(scope: Construct): BoundCode {
    const dockerfile = checkDockerfile(scope, this.files[DOCKERFILE]);
    const directory = FileSystem.mkdtemp('microvm-code-');
    for (const [name, content] of Object.entries(this.files)) {
      const file = path.join(directory, name);
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(file, content);
    }
    const asset = new Asset(scope, 'Code', { path: directory });
    if (!scope.node.tryGetContext(DISABLE_ASSET_STAGING_CONTEXT)) {
      // It has been copied into the cloud assembly.
      fs.rmSync(directory, { recursive: true });
    }
    checkContext(scope, { dockerfile, context: inlineContext(this.files), hash: asset.assetHash, isWholeDirectory: false, credentialFilesAreIn: 'files' });
    return { ...inBucket(asset.bucket, asset.s3ObjectKey), uri: asset.s3ObjectUrl, dockerfile };
  }
}

class EcrImageCode extends MicrovmCode {
  constructor(private readonly repository: ecr.IRepository, private readonly digest: string) {
    super();
    if (Token.isUnresolved(digest) || !/^sha256:[0-9a-f]{64}$/.test(digest)) {
      throw new UnscopedValidationError(
        lit`MicrovmCodeDigest`,
        `digest must be 'sha256:' and 64 hexadecimal digits, known while synthesizing, got '${digest}'; ` +
        'a tag can move without a new version being built, aws ecr describe-images tells the digest',
      );
    }
  }

  public _bind(scope: Construct): BoundCode {
    const { env, repositoryName, repositoryArn } = this.repository;
    const { account } = Stack.of(scope);
    const unknown = Object.entries({ account: env.account, region: env.region, name: repositoryName })
      .filter(([, value]) => Token.isUnresolved(value)).map(([part]) => part);
    if (unknown.length > 0) {
      throw new ValidationError(
        lit`MicrovmCodeRepository`,
        `code must be in a repository whose account, region and name are known while synthesizing, but its ${unknown.join(', ')} ` +
        `${unknown.length === 1 ? 'is' : 'are'} not; give the stack an env and use Repository.fromRepositoryName(), or Repository.fromRepositoryArn()`,
        scope,
      );
    }
    if (!Token.isUnresolved(account) && account !== env.account) {
      throw new ValidationError(
        lit`MicrovmCodeRepositoryAccount`,
        `code must be in a repository of the image's account '${account}', got one of '${env.account}': the service pulls from no other; copy the container image`,
        scope,
      );
    }
    const registry = `${env.account}.dkr.ecr.${env.region}.${RegionInfo.get(env.region).domainSuffix ?? 'amazonaws.com'}`;
    const code = new InlineCode({ dockerfile: `FROM ${registry}/${repositoryName}@${this.digest}\n` })._bind(scope);
    return {
      ...code,
      // What the container image exposes is not known.
      dockerfile: undefined,
      repositoryArn,
      grantRead: (grantee) => [...code.grantRead(grantee), grantPull(grantee, this.repository)],
    };
  }
}

/** A path is one file: not two, and not also the folder of another one. */
function refuseSamePaths(names: string[]) {
  const seen = new Map<string, string>();
  for (const name of names) {
    const normal = path.posix.normalize(name);
    const other = seen.get(normal) ?? names.find((file) => normal.startsWith(`${path.posix.normalize(file)}/`));
    if (other !== undefined) {
      throw new UnscopedValidationError(
        lit`MicrovmInlineCodeSamePath`,
        `files must have a path of their own each, which is no folder of another file, got '${other}' and '${name}'; rename one`,
      );
    }
    seen.set(normal, name);
  }
}

/** Later patterns win, so what the user says comes after what we leave out by ourselves. */
function dockerignorePatterns(directory: string): string[] {
  const file = path.join(directory, '.dockerignore');
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split(/\r?\n/).filter((line) => line.trim() !== '') : [];
}

function warnAboutLeftOutFiles(scope: Construct, directory: string, exclude: string[], dockerfile: string) {
  const files = leftOutSecretFiles(directory, exclude, REPORTED_SECRET_FILES, dockerfile);
  if (files.length > 0) {
    Annotations.of(scope).addWarningV2(
      'cdk-lambda-microvms:secretFiles',
      `files that usually hold credentials are left out of the code: ${files.join(', ')}; ` +
      "let one in with a '!' pattern in .dockerignore, or all with includeSecretFiles",
    );
  }
}
