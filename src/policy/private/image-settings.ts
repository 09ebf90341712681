import { asList, asText } from './intrinsic-functions';
import { CUSTOM_IMAGE, NATIVE_IMAGE } from './physical-names';
import { SynthesizedApp } from './synthesized-app';
import { SynthesizedResource } from './synthesized-template';

/** What the service gives an image that does not say how much memory it has. */
const DEFAULT_MEMORY_MIB = 2048;

/** An environment variable of an image. */
export interface EnvironmentVariable {
  readonly key: string;
  /** As the template has it. */
  readonly raw: unknown;
  readonly value: unknown;
  readonly location: string;
}

/** An image, read the same whoever builds it. */
export interface ImageSettings {
  readonly resource: SynthesizedResource;
  /** CloudFormation builds it, not this library's handler. */
  readonly isNative: boolean;
  readonly arn: string;
  readonly name: string;
  readonly baseImageArn: string;
  /** Undefined: the newest. */
  readonly baseImageVersion?: string;
  readonly buildRoleArn?: string;
  readonly artifactUri?: string;
  readonly memoryMiB: number;
  readonly egressConnectorArns: string[];
  readonly osCapabilities: string[];
  readonly environment: EnvironmentVariable[];
  /** Names of the hooks it has, such as `ready`. */
  readonly hooks: string[];
  readonly loggingDisabled: boolean;
  readonly logGroupName?: string;
  readonly tags: Record<string, string>;
}

/** All images of an app. */
export function readImages(app: SynthesizedApp): ImageSettings[] {
  return app.ofType(CUSTOM_IMAGE, NATIVE_IMAGE).map((resource) => (resource.type === NATIVE_IMAGE ? nativeImage(resource) : customImage(resource)));
}

function customImage(resource: SynthesizedResource): ImageSettings {
  const { properties } = resource;
  return {
    ...common(resource),
    isNative: false,
    artifactUri: optional(properties.CodeArtifactUri),
    memoryMiB: Number(properties.MinimumMemoryInMiB ?? DEFAULT_MEMORY_MIB),
    environment: mapped(properties.EnvironmentVariables).map(([key, value]) => ({
      key, value, raw: rawOf(resource, 'EnvironmentVariables')?.[key], location: `Properties.EnvironmentVariables.${key}`,
    })),
    hooks: mapped(properties.Hooks).flatMap(([key]) => /^(\w+)TimeoutInSeconds$/.exec(key)?.[1].toLowerCase() ?? []),
    loggingDisabled: isTrue(properties.Logging?.Disabled),
    logGroupName: optional(properties.Logging?.LogGroup),
    tags: Object.fromEntries(mapped(properties.Tags).map(([key, value]) => [key, asText(value)])),
  };
}

function nativeImage(resource: SynthesizedResource): ImageSettings {
  const { properties } = resource;
  const memory = asList(properties.Resources).map((entry: any) => Number(entry?.MinimumMemoryInMiB ?? DEFAULT_MEMORY_MIB));
  const hooks = [...mapped(properties.Hooks?.MicrovmImageHooks), ...mapped(properties.Hooks?.MicrovmHooks)];
  return {
    ...common(resource),
    isNative: true,
    artifactUri: optional(properties.CodeArtifact?.Uri),
    memoryMiB: memory.length > 0 ? Math.max(...memory) : DEFAULT_MEMORY_MIB,
    environment: asList(properties.EnvironmentVariables).map((entry: any, index) => ({
      key: asText(entry?.Key),
      value: entry?.Value,
      raw: rawOf(resource, 'EnvironmentVariables')?.[index]?.Value ?? entry?.Value,
      location: `Properties.EnvironmentVariables.${index}`,
    })),
    hooks: hooks.filter(([, state]) => state === 'ENABLED').map(([name]) => name.toLowerCase()),
    loggingDisabled: isTrue(properties.Logging?.Disabled),
    logGroupName: optional(properties.Logging?.CloudWatch?.LogGroup),
    tags: Object.fromEntries(asList(properties.Tags).map((tag: any) => [asText(tag?.Key), asText(tag?.Value)])),
  };
}

function common(resource: SynthesizedResource) {
  const { properties } = resource;
  return {
    resource,
    arn: resource.arn!,
    name: resource.physicalName.name,
    baseImageArn: asText(properties.BaseImageArn),
    baseImageVersion: optional(properties.BaseImageVersion),
    buildRoleArn: optional(properties.BuildRoleArn),
    egressConnectorArns: asList(properties.EgressNetworkConnectors).map(asText),
    osCapabilities: asList(properties.AdditionalOsCapabilities).map(asText),
  };
}

/** What the template has, where that is not a function as a whole. */
function rawOf({ raw }: SynthesizedResource, property: string): any {
  return raw.Properties?.[property];
}

function mapped(value: unknown): Array<[string, unknown]> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
}

function optional(value: unknown): string | undefined {
  return value === undefined || value === null || value === '' ? undefined : asText(value);
}

function isTrue(value: unknown): boolean {
  return value === true || value === 'true';
}
