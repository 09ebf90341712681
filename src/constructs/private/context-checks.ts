import { Annotations } from 'aws-cdk-lib';
import { Construct, IConstruct } from 'constructs';
import { CodeContext } from './code-context';
import { namedSecrets } from './dockerfile-checks';
import { DockerfileFacts } from './dockerfile-stages';
import { withoutSecrets } from './secret-patterns';
import { ContextSummary, FileFinding, scanContext } from './secret-scan';

const DOCKERFILE = 'Dockerfile';
const REPORTED = 10;
const LARGE_BYTES = 20 * 1024 * 1024;
const LARGE_FILES = 2_000;
const REPORTED_PARTS = 3;

/** Code of an image, to be checked as what it will be built from. */
export interface CheckedCode {
  readonly dockerfile: DockerfileFacts;
  readonly context: CodeContext;
  /** The same for the same files: they are looked at once, whatever the number of images. */
  readonly hash: string;
  /** Whether it is a directory of which nothing is left out by the user. */
  readonly isWholeDirectory: boolean;
  /** Whether files are there that a directory would be left without, and where they can be taken out. */
  readonly credentialFilesAreIn?: string;
}

const SUMMARIES = new WeakMap<IConstruct, Map<string, ContextSummary>>();

/** Warns about what is in the code and should not be. What the Dockerfile says by itself is `checkDockerfile`'s. */
export function checkContext(scope: Construct, code: CheckedCode) {
  const summaries = SUMMARIES.get(scope.node.root) ?? new Map<string, ContextSummary>();
  SUMMARIES.set(scope.node.root, summaries);
  const summary = summaries.get(code.hash) ?? scanContext(code.context);
  summaries.set(code.hash, summary);
  warnAboutSecrets(scope, code.dockerfile, summary);
  if (code.credentialFilesAreIn) {
    warnAboutCredentialFiles(scope, summary, code.credentialFilesAreIn);
  }
  if (code.isWholeDirectory) {
    warnAboutSize(scope, summary);
  }
}

function warnAboutSecrets(scope: Construct, dockerfile: DockerfileFacts, { secrets }: ContextSummary) {
  const named: FileFinding[] = namedSecrets(dockerfile).map((finding) => ({ file: DOCKERFILE, ...finding }));
  // A value of a known format is found by it and by its name: once is enough.
  const isKnown = ({ line }: FileFinding) => secrets.some((secret) => secret.file === DOCKERFILE && secret.line === line);
  const found = [...named.filter((finding) => !isKnown(finding)), ...secrets];
  if (found.length > 0) {
    Annotations.of(scope).addWarningV2(
      'cdk-lambda-microvms:secretContent',
      `secrets seem to be in the code: ${listed(found.map(({ file, line, what }) => `${shown(file)} line ${line} (${what})`))}; ` +
      'who can read the code, the image or the files of a MicroVM can use them. Take them out, and replace those that were real; ' +
      'read secrets at run time with the execution role',
    );
  }
}

function warnAboutCredentialFiles(scope: Construct, { credentialFiles }: ContextSummary, where: string) {
  if (credentialFiles.length > 0) {
    Annotations.of(scope).addWarningV2(
      'cdk-lambda-microvms:secretFilesIncluded',
      `files that usually hold credentials are part of the code: ${listed(credentialFiles.map(shown))}; ` +
      `take them out of ${where}, or acknowledge when they hold none`,
    );
  }
}

function warnAboutSize(scope: Construct, { files, bytes, parts }: ContextSummary) {
  if (files > LARGE_FILES || bytes > LARGE_BYTES) {
    const largest = [...parts].sort(([, a], [, b]) => b.bytes / LARGE_BYTES + b.files / LARGE_FILES - a.bytes / LARGE_BYTES - a.files / LARGE_FILES)
      .slice(0, REPORTED_PARTS).map(([name, part]) => `${shown(name)} (${amount(part.files, part.bytes)})`);
    Annotations.of(scope).addWarningV2(
      'cdk-lambda-microvms:largeContext',
      `the code has ${amount(files, bytes)} and no .dockerignore, most of it in ${largest.join(', ')}; ` +
      'a change of any of them uploads all and builds a new version. List in .dockerignore what the Dockerfile does not copy',
    );
  }
}

function amount(files: number, bytes: number): string {
  return `${files} ${files === 1 ? 'file' : 'files'}, ${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

function listed(all: string[]): string {
  return all.slice(0, REPORTED).join(', ') + (all.length > REPORTED ? ` and ${all.length - REPORTED} more` : '');
}

/** A name of a file may be anything, a secret or several lines too. */
function shown(file: string): string {
  return withoutSecrets(file).replace(/[\u0000-\u001f\u007f]+/g, '?');
}
