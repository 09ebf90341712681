import * as fc from 'fast-check';
import { GoldenWorld } from './golden-world';
import { history, Step } from './random-history';

/** How many histories to play in all, each with more than one kill on average. `HISTORIES=5000 SEED=7 npx jest kills` plays others. */
const HISTORIES = Number(process.env.HISTORIES ?? 1_000);
/** The gate plays the same histories every time; set another seed to look for more, or that of a failed run to see it again. */
const SEED = Number(process.env.SEED ?? 20261127);
const HOUR = 3_600_000;

/** A test file that plays its share of the histories: Jest runs files, not tests, side by side. */
export function playShare(share: number, shares: number) {
  let world: GoldenWorld;

  beforeAll(async () => {
    world = await GoldenWorld.start();
  });
  afterAll(async () => world.stop());

  async function play(played: Step[]): Promise<void> {
    const platform = await world.platform();
    await platform.play(played).catch((error) => platform.violations.push(error.stack));
    if (platform.violations.length > 0) {
      throw new Error([...platform.violations, ...platform.story.map((line) => JSON.stringify(line))].join('\n'));
    }
  }

  const numRuns = Math.ceil(HISTORIES / shares);
  const seed = SEED + share - 1;
  test(`${numRuns} random histories of publishing and refreshing, killed at random, keep every promise (seed ${seed})`, async () => {
    await fc.assert(fc.asyncProperty(history, play), { numRuns, seed });
    expect(world.functions.kills).toBeGreaterThanOrEqual(numRuns);
  }, HOUR);
}
