import { TickScript } from './random-history';
import { ServicePort } from '../../../src/custom-resources/microvm-image/handler/service-port';
import { Fault, FaultSpec, MicrovmSimulator } from '../../simulator';

/** Lambda ended the function: nothing of it runs on, and the framework is told so. */
export class Crash extends Error {
  constructor() {
    super('RequestId: 11111111-2222-3333-4444-555555555555 Error: Runtime exited with error: signal: killed');
    this.name = 'Runtime.ExitError';
  }
}

const ANSWERS: Record<string, Partial<FaultSpec>> = {
  throttle: { throttle: true },
  serverError: { error: { type: 'InternalServerException', message: null, status: 500 } },
  gatewayPage: { http502: true },
  lostAnswer: { lostResponse: true },
  gatewayPageAfterEffect: { http502AfterEffect: true },
  busy: { error: { type: 'ConflictException', message: 'MicroVM Image is already in state: UPDATING', status: 409 } },
  buildQuota: { error: { type: 'ServiceQuotaExceededException', message: 'You have reached the maximum number of concurrent builds for this account.', status: 402 } },
};
const READS = /^(get|list|tail)/;

export interface Watcher {
  /** Told of each call that changes something, before it is made. */
  before(operation: string, args: unknown[]): void;
  after(operation: string): void;
  /** Another tick runs here, between two calls of this one. */
  interrupt(): Promise<void>;
}

/**
 * The adapter for one tick, with what the script does to its calls. `crashed` rejects when the script ends the tick; the
 * call it hit never returns, as nothing returns to a function that Lambda has ended.
 */
export function scriptedService(
  port: ServicePort, simulator: MicrovmSimulator, script: TickScript, watcher: Watcher,
): { service: ServicePort; crashed: Promise<never> } {
  let calls = 0;
  let crash: () => void;
  const crashed = new Promise<never>((_resolve, reject) => { crash = () => reject(new Crash()); });
  crashed.catch(() => undefined);

  const service = new Proxy(port, {
    get: (target, operation: keyof ServicePort & string) => async (...args: unknown[]) => {
      const call = calls++;
      if (call === script.interruptedAt) {
        await watcher.interrupt();
      }
      const kind = script.fault?.call === call ? script.fault.kind : undefined;
      if (kind === 'crashBefore') {
        crash();
        return new Promise(() => undefined);
      }
      const fault = inject(simulator, kind, operation);
      const changes = !READS.test(operation);
      if (changes) {
        watcher.before(operation, args);
      }
      try {
        return await (target[operation] as (...values: unknown[]) => Promise<unknown>).apply(target, args);
      } finally {
        fault?.remove();
        if (changes) {
          watcher.after(operation);
        }
        if (kind === 'crashAfter') {
          crash();
          await new Promise(() => undefined);
        }
      }
    },
  });
  return { service, crashed };
}

/** Only builds are refused for a full quota of builds, and only changes because the image is busy. */
function inject(simulator: MicrovmSimulator, kind: string | undefined, operation: string): Fault | undefined {
  const fits = kind === 'buildQuota' ? /^(create|update)Image$/.test(operation) : kind === 'busy' ? !READS.test(operation) : true;
  const answer = kind !== undefined && fits ? ANSWERS[kind] : undefined;
  return answer && simulator.faults.inject({ operation: '*', ...answer });
}
