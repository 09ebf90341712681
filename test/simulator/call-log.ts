/** Who made a call, as its signature tells. */
export interface Caller {
  readonly accessKeyId: string | null;
  /** The credential scope: `<date>/<region>/<service>/aws4_request`. */
  readonly scope: string | null;
  readonly signingService: string | null;
  readonly userAgent: string | null;
  /** Session token of temporary credentials, which tells apart roles sharing a key id. */
  readonly sessionToken: string | null;
}

export interface CallOutcome {
  readonly status: number;
  readonly errorType?: string;
  readonly message?: string | null;
}

export interface Call {
  readonly service: 'lambda' | 'logs' | 'events';
  /** Operation name as in the SDK, e.g. `CreateMicrovmImage`. */
  readonly operation: string;
  /** ARN that IAM authorises the call against, or `*`. */
  readonly resource: string;
  /** Everything IAM would check: the action itself, then the roles, connectors and tags passed along. */
  readonly requires: readonly { readonly action: string; readonly resource: string }[];
  readonly caller: Caller;
  readonly body: Record<string, any> | null;
  /** Decoded labels of the path: image identifier, version, build id, ... */
  readonly labels: readonly string[];
  readonly query: Record<string, string | string[]>;
  /** Virtual time, epoch ms. */
  readonly at: number;
  readonly outcome: CallOutcome;
}

/** Every API call that reached the simulator, those to its CloudWatch Logs and EventBridge APIs included, in order of their answers. */
export class CallLog {
  private readonly entries: Call[] = [];

  public get all(): readonly Call[] {
    return this.entries;
  }

  public of(...operations: string[]): Call[] {
    return this.entries.filter((call) => operations.includes(call.operation));
  }

  public count(...operations: string[]): number {
    return operations.length === 0 ? this.entries.length : this.of(...operations).length;
  }

  /** MicroVMs calls that change something and were accepted. */
  public mutations(): Call[] {
    return this.entries.filter((call) => call.service === 'lambda' && !/^(Get|List)/.test(call.operation) && call.outcome.status < 300);
  }

  public clear(): void {
    this.entries.length = 0;
  }

  /** @internal */
  public record(call: Call): void {
    this.entries.push(call);
  }
}
