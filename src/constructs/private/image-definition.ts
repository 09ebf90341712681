import { createHash } from 'crypto';
import { HookProperties } from '../../custom-resources/microvm-image/contract';
import { integer, InvalidProperties, nonEmpty, optionalInteger, optionalText, Raw, record, text, textMap, texts } from '../../custom-resources/property-codec';

/** The settings a version is built with, as far as any account and region could build with them. */
export interface ImageSettings {
  readonly description?: string;
  /** The name of a base image managed by AWS. */
  readonly baseImage: string;
  /** Absent: the newest one. */
  readonly baseImageVersion?: string;
  readonly memoryInMiB: number;
  /** The name of a connector managed by AWS. Absent: one of the account. */
  readonly egressConnector?: string;
  readonly additionalOsCapabilities: string[];
  readonly environment: Record<string, string>;
  readonly hooks?: HookProperties;
}

/** What a version is built from. */
export interface ImageDefinition extends ImageSettings {
  /** The content hash of the code, which its zip is named after. */
  readonly codeDigest: string;
}

/** A definition as it is handed from account to account. Files of it outlive releases: a change of meaning is a new format. */
export interface DefinitionDocument {
  readonly publicationName: string;
  /** Where the zip of the code is. */
  readonly bucketName: string;
  readonly definition: ImageDefinition;
}

const FORMAT = '1';

/** The content hash in the name of a zip. Undefined for any other name. */
export function codeDigestOf(key: string): string | undefined {
  return /(?:^|\/)([0-9a-f]{64})\.zip$/.exec(key)?.[1];
}

/** The key of the code in the bucket of its source, and of each copy. */
export function artifactKey({ publicationName, definition }: DefinitionDocument): string {
  return `${publicationName}/${definition.codeDigest}.zip`;
}

/** Names a definition: SHA-256 over its JSON with sorted keys, so that neither their order nor an absent value matters. */
export function definitionDigest(definition: ImageDefinition): string {
  const canonical = JSON.stringify(rendered(definition), (_key, value: unknown) => (
    typeof value !== 'object' || value === null || Array.isArray(value)
      ? value
      : Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
  ));
  return createHash('sha256').update(canonical).digest('hex');
}

export function encodeDocument({ publicationName, bucketName, definition }: DefinitionDocument): string {
  const digest = definitionDigest(definition);
  return `${JSON.stringify({ formatVersion: FORMAT, publicationName, bucketName, definitionDigest: digest, definition: rendered(definition) }, undefined, 2)}\n`;
}

/** @throws InvalidProperties naming what is wrong. */
export function decodeDocument(json: string): DefinitionDocument {
  const raw = objectOf(json);
  const format = text(raw, 'formatVersion');
  if (format !== FORMAT) {
    throw new InvalidProperties(`formatVersion must be '${FORMAT}', got '${format}'; a newer release of cdk-lambda-microvms may know it`);
  }
  onlyKnown(raw, '', ['formatVersion', 'publicationName', 'bucketName', 'definitionDigest', 'definition']);
  const document = {
    // Both become part of policies, where a wildcard would reach further.
    publicationName: matching(raw, 'publicationName', /^[a-zA-Z0-9_.-]{1,64}$/, "1 to 64 letters, digits, '_', '.' and '-'"),
    bucketName: matching(raw, 'bucketName', /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'the name of a bucket'),
    definition: decodeDefinition(record(raw, 'definition')),
  };
  const digest = definitionDigest(document.definition);
  if (text(raw, 'definitionDigest') !== digest) {
    throw new InvalidProperties(`definitionDigest must be that of the definition, '${digest}', got '${raw.definitionDigest}'; it was changed by hand, so get it from the publisher again`);
  }
  return document;
}

function decodeDefinition(raw: Raw): ImageDefinition {
  onlyKnown(raw, 'definition.', [
    'codeDigest', 'description', 'baseImage', 'baseImageVersion', 'memoryInMiB', 'egressConnector', 'additionalOsCapabilities', 'environment', 'hooks',
  ]);
  return {
    codeDigest: matching(raw, 'codeDigest', /^[0-9a-f]{64}$/, '64 hexadecimal digits'),
    description: optionalText(raw, 'description'),
    baseImage: text(raw, 'baseImage'),
    baseImageVersion: optionalText(raw, 'baseImageVersion'),
    memoryInMiB: integer(raw, 'memoryInMiB'),
    egressConnector: optionalText(raw, 'egressConnector'),
    additionalOsCapabilities: texts(raw, 'additionalOsCapabilities'),
    environment: textMap(raw, 'environment'),
    hooks: raw.hooks === undefined ? undefined : decodeHooks(record(raw, 'hooks')),
  };
}

function decodeHooks(raw: Raw): HookProperties {
  onlyKnown(raw, 'definition.hooks.', ['port', 'readySeconds', 'validateSeconds', 'runSeconds', 'resumeSeconds', 'suspendSeconds', 'terminateSeconds']);
  return {
    port: integer(raw, 'port'),
    readySeconds: optionalInteger(raw, 'readySeconds'),
    validateSeconds: optionalInteger(raw, 'validateSeconds'),
    runSeconds: optionalInteger(raw, 'runSeconds'),
    resumeSeconds: optionalInteger(raw, 'resumeSeconds'),
    suspendSeconds: optionalInteger(raw, 'suspendSeconds'),
    terminateSeconds: optionalInteger(raw, 'terminateSeconds'),
  };
}

/** What is empty is left out, and a list whose order means nothing is sorted. */
function rendered(definition: ImageDefinition): object {
  return {
    ...definition,
    additionalOsCapabilities: nonEmpty([...definition.additionalOsCapabilities].sort()),
    environment: nonEmpty(definition.environment),
  };
}

function objectOf(json: string): Raw {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new InvalidProperties(`it is no JSON: ${(error as Error).message}`);
  }
  return record({ it: value }, 'it');
}

function matching(raw: Raw, key: string, pattern: RegExp, expected: string): string {
  const value = text(raw, key);
  if (!pattern.test(value)) {
    throw new InvalidProperties(`${key}: expected ${expected}, got '${value}'`);
  }
  return value;
}

/** What this release does not know may change what is built. */
function onlyKnown(raw: Raw, path: string, known: string[]) {
  const unknown = Object.keys(raw).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    throw new InvalidProperties(`${path}${unknown} is not known; a newer release of cdk-lambda-microvms may know it`);
  }
}
