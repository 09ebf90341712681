import { ImageConfig } from './config';
import { ImageEvent } from '../../microvm-events';

export type { Refusal } from '../../common/handler/service-refusal';
export { ServiceRefusal } from '../../common/handler/service-refusal';

/** The calls of the MicroVMs API (and of CloudWatch Logs, for the reason of a failure, and of EventBridge) that the driver needs. */
export interface ServicePort {
  /** Undefined when there is no such image. */
  getImage(imageArn: string): Promise<ImageView | undefined>;
  /** All of them, in any order. */
  listVersions(imageArn: string): Promise<VersionView[]>;
  listBuilds(imageArn: string, version: string): Promise<BuildView[]>;
  /** What a build made; the list of builds does not tell. */
  getSnapshotSizes(imageArn: string, version: string, buildId: string): Promise<SnapshotSizes>;
  listBaseVersions(baseImageArn: string): Promise<BaseVersionView[]>;
  /** MicroVMs of the image that are not terminated or on their way there. */
  listLiveMicrovms(imageArn: string): Promise<string[]>;
  /** MicroVMs that run one version, or any, and are not terminated yet. */
  listMicrovmsOfVersion(imageArn: string, version?: string): Promise<string[]>;
  /** The versions that those MicroVMs run. */
  listVersionsInUse(imageArn: string): Promise<string[]>;
  /** The last lines a build wrote to a log group. */
  tailLog(logGroup: string, version: string, since: number): Promise<string[]>;

  createImage(name: string, config: ImageConfig, tags: Record<string, string>, clientToken: string): Promise<void>;
  updateImage(imageArn: string, config: ImageConfig, clientToken: string): Promise<void>;
  activateVersion(imageArn: string, version: string): Promise<void>;
  /** It is launched no more, until it is activated again. MicroVMs that run it go on. */
  retireVersion(imageArn: string, version: string): Promise<void>;
  deleteVersion(imageArn: string, version: string): Promise<void>;
  deleteImage(imageArn: string): Promise<void>;
  terminateMicrovm(microvmId: string): Promise<void>;
  tag(imageArn: string, tags: Record<string, string>): Promise<void>;
  untag(imageArn: string, keys: string[]): Promise<void>;
  putEvent(eventBusArn: string, event: ImageEvent): Promise<void>;
}

export interface ImageView {
  readonly state: string;
  readonly tags: Record<string, string>;
  /** Milliseconds since the epoch. */
  readonly updatedAt: number;
}

export interface VersionView {
  readonly version: string;
  readonly state: string;
  readonly status: string;
  readonly config: ImageConfig;
  readonly createdAt: number;
  /** When its build ended, if nothing happened to it since. */
  readonly updatedAt?: number;
}

export interface BuildView {
  readonly buildId: string;
  readonly state: string;
  /** Such as `Graviton 3`. */
  readonly chip: string;
  readonly reason?: string;
}

/** A build that broke early made none or some of them. */
export interface SnapshotSizes {
  readonly codeBytes?: number;
  readonly memoryBytes?: number;
  readonly diskBytes?: number;
}

export interface BaseVersionView {
  readonly version: string;
  readonly status?: string;
  /** When it came out, in milliseconds since the epoch. */
  readonly createdAt?: number;
  /** Milliseconds since the epoch: when its status changed last, as far as the service tells. */
  readonly updatedAt?: number;
}
