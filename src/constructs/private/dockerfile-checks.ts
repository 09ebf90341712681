import { Annotations, Token } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { lit, ValidationError } from './cdk-internals';
import { isKnownX86Only, isUnsafeToSnapshot, x86Evidence } from './container-base';
import { builtStages, DockerfileFacts, finalChain, readDockerfile, settingsOf } from './dockerfile-stages';
import { isPlaceholder, withoutSecrets } from './secret-patterns';

const SNAPSHOT_SAFE_BASE = 'public.ecr.aws/lambda/microvms:al2023-minimal';

/** Something in a file of the code, by its line. */
export interface LineFinding {
  readonly line: number;
  /** What it is, never its value. */
  readonly what: string;
}

/**
 * Reads a Dockerfile, and says what is wrong with it by itself.
 *
 * @throws ValidationError when the build would certainly fail
 */
export function checkDockerfile(scope: Construct, text: string): DockerfileFacts {
  const dockerfile = readDockerfile(text);
  const chain = finalChain(dockerfile.stages);
  if (chain.length === 0) {
    throw new ValidationError(
      lit`MicrovmCodeFrom`,
      "Dockerfile must have a FROM instruction, got none; begin it with one, such as 'FROM public.ecr.aws/lambda/microvms:al2023-minimal'",
      scope,
    );
  }
  for (const stage of chain) {
    const evidence = x86Evidence(stage);
    if (evidence !== undefined) {
      throw new ValidationError(
        lit`MicrovmCodeArchitecture`,
        `Dockerfile must build for linux/arm64, but its last stage is x86 only: ${shownImage(evidence)} in line ${stage.line}; ` +
        'use a base image for arm64',
        scope,
      );
    }
  }
  warnAboutBase(scope, dockerfile);
  warnAboutDownloads(scope, dockerfile);
  return dockerfile;
}

/** Says which images the build pulls from an account: the service pulls from none but that of the image. */
export function warnAboutPrivateBases(scope: Construct, { stages }: DockerfileFacts) {
  for (const { image, line } of builtStages(stages)) {
    if (/^\d{12}\.dkr[.-]ecr\./.test(image)) {
      Annotations.of(scope).addWarningV2(
        'cdk-lambda-microvms:privateBaseInSource',
        `Dockerfile line ${line}: ${shownImage(image)} is in the registry of one account, and the service pulls from the account of the image only: ` +
        'no other account can build this source; use a public base image, or acknowledge when only other regions of the account build it',
      );
    }
  }
}

function warnAboutBase(scope: Construct, { stages }: DockerfileFacts) {
  for (const { image, platform, parent, line } of builtStages(stages)) {
    if (!parent && !platform && isKnownX86Only(image)) {
      Annotations.of(scope).addWarningV2(
        'cdk-lambda-microvms:x86Base',
        `Dockerfile line ${line}: ${shownImage(image)} is published for x86 only, as far as is known, and MicroVMs are arm64: ` +
        'the build would fail; use a base image for arm64',
      );
    }
  }
  const root = finalChain(stages).pop()!;
  if (isUnsafeToSnapshot(root.image) && !isKnownX86Only(root.image)) {
    Annotations.of(scope).addWarningV2(
      'cdk-lambda-microvms:snapshotUnsafeBase',
      `Dockerfile line ${root.line}: ${shownImage(root.image)} is not made for snapshots: all MicroVMs of a version go on from one snapshot, and the ` +
      'OpenSSL of this base does not reseed then, so that they may draw the same keys and session ids; ' +
      `use '${SNAPSHOT_SAFE_BASE}', or acknowledge when the app takes its random numbers from the kernel`,
    );
  }
}

function warnAboutDownloads(scope: Construct, { stages }: DockerfileFacts) {
  const downloads = builtStages(stages).flatMap((stage) => stage.downloads).filter(({ pinned }) => !pinned);
  if (downloads.length > 0) {
    Annotations.of(scope).addWarningV2(
      'cdk-lambda-microvms:remoteAdd',
      `Dockerfile ${downloads.map(({ line, host }) => `line ${line}: ADD from '${withoutSecrets(host)}'`).join(', ')}: what it brings is not part of the code, ` +
      'so no version is built when it changes, and the two builds of a version may get different content; ' +
      'add --checksum (for Git, a commit), or put the file next to the Dockerfile and COPY it',
    );
  }
}

/** What is no name of an image may be anything. */
function shownImage(image: string): string {
  return /^(?:--platform=)?[\w./:@-]+$/.test(image) ? `'${withoutSecrets(image)}'` : 'its base image';
}

/** The service calls hooks on a port that has to be EXPOSEd. */
export function warnAboutHiddenPort(scope: Construct, port: number, dockerfile: DockerfileFacts) {
  if (!Token.isUnresolved(port) && dockerfile.exposes(port) === false) {
    Annotations.of(scope).addWarningV2(
      'cdk-lambda-microvms:hookPortNotExposed',
      `hook port ${port} is not EXPOSEd in the Dockerfile; add 'EXPOSE ${port}' unless its base image does`,
    );
  }
}

/** A name whose value is a secret. `TOKEN_FILE`, `SECRET_NAME` and the like say where one is. */
const SECRET_NAME = /(?:SECRET|PASSWORD|PASSWD|_PWD|(?:^|_)PASS|PASSPHRASE|TOKEN|(?:API|ACCESS|PRIVATE|SECRET|SIGNING|ENCRYPTION)_?KEY(?:_BASE|_ID)?|CREDENTIALS?)$/i;

/** Secrets that only their names give away: their values have no form of their own. */
export function namedSecrets({ instructions }: DockerfileFacts): LineFinding[] {
  return [
    ...settingsOf(instructions)
      .filter(({ name, value = '' }) => SECRET_NAME.test(name) && value.length >= 4 && !isPlaceholder(value) && !isReference(value))
      .map(({ keyword, name, line }) => ({ line, what: `value of ${keyword} ${name}` })),
    ...instructions.map((instruction) => instruction.trigger ?? instruction)
      .filter(({ keyword }) => keyword === 'RUN')
      .flatMap(({ words, line, heredocs }) => [
        ...words.map(({ text }) => text).map((_word, index, all) => ({ line: words[index].line, what: secretArgument(all, index) })),
        ...heredocs.flatMap((body) => body.split(/\s+/)).map((_word, index, all) => ({ line, what: secretArgument(all, index) })),
      ])
      .flatMap(({ line, what }) => what === undefined ? [] : [{ line, what }]),
  ];
}

/** How far before a password the command is that takes it: `docker login --username me --password ...`. */
const COMMAND_WORDS = 6;

/** A command gets a secret as `NAME=value`, `--password value`, `--password=value`, `-u user:password` or, some of them, as `-p` or by a pipe. */
function secretArgument(words: string[], index: number): string | undefined {
  const [previous, word] = [words[index - 1] ?? '', words[index]];
  const follows = (command: RegExp) => words.slice(Math.max(0, index - COMMAND_WORDS), index).some((one) => command.test(one));
  const [, name, value] = /^["']?(-{0,2}[A-Za-z][\w-]*)=["']?([^"']*)/.exec(word) ?? [];
  if (name !== undefined) {
    return SECRET_NAME.test(name.replace(/-/g, '_')) && isChosen(value) ? `value of ${withoutSecrets(name)} in RUN` : undefined;
  }
  if (/^--?(?:u|user)$/.test(previous) || words[index + 2] === 'chpasswd') {
    const [, password = ''] = /^["']?[^:"']+:([^"']+)["']?$/.exec(word) ?? [];
    return isChosen(password) ? 'password in RUN' : undefined;
  }
  if (previous === '-p' ? follows(/^(?:sshpass|login)$/) : /^-p./.test(word) && follows(/^(?:sshpass|mysql(?:dump|admin)?)$/)) {
    return isChosen(word.replace(/^-p|["']/g, '')) ? 'password in RUN' : undefined;
  }
  return /^--[\w-]*(?:password|passwd|token|secret|api-key|passphrase)$/.test(previous) && isChosen(word.replace(/["']/g, '')) ? `value of ${previous} in RUN` : undefined;
}

/** In commands, many words follow such a name. A password is one of letters and more, at least. */
function isChosen(value: string): boolean {
  return value.length >= 6 && /[A-Za-z]/.test(value) && /[\d!#%^&*?@~]/.test(value) && !isPlaceholder(value) && !isReference(value);
}

/** A path, a URL, an ARN, a number, or the name of an environment variable's own. */
function isReference(value: string): boolean {
  return /^(?:\.{0,2}\/|~\/|[a-z][a-z0-9+]*:\/\/|arn:|-|\d+(?:\.\d+)?[a-z]{0,2}$)|\$/i.test(value);
}
