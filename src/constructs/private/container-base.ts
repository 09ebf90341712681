import { Stage } from './dockerfile-stages';

/** What a FROM line says, in parts. */
interface ImageReference {
  /** With its registry, except for Docker Hub's; official images of Docker Hub are one word, wherever they are mirrored. */
  readonly repository: string;
  readonly tag: string;
}

/** Made for x86 only, as their publishers say. Short: only what is sure. */
const X86_ONLY: Array<[repository: RegExp, tag?: RegExp]> = [
  [/^archlinux$/],
  [/^clearlinux$/],
  [/^mysql$/, /^5(?:\.|$)/],
  [/^lambci\/lambda$/],
  [/^rocm\//],
  [/^intel\/oneapi/],
  [/^mcr\.microsoft\.com\/mssql\/server$/],
  [/^mcr\.microsoft\.com\/(?:windows|dotnet\/framework)/],
];

/** Official images of Docker Hub without an OpenSSL. */
const WITHOUT_OPENSSL = ['scratch', 'busybox', 'hello-world'];

/** Where images come from that are known, and known not to be made for snapshots. Of others, nothing can be said. */
const NOT_MADE_FOR_SNAPSHOTS = [
  // Official images of Docker Hub.
  /^[^/.:]+$/,
  /^public\.ecr\.aws\/(?:lambda\/(?!microvms$)|amazonlinux\/|amazoncorretto\/|ubuntu\/|debian\/|bitnami\/|nginx\/)/,
  /^mcr\.microsoft\.com\//,
  /^gcr\.io\/distroless\/(?!static|base-nossl)/,
  /^cgr\.dev\/chainguard\/(?!static)/,
  /^registry\.(?:access\.)?redhat\.(?:com|io)\//,
  /^nvcr\.io\//,
  /^(?:quay\.io\/)?(?:centos|fedora|jupyter)\//,
  /^ghcr\.io\/(?:astral-sh\/uv$|puppeteer\/|browserless\/)/,
  /^(?:amazon\/aws-|bitnami\/|bitnamilegacy\/|nginxinc\/|oven\/bun$|denoland\/deno$|nvidia\/cuda$|pytorch\/|tensorflow\/|continuumio\/|redhat\/|rockylinux\/|cimg\/|circleci\/|selenium\/|phusion\/|jupyter\/|mambaorg\/|condaforge\/|browserless\/|cypress\/|apache\/|hashicorp\/|grafana\/|vllm\/|ollama\/)/,
];

/** The part of the FROM line that makes a stage x86-only. */
export function x86Evidence({ image, platform }: Stage): string | undefined {
  const [x86Platform] = /^(?:linux\/)?(?:amd64|x86[-_]64|i?386)(?:\/v\d)?(?=\/|$)/i.exec(platform ?? '') ?? [];
  if (x86Platform) {
    return `--platform=${x86Platform}`;
  }
  if (image.includes('$')) {
    return undefined;
  }
  const withoutDigest = image.split('@')[0];
  // Docker Hub keeps per-architecture images in namespaces such as amd64/ and i386/.
  return /^(docker\.io\/)?(amd64|i386)\//.test(withoutDigest) || /:[^/]*[-_.]?(x86_64|amd64)$/.test(withoutDigest)
    ? image
    : undefined;
}

/** Whether an image is made for x86 only, although its name does not say so. */
export function isKnownX86Only(image: string): boolean {
  const { repository, tag } = parse(image);
  return X86_ONLY.some(([name, version]) => name.test(repository) && (version?.test(tag) ?? true));
}

/**
 * Whether an image is known to have an OpenSSL that goes on with the same random numbers after a restore. AWS's base for
 * MicroVMs reseeds it; other bases do not.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/microvms-images.html
 */
export function isUnsafeToSnapshot(image: string): boolean {
  const { repository } = parse(image);
  return !image.includes('$') && !WITHOUT_OPENSSL.includes(repository) && NOT_MADE_FOR_SNAPSHOTS.some((origin) => origin.test(repository));
}

function parse(image: string): ImageReference {
  const [, repository, tag = ''] = /^(.*?)(?::([^:/]*))?$/s.exec(image.split('@')[0])!;
  return { repository: repository.toLowerCase().replace(/^(?:(?:index\.)?docker\.io\/(?:library\/)?|public\.ecr\.aws\/docker\/library\/|mirror\.gcr\.io\/library\/|library\/|arm64v8\/)/, ''), tag };
}
