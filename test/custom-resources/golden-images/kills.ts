import * as fc from 'fast-check';
import { Functions } from './functions';
import { GoldenStack } from './golden-stack';
import { Platform } from './platform';
import { history, Step } from './random-history';
import { ParameterStore } from '../../parameter-store/parameter-store';
import { MicrovmSimulator } from '../../simulator';

/** How many histories to play in all, each with about two kills. `HISTORIES=5000 SEED=7 npx jest kills` plays others. */
const HISTORIES = Number(process.env.HISTORIES ?? 1_000);
/** The gate plays the same histories every time; set another seed to look for more, or that of a failed run to see it again. */
const SEED = Number(process.env.SEED ?? 20261127);
const HOUR = 3_600_000;

/** A test file that plays its share of the histories: Jest runs files, not tests, side by side. */
export function playShare(share: number, shares: number) {
  const golden = new GoldenStack();
  let simulator: MicrovmSimulator;
  let store: ParameterStore;
  let functions: Functions;

  beforeAll(async () => {
    simulator = await MicrovmSimulator.start();
    store = await ParameterStore.start();
    Object.assign(process.env, { AWS_REGION: simulator.region, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' });
    functions = new Functions(golden, simulator, store);
  });
  afterAll(async () => Promise.all([simulator.stop(), store.stop()]));

  async function play(played: Step[]): Promise<void> {
    await simulator.reset();
    store.clear();
    const platform = new Platform(golden, simulator, store, functions);
    await platform.play(played).catch((error) => platform.violations.push(error.stack));
    if (platform.violations.length > 0) {
      throw new Error([...platform.violations, ...platform.story.map((line) => JSON.stringify(line))].join('\n'));
    }
  }

  const numRuns = Math.ceil(HISTORIES / shares);
  const seed = SEED + share - 1;
  test(`${numRuns} random histories of publishing and refreshing, killed at random, keep every promise (seed ${seed})`, async () => {
    await fc.assert(fc.asyncProperty(history, play), { numRuns, seed });
    expect(functions.kills).toBeGreaterThanOrEqual(numRuns);
  }, HOUR);
}
