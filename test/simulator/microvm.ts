import { randomUUID } from 'node:crypto';
import { Context, spanOf } from './context';
import { Guest, HookOutcome, RuntimeHook } from './guests';
import { Image, ImageVersion } from './image';
import { MicrovmEndpoint } from './microvm-endpoint';
import { Transition } from './transition';
import { Work } from './work';

export type MicrovmState = 'PENDING' | 'RUNNING' | 'SUSPENDING' | 'SUSPENDED' | 'TERMINATING' | 'TERMINATED';

/** What is under way: it ends when its time is over and its work is done. */
interface Change {
  readonly span: Transition;
  readonly work: Work<string | undefined>;
  /** @param problem why the work failed @param at when it ended */
  readonly end: (problem: string | undefined, at: number) => void;
}

/** Durations as observed (7.6), and how long the end of the app goes unnoticed (7.5). */
const START_MS = 2_000;
const SUSPEND_MS = 1_500;
const RESUME_MS = 1_200;
const TERMINATE_MS = 3_000;
const EXIT_NOTICED_MS = 15_000;
const CLEAN = 'Success.';

export interface MicrovmLaunch {
  readonly image: Image;
  readonly version: ImageVersion;
  readonly input: Record<string, any>;
  readonly ingress: readonly string[];
  readonly egress: readonly string[];
}

/** One MicroVM and its life (7.5), with the hooks that go with it. */
export class Microvm {
  public readonly id = `microvm-${randomUUID()}`;
  public readonly startedAt: number;
  public readonly maximumDurationInSeconds: number;
  public endpoint!: MicrovmEndpoint;
  public stateReason: string | null = null;
  public terminatedAt?: number;
  private currentState: MicrovmState = 'PENDING';
  private change?: Change;
  private suspendedAt?: number;
  private lastTrafficAt: number;

  constructor(private readonly context: Context, public readonly launch: MicrovmLaunch, public readonly guest?: Guest) {
    this.startedAt = context.clock.now();
    this.lastTrafficAt = this.startedAt;
    this.maximumDurationInSeconds = launch.input.maximumDurationInSeconds ?? 28800;
    this.begin('PENDING', this.startedAt, START_MS, this.start(), (problem, at) => problem ? this.terminateAt(at, problem) : this.run(at));
  }

  public get state(): MicrovmState {
    return this.currentState;
  }

  /** It resumes, which shows in no state of its own. */
  public get isResuming(): boolean {
    return this.state === 'SUSPENDED' && this.change !== undefined;
  }

  public suspend(): void {
    this.suspendAt(this.context.clock.now());
  }

  public resume(durationMs: number = RESUME_MS): void {
    // It stays SUSPENDED until the hook has answered.
    this.begin('SUSPENDED', this.context.clock.now(), durationMs, this.wake(), (problem, at) => problem ? this.terminateAt(at, problem) : this.run(at));
  }

  public terminate(): void {
    this.terminateAt(this.context.clock.now());
  }

  public touch(): void {
    this.lastTrafficAt = this.context.clock.now();
  }

  public countRead(): void {
    this.change?.span.countRead();
  }

  /** A request is at the door: true when the app may have it, after an automatic resume if need be (7.5, 11.1). */
  public async admit(): Promise<boolean> {
    const { readings } = this.context;
    this.countRead();
    await this.settle(0);
    if (this.state === 'SUSPENDED' && this.launch.input.idlePolicy?.autoResumeEnabled) {
      if (!this.change) {
        this.resume(readings.autoResumeHoldsRequest ? 0 : RESUME_MS);
      }
      await this.settle(readings.autoResumeHoldsRequest ? Infinity : 0);
    }
    this.touch();
    return this.state === 'RUNNING' || (this.state === 'PENDING' && readings.trafficOvertakesRun);
  }

  /**
   * Lets everything happen that has fallen due, each at its time.
   *
   * @param patienceMs how long to wait, in real time, for work in the guest
   */
  public async settle(patienceMs: number): Promise<void> {
    while (this.state !== 'TERMINATED') {
      this.noticeExit();
      const now = this.context.clock.now();
      const { change } = this;
      const changes = change?.span.isDone(now) ? change.span.endsAt(now) : Number.POSITIVE_INFINITY;
      const idles = this.idleAt();
      const ends = this.endAt();
      if (Math.min(changes, idles, ends) > now) {
        return;
      }
      if (change && changes <= Math.min(idles, ends)) {
        if (!await change.work.isDoneWithin(patienceMs)) {
          return;
        }
        if (this.change === change) {
          this.change = undefined;
          change.end(change.work.result, changes);
        }
      } else if (idles < ends) {
        this.suspendAt(idles);
      } else {
        this.terminateAt(ends);
      }
    }
  }

  /** Without a word to the app: the simulator stops. */
  public async close(): Promise<void> {
    await Promise.all([this.endpoint?.close(), this.guest?.end()]);
  }

  private run(at: number): void {
    this.currentState = 'RUNNING';
    this.suspendedAt = undefined;
    this.lastTrafficAt = Math.max(at, this.lastTrafficAt);
  }

  private suspendAt(at: number): void {
    this.begin('SUSPENDING', at, SUSPEND_MS, this.freeze(), (problem, then) => {
      if (problem === undefined) {
        this.currentState = 'SUSPENDED';
        this.suspendedAt = then;
      } else if (this.context.readings.suspendFailureTerminates) {
        this.terminateAt(then, problem);
      } else {
        this.run(then);
      }
    });
  }

  private terminateAt(at: number, reason: string = CLEAN): void {
    this.begin('TERMINATING', at, TERMINATE_MS, this.release(), (_, then) => {
      this.currentState = 'TERMINATED';
      this.stateReason = reason;
      this.terminatedAt = then;
    });
  }

  /** Suspended too long, or alive too long. */
  private endAt(): number {
    const { idlePolicy } = this.launch.input;
    if (this.state === 'TERMINATING') {
      return Number.POSITIVE_INFINITY;
    }
    const suspended = this.state === 'SUSPENDED' && idlePolicy && !this.change ? this.suspendedAt! + idlePolicy.suspendedDurationSeconds * 1000 : Infinity;
    return Math.min(suspended, this.startedAt + this.maximumDurationInSeconds * 1000);
  }

  private idleAt(): number {
    const { idlePolicy } = this.launch.input;
    const idles = idlePolicy && this.state === 'RUNNING' && !this.change;
    return idles ? this.lastTrafficAt + idlePolicy.maxIdleDurationSeconds * 1000 : Number.POSITIVE_INFINITY;
  }

  private noticeExit(): void {
    const code = this.guest?.exitCode;
    if (code !== undefined && this.state === 'RUNNING' && !this.change) {
      this.begin('RUNNING', this.context.clock.now(), EXIT_NOTICED_MS, undefined, (_, at) => this.terminateAt(at, `Container Stopped with Exit Code: ${code}`));
    }
  }

  private begin(state: MicrovmState, at: number, durationMs: number, work: Promise<string | undefined> | undefined, end: Change['end']): void {
    this.currentState = state;
    const span = durationMs === 0 ? { durationMs } : spanOf(this.context, durationMs, {}, 0.5);
    this.change = { span: new Transition(span, at), work: new Work(work), end };
  }

  /** There is no snapshot to restore: the app starts anew, and is made ready before it is told who it is. */
  private async start(): Promise<string | undefined> {
    if (!this.guest) {
      return undefined;
    }
    const ready = await this.guest.start();
    if (ready !== undefined && ready !== 200) {
      return 'The process did not become ready, as it did in the build.';
    }
    return this.hook('run', JSON.stringify({ microvmId: this.id, runHookPayload: this.launch.input.runHookPayload ?? '' }));
  }

  private async freeze(): Promise<string | undefined> {
    const problem = await this.hook('suspend');
    if (problem === undefined) {
      this.guest?.freeze();
    }
    return problem;
  }

  private async wake(): Promise<string | undefined> {
    this.guest?.thaw();
    return this.hook('resume');
  }

  private async release(): Promise<undefined> {
    this.guest?.thaw();
    await this.hook('terminate');
    await this.guest?.end();
  }

  private async hook(hook: RuntimeHook, body?: string): Promise<string | undefined> {
    return problemOf(hook, await this.guest?.call(hook, body));
  }
}

/** Observed of the suspend hook; the others are worded after it (7.5). */
function problemOf(hook: RuntimeHook, outcome: HookOutcome | undefined): string | undefined {
  const name = hook[0].toUpperCase() + hook.slice(1);
  switch (outcome) {
    case undefined:
    case 200:
      return undefined;
    case 'timed-out':
      return `${name} lifecycle hook timed out.`;
    default:
      return `${name} lifecycle hook returned HTTP status ${outcome}.`;
  }
}
