import { Context } from './context';
import { Image } from './image';
import { Microvm } from './microvm';

export interface BuildView {
  readonly buildId: string;
  readonly generation: string;
  readonly state: string;
  readonly stateReason: string | null;
}

export interface VersionView {
  readonly version: string;
  readonly state: string;
  readonly status: string;
  readonly config: Readonly<Record<string, any>>;
  readonly builds: readonly BuildView[];
}

export interface ImageView {
  readonly arn: string;
  readonly name: string;
  readonly state: string;
  readonly latestActiveImageVersion: string | null;
  readonly latestFailedImageVersion: string | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly versions: readonly VersionView[];
}

export interface MicrovmView {
  readonly microvmId: string;
  readonly state: string;
  readonly imageArn: string;
  readonly imageVersion: string;
  readonly endpoint: string;
  readonly request: Readonly<Record<string, any>>;
}

export function imageView(image: Image, context: Context): ImageView {
  return {
    arn: image.arn,
    name: image.name,
    state: image.state,
    latestActiveImageVersion: image.latestActive(context.readings.latestActiveFallsBack),
    latestFailedImageVersion: image.latestFailed(),
    tags: { ...image.tags },
    versions: image.versions.map((version) => ({
      version: version.imageVersion,
      state: version.state,
      status: version.status,
      config: { ...version.config },
      builds: version.builds.map(({ buildId, chipsetGeneration, buildState, stateReason }) =>
        ({ buildId, generation: chipsetGeneration, state: buildState, stateReason })),
    })),
  };
}

export function microvmView(microvm: Microvm): MicrovmView {
  return {
    microvmId: microvm.id,
    state: microvm.state,
    imageArn: microvm.launch.image.arn,
    imageVersion: microvm.launch.version.imageVersion,
    endpoint: microvm.endpoint.host,
    request: microvm.launch.input,
  };
}
