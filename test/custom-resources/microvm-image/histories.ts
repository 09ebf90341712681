import * as fc from 'fast-check';
import { HistoryWorld } from './history-world';
import { History, history } from './random-history';
import { MicrovmSimulator } from '../../simulator';

/** How many histories to play in all. `HISTORIES=40000 SEED=7 npx jest histories` plays others. */
const HISTORIES = Number(process.env.HISTORIES ?? 10_000);
/** The gate plays the same histories every time; set another seed to look for more, or that of a failed run to see it again. */
const SEED = Number(process.env.SEED ?? 20261123);
const HOUR = 3_600_000;

/**
 * A test file that plays its share of the histories: Jest runs files, not tests, side by side. The first goes over the wire,
 * with all of the SDK; sockets and signatures cost more than all the rest, so the others do without.
 */
export function playShare(share: number, shares: number) {
  let simulator: MicrovmSimulator;
  let clients: ReturnType<typeof HistoryWorld.clients>;

  beforeAll(async () => {
    simulator = await MicrovmSimulator.start();
    Object.assign(process.env, {
      AWS_ENDPOINT_URL: simulator.endpoint, AWS_REGION: simulator.region, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test',
    });
    clients = share === 1 ? HistoryWorld.clients() : HistoryWorld.clientsOf(simulator);
  });
  afterAll(async () => simulator.stop());

  async function play(played: History): Promise<void> {
    await simulator.reset();
    const world = new HistoryWorld(simulator, clients);
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
