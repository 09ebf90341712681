import { HistoryWorld } from './history-world';
import { FaultKind, Step, TickScript } from './random-history';
import { MicrovmSimulator } from '../../simulator';

/** Ticks of a request that are struck, one after the other, and calls of a tick: more than any of them makes. */
const TICKS = 4;
const CALLS = 12;

const deploy = (template: number, more: object = {}) => (
  { type: 'deploy', stack: 0, template, fate: { type: 'good' }, deliveredTwice: false, builds: [], ticks: [], rollbackTicks: [], ...more } as Step
);
const failing = { builds: [{ durationMs: 14_000, failure: { kind: 'container' } }] };

/** Each ends with a deployment that nothing disturbs: it must get there. */
const SCENARIOS: Record<string, (ticks: TickScript[]) => Step[]> = {
  'a create': (ticks) => [deploy(0, { ticks }), deploy(0)],
  'an update': (ticks) => [deploy(0), deploy(1, { ticks }), deploy(1)],
  'an update of tags': (ticks) => [deploy(0), deploy(2, { ticks }), deploy(2)],
  'an update to a name of its own': (ticks) => [deploy(0), deploy(7, { ticks }), deploy(7)],
  'the rollback of a failed build': (rollbackTicks) => [deploy(0), deploy(1, { ...failing, rollbackTicks }), deploy(0)],
  'the rollback of a failed sibling': (rollbackTicks) => [deploy(0), deploy(1, { fate: { type: 'siblingFails' }, rollbackTicks }), deploy(1)],
  'the rollback of a cancelled update': (rollbackTicks) => [deploy(0), deploy(1, { fate: { type: 'cancelled', afterTicks: 2 }, rollbackTicks }), deploy(1)],
  'the clean-up of a failed create': (rollbackTicks) => [deploy(0, { ...failing, rollbackTicks }), deploy(0)],
  'a delete': (ticks) => [deploy(0), { type: 'destroy', stack: 0, ticks }, deploy(0)],
};

let simulator: MicrovmSimulator;
let clients: ReturnType<typeof HistoryWorld.clients>;

beforeAll(async () => {
  simulator = await MicrovmSimulator.start();
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: simulator.endpoint, AWS_REGION: simulator.region, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test',
  });
  clients = HistoryWorld.clientsOf(simulator);
});
afterAll(async () => simulator.stop());

/** What was found wrong, and whether the tick was struck at all. */
async function play(steps: Step[], tagWritesWhileUpdating: 'conflict' | 'accepted') {
  await simulator.reset();
  const world = new HistoryWorld(simulator, clients);
  await world.play({ readings: { tagWritesWhileUpdating }, steps });
  return { violations: world.violations.map((violation) => [violation, ...world.story].join('\n')), killed: world.story.some((line) => /signal: killed/.test(line)) };
}

describe.each(Object.entries(SCENARIOS))('%s may be killed', (_what, scenario) => {
  test.each<[string, FaultKind, 'conflict' | 'accepted']>([
    ['before any of its calls', 'crashBefore', 'conflict'],
    ['after any of its calls', 'crashAfter', 'conflict'],
    ['before any of its calls, while the service takes tags at any time', 'crashBefore', 'accepted'],
    ['after any of its calls, while the service takes tags at any time', 'crashAfter', 'accepted'],
  ])('%s', async (_when, kind, tagWritesWhileUpdating) => {
    const found: string[] = [];
    let kills = 0;
    for (let tick = 0; tick < TICKS; tick++) {
      for (let call = 0; call < CALLS; call++) {
        const ticks: TickScript[] = [...Array.from({ length: tick }, () => ({})), { fault: { call, kind } }];
        const { violations, killed } = await play(scenario(ticks), tagWritesWhileUpdating);
        found.push(...violations.map((violation) => `killed in call ${call} of tick ${tick}: ${violation}`));
        if (!killed) {
          break;
        }
        kills++;
      }
    }
    expect(found).toEqual([]);
    expect(kills).toBeGreaterThan(1);
  }, 120_000);
});
