import { Finding, Measurement, Sample } from './measurement';
import { BUILD_MS, POLL_MS, VirtualStack, Waiter } from './virtual-deployment';

const IMAGES = 100;
const QUOTA = 10;
/** CloudFormation starts the resources of a stack over some seconds. */
const STARTED_WITHIN_MS = 10_000;

interface Waiting {
  readonly waiter: Waiter;
  at: number;
}

export const crowd: Measurement = {
  what: `${IMAGES} images deployed at once under a quota of ${QUOTA} builds of 150 s`,
  target: `all succeed, within ${(IMAGES / QUOTA) * 150} s + 10 %; <= 4 calls a step until a build has ended`,
  method: `The handler over the real SDK against the simulator, whose clock is virtual. ${IMAGES} waiters, started over ${STARTED_WITHIN_MS / 1000} s at moments of their own, ` +
    'each asking every 7 s from then on: that is what keeps them apart.',
  measure: async () => VirtualStack.run(async (stack): Promise<Finding> => {
    const { clock, quotas } = stack.simulator;
    quotas.concurrentBuilds = QUOTA;
    const startedAt = clock.now();
    // Not evenly: multiples of the golden ratio fall everywhere.
    const fractions = Array.from({ length: IMAGES }, (_, index) => (index * 0.6180339887) % 1);
    const moments = fractions.map((fraction) => startedAt + Math.round(fraction * STARTED_WITHIN_MS)).sort((a, b) => a - b);
    const waiting: Waiting[] = [];
    const waiters: Waiter[] = [];
    while (waiting.length > 0 || waiters.length < IMAGES) {
      waiting.sort((a, b) => a.at - b.at);
      const next = waiting[0];
      const starting = moments[waiters.length];
      if (starting !== undefined && (next === undefined || starting <= next.at)) {
        await clock.advance(starting - clock.now());
        const waiter = stack.request('Create', stack.image(`image-${waiters.length}`));
        waiters.push(waiter);
        waiting.push({ waiter, at: starting });
        continue;
      }
      await clock.advance(next.at - clock.now());
      if (await next.waiter.tick()) {
        waiting.shift();
      } else {
        next.at += POLL_MS;
      }
    }
    const took = (clock.now() - startedAt) / 1000;
    const succeeded = waiters.filter(({ data }) => data?.ImageVersion === '1.0').length;
    const before = new Sample(waiters.flatMap(({ ticks }) => ticks.slice(0, -1).map((tick) => tick.calls)));
    const last = new Sample(waiters.map(({ ticks }) => ticks[ticks.length - 1].calls));
    const allowed = (1.1 * Math.ceil(IMAGES / QUOTA) * BUILD_MS) / 1000;
    return {
      result: `${succeeded} succeed within ${took.toFixed(0)} s; at most ${before.max} calls a step, ${before.mean.toFixed(1)} in the mean; ${last.max} in the one that ends a build, with its metrics`,
      met: succeeded === IMAGES && took <= allowed && before.max <= 4,
    };
  }),
};
