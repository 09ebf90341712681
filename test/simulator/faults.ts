/** What a fault may look at to decide whether it strikes. */
export interface FaultTarget {
  readonly operation: string;
  readonly resource: string;
  readonly body: Record<string, any> | null;
}

export interface FaultSpec {
  /** Operation name, or `*` for every operation. */
  readonly operation: string;
  /** How often it strikes. Default 1. */
  readonly times?: number;
  /** Let this many matching calls through first. Default 0. */
  readonly skip?: number;
  /** Only calls whose resource ARN contains this. */
  readonly resource?: string;
  /** Any further condition (in process only). */
  readonly when?: (target: FaultTarget) => boolean;

  /** Answer this error instead of doing anything. */
  readonly error?: { readonly type: string; readonly message?: string | null; readonly status?: number; readonly retryAfterSeconds?: number };
  /** Answer the gateway's HTML 502 instead of doing anything. */
  readonly http502?: boolean;
  /** Answer ThrottlingException (429). */
  readonly throttle?: boolean | { readonly retryAfterSeconds: number };
  /** Hold the answer for this many real ms, at most MAX_SLOW_MS. */
  readonly slowMs?: number;
  /** Hold the answer (or, `before`, the work) until the returned handle is released, or the simulator stops. */
  readonly hold?: true | 'before';
  /** Do the work, then drop the connection without an answer. */
  readonly lostResponse?: boolean;
  /** Do the work, then answer the HTML 502 instead of the result. */
  readonly http502AfterEffect?: boolean;
}

export const MAX_SLOW_MS = 10_000;

const OPERATION_TAG_ERRORS = ['ListTags', 'TagResource', 'UntagResource'];

/** A fault that was injected: what it did, and the way to end it. */
export class Fault {
  public fired = 0;
  /** @internal */
  public readonly released: Promise<void>;
  private passed = 0;
  private removed = false;
  private open!: () => void;

  constructor(public readonly spec: FaultSpec) {
    this.released = new Promise((resolve) => { this.open = resolve; });
  }

  public get spent(): boolean {
    return this.removed || this.fired >= (this.spec.times ?? 1);
  }

  /** Lets held answers go. */
  public release(): void {
    this.open();
  }

  /** Ends the fault; held answers go. */
  public remove(): void {
    this.removed = true;
    this.open();
  }

  /** @internal True when this fault strikes the call; counts it. */
  public strikes(target: FaultTarget): boolean {
    const { operation, resource, when, skip = 0 } = this.spec;
    if (this.spent || (operation !== '*' && operation !== target.operation)) {
      return false;
    }
    if ((resource && !target.resource.includes(resource)) || (when && !when(target))) {
      return false;
    }
    if (this.passed < skip) {
      this.passed += 1;
      return false;
    }
    this.fired += 1;
    return true;
  }

  /** @internal The error to answer instead of working, if any. */
  public errorFor(operation: string): { type: string; message: string | null; status?: number; retryAfterSeconds?: number } | undefined {
    const { error, throttle } = this.spec;
    if (error) {
      return { ...error, message: error.message === undefined ? 'Injected fault.' : error.message };
    }
    if (throttle) {
      return {
        type: OPERATION_TAG_ERRORS.includes(operation) ? 'TooManyRequestsException' : 'ThrottlingException',
        message: 'Rate exceeded',
        retryAfterSeconds: throttle === true ? undefined : throttle.retryAfterSeconds,
      };
    }
    return undefined;
  }
}

/** Faults in the order they were injected; the first that matches a call strikes it. */
export class Faults {
  private faults: Fault[] = [];

  public inject(spec: FaultSpec): Fault {
    const fault = new Fault(spec);
    this.faults.push(fault);
    return fault;
  }

  public clear(): void {
    this.faults.forEach((fault) => fault.remove());
    this.faults = [];
  }

  /** @internal */
  public strike(target: FaultTarget): Fault | undefined {
    return this.faults.find((fault) => fault.strikes(target));
  }
}
