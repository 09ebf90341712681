import * as fc from 'fast-check';
import { imageConfig, imageProperties } from './builders';
import { bareVersion, configDigest, configMatches, desiredConfig, ImageConfig } from '../../../src/custom-resources/microvm-image/handler/config';

const full = imageConfig({
  hooks: { port: 8080, readySeconds: 300, validateSeconds: 600, runSeconds: 1, resumeSeconds: 2, suspendSeconds: 3, terminateSeconds: 4 },
  logging: { disabled: false, logGroup: '/shop', logStream: 'builds' },
  egressNetworkConnectors: ['arn:a', 'arn:b'],
  additionalOsCapabilities: ['ALL', 'SOME'],
  environmentVariables: { A: '1', B: '2' },
});

const { hooks, logging } = full;

/** Every field of a configuration, with another value for it: none may be forgotten. */
const OTHER: { [K in keyof Required<ImageConfig>]: Record<string, ImageConfig[K]> } = {
  description: { changed: 'another', absent: undefined },
  baseImageArn: { changed: 'arn:aws:lambda:eu-west-1:aws:microvm-image:al2024' },
  baseImageVersion: { changed: '2' },
  buildRoleArn: { changed: 'arn:aws:iam::111122223333:role/another' },
  codeArtifactUri: { changed: 's3://assets-111122223333-eu-west-1/ffffff.zip' },
  minimumMemoryInMiB: { changed: 4096 },
  egressNetworkConnectors: { changed: ['arn:a', 'arn:c'], shorter: ['arn:a'], absent: [] },
  additionalOsCapabilities: { shorter: ['ALL'], absent: [] },
  environmentVariables: {
    'another value': { A: '1', B: '3' },
    'another key': { A: '1', C: '2' },
    'one less': { A: '1' },
    'swapped values': { A: '2', B: '1' },
    'an empty one more': { A: '1', B: '2', C: '' },
    'absent': {},
  },
  hooks: {
    'port': { ...hooks!, port: 8081 },
    'ready': { ...hooks!, readySeconds: 301 },
    'validate': { ...hooks!, validateSeconds: undefined },
    'run': { ...hooks!, runSeconds: 9 },
    'resume': { ...hooks!, resumeSeconds: 9 },
    'suspend': { ...hooks!, suspendSeconds: 9 },
    'terminate': { ...hooks!, terminateSeconds: undefined },
    'swapped timeouts': { ...hooks!, runSeconds: 2, resumeSeconds: 1 },
    'absent': undefined,
  },
  logging: {
    'another group': { ...logging, logGroup: '/other' },
    'another stream': { ...logging, logStream: 'other' },
    'disabled': { disabled: true },
  },
};

const CHANGES = Object.entries(OTHER).flatMap(([field, values]) => Object.entries(values)
  .map(([what, value]) => [field, what, { ...full, [field]: value } as ImageConfig] as const));

const someText = fc.string({ maxLength: 12 });
const someSeconds = fc.option(fc.integer({ min: 1, max: 3_600 }), { nil: undefined });
const anyConfig: fc.Arbitrary<ImageConfig> = fc.record({
  description: fc.option(someText, { nil: undefined }),
  baseImageArn: someText,
  baseImageVersion: fc.option(fc.nat().map(String), { nil: undefined }),
  buildRoleArn: someText,
  codeArtifactUri: someText,
  minimumMemoryInMiB: fc.nat(),
  egressNetworkConnectors: fc.array(someText, { maxLength: 4 }),
  additionalOsCapabilities: fc.array(someText, { maxLength: 4 }),
  environmentVariables: fc.dictionary(someText, someText, { maxKeys: 5 }),
  hooks: fc.option(fc.record({ port: fc.nat(), readySeconds: someSeconds, runSeconds: someSeconds }), { nil: undefined }),
  logging: fc.record({
    disabled: fc.boolean(),
    logGroup: fc.option(someText, { nil: undefined }),
    logStream: fc.option(someText, { nil: undefined }),
  }),
});

/** The same configuration, told in another order. */
function shuffled(config: ImageConfig): ImageConfig {
  const backwards = <T extends object>(value: T) => Object.fromEntries(Object.entries(value).reverse()) as T;
  return backwards({
    ...config,
    egressNetworkConnectors: [...config.egressNetworkConnectors].reverse(),
    additionalOsCapabilities: [...config.additionalOsCapabilities].reverse(),
    environmentVariables: backwards(config.environmentVariables),
    hooks: config.hooks && backwards(config.hooks),
    logging: backwards(config.logging),
  });
}

describe('a recorded configuration matches', () => {
  test('itself, in whatever order it is told', () => {
    fc.assert(fc.property(anyConfig, (config) => {
      expect(configMatches(config, config)).toBe(true);
      expect(configMatches(config, shuffled(config))).toBe(true);
      expect(configMatches(shuffled(config), config)).toBe(true);
    }));
  });

  test('when the base version is the newest one, whichever it was then', () => {
    const newest = imageConfig({ baseImageVersion: undefined });
    expect(configMatches(newest, imageConfig({ baseImageVersion: '0' }))).toBe(true);
    expect(configMatches(newest, imageConfig({ baseImageVersion: '17' }))).toBe(true);
  });

  test('when the log stream is left to the service', () => {
    const recorded = imageConfig({ logging: { disabled: false, logGroup: '/shop', logStream: 'made up by the service' } });
    expect(configMatches(imageConfig({ logging: { disabled: false, logGroup: '/shop' } }), recorded)).toBe(true);
    expect(configMatches(imageConfig({ logging: { disabled: false, logGroup: '/shop', logStream: undefined } }), recorded)).toBe(true);
  });

  test('when an empty description was read back as none', () => {
    expect(configMatches(imageConfig({ description: undefined }), imageConfig({ description: '' }))).toBe(true);
    expect(configMatches(imageConfig({ description: '' }), imageConfig({ description: undefined }))).toBe(true);
  });

  test('when absent members were read back as undefined', () => {
    const { hooks: _, ...withoutHooks } = imageConfig();
    expect(configMatches(withoutHooks, { ...withoutHooks, hooks: undefined })).toBe(true);
  });
});

describe('a recorded configuration does not match', () => {
  test.each(CHANGES)('when %s differs (%s), in either direction', (_field, _what, changed) => {
    expect(configMatches(changed, full)).toBe(false);
    expect(configMatches(full, changed)).toBe(false);
  });

  test('when the template resets a value that was set', () => {
    expect(configMatches(imageConfig({ hooks: undefined }), imageConfig())).toBe(false);
    expect(configMatches(imageConfig({ description: undefined }), imageConfig({ description: 'set' }))).toBe(false);
  });

  test('when a log stream is asked for by name and another was recorded', () => {
    expect(configMatches(imageConfig({ logging: { disabled: false, logGroup: '/shop', logStream: 'mine' } }),
      imageConfig({ logging: { disabled: false, logGroup: '/shop' } }))).toBe(false);
  });
});

describe('the digest of a configuration', () => {
  test('is the one deployed ledgers hold', () => {
    expect(configDigest(full)).toBe('5e422d417f2f4b06740e9826183c1459');
    expect(configDigest(imageConfig({ baseImageVersion: undefined, hooks: undefined, logging: { disabled: true } })))
      .toBe('19f9e9b06de8dd1c8af0c4569c5ee681');
  });

  test('does not depend on the order it is told in', () => {
    fc.assert(fc.property(anyConfig, (config) => {
      expect(configDigest(shuffled(config))).toBe(configDigest(config));
    }));
  });

  test.each(CHANGES)('changes when %s changes (%s)', (_field, _what, changed) => {
    expect(configDigest(changed)).not.toBe(configDigest(full));
  });

  test('differs for every one of those changes', () => {
    const digests = CHANGES.map(([, , changed]) => configDigest(changed));
    expect(new Set(digests).size).toBe(digests.length);
  });

  test('tells the newest base from a pinned one', () => {
    expect(configDigest(imageConfig({ baseImageVersion: undefined }))).not.toBe(configDigest(imageConfig({ baseImageVersion: '1' })));
  });

  test('fits the ledger', () => {
    fc.assert(fc.property(anyConfig, (config) => {
      expect(configDigest(config)).toMatch(/^[0-9a-f]{32}$/);
    }));
  });
});

describe('the base version', () => {
  test.each([['1', '1'], ['1.0', '1'], ['0.0', '0'], ['10', '10'], ['10.0', '10'], ['1.10', '1.10'], ['', '']])('%p is written %p', (read, bare) => {
    expect(bareVersion(read)).toBe(bare);
  });

  test('is asked for as the bare number, however the template writes it', () => {
    expect(desiredConfig(imageProperties({ baseImageVersion: '1.0' })).baseImageVersion).toBe('1');
    expect(configMatches(desiredConfig(imageProperties({ baseImageVersion: '1.0' })), imageConfig({ baseImageVersion: '1' }))).toBe(true);
    expect(desiredConfig(imageProperties({ baseImageVersion: undefined })).baseImageVersion).toBeUndefined();
  });
});

test('tags, the name, the refresh token and the delete policy are no part of a configuration', () => {
  const other = imageProperties({ imageName: 'other', tags: { a: 'b' }, baseImageRefreshToken: 'now' });
  expect(desiredConfig(other)).toEqual(desiredConfig(imageProperties()));
});
