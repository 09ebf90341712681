import { CallLog } from './call-log';
import { Context } from './context';
import { Faults } from './faults';
import { GATEWAY_502, HttpAnswer, HttpRequest, parseJson } from './http-exchange';
import { LogEvent, LogGroup, LogGroups, LogStream } from './log-groups';
import { ServiceError } from './service-error';
import { assertSigned, readCaller } from './signature';

type Input = Record<string, any>;

const PREFIX = 'Logs_20140328.';

/** The part of the CloudWatch Logs API (awsJson1_1) that reads and writes build logs. Refusing faults strike here too. */
export class LogsApi {
  constructor(
    private readonly context: Context,
    private readonly groups: LogGroups,
    private readonly faults: Faults,
    private readonly calls: CallLog,
  ) {
  }

  public handles(request: HttpRequest): boolean {
    return String(request.headers['x-amz-target'] ?? '').startsWith(PREFIX);
  }

  public handle(request: HttpRequest): HttpAnswer {
    const operation = String(request.headers['x-amz-target']).slice(PREFIX.length);
    const caller = readCaller(request.headers);
    let body: Input = {};
    let failure: ServiceError | undefined;
    let answer: HttpAnswer;
    try {
      assertSigned(caller, 'logs', this.context.arns.region);
      body = parseJson(request.body);
      answer = this.strike(operation, body) ?? this.answer(200, this.dispatch(operation, body) ?? {});
    } catch (error) {
      if (!(error instanceof ServiceError)) {
        throw error;
      }
      failure = error;
      answer = this.answer(error.status, { __type: error.type, message: error.text });
    }
    const resource = this.resource(body);
    this.calls.record({
      service: 'logs',
      operation,
      resource,
      requires: [{ action: `logs:${operation}`, resource }],
      caller,
      body,
      labels: [],
      query: {},
      at: this.now(),
      outcome: { status: answer.status, ...(failure ? { errorType: failure.type, message: failure.text } : {}) },
    });
    return answer;
  }

  private strike(operation: string, body: Input): HttpAnswer | undefined {
    const fault = this.faults.strike({ operation, resource: this.resource(body), body });
    const error = fault?.errorFor(operation);
    if (error) {
      throw new ServiceError(error.type, error.message, error.status ?? 400);
    }
    return fault?.spec.http502 ? GATEWAY_502 : undefined;
  }

  private dispatch(operation: string, input: Input): unknown {
    switch (operation) {
      case 'CreateLogGroup': return this.createGroup(input);
      case 'DeleteLogGroup': return this.deleteGroup(input);
      case 'PutRetentionPolicy': return this.putRetention(input);
      case 'DescribeLogGroups': return this.describeGroups(input);
      case 'CreateLogStream': return this.createStream(input);
      case 'DescribeLogStreams': return this.describeStreams(input);
      case 'PutLogEvents': return this.putEvents(input);
      case 'GetLogEvents': return this.getEvents(input);
      case 'FilterLogEvents': return this.filterEvents(input);
      default: throw new ServiceError('UnknownOperationException', null, 400);
    }
  }

  private createGroup(input: Input): void {
    if (!this.groups.create(input.logGroupName, this.now())) {
      throw new ServiceError('ResourceAlreadyExistsException', 'The specified log group already exists', 400);
    }
  }

  private deleteGroup(input: Input): void {
    this.group(input);
    this.groups.delete(input.logGroupName);
  }

  private putRetention(input: Input): void {
    this.group(input).retentionInDays = input.retentionInDays;
  }

  private describeGroups(input: Input): unknown {
    const prefix = input.logGroupNamePrefix ?? '';
    return {
      logGroups: this.groups.all().filter(({ name }) => name.startsWith(prefix)).map(({ name, createdAt, retentionInDays }) => ({
        logGroupName: name, creationTime: createdAt, retentionInDays, arn: `${this.arn(name)}:*`, logGroupArn: this.arn(name),
      })),
    };
  }

  private createStream(input: Input): void {
    const group = this.group(input);
    if (group.streams.has(input.logStreamName)) {
      throw new ServiceError('ResourceAlreadyExistsException', 'The specified log stream already exists', 400);
    }
    this.groups.stream(group, input.logStreamName, this.now());
  }

  private describeStreams(input: Input): unknown {
    const lastEvent = (stream: LogStream) => stream.events[stream.events.length - 1]?.timestamp;
    const streams = [...this.group(input).streams.values()].filter(({ name }) => name.startsWith(input.logStreamNamePrefix ?? ''));
    streams.sort(input.orderBy === 'LastEventTime' ? (a, b) => (lastEvent(a) ?? 0) - (lastEvent(b) ?? 0) : (a, b) => (a.name < b.name ? -1 : 1));
    if (input.descending) {
      streams.reverse();
    }
    return {
      logStreams: streams.slice(0, input.limit ?? 50).map((stream) => ({
        logStreamName: stream.name,
        creationTime: stream.createdAt,
        firstEventTimestamp: stream.events[0]?.timestamp,
        lastEventTimestamp: lastEvent(stream),
      })),
    };
  }

  private putEvents(input: Input): unknown {
    const stream = this.stream(input);
    this.groups.append(stream, input.logEvents ?? [], this.now());
    return { nextSequenceToken: '0' };
  }

  private getEvents(input: Input): unknown {
    const all = this.within(this.stream(input).events, input);
    const limit = input.limit ?? 10_000;
    const start = input.nextToken ? Number(String(input.nextToken).slice(2)) : input.startFromHead ? 0 : Math.max(0, all.length - limit);
    const events = all.slice(start, start + limit);
    return {
      events: events.map(({ timestamp, message, ingestionTime }) => ({ timestamp, message, ingestionTime })),
      nextForwardToken: `f/${start + events.length}`,
      nextBackwardToken: `b/${Math.max(0, start - limit)}`,
    };
  }

  /** Events of all streams by time. The pattern is a plain text, in quotes or not. */
  private filterEvents(input: Input): unknown {
    const pattern = String(input.filterPattern ?? '').replace(/^"(.*)"$/, '$1');
    const events = [...this.group(input).streams.values()]
      .filter(({ name }) => name.startsWith(input.logStreamNamePrefix ?? '') && (!input.logStreamNames || input.logStreamNames.includes(name)))
      .flatMap((stream) => this.within(stream.events, input).map((event) => ({ ...event, logStreamName: stream.name })))
      .filter(({ message }) => message.includes(pattern))
      .sort((a, b) => a.timestamp - b.timestamp || (a.eventId < b.eventId ? -1 : 1));
    const start = Number(input.nextToken ?? 0);
    const end = start + (input.limit ?? 10_000);
    return { events: events.slice(start, end), searchedLogStreams: [], nextToken: end < events.length ? String(end) : undefined };
  }

  private within(events: readonly LogEvent[], { startTime, endTime }: Input): LogEvent[] {
    return events.filter(({ timestamp }) => (startTime === undefined || timestamp >= startTime) && (endTime === undefined || timestamp < endTime));
  }

  private group(input: Input): LogGroup {
    const name = input.logGroupName ?? String(input.logGroupIdentifier ?? '').replace(/^arn:[^:]+:logs:[^:]+:\d+:log-group:/, '').replace(/:\*$/, '');
    const group = this.groups.get(name);
    if (!group) {
      throw new ServiceError('ResourceNotFoundException', 'The specified log group does not exist.', 400);
    }
    return group;
  }

  private stream(input: Input): LogStream {
    const stream = this.group(input).streams.get(input.logStreamName);
    if (!stream) {
      throw new ServiceError('ResourceNotFoundException', 'The specified log stream does not exist.', 400);
    }
    return stream;
  }

  private resource({ logGroupName, logGroupIdentifier }: Input): string {
    const name = logGroupName ?? logGroupIdentifier;
    return name === undefined ? '*' : name.startsWith('arn:') ? name : `${this.arn(name)}:*`;
  }

  private arn(group: string): string {
    const { partition, region, accountId } = this.context.arns;
    return `arn:${partition}:logs:${region}:${accountId}:log-group:${group}`;
  }

  private now(): number {
    return this.context.clock.now();
  }

  private answer(status: number, document: unknown): HttpAnswer {
    return { status, headers: { 'content-type': 'application/x-amz-json-1.1' }, body: JSON.stringify(document) };
  }
}
