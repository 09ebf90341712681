import { S3Client, GetObjectCommand } from '@aws-sdk/client-s3';
import { unzipSync } from 'fflate';
import { BuildFailureKind } from './build-plan';

/** A build step that could not be done, as the service classifies it. */
export class BuildProblem extends Error {
  constructor(public readonly kind: BuildFailureKind, public readonly detail: string, public readonly logLines: readonly string[] = []) {
    super(detail);
  }
}

export interface ArtifactSource {
  fetch(uri: string): Promise<Uint8Array>;
}

export interface ArtifactOptions {
  /** Region of the bucket; another than the image's fails the build. */
  readonly region?: string;
  /** For example `GLACIER`, which a build cannot read. */
  readonly storageClass?: string;
}

/** Artifacts kept in memory, for tests without an S3 endpoint. */
export class MemoryArtifacts implements ArtifactSource {
  private readonly objects = new Map<string, { bytes: Uint8Array; options: ArtifactOptions }>();

  constructor(private readonly region: string) {
  }

  public put(uri: string, bytes: Uint8Array, options: ArtifactOptions = {}): void {
    if (!/^s3:\/\/[^/]+\/.+/.test(uri)) {
      throw new Error(`an artifact needs an s3://<bucket>/<key> URI, got ${uri}`);
    }
    this.objects.set(uri, { bytes, options });
  }

  public delete(uri: string): void {
    this.objects.delete(uri);
  }

  public clear(): void {
    this.objects.clear();
  }

  public async fetch(uri: string): Promise<Uint8Array> {
    const object = this.objects.get(uri);
    if (!object) {
      const bucket = `${uri.split('/').slice(0, 3).join('/')}/`;
      const bucketExists = [...this.objects.keys()].some((key) => key.startsWith(bucket));
      throw bucketExists
        ? new BuildProblem('s3-no-such-key', `The specified key does not exist: ${uri}`)
        : new BuildProblem('s3-no-such-bucket', `The specified bucket does not exist: ${uri}`);
    }
    if ((object.options.region ?? this.region) !== this.region) {
      throw new BuildProblem('s3-cross-region', `The bucket is in ${object.options.region}, the image in ${this.region}: ${uri}`);
    }
    if (object.options.storageClass && object.options.storageClass !== 'STANDARD') {
      throw new BuildProblem('s3-invalid-object', `The object's storage class is ${object.options.storageClass}: ${uri}`);
    }
    return object.bytes;
  }
}

const S3_PROBLEMS: Record<string, BuildFailureKind> = {
  NoSuchKey: 's3-no-such-key',
  NoSuchBucket: 's3-no-such-bucket',
  AccessDenied: 's3-access-denied',
  InvalidObjectState: 's3-invalid-object',
  PermanentRedirect: 's3-cross-region',
  AuthorizationHeaderMalformed: 's3-cross-region',
};

/** Artifacts behind a path-style S3 endpoint. */
export class S3Artifacts implements ArtifactSource {
  private readonly client: S3Client;

  constructor(endpoint: string, region: string) {
    this.client = new S3Client({
      endpoint,
      region,
      forcePathStyle: true,
      maxAttempts: 2,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
  }

  public async fetch(uri: string): Promise<Uint8Array> {
    const [bucket, ...key] = uri.slice('s3://'.length).split('/');
    try {
      const object = await this.client.send(new GetObjectCommand({ Bucket: bucket, Key: key.join('/') }));
      return await object.Body!.transformToByteArray();
    } catch (error) {
      const { name, message } = error as Error;
      throw new BuildProblem(S3_PROBLEMS[name] ?? 'platform-error', `${message}: ${uri}`);
    }
  }

  public close(): void {
    this.client.destroy();
  }
}

/** The files of an artifact, by their path from the root. */
export type Archive = ReadonlyMap<string, Uint8Array>;

/** Opens the zip and insists on a Dockerfile at its root (2.4). */
export function openArchive(bytes: Uint8Array): Archive {
  let entries: Record<string, Uint8Array>;
  try {
    entries = unzipSync(bytes);
  } catch {
    throw new BuildProblem('archive-invalid', 'The code artifact is not a valid zip archive.');
  }
  const archive = new Map(Object.entries(entries).map(([path, content]) => [path.replace(/^\.\//, ''), content]));
  if (!archive.has('Dockerfile')) {
    throw new BuildProblem('dockerfile-not-found', 'The code artifact has no file named Dockerfile at its root.');
  }
  return archive;
}
