import { GoldenStack, IMAGE_ARN, Part } from './golden-stack';
import { checkBase } from '../../../src/custom-resources/microvm-image/handler/check-base';
import { isComplete as isImageBuilt } from '../../../src/custom-resources/microvm-image/handler/is-complete';
import { acceptRequest as acceptImage } from '../../../src/custom-resources/microvm-image/handler/request';
import { SdkAdapter as ImageAdapter } from '../../../src/custom-resources/microvm-image/handler/sdk-adapter';
import { isComplete as isPublished } from '../../../src/custom-resources/microvm-image-publication/handler/is-complete';
import { acceptRequest as acceptPublication } from '../../../src/custom-resources/microvm-image-publication/handler/request';
import { SdkAdapter as PublicationAdapter } from '../../../src/custom-resources/microvm-image-publication/handler/sdk-adapter';
import { isComplete as isTested } from '../../../src/custom-resources/microvm-smoke-test/handler/is-complete';
import { acceptRequest as acceptTest } from '../../../src/custom-resources/microvm-smoke-test/handler/request';
import { Fetch, SdkAdapter as SmokeTestAdapter } from '../../../src/custom-resources/microvm-smoke-test/handler/sdk-adapter';
import { ParameterStore } from '../../parameter-store/parameter-store';
import { FaultSpec, MicrovmSimulator } from '../../simulator';
import { HttpAnswer, HttpRequest } from '../../simulator/http-exchange';
import { endpointsInProcess, inProcess } from '../common/in-process';

/** What becomes of a call, and of the function that makes it. */
export type MishapKind = 'killedBefore' | 'killedAfter' | 'timedOutBefore' | 'timedOutAfter' | 'throttled' | 'gatewayPage' | 'lostAnswer';

export interface Mishap {
  /** Counted over all calls of all functions from now. */
  readonly call: number;
  /** Only its calls are counted. */
  readonly operation?: string;
  readonly kind: MishapKind;
}

/** Among the operations. */
export const CALL_OF_THE_APP = 'call of the app';

const FAULTS: Partial<Record<MishapKind, Partial<FaultSpec>>> = {
  throttled: { throttle: true }, gatewayPage: { http502: true }, lostAnswer: { lostResponse: true },
};
const READS = /^(Get|List|Filter|Describe)/;

/** The end of a function by Lambda: Step Functions tells the one from the other, and tries the latter again. */
class Ended extends Error {
  constructor(kind: MishapKind) {
    const timedOut = kind.startsWith('timedOut');
    super(timedOut ? 'RequestId: 11111111-2222-3333-4444-555555555555 Error: Task timed out after 60.00 seconds'
      : 'RequestId: 11111111-2222-3333-4444-555555555555 Error: Runtime exited with error: signal: killed');
    this.name = timedOut ? 'Sandbox.Timedout' : 'Runtime.ExitError';
  }
}

/** The deployed functions: the real handlers with the real SDK, against simulated services of this process. */
export class Functions {
  /** How many functions were ended. */
  public kills = 0;
  /** Whether one of the mishaps struck since they were planned. */
  public struck = false;
  /** Told of each call that changed something. */
  public onChange?: (operation: string) => void;
  /** Told of each line that a handler logs, and of each mishap. */
  public log?: (entry: Record<string, unknown>) => void;
  private mishaps: readonly Mishap[] = [];
  private calls: string[] = [];
  /** Ends the one that runs: no two do at a time. */
  private end!: (ended: Ended) => void;
  private readonly image: ImageAdapter;
  private readonly smokeTest: SmokeTestAdapter;
  private readonly publication: PublicationAdapter;

  constructor(
    private readonly golden: GoldenStack, private readonly simulator: MicrovmSimulator, private readonly store: ParameterStore,
  ) {
    const fetchEndpoint = endpointsInProcess(simulator);
    const ask = async (request: HttpRequest) => this.call(request);
    this.image = inProcess(new ImageAdapter(), ask);
    const callApp: Fetch = async (...args) => this.watched(CALL_OF_THE_APP, async () => fetchEndpoint(...args));
    this.smokeTest = inProcess(new SmokeTestAdapter(undefined, callApp), ask);
    this.publication = inProcess(new PublicationAdapter(), ask);
  }

  /** From now on. */
  public plan(mishaps: readonly Mishap[]): void {
    this.mishaps = mishaps;
    this.calls = [];
    this.struck = false;
  }

  /** No more of them. */
  public spare(): void {
    this.mishaps = [];
  }

  /** By hand: what the service refuses is not our business. */
  public async retire(imageVersion: string): Promise<void> {
    await this.image.retireVersion(IMAGE_ARN, imageVersion).catch(() => undefined);
  }

  /** As a state machine names them. */
  public async invoke(functionArn: string, payload: any): Promise<unknown> {
    const { part, handler } = this.golden.functionOf(functionArn);
    if (part === 'check') {
      return this.run(async () => checkBase(payload, this.image, this.now, this.write));
    }
    return handler === 'onEvent' ? this.onEvent(part, payload) : this.isComplete(part, payload);
  }

  public onEvent(part: Part, event: any): unknown {
    return { image: acceptImage, smokeTest: acceptTest, publication: acceptPublication }[part](event, this.now());
  }

  public async isComplete(part: Part, event: any): Promise<unknown> {
    const { now, write: log } = this;
    return this.run<unknown>(async () => {
      switch (part) {
        case 'image': return isImageBuilt(event, this.image, now, log);
        case 'smokeTest': return isTested(event, this.smokeTest, now, log);
        case 'publication': return isPublished(event, this.publication, now, log);
      }
    });
  }

  private async run<T>(work: () => Promise<T>): Promise<T> {
    const ended = new Promise<never>((_resolve, reject) => { this.end = reject; });
    ended.catch(() => undefined);
    return Promise.race([work(), ended]);
  }

  private async call(request: HttpRequest): Promise<HttpAnswer> {
    const target = String(request.headers['x-amz-target'] ?? '');
    const service = target.startsWith('AmazonSSM.') ? this.store : this.simulator;
    const operation = target.split('.')[1] ?? `${request.method} ${request.path}`;
    const isRead = READS.test(operation) || request.method === 'GET';
    return this.watched(operation, async (kind) => {
      const fault = kind && FAULTS[kind] && service.faults.inject({ operation: '*', ...FAULTS[kind] });
      const answer = await service.handle(request);
      fault?.remove();
      if (!isRead) {
        this.onChange?.(operation);
      }
      return answer;
    });
  }

  /** Any call, with what becomes of it. What is ended gets no answer, and nothing of it runs on. */
  private async watched<T>(operation: string, call: (kind?: MishapKind) => Promise<T>): Promise<T> {
    const before = (of?: string) => (of === undefined ? this.calls : this.calls.filter((each) => each === of)).length;
    const strikes = ({ operation: of, call: at }: Mishap) => (of === undefined || of === operation) && at === before(of);
    const kind = this.mishaps.find(strikes)?.kind;
    this.calls.push(operation);
    const isEnd = kind !== undefined && FAULTS[kind] === undefined;
    if (kind) {
      this.struck = true;
      this.write({ mishap: kind, call: this.calls.length - 1, operation });
    }
    if (isEnd && kind.endsWith('After')) {
      await call().catch(() => undefined);
    }
    if (isEnd) {
      this.kills++;
      this.end(new Ended(kind));
      return new Promise(() => undefined);
    }
    return call(kind);
  }

  private readonly write = (entry: Record<string, unknown>): void => this.log?.(entry);
  private readonly now = (): number => this.simulator.clock.now();
}
