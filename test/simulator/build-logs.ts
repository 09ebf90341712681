import { CloudWatchLogsClient, CreateLogGroupCommand, CreateLogStreamCommand, DescribeLogGroupsCommand, PutLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { LogGroups } from './log-groups';

export interface BuildLogStream { readonly name: string; readonly lines: readonly string[] }

/** A place to keep logs in. None of its methods throws. */
export interface LogSink {
  groupExists(group: string): Promise<boolean>;
  createGroup(group: string): Promise<void>;
  write(group: string, stream: BuildLogStream, timestamp: number): Promise<void>;
}

/** Build logs arrive in one burst at the end; those that may not be written vanish without a word (9.1, 13). */
export class BuildLogs {
  constructor(private readonly sink: LogSink) {
  }

  public async write(
    group: string,
    streams: readonly BuildLogStream[],
    role: { readonly mayWrite: boolean; readonly mayCreateGroup: boolean },
    timestamp: number,
  ): Promise<void> {
    if (streams.length === 0 || !role.mayWrite) {
      return;
    }
    if (!await this.sink.groupExists(group)) {
      if (!role.mayCreateGroup) {
        return;
      }
      await this.sink.createGroup(group);
    }
    for (const stream of streams) {
      await this.sink.write(group, stream, timestamp);
    }
  }
}

export class MemoryLogSink implements LogSink {
  constructor(private readonly groups: LogGroups, private readonly now: () => number) {
  }

  public async groupExists(group: string): Promise<boolean> {
    return this.groups.get(group) !== undefined;
  }

  public async createGroup(group: string): Promise<void> {
    this.groups.create(group, this.now());
  }

  public async write(group: string, { name, lines }: BuildLogStream, timestamp: number): Promise<void> {
    const found = this.groups.get(group);
    if (found) {
      this.groups.append(this.groups.stream(found, name, this.now()), lines.map((message) => ({ timestamp, message })), this.now());
    }
  }
}

/** Writes to another CloudWatch Logs API. */
export class RemoteLogSink implements LogSink {
  private readonly client: CloudWatchLogsClient;

  constructor(endpoint: string, region: string) {
    this.client = new CloudWatchLogsClient({
      endpoint, region, maxAttempts: 2, credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
  }

  public async groupExists(group: string): Promise<boolean> {
    const found = await this.attempt(() => this.client.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: group })));
    return found?.logGroups?.some(({ logGroupName }) => logGroupName === group) ?? false;
  }

  public async createGroup(group: string): Promise<void> {
    await this.attempt(() => this.client.send(new CreateLogGroupCommand({ logGroupName: group })));
  }

  public async write(group: string, { name, lines }: BuildLogStream, timestamp: number): Promise<void> {
    const names = { logGroupName: group, logStreamName: name };
    await this.attempt(() => this.client.send(new CreateLogStreamCommand(names)));
    await this.attempt(() => this.client.send(new PutLogEventsCommand({
      ...names, logEvents: lines.map((message) => ({ timestamp, message: message || ' ' })),
    })));
  }

  public close(): void {
    this.client.destroy();
  }

  private async attempt<T>(call: () => Promise<T>): Promise<T | undefined> {
    try {
      return await call();
    } catch {
      return undefined;
    }
  }
}
