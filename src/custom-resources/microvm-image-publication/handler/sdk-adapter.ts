import {
  GetMicrovmImageBuildCommand, GetMicrovmImageVersionCommand, LambdaMicrovmsClient, ListMicrovmImageBuildsCommand,
  TagResourceCommand, UntagResourceCommand,
} from '@aws-sdk/client-lambda-microvms';
import {
  DeleteParametersCommand, GetParametersByPathCommand, GetParametersCommand, Parameter, PutParameterCommand, SSMClient,
} from '@aws-sdk/client-ssm';
import { ParameterView, ServicePort, VersionView } from './service-port';
import { EventBridge } from '../../common/handler/event-bridge';
import { tagsOfImage } from '../../common/handler/image-tags';
import { CallOptions, refusing, unlessNotFound } from '../../common/handler/sdk-call';
import { ServiceRefusal } from '../../common/handler/service-refusal';
import { ImageEvent } from '../../microvm-events';
import { SnapshotRecord } from '../contract';

/** The largest page, and the most names a call takes. */
const PARAMETERS_AT_ONCE = 10;
/** A runaway cursor must not eat the tick. */
const MAX_PAGES = 100;

/** SSM, the MicroVMs API and EventBridge through the AWS SDK. The only file that knows the SDK. */
export class SdkAdapter implements ServicePort {
  private readonly microvms: LambdaMicrovmsClient;
  private readonly ssm: SSMClient;
  private readonly events: EventBridge;

  /** @param abortSignal no call outlives it */
  constructor(private readonly abortSignal?: AbortSignal) {
    const requestHandler = { connectionTimeout: 3_000, requestTimeout: 15_000 };
    this.microvms = new LambdaMicrovmsClient({ maxAttempts: 3, requestHandler });
    this.ssm = new SSMClient({ maxAttempts: 3, requestHandler });
    this.events = new EventBridge(abortSignal);
  }

  public async listParameters(path: string): Promise<Record<string, ParameterView>> {
    const parameters: Parameter[] = [];
    let nextToken: string | undefined;
    // A page may be empty and still have a successor.
    for (let page = 0; page < MAX_PAGES; page++) {
      const answer = await this.call('GetParametersByPath', (options) => this.ssm.send(new GetParametersByPathCommand({
        Path: path, Recursive: true, MaxResults: PARAMETERS_AT_ONCE, NextToken: nextToken,
      }), options));
      parameters.push(...(answer.Parameters ?? []));
      nextToken = answer.NextToken || undefined;
      if (nextToken === undefined) {
        return byName(parameters);
      }
    }
    throw new ServiceRefusal('transient', 'GetParametersByPath', `more than ${MAX_PAGES} pages`);
  }

  public async getParameters(names: string[]): Promise<Record<string, ParameterView>> {
    const { Parameters } = await this.call('GetParameters', (options) => this.ssm.send(new GetParametersCommand({ Names: names }), options));
    return byName(Parameters ?? []);
  }

  public async createParameter(name: string, value: string, description: string): Promise<void> {
    await this.call('PutParameter', (options) => this.ssm.send(
      new PutParameterCommand({ Name: name, Value: value, Type: 'String', Description: description, Overwrite: false }), options));
  }

  public async putList(name: string, value: string, description: string): Promise<void> {
    await this.call('PutParameter', (options) => this.ssm.send(
      new PutParameterCommand({ Name: name, Value: value, Type: 'StringList', Description: description, Overwrite: true }), options));
  }

  public async deleteParameters(names: string[]): Promise<void> {
    for (let start = 0; start < names.length; start += PARAMETERS_AT_ONCE) {
      await this.call('DeleteParameters', (options) => this.ssm.send(
        new DeleteParametersCommand({ Names: names.slice(start, start + PARAMETERS_AT_ONCE) }), options));
    }
  }

  public async getVersion(imageArn: string, imageVersion: string): Promise<VersionView | undefined> {
    return unlessNotFound(undefined, async () => {
      const version = await this.call('GetMicrovmImageVersion', (options) => this.microvms.send(
        new GetMicrovmImageVersionCommand({ imageIdentifier: imageArn, imageVersion }), options));
      return {
        state: String(version.state),
        status: String(version.status),
        baseImageArn: version.baseImageArn ?? '',
        // The service reads a bare integer back as `1.0`.
        baseImageVersion: (version.baseImageVersion ?? '').replace(/\.0$/, ''),
        codeArtifactUri: version.codeArtifact?.uri ?? '',
        createdAt: version.createdAt?.getTime() ?? 0,
      };
    });
  }

  public async listSnapshots(imageArn: string, imageVersion: string): Promise<SnapshotRecord[]> {
    const { items } = await this.call('ListMicrovmImageBuilds', (options) => this.microvms.send(
      new ListMicrovmImageBuildsCommand({ imageIdentifier: imageArn, imageVersion }), options));
    const snapshots = await Promise.all((items ?? []).map(async ({ buildId, chipset, chipsetGeneration }) => {
      const { snapshotBuild } = await this.call('GetMicrovmImageBuild', (options) => this.microvms.send(
        new GetMicrovmImageBuildCommand({ imageIdentifier: imageArn, imageVersion, buildId }), options));
      return {
        chip: `${String(chipset).charAt(0)}${String(chipset).slice(1).toLowerCase()} ${chipsetGeneration}`,
        codeBytes: snapshotBuild?.codeInstallSizeInBytes ?? undefined,
        memoryBytes: snapshotBuild?.memorySnapshotSizeInBytes ?? undefined,
        diskBytes: snapshotBuild?.diskSnapshotSizeInBytes ?? undefined,
      };
    }));
    return snapshots.sort((a, b) => (a.chip < b.chip ? -1 : 1));
  }

  public async getTags(imageArn: string): Promise<Record<string, string> | undefined> {
    return tagsOfImage(this.microvms, imageArn, { abortSignal: this.abortSignal });
  }

  public async tag(imageArn: string, tags: Record<string, string>): Promise<void> {
    await this.call('TagResource', (options) => this.microvms.send(new TagResourceCommand({ Resource: imageArn, Tags: tags }), options));
  }

  public async untag(imageArn: string, keys: string[]): Promise<void> {
    await this.call('UntagResource', (options) => this.microvms.send(new UntagResourceCommand({ Resource: imageArn, TagKeys: keys }), options));
  }

  public async putEvent(eventBusArn: string, event: ImageEvent): Promise<void> {
    await this.events.put(eventBusArn, event);
  }

  private async call<T>(operation: string, send: (options: CallOptions) => Promise<T>): Promise<T> {
    return refusing(operation, async () => send({ abortSignal: this.abortSignal }));
  }
}

function byName(parameters: Parameter[]): Record<string, ParameterView> {
  return Object.fromEntries(parameters.map(({ Name, Value, Version, LastModifiedDate }) => [
    String(Name), { value: Value ?? '', revision: Version ?? 0, writtenAt: LastModifiedDate?.getTime() ?? 0 },
  ]));
}
