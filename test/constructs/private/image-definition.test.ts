import * as fc from 'fast-check';
import {
  artifactKey, codeDigestOf, decodeDocument, definitionDigest, DefinitionDocument, encodeDocument, ImageDefinition,
} from '../../../src/constructs/private/image-definition';

const DEFINITION: ImageDefinition = {
  codeDigest: 'a'.repeat(64),
  description: 'agents',
  baseImage: 'al2023-1',
  baseImageVersion: '1',
  memoryInMiB: 2048,
  egressConnector: 'INTERNET_EGRESS',
  additionalOsCapabilities: ['ALL'],
  environment: { STAGE: 'prod', LEVEL: 'info' },
  hooks: { port: 9000, readySeconds: 60, runSeconds: 10 },
};

const seconds = fc.option(fc.integer({ min: 1, max: 60 }), { nil: undefined });
const definitions: fc.Arbitrary<ImageDefinition> = fc.record({
  codeDigest: fc.stringMatching(/^[0-9a-f]{64}$/),
  description: fc.option(fc.string({ minLength: 1 }), { nil: undefined }),
  baseImage: fc.stringMatching(/^[a-z0-9-]{1,20}$/),
  baseImageVersion: fc.option(fc.stringMatching(/^[1-9][0-9]?$/), { nil: undefined }),
  memoryInMiB: fc.constantFrom(512, 1024, 2048, 4096, 8192),
  egressConnector: fc.option(fc.constant('INTERNET_EGRESS'), { nil: undefined }),
  additionalOsCapabilities: fc.subarray(['ALL', 'OTHER', 'THIRD']),
  environment: fc.dictionary(fc.string({ minLength: 1 }).filter((key) => key !== '__proto__'), fc.string({ minLength: 1 }), { noNullPrototype: true }),
  hooks: fc.option(fc.record({
    port: fc.integer({ min: 1, max: 65535 }),
    readySeconds: seconds,
    validateSeconds: seconds,
    runSeconds: seconds,
    resumeSeconds: seconds,
    suspendSeconds: seconds,
    terminateSeconds: seconds,
  }), { nil: undefined }),
});
const documents: fc.Arbitrary<DefinitionDocument> = fc.record({
  publicationName: fc.stringMatching(/^[a-zA-Z0-9_.-]{1,64}$/), bucketName: fc.stringMatching(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/), definition: definitions,
});

/** The same, with all keys the other way round. */
function reversed(value: any): any {
  return typeof value !== 'object' || value === null || Array.isArray(value)
    ? value
    : Object.fromEntries(Object.entries(value).reverse().map(([key, entry]) => [key, reversed(entry)]));
}

// Files of definitions outlive releases of the library, and digests are compared between accounts that have different ones.
test('the digest of a definition never changes', () => {
  expect(definitionDigest(DEFINITION)).toBe('52d78711f1f48bb93f596788b09b8421b4338d05196d5c018ad3d60869747e09');
  expect(definitionDigest({ codeDigest: 'a'.repeat(64), baseImage: 'al2023-1', memoryInMiB: 2048, additionalOsCapabilities: [], environment: {} })).toBe('a44b60cf551cec47cf9571cbce2e70f8a903525abdc2a32292e6b5027ce1cfbd');
});

test('a file that the first release wrote is read', () => {
  const file = `{"formatVersion": "1", "publicationName": "agents", "bucketName": "publisher-source",
    "definitionDigest": "52d78711f1f48bb93f596788b09b8421b4338d05196d5c018ad3d60869747e09",
    "definition": {"codeDigest": "${'a'.repeat(64)}", "description": "agents", "baseImage": "al2023-1", "baseImageVersion": "1", "memoryInMiB": 2048,
      "egressConnector": "INTERNET_EGRESS", "additionalOsCapabilities": ["ALL"], "environment": {"STAGE": "prod", "LEVEL": "info"},
      "hooks": {"port": 9000, "readySeconds": 60, "runSeconds": 10}}}`;
  expect(decodeDocument(file)).toEqual({ publicationName: 'agents', bucketName: 'publisher-source', definition: DEFINITION });
});

test('what is written is read again, with the same digest', () => {
  fc.assert(fc.property(documents, (document) => {
    const read = decodeDocument(encodeDocument(document));
    expect({ ...read, definition: undefined }).toEqual({ ...document, definition: undefined });
    expect(definitionDigest(read.definition)).toBe(definitionDigest(document.definition));
    expect(encodeDocument(read)).toBe(encodeDocument(document));
  }));
});

test('the digest depends neither on the order of keys and capabilities, nor on where the code is', () => {
  fc.assert(fc.property(documents, (document) => {
    const { definition } = document;
    const other = reversed({ ...definition, additionalOsCapabilities: [...definition.additionalOsCapabilities].reverse() });
    expect(definitionDigest(other)).toBe(definitionDigest(definition));
    const elsewhere = JSON.parse(encodeDocument({ publicationName: 'other', bucketName: 'other-bucket', definition }));
    expect(elsewhere.definitionDigest).toBe(JSON.parse(encodeDocument(document)).definitionDigest);
  }));
});

test.each<[string, Partial<ImageDefinition>]>([
  ['codeDigest', { codeDigest: 'b'.repeat(64) }],
  ['description', { description: 'other' }],
  ['description', { description: undefined }],
  ['baseImage', { baseImage: 'al2027-1' }],
  ['baseImageVersion', { baseImageVersion: '2' }],
  ['baseImageVersion', { baseImageVersion: undefined }],
  ['memoryInMiB', { memoryInMiB: 4096 }],
  ['egressConnector', { egressConnector: undefined }],
  ['additionalOsCapabilities', { additionalOsCapabilities: [] }],
  ['environment', { environment: { STAGE: 'prod', LEVEL: 'debug' } }],
  ['environment', { environment: { STAGE: 'prod' } }],
  ['hooks', { hooks: { ...DEFINITION.hooks!, port: 9001 } }],
  ['hooks', { hooks: { ...DEFINITION.hooks!, readySeconds: 61 } }],
  ['hooks', { hooks: undefined }],
])('another %s is another definition: %j', (_name, change) => {
  expect(definitionDigest({ ...DEFINITION, ...change })).not.toBe(definitionDigest(DEFINITION));
});

test.each<[string, string | undefined]>([
  [`${'0'.repeat(64)}.zip`, '0'.repeat(64)],
  [`releases/${'0'.repeat(64)}.zip`, '0'.repeat(64)],
  ['app.zip', undefined],
  [`v-${'0'.repeat(64)}.zip`, undefined],
  [`${'0'.repeat(64)}.tar`, undefined],
])('the content hash in the key %s is %s', (key, digest) => {
  expect(codeDigestOf(key)).toBe(digest);
});

test('the code is in the folder of the publication, under its content hash', () => {
  expect(artifactKey({ publicationName: 'agents', bucketName: 'b', definition: DEFINITION })).toBe(`agents/${'a'.repeat(64)}.zip`);
});
