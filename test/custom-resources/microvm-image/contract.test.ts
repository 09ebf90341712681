import * as fc from 'fast-check';
import { imageProperties } from './builders';
import * as frozen from './fixtures/properties-v1.json';
import * as frozenUpkeep from './fixtures/upkeep-v1.json';
import { stringified } from './stack-events';
import {
  decodeProperties, decodeRetainOnFailure, decodeRunningMicrovms, decodeUpkeep, encodeProperties, encodeUpkeep, formatImageArn, ImageAttributes,
  ImageProperties, InvalidProperties, parseImageArn, RESERVED_TAG_PREFIX, RESOURCE_TYPE, RunningMicrovms, Tag, UPKEEP_RESOURCE_TYPE, UpkeepProperties,
} from '../../../src/custom-resources/microvm-image/contract';

/** The properties as CloudFormation hands them over. */
const delivered = (image: ImageProperties) => stringified(encodeProperties(image)) as Record<string, unknown>;

const filled = fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' });
const perhaps = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const seconds = perhaps(fc.integer({ min: 1, max: 3_600 }));
const map = fc.dictionary(filled, fc.string({ maxLength: 40 }), { maxKeys: 4 });

const anyImage: fc.Arbitrary<ImageProperties> = fc.record({
  imageName: filled,
  description: perhaps(filled),
  baseImageArn: filled,
  baseImageVersion: perhaps(fc.nat().map(String)),
  baseImageRefreshToken: perhaps(filled),
  buildRoleArn: filled,
  codeArtifactUri: filled,
  minimumMemoryInMiB: fc.constantFrom(512, 1024, 2048, 4096, 8192),
  egressNetworkConnectors: fc.array(filled, { maxLength: 2 }),
  additionalOsCapabilities: fc.array(filled, { maxLength: 2 }),
  environmentVariables: map,
  hooks: perhaps(fc.record({
    port: fc.integer({ min: 1, max: 65_535 }),
    readySeconds: seconds,
    validateSeconds: seconds,
    runSeconds: seconds,
    resumeSeconds: seconds,
    suspendSeconds: seconds,
    terminateSeconds: seconds,
  })),
  logging: fc.oneof(
    fc.constant({ disabled: true }),
    fc.record({ disabled: fc.constant(false), logGroup: perhaps(filled), logStream: perhaps(filled) }),
  ),
  tags: map,
  runningMicrovms: fc.constantFrom(RunningMicrovms.FAIL, RunningMicrovms.TERMINATE),
  keepVersions: perhaps(fc.integer({ min: 2, max: 47 })),
  adopt: perhaps(fc.boolean()),
  retainOnFailure: perhaps(fc.boolean()),
  buildTimeoutSeconds: perhaps(fc.integer({ min: 60, max: 3_300 })),
  waitForBuild: perhaps(fc.boolean()),
  followLatest: perhaps(fc.boolean()),
  eventBusArn: perhaps(filled),
});

describe('the property document', () => {
  test('comes back as it was written after CloudFormation made strings of everything', () => {
    fc.assert(fc.property(anyImage, (image) => {
      expect(decodeProperties(delivered(image))).toEqual(image);
    }));
  });

  test('comes back as it was written when nothing made strings of it', () => {
    fc.assert(fc.property(anyImage, (image) => {
      expect(decodeProperties(encodeProperties(image))).toEqual(image);
    }));
  });

  test('says nothing about what is absent or the default, so a new optional property changes no template', () => {
    const { ImageName, ...rest } = encodeProperties(imageProperties({
      description: undefined, baseImageVersion: undefined, hooks: undefined, environmentVariables: {}, logging: { disabled: true },
    }));
    expect(ImageName).toBe('shop-app');
    expect(Object.keys(rest).sort()).toEqual([
      'BaseImageArn', 'BuildRoleArn', 'CodeArtifactUri', 'EgressNetworkConnectors', 'Logging', 'MinimumMemoryInMiB',
    ]);
  });

  test('keeps an environment variable that is set to the empty text', () => {
    const image = imageProperties({ environmentVariables: { EMPTY: '' } });
    expect(decodeProperties(delivered(image)).environmentVariables).toEqual({ EMPTY: '' });
  });

  describe('that cannot be understood is refused with the name of the property', () => {
    const good = delivered(imageProperties());
    test.each<[property: string, wrong: Record<string, unknown>]>([
      ['ImageName', { ImageName: undefined }],
      ['ImageName', { ImageName: '' }],
      ['ImageName', { ImageName: { Ref: 'Other' } }],
      ['Description', { Description: ['a', 'b'] }],
      ['BaseImageArn', { BaseImageArn: undefined }],
      ['BuildRoleArn', { BuildRoleArn: undefined }],
      ['CodeArtifactUri', { CodeArtifactUri: undefined }],
      ['MinimumMemoryInMiB', { MinimumMemoryInMiB: undefined }],
      ['MinimumMemoryInMiB', { MinimumMemoryInMiB: '2 GB' }],
      ['MinimumMemoryInMiB', { MinimumMemoryInMiB: '2048.5' }],
      ['MinimumMemoryInMiB', { MinimumMemoryInMiB: '-1' }],
      ['EgressNetworkConnectors', { EgressNetworkConnectors: 'arn' }],
      ['EgressNetworkConnectors', { EgressNetworkConnectors: [{ Ref: 'Connector' }] }],
      ['AdditionalOsCapabilities', { AdditionalOsCapabilities: { ALL: 'true' } }],
      ['EnvironmentVariables', { EnvironmentVariables: ['A=1'] }],
      ['EnvironmentVariables', { EnvironmentVariables: 'A=1' }],
      ['EnvironmentVariables', { EnvironmentVariables: { A: { B: '1' } } }],
      ['Hooks', { Hooks: '8080' }],
      ['Port', { Hooks: { ReadyTimeoutInSeconds: '30' } }],
      ['ReadyTimeoutInSeconds', { Hooks: { Port: '8080', ReadyTimeoutInSeconds: '5 minutes' } }],
      ['Logging', { Logging: 'off' }],
      ['Disabled', { Logging: { Disabled: 'yes' } }],
      ['KeepVersions', { KeepVersions: 'all' }],
      ['Adopt', { Adopt: 'perhaps' }],
      ['BuildTimeoutInSeconds', { BuildTimeoutInSeconds: '55 minutes' }],
      ['Tags', { Tags: [{ Key: 'a', Value: 'b' }] }],
      ['Tags', { Tags: { a: ['b'] } }],
    ])('%s: %j', (property, wrong) => {
      expect(() => decodeProperties({ ...good, ...wrong })).toThrow(InvalidProperties);
      expect(() => decodeProperties({ ...good, ...wrong })).toThrow(new RegExp(`\\b${property}\\b`));
    });

    test('and the place in its list', () => {
      const raw = { ...encodeProperties(imageProperties()), EgressNetworkConnectors: ['arn', ''] };
      expect(() => decodeProperties(raw)).toThrow('EgressNetworkConnectors[1] is missing');
    });

    test('but not when it is optional and null', () => {
      expect(decodeProperties({ ...encodeProperties(imageProperties()), Description: null }).description).toBeUndefined();
    });

    test('and with one line, because the framework prints the stack', () => {
      expect(new InvalidProperties('ImageName is missing').stack).toBe('ImageName is missing');
    });
  });

  test('never keeps a Delete from being decoded', () => {
    fc.assert(fc.property(fc.dictionary(fc.constantFrom('RunningMicrovms', 'RetainOnFailure', 'ImageName', 'Hooks'), fc.jsonValue()), (raw) => {
      expect([true, false]).toContain(decodeRetainOnFailure(raw));
      expect([RunningMicrovms.FAIL, RunningMicrovms.TERMINATE]).toContain(decodeRunningMicrovms(raw));
    }));
    expect(decodeRunningMicrovms({ RunningMicrovms: 'terminate' })).toBe(RunningMicrovms.FAIL);
    expect(decodeRetainOnFailure(delivered(imageProperties({ retainOnFailure: true })))).toBe(true);
    expect(decodeRetainOnFailure(delivered(imageProperties()))).toBe(false);
  });
});

describe('what deployed stacks hold', () => {
  test.each(['full', 'minimal'] as const)('a %s property document of the first release still means what it meant', (which) => {
    const { properties, image } = frozen[which];
    expect(decodeProperties(properties)).toEqual(image);
  });

  test('the first release\'s document is what is still written, apart from what CloudFormation adds', () => {
    const { ServiceToken: _, ServiceTimeout: __, ...properties } = frozen.full.properties;
    expect(stringified(encodeProperties(frozen.full.image as ImageProperties))).toEqual(properties);
  });

  test('resource type, attribute names and tag keys are those of the first release', () => {
    const attributes: ImageAttributes = { ImageArn: '', ImageName: '', ImageVersion: '', BaseImageVersion: '' };
    expect(RESOURCE_TYPE).toBe(frozen.resourceType);
    expect(Object.keys(attributes)).toEqual(frozen.attributes);
    expect(RESERVED_TAG_PREFIX).toBe(frozen.reservedTagPrefix);
    expect(Tag).toMatchObject(frozen.tags);
  });

  test('tag keys that later releases added are what they were then', () => {
    expect([Tag.PUBLISHED, Tag.REFRESHED, Tag.REFRESH]).toEqual(['microvm-cdk:published', 'microvm-cdk:refreshed', 'microvm-cdk:refresh']);
  });

  test('every tag key is reserved, and short enough for the service', () => {
    for (const key of Object.values(Tag)) {
      expect(key.startsWith(RESERVED_TAG_PREFIX)).toBe(true);
      expect(key.length).toBeLessThanOrEqual(128);
    }
    expect(new Set(Object.values(Tag)).size).toBe(Object.values(Tag).length);
  });
});

describe('the ARN of an image', () => {
  test('round-trips with the longest name, and one that is longer names no image', () => {
    const arn = (length: number) => formatImageArn({ partition: 'aws', region: 'eu-west-1', account: '111122223333', imageName: 'n'.repeat(length) });
    expect([parseImageArn(arn(64))?.imageName, parseImageArn(arn(65))]).toEqual(['n'.repeat(64), undefined]);
  });

  test.each(['aws', 'aws-cn', 'aws-us-gov'])('round-trips in partition %s', (partition) => {
    const arn = { partition, region: 'eu-west-1', account: '111122223333', imageName: 'Shop_app-1' };
    expect(formatImageArn(arn)).toBe(`arn:${partition}:lambda:eu-west-1:111122223333:microvm-image:Shop_app-1`);
    expect(parseImageArn(formatImageArn(arn))).toEqual(arn);
  });

  test.each([
    ['an id CloudFormation made up', 'shop-AppImage-1XQ2V3'],
    ['the marker of the framework', 'AWSCDK::CustomResourceProviderFramework::CREATE_FAILED'],
    ['no id at all', ''],
    ['the slash form', 'arn:aws:lambda:eu-west-1:111122223333:microvm-image/shop-app'],
    ['a managed image, which has no account', 'arn:aws:lambda:eu-west-1:aws:microvm-image:al2023-1'],
    ['a connector', 'arn:aws:lambda:eu-west-1:111122223333:network-connector:shop-app'],
    ['a name of 65 characters', `arn:aws:lambda:eu-west-1:111122223333:microvm-image:${'a'.repeat(65)}`],
    ['something after the name', 'arn:aws:lambda:eu-west-1:111122223333:microvm-image:shop-app:1.0'],
  ])('is not seen in %s', (_what, text) => {
    expect(parseImageArn(text)).toBeUndefined();
  });
});

describe('the properties of an upkeep', () => {
  test.each([['full', frozenUpkeep.full], ['minimal', frozenUpkeep.minimal]])('of a stack deployed with the first release are understood (%s)', (_what, { properties, upkeep }) => {
    expect(decodeUpkeep(properties)).toEqual(upkeep);
  });

  test('are written as they were then', () => {
    const { ServiceToken: _, ServiceTimeout: __, ...properties } = frozenUpkeep.full.properties;
    expect(stringified(encodeUpkeep(frozenUpkeep.full.upkeep as UpkeepProperties))).toEqual(properties);
    expect([UPKEEP_RESOURCE_TYPE, Tag.UPKEEP]).toEqual([frozenUpkeep.resourceType, frozenUpkeep.tag]);
  });

  test('name what is missing', () => {
    expect(() => decodeUpkeep({ Content: 'x' })).toThrow('ImageName is missing');
  });
});
