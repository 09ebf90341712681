import { Finding, Measurement, Sample } from './measurement';
import { BUILD_MS, POLL_MS, VirtualStack } from './virtual-deployment';
import { SdkAdapter } from '../src/custom-resources/microvm-image/handler/sdk-adapter';

const VIRTUAL = 'The handler over the real SDK against the simulator, whose clock is virtual; asked every 7 s, as by the waiter.';

export const addedWait: Measurement = {
  what: 'wait between a version turning `SUCCESSFUL` and the resource completing',
  target: '<= 7 s, and < 5 % of a 150 s build',
  method: `${VIRTUAL} 71 builds of 147.0 to 154.0 s, in steps of 0.1 s, so that they end anywhere between two questions.`,
  measure: async () => VirtualStack.run(async (stack): Promise<Finding> => {
    const waits: number[] = [];
    for (let step = 0; step <= 70; step++) {
      stack.simulator.builds.clear();
      stack.simulator.builds.plan({ durationMs: BUILD_MS - 3_000 + step * 100 });
      const name = `image-${step}`;
      await stack.request('Create', stack.image(name)).end(100);
      const [version] = await new SdkAdapter().listVersions(stack.simulator.imageArn(name));
      waits.push((stack.simulator.clock.now() - version.updatedAt!) / 1000);
    }
    const wait = new Sample(waits);
    const share = (100 * wait.max * 1000) / BUILD_MS;
    return { result: `at most ${wait.max.toFixed(1)} s (${share.toFixed(1)} %), ${wait.mean.toFixed(1)} s in the mean`, met: wait.max * 1000 <= POLL_MS && share < 5 };
  }),
};

export const rollback: Measurement = {
  what: 'rollback after a failed build of 150 s, against CloudFormation\'s own resource',
  target: '0 builds, >= 20x faster',
  method: `${VIRTUAL} The other side is a model, not a measurement: its update handler can only build again (decision 0001), so it takes one build of 150 s. ` +
    'Ours is counted as one whole pause of the waiter more than the steps it took.',
  measure: async () => VirtualStack.run(async (stack): Promise<Finding> => {
    const { simulator } = stack;
    const [good, bad] = [stack.image('image', 'good'), stack.image('image', 'bad')];
    await stack.request('Create', good).end();
    simulator.builds.clear();
    simulator.builds.plan({ durationMs: BUILD_MS, failure: { kind: 'container' } });
    const update = stack.request('Update', bad, good);
    await update.end();
    const [builds, startedAt] = [stack.builds, simulator.clock.now()];
    const back = stack.request('Update', good, bad);
    await back.end();

    const started = stack.builds - builds;
    const took = simulator.clock.now() - startedAt + POLL_MS;
    const works = update.failure !== undefined && back.data?.ImageVersion === '1.0';
    return { result: `${started} builds, ${(BUILD_MS / took).toFixed(0)}x: ${took / 1000} s, the model ${BUILD_MS / 1000} s`, met: works && started === 0 && BUILD_MS / took >= 20 };
  }),
};

export const callsPerTick: Measurement = {
  what: 'API calls a step while a version is being built',
  target: '<= 4',
  method: `${VIRTUAL} A create and an update, counted in the simulator's log.`,
  measure: async () => VirtualStack.run(async (stack): Promise<Finding> => {
    const [first, second] = [stack.image('image', 'v1'), stack.image('image', 'v2')];
    const waiters = [stack.request('Create', first), stack.request('Update', second, first)];
    for (const waiter of waiters) {
      await waiter.end();
    }
    const calls = new Sample(waiters.flatMap(({ ticks }) => ticks).filter(({ building }) => building).map((tick) => tick.calls));
    return { result: `at most ${calls.max}, ${calls.mean.toFixed(1)} in the mean`, met: calls.max <= 4 };
  }),
};
