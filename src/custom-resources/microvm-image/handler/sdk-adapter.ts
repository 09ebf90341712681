import { CloudWatchLogsClient, FilteredLogEvent, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import {
  CreateMicrovmImageCommand, DeleteMicrovmImageCommand, DeleteMicrovmImageVersionCommand, GetMicrovmImageBuildCommand, GetMicrovmImageCommand,
  Hooks, LambdaMicrovmsClient, ListManagedMicrovmImageVersionsCommand, ListMicrovmImageBuildsCommand, ListMicrovmImageVersionsCommand,
  ListMicrovmsCommand, ListTagsCommand, Logging, MicrovmImageVersionSummary, MicrovmItem, TagResourceCommand, TerminateMicrovmCommand,
  UntagResourceCommand, UpdateMicrovmImageCommand, UpdateMicrovmImageVersionCommand,
} from '@aws-sdk/client-lambda-microvms';
import { EventBridge } from '../../common/handler/event-bridge';
import { CallOptions, refusing, unlessNotFound } from '../../common/handler/sdk-call';
import { HookProperties, LoggingProperties } from '../contract';
import { bareVersion, ImageConfig } from './config';
import { BaseVersionView, BuildView, ImageView, ServicePort, ServiceRefusal, SnapshotSizes, VersionView } from './service-port';
import { ImageEvent } from '../../microvm-events';

/** The largest page the service allows. */
const PAGE = 50;
/** A runaway cursor must not eat the tick. */
const MAX_PAGES = 100;
const LOG_LINES = 12;
/** Each holds up to 10,000 lines. */
const LOG_PAGES = 20;

interface Page<T> {
  readonly items?: T[];
  readonly nextToken?: string;
}

/** The MicroVMs API, and the two others, through the AWS SDK. The only file that knows the SDK. */
export class SdkAdapter implements ServicePort {
  private readonly microvms: LambdaMicrovmsClient;
  private readonly logs: CloudWatchLogsClient;
  private readonly events: EventBridge;

  /** @param abortSignal no call outlives it */
  constructor(private readonly abortSignal?: AbortSignal) {
    const requestHandler = { connectionTimeout: 3_000, requestTimeout: 15_000 };
    this.microvms = new LambdaMicrovmsClient({ maxAttempts: 3, requestHandler });
    // Log lines only decorate an error.
    this.logs = new CloudWatchLogsClient({ maxAttempts: 2, requestHandler: { connectionTimeout: 2_000, requestTimeout: 5_000 } });
    this.events = new EventBridge(abortSignal);
  }

  public async getImage(imageArn: string): Promise<ImageView | undefined> {
    return unlessNotFound(undefined, async () => {
      const image = await this.call('GetMicrovmImage', (options) => this.microvms.send(new GetMicrovmImageCommand({ imageIdentifier: imageArn }), options));
      // An image of ours is never without tags: none here means that this call does not tell.
      const tags = Object.keys(image.tags ?? {}).length > 0 ? image.tags! : await this.listTags(imageArn);
      return { state: String(image.state), tags, updatedAt: (image.updatedAt ?? image.createdAt ?? new Date(0)).getTime() };
    });
  }

  public async listVersions(imageArn: string): Promise<VersionView[]> {
    const items = await this.pages('ListMicrovmImageVersions', (nextToken, options) => this.microvms.send(
      new ListMicrovmImageVersionsCommand({ imageIdentifier: imageArn, maxResults: PAGE, nextToken }), options));
    return items.map((item) => ({
      version: String(item.imageVersion),
      state: String(item.state),
      status: String(item.status),
      config: recordedConfig(item),
      createdAt: item.createdAt?.getTime() ?? Date.now(),
      updatedAt: item.updatedAt?.getTime(),
    }));
  }

  public async listBuilds(imageArn: string, version: string): Promise<BuildView[]> {
    const items = await this.pages('ListMicrovmImageBuilds', (nextToken, options) => this.microvms.send(
      new ListMicrovmImageBuildsCommand({ imageIdentifier: imageArn, imageVersion: version, maxResults: PAGE, nextToken }), options));
    return items.map((item) => ({
      buildId: String(item.buildId),
      state: String(item.buildState),
      chip: `${String(item.chipset).charAt(0)}${String(item.chipset).slice(1).toLowerCase()} ${item.chipsetGeneration}`,
      reason: item.stateReason ?? undefined,
    }));
  }

  public async getSnapshotSizes(imageArn: string, version: string, buildId: string): Promise<SnapshotSizes> {
    const { snapshotBuild } = await this.call('GetMicrovmImageBuild', (options) => this.microvms.send(
      new GetMicrovmImageBuildCommand({ imageIdentifier: imageArn, imageVersion: version, buildId }), options));
    return {
      codeBytes: snapshotBuild?.codeInstallSizeInBytes ?? undefined,
      memoryBytes: snapshotBuild?.memorySnapshotSizeInBytes ?? undefined,
      diskBytes: snapshotBuild?.diskSnapshotSizeInBytes ?? undefined,
    };
  }

  public async listBaseVersions(baseImageArn: string): Promise<BaseVersionView[]> {
    return unlessNotFound([], async () => {
      const items = await this.pages('ListManagedMicrovmImageVersions', (nextToken, options) => this.microvms.send(
        new ListManagedMicrovmImageVersionsCommand({ imageIdentifier: baseImageArn, maxResults: PAGE, nextToken }), options));
      return items.map((item) => ({
        version: String(item.imageVersion),
        status: item.status ?? undefined,
        createdAt: item.createdAt?.getTime(),
        updatedAt: (item.updatedAt ?? item.createdAt)?.getTime(),
      }));
    });
  }

  public async listLiveMicrovms(imageArn: string): Promise<string[]> {
    const items = await this.listMicrovms(imageArn);
    return items.filter((item) => item.state !== 'TERMINATING').map((item) => String(item.microvmId));
  }

  public async listMicrovmsOfVersion(imageArn: string, version?: string): Promise<string[]> {
    const items = await this.listMicrovms(imageArn, version);
    return items.map((item) => String(item.microvmId));
  }

  public async listVersionsInUse(imageArn: string): Promise<string[]> {
    const items = await this.listMicrovms(imageArn);
    return [...new Set(items.map((item) => String(item.imageVersion)))];
  }

  public async tailLog(logGroup: string, version: string, since: number): Promise<string[]> {
    let lines: LogLine[] = [];
    let nextToken: string | undefined;
    // Oldest first is the only order there is, so the end is behind everything else.
    for (let page = 0; page < LOG_PAGES; page++) {
      const events = await this.call('FilterLogEvents', (options) => this.logs.send(
        new FilterLogEventsCommand({ logGroupName: logGroup, startTime: since, nextToken }), options));
      lines = endOfBuildLog([...lines, ...(events.events ?? []).map(logLine)], version);
      nextToken = events.nextToken;
      if (!nextToken) {
        return lines.map((line) => line.text);
      }
    }
    throw new ServiceRefusal('transient', 'FilterLogEvents', `more than ${LOG_PAGES} pages`);
  }

  public async createImage(name: string, config: ImageConfig, tags: Record<string, string>, clientToken: string): Promise<void> {
    await this.call('CreateMicrovmImage', (options) => this.microvms.send(
      new CreateMicrovmImageCommand({ name, ...document(config), tags, clientToken }), options));
  }

  public async updateImage(imageArn: string, config: ImageConfig, clientToken: string): Promise<void> {
    await this.call('UpdateMicrovmImage', (options) => this.microvms.send(
      new UpdateMicrovmImageCommand({ imageIdentifier: imageArn, ...document(config), clientToken }), options));
  }

  public async activateVersion(imageArn: string, version: string): Promise<void> {
    await this.setStatus(imageArn, version, 'ACTIVE');
  }

  public async retireVersion(imageArn: string, version: string): Promise<void> {
    await this.setStatus(imageArn, version, 'INACTIVE');
  }

  public async deleteVersion(imageArn: string, version: string): Promise<void> {
    await this.call('DeleteMicrovmImageVersion', (options) => this.microvms.send(
      new DeleteMicrovmImageVersionCommand({ imageIdentifier: imageArn, imageVersion: version }), options));
  }

  public async deleteImage(imageArn: string): Promise<void> {
    await this.call('DeleteMicrovmImage', (options) => this.microvms.send(new DeleteMicrovmImageCommand({ imageIdentifier: imageArn }), options));
  }

  public async terminateMicrovm(microvmId: string): Promise<void> {
    await this.call('TerminateMicrovm', (options) => this.microvms.send(new TerminateMicrovmCommand({ microvmIdentifier: microvmId }), options));
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

  private async setStatus(imageArn: string, imageVersion: string, status: 'ACTIVE' | 'INACTIVE'): Promise<void> {
    await this.call('UpdateMicrovmImageVersion', (options) => this.microvms.send(
      new UpdateMicrovmImageVersionCommand({ imageIdentifier: imageArn, imageVersion, status }), options));
  }

  private async listMicrovms(imageArn: string, imageVersion?: string): Promise<MicrovmItem[]> {
    const items = await this.pages('ListMicrovms', (nextToken, options) => this.microvms.send(
      new ListMicrovmsCommand({ imageIdentifier: imageArn, imageVersion, maxResults: PAGE, nextToken }), options));
    // Terminated ones stay listed for a long while.
    return items.filter((item) => item.state !== 'TERMINATED');
  }

  private async listTags(imageArn: string): Promise<Record<string, string>> {
    const answer = await this.call('ListTags', (options) => this.microvms.send(new ListTagsCommand({ Resource: imageArn }), options));
    return answer.Tags ?? {};
  }

  private async pages<T>(operation: string, fetch: (nextToken: string | undefined, options: CallOptions) => Promise<Page<T>>): Promise<T[]> {
    const items: T[] = [];
    let nextToken: string | undefined;
    // A page may be empty and still have a successor.
    for (let page = 0; page < MAX_PAGES; page++) {
      const answer = await this.call(operation, async (options) => fetch(nextToken, options));
      items.push(...(answer.items ?? []));
      nextToken = answer.nextToken || undefined;
      if (nextToken === undefined) {
        return items;
      }
    }
    throw new ServiceRefusal('transient', operation, `more than ${MAX_PAGES} pages`);
  }

  private async call<T>(operation: string, send: (options: CallOptions) => Promise<T>): Promise<T> {
    return refusing(operation, async () => send({ abortSignal: this.abortSignal }));
  }
}

interface LogLine {
  readonly at: number;
  readonly text: string;
  readonly stream: string;
}

function logLine(event: FilteredLogEvent): LogLine {
  return { at: event.timestamp ?? 0, text: (event.message ?? '').trim(), stream: event.logStreamName ?? '' };
}

function endOfBuildLog(lines: LogLine[], version: string): LogLine[] {
  // Rules and bare line numbers of a build's output say nothing.
  const telling = lines.filter((line) => /\p{L}{2}/u.test(line.text));
  // MicroVMs may write to the same group. The streams of a Dockerfile's build carry [0.0], those of its hooks the version.
  const ofBuild = telling.filter((line) => line.stream.includes('[0.0]') || line.stream.includes(`[${version}]`));
  return (ofBuild.length > 0 ? ofBuild : telling).sort((a, b) => a.at - b.at).slice(-LOG_LINES);
}

/** Always the whole document: what an update leaves out falls back to the service's default. */
function document(config: ImageConfig) {
  return {
    description: config.description,
    baseImageArn: config.baseImageArn,
    baseImageVersion: config.baseImageVersion,
    buildRoleArn: config.buildRoleArn,
    codeArtifact: { uri: config.codeArtifactUri },
    cpuConfigurations: [{ architecture: 'ARM_64' as const }],
    resources: [{ minimumMemoryInMiB: config.minimumMemoryInMiB }],
    egressNetworkConnectors: config.egressNetworkConnectors,
    additionalOsCapabilities: config.additionalOsCapabilities as 'ALL'[],
    environmentVariables: config.environmentVariables,
    hooks: config.hooks && hooksDocument(config.hooks),
    logging: loggingDocument(config.logging),
  };
}

function hooksDocument(hooks: HookProperties): Hooks {
  return {
    port: hooks.port,
    microvmImageHooks: {
      ...(hooks.readySeconds === undefined ? {} : { ready: 'ENABLED', readyTimeoutInSeconds: hooks.readySeconds }),
      ...(hooks.validateSeconds === undefined ? {} : { validate: 'ENABLED', validateTimeoutInSeconds: hooks.validateSeconds }),
    },
    microvmHooks: {
      ...(hooks.runSeconds === undefined ? {} : { run: 'ENABLED', runTimeoutInSeconds: hooks.runSeconds }),
      ...(hooks.resumeSeconds === undefined ? {} : { resume: 'ENABLED', resumeTimeoutInSeconds: hooks.resumeSeconds }),
      ...(hooks.suspendSeconds === undefined ? {} : { suspend: 'ENABLED', suspendTimeoutInSeconds: hooks.suspendSeconds }),
      ...(hooks.terminateSeconds === undefined ? {} : { terminate: 'ENABLED', terminateTimeoutInSeconds: hooks.terminateSeconds }),
    },
  };
}

/** Never an empty block: the service takes that for disabled. */
function loggingDocument({ disabled, logGroup, logStream }: LoggingProperties): Logging | undefined {
  if (disabled) {
    return { disabled: {} };
  }
  return logGroup || logStream ? { cloudWatch: { logGroup, logStream } } : undefined;
}

function recordedConfig(version: MicrovmImageVersionSummary): ImageConfig {
  return {
    description: version.description || undefined,
    baseImageArn: String(version.baseImageArn),
    baseImageVersion: version.baseImageVersion ? bareVersion(version.baseImageVersion) : undefined,
    buildRoleArn: String(version.buildRoleArn),
    codeArtifactUri: version.codeArtifact?.uri ?? '',
    minimumMemoryInMiB: version.resources?.[0]?.minimumMemoryInMiB ?? 2048,
    egressNetworkConnectors: version.egressNetworkConnectors ?? [],
    additionalOsCapabilities: version.additionalOsCapabilities ?? [],
    environmentVariables: version.environmentVariables ?? {},
    hooks: recordedHooks(version.hooks),
    logging: {
      disabled: version.logging?.disabled !== undefined && version.logging.disabled !== null,
      logGroup: version.logging?.cloudWatch?.logGroup ?? undefined,
      logStream: version.logging?.cloudWatch?.logStream ?? undefined,
    },
  };
}

/** A disabled hook is none, whatever its timeout. */
function recordedHooks(hooks: Hooks | undefined): HookProperties | undefined {
  const build = hooks?.microvmImageHooks;
  const run = hooks?.microvmHooks;
  const seconds = (state: string | undefined, timeout: number | undefined) => (state === 'ENABLED' ? timeout ?? 0 : undefined);
  return hooks?.port ? {
    port: hooks.port,
    readySeconds: seconds(build?.ready, build?.readyTimeoutInSeconds),
    validateSeconds: seconds(build?.validate, build?.validateTimeoutInSeconds),
    runSeconds: seconds(run?.run, run?.runTimeoutInSeconds),
    resumeSeconds: seconds(run?.resume, run?.resumeTimeoutInSeconds),
    suspendSeconds: seconds(run?.suspend, run?.suspendTimeoutInSeconds),
    terminateSeconds: seconds(run?.terminate, run?.terminateTimeoutInSeconds),
  } : undefined;
}
