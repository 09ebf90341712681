import { setTimeout as delay } from 'node:timers/promises';

/** Something that goes on in real time. */
export class Work<T> {
  private settled: boolean;
  private value?: T;
  private readonly ended: Promise<void>;

  /** @param promise undefined: there is nothing to do */
  constructor(promise: Promise<T> | undefined) {
    this.settled = promise === undefined;
    this.ended = Promise.resolve(promise).then((value) => {
      this.value = value;
      this.settled = true;
    });
    // Whoever waits gets it; when nobody does, it is nobody's business.
    this.ended.catch(() => undefined);
  }

  /** What came of it. */
  public get result(): T | undefined {
    return this.value;
  }

  /** Whether it is done, once this much real time has been waited for it. */
  public async isDoneWithin(patienceMs: number): Promise<boolean> {
    if (this.settled || patienceMs === 0) {
      return this.settled;
    }
    const waiting = new AbortController();
    const tooLong = Number.isFinite(patienceMs) ? delay(patienceMs, undefined, { signal: waiting.signal }).catch(() => undefined) : undefined;
    await Promise.race([this.ended, ...(tooLong ? [tooLong] : [])]);
    waiting.abort();
    return this.settled;
  }
}
