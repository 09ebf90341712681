import { EventPort } from '../../common/handler/announce';
import { SnapshotRecord } from '../contract';

/** The calls of SSM, of the MicroVMs API and of EventBridge that a publication needs. */
export interface ServicePort extends EventPort {
  /** Every parameter below a path, by name. */
  listParameters(path: string): Promise<Record<string, ParameterView>>;
  /** Those there are of the named ones, by name. `<name>:<revision>` is what one held before. */
  getParameters(names: string[]): Promise<Record<string, ParameterView>>;
  /** Refused (`nameTaken`) when there is one of the name. */
  createParameter(name: string, value: string, description: string): Promise<void>;
  /** Sets a list in one step, whatever it was before. */
  putList(name: string, value: string, description: string): Promise<void>;
  /** Those that are not there are no error. */
  deleteParameters(names: string[]): Promise<void>;

  /** Undefined when there is no such version. */
  getVersion(imageArn: string, version: string): Promise<VersionView | undefined>;
  /** What the builds of a version made. */
  listSnapshots(imageArn: string, version: string): Promise<SnapshotRecord[]>;
  /** Undefined when there is no such image. */
  getTags(imageArn: string): Promise<Record<string, string> | undefined>;
  tag(imageArn: string, tags: Record<string, string>): Promise<void>;
  untag(imageArn: string, keys: string[]): Promise<void>;
}

export interface ParameterView {
  readonly value: string;
  /** Counts the writes, from 1. */
  readonly revision: number;
  /** The last of them, in milliseconds since the epoch. */
  readonly writtenAt: number;
}

export interface VersionView {
  readonly state: string;
  readonly status: string;
  readonly baseImageArn: string;
  /** A bare integer. Empty when the service does not tell. */
  readonly baseImageVersion: string;
  readonly codeArtifactUri: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}
