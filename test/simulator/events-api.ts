import { CallLog } from './call-log';
import { Context } from './context';
import { Faults } from './faults';
import { GATEWAY_502, HttpAnswer, HttpRequest, parseJson } from './http-exchange';
import { ServiceError } from './service-error';
import { assertSigned, readCaller } from './signature';

type Input = Record<string, any>;

const PREFIX = 'AWSEvents.';
/** See https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html */
const MAX_ENTRY_BYTES = 262_144;

/** An event as rules see it. */
export interface DeliveredEvent {
  readonly bus: string;
  readonly source: string;
  readonly type: string;
  readonly resources: string[];
  readonly detail: Record<string, any>;
}

/** The part of the EventBridge API (awsJson1_1) that takes events. Refusing faults strike here too. */
export class EventsApi {
  public readonly delivered: DeliveredEvent[] = [];
  /** From now on each entry is refused with this code, although the call is answered with 200. */
  public refuseEntries?: string;

  constructor(private readonly context: Context, private readonly faults: Faults, private readonly calls: CallLog) {
  }

  public handles(request: HttpRequest): boolean {
    return String(request.headers['x-amz-target'] ?? '').startsWith(PREFIX);
  }

  public async handle(request: HttpRequest): Promise<HttpAnswer> {
    const operation = String(request.headers['x-amz-target']).slice(PREFIX.length);
    const caller = readCaller(request.headers);
    const body: Input = parseJson(request.body);
    const resources: string[] = (body.Entries ?? []).map((entry: Input) => this.busArn(entry));
    let failure: ServiceError | undefined;
    let answer: HttpAnswer;
    try {
      assertSigned(caller, 'events', this.context.arns.region);
      answer = await this.strike(operation, resources[0] ?? '*', body) ?? json(200, this.dispatch(operation, body));
    } catch (error) {
      if (!(error instanceof ServiceError)) {
        throw error;
      }
      failure = error;
      answer = json(error.status, { __type: error.type, message: error.text });
    }
    this.calls.record({
      service: 'events',
      operation,
      resource: resources[0] ?? '*',
      requires: resources.map((resource) => ({ action: `events:${operation}`, resource })),
      caller,
      body,
      labels: [],
      query: {},
      at: this.context.clock.now(),
      outcome: { status: answer.status, ...(failure ? { errorType: failure.type, message: failure.text } : {}) },
    });
    return answer;
  }

  private async strike(operation: string, resource: string, body: Input): Promise<HttpAnswer | undefined> {
    const fault = this.faults.strike({ operation, resource, body });
    if (fault?.spec.hold) {
      await fault.released;
    }
    const error = fault?.errorFor(operation);
    if (error) {
      throw new ServiceError(error.type, error.message, error.status ?? 400);
    }
    if (fault?.spec.lostResponse) {
      this.dispatch(operation, body);
      return { status: 200, drop: true };
    }
    return fault?.spec.http502 ? GATEWAY_502 : undefined;
  }

  private dispatch(operation: string, { Entries: entries }: Input): Input {
    if (operation !== 'PutEvents') {
      throw new ServiceError('UnknownOperationException', null, 400);
    }
    const results = entries.map((entry: Input) => this.put(entry));
    return { FailedEntryCount: results.filter((result: Input) => result.ErrorCode).length, Entries: results };
  }

  private put(entry: Input): Input {
    if (this.refuseEntries) {
      return { ErrorCode: this.refuseEntries, ErrorMessage: 'the entry was refused' };
    }
    if (!entry.Source || !entry.DetailType || Buffer.byteLength(entry.Detail ?? '') > MAX_ENTRY_BYTES) {
      return { ErrorCode: 'InvalidArgument', ErrorMessage: 'Parameter is not valid' };
    }
    this.delivered.push({
      bus: this.busArn(entry), source: entry.Source, type: entry.DetailType, resources: entry.Resources ?? [], detail: JSON.parse(entry.Detail),
    });
    return { EventId: crypto.randomUUID() };
  }

  private busArn({ EventBusName: bus = 'default' }: Input): string {
    const { partition, region, accountId } = this.context.arns;
    return bus.startsWith('arn:') ? bus : `arn:${partition}:events:${region}:${accountId}:event-bus/${bus}`;
  }
}

function json(status: number, document: unknown): HttpAnswer {
  return { status, headers: { 'content-type': 'application/x-amz-json-1.1' }, body: JSON.stringify(document) };
}
