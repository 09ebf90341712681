import { setTimeout as delay } from 'node:timers/promises';
import { Call, CallLog, Caller } from './call-log';
import { Context } from './context';
import { Fault, Faults, MAX_SLOW_MS } from './faults';
import { errorAnswer, GATEWAY_502, HttpAnswer, HttpRequest, json, parseJson } from './http-exchange';
import { Invocation, Operation, Operations } from './operations';
import { accessDenied, ServiceError } from './service-error';
import { assertSigned, readCaller } from './signature';

/** The MicroVMs API itself: finds the operation, lets faults strike, logs the call. */
export class ApiServer {
  constructor(
    private readonly context: Context,
    private readonly operations: Operations,
    private readonly faults: Faults,
    private readonly calls: CallLog,
    /** Runs a piece of work with the state up to date and nobody else at it. */
    private readonly exclusively: <T>(operation: Operation, call: Invocation, work: () => Promise<T>) => Promise<T>,
    private readonly stopped: AbortSignal,
  ) {
  }

  public async handle(request: HttpRequest): Promise<HttpAnswer> {
    const caller = readCaller(request.headers);
    const found = this.find(request);
    const at = this.context.clock.now();
    let call: Invocation = { labels: found?.labels ?? [], query: request.query, body: {} };
    const record = (answer: HttpAnswer, error?: ServiceError) => this.record(found?.operation, call, caller, at, answer, error);
    try {
      assertSigned(caller, 'lambda', this.context.arns.region);
      if (!found) {
        throw this.unknown(request);
      }
      call = { ...call, body: parseJson(request.body) };
    } catch (error) {
      return record(errorAnswer(asServiceError(error)), asServiceError(error));
    }
    const { operation } = found;
    const fault = this.faults.strike({ operation: operation.name, resource: operation.resource(call), body: call.body });
    const refused = fault && await this.refusal(fault, operation);
    if (refused) {
      return record(refused.answer, refused.error);
    }
    const { answer, error } = await this.perform(operation, call);
    record(answer, error);
    return fault ? this.after(fault, answer) : answer;
  }

  private async perform(operation: Operation, call: Invocation): Promise<{ answer: HttpAnswer; error?: ServiceError }> {
    try {
      const document = await this.exclusively(operation, call, async () => operation.handle(call));
      return { answer: json(operation.status, document) };
    } catch (thrown) {
      const error = asServiceError(thrown);
      return { answer: errorAnswer(error), error };
    }
  }

  private async refusal(fault: Fault, operation: Operation): Promise<{ answer: HttpAnswer; error?: ServiceError } | undefined> {
    if (fault.spec.hold === 'before') {
      await this.orStopped(fault.released);
    }
    const wanted = fault.errorFor(operation.name);
    if (wanted) {
      const error = new ServiceError(wanted.type, wanted.message, wanted.status, wanted.retryAfterSeconds);
      return { answer: errorAnswer(error), error };
    }
    return fault.spec.http502 ? { answer: GATEWAY_502 } : undefined;
  }

  /** What a fault does to the answer once the work is done. */
  private async after(fault: Fault, answer: HttpAnswer): Promise<HttpAnswer> {
    const { spec } = fault;
    if (spec.slowMs) {
      await this.orStopped(delay(Math.min(spec.slowMs, MAX_SLOW_MS), undefined, { signal: this.stopped }));
    }
    if (spec.hold === true) {
      await this.orStopped(fault.released);
    }
    if (spec.lostResponse) {
      return { ...answer, drop: true };
    }
    return spec.http502AfterEffect ? GATEWAY_502 : answer;
  }

  private async orStopped(wait: Promise<unknown>): Promise<void> {
    const stop = new Promise<void>((resolve) => this.stopped.addEventListener('abort', () => resolve(), { once: true }));
    await Promise.race([wait.catch(() => undefined), stop]);
  }

  private find(request: HttpRequest): { operation: Operation; labels: string[] } | undefined {
    for (const operation of this.operations.all) {
      const match = operation.method === request.method ? operation.path.exec(request.path) : null;
      if (match) {
        return { operation, labels: match.slice(1).map(decodeURIComponent) };
      }
    }
    return undefined;
  }

  /** The slash form of an ARN, sent raw, meets no operation; the service answers it like a foreign resource (2.1). */
  private unknown(request: HttpRequest): ServiceError {
    return decodeURIComponent(request.path).includes(':microvm-image/')
      ? accessDenied('GetMicrovmImage', decodeURIComponent(request.path))
      : new ServiceError('UnknownOperationException', null);
  }

  private record(
    operation: Operation | undefined, call: Invocation, caller: Caller, at: number, answer: HttpAnswer, error?: ServiceError,
  ): HttpAnswer {
    const requires = operation ? this.operations.requirements(operation, call) : [];
    const entry: Call = {
      service: 'lambda',
      operation: operation?.name ?? 'Unknown',
      resource: requires[0]?.resource ?? '*',
      requires,
      caller,
      body: Object.keys(call.body).length > 0 ? call.body : null,
      labels: call.labels,
      query: call.query,
      at,
      outcome: { status: answer.status, ...(error ? { errorType: error.type, message: error.text } : {}) },
    };
    this.calls.record(entry);
    return answer;
  }
}

function asServiceError(error: unknown): ServiceError {
  return error instanceof ServiceError ? error : new ServiceError('InternalServerException', `simulator: ${(error as Error)?.stack ?? error}`);
}
