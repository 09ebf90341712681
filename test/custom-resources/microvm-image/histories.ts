import * as fc from 'fast-check';
import { HistoryWorld } from './history-world';
import { History, history } from './random-history';
import { MicrovmSimulator } from '../../simulator';

/** How many histories to play in all. `HISTORIES=40000 SEED=7 npx jest histories` plays others. */
const HISTORIES = Number(process.env.HISTORIES ?? 10_000);
/** The gate plays the same histories every time; set another seed to look for more, or that of a failed run to see it again. */
const SEED = Number(process.env.SEED ?? 20261123);
const HOUR = 3_600_000;

/** Sockets and signatures cost more than all the rest of a history, so only one in so many goes over the wire, with all of the SDK. */
const WIRED = 10;

/** A test file that plays its share of the histories: Jest runs files, not tests, side by side. */
export function playShare(share: number, shares: number) {
  let simulator: MicrovmSimulator;
  let wired: ReturnType<typeof HistoryWorld.clients>;
  let inProcess: ReturnType<typeof HistoryWorld.clients>;
  let begun = 0;

  beforeAll(async () => {
    simulator = await MicrovmSimulator.start();
    Object.assign(process.env, {
      AWS_ENDPOINT_URL: simulator.endpoint, AWS_REGION: simulator.region, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test',
    });
    wired = HistoryWorld.clients();
    inProcess = HistoryWorld.clientsOf(simulator);
  });
  afterAll(async () => simulator.stop());

  async function play(played: History): Promise<void> {
    await simulator.reset();
    const world = new HistoryWorld(simulator, begun++ % WIRED === 0 ? wired : inProcess);
    await world.play(played);
    if (world.violations.length > 0) {
      throw new Error(`${world.violations.join('\n')}\n${world.story.join('\n')}`);
    }
  }

  const numRuns = Math.ceil(HISTORIES / shares);
  const seed = SEED + share - 1;
  test(`${numRuns} random histories keep every promise (seed ${seed})`, async () => {
    await fc.assert(fc.asyncProperty(history, play), { numRuns, seed });
  }, HOUR);
}
