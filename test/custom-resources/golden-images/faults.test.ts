import { Template } from 'aws-cdk-lib/assertions';
import { CALL_OF_THE_APP } from './functions';
import { IMAGE_NAME, ROOT } from './golden-stack';
import { GoldenWorld } from './golden-world';
import { Platform } from './platform';
import { Step, StepOf } from './random-history';
import { MicrovmImage } from '../../../src';
import { stackOf } from '../../constructs/fixtures';

let world: GoldenWorld;
let platform: Platform;

beforeAll(async () => {
  world = await GoldenWorld.start();
});
afterAll(async () => world.stop());
beforeEach(async () => {
  platform = await world.platform();
  await platform.begin();
  world.simulator.calls.clear();
});
/** Whatever goes wrong, what is named can be launched, and the next deployment gets there. */
afterEach(async () => {
  world.simulator.faults.clear();
  world.store.faults.clear();
  await platform.sweep();
  expect(platform.violations).toEqual([]);
});

const refresh = (more: Partial<StepOf<'refresh'>> = {}): Step => ({ type: 'refresh', base: 'moved', force: false, buildFails: false, mishaps: [], ...more });
const deploy = (more: Partial<StepOf<'deploy'>> = {}): Step => (
  { type: 'deploy', code: 'new', sick: false, buildFails: false, siblingFails: false, rollbackStruck: false, mishaps: [], ...more }
);
const builds = () => world.simulator.calls.count('UpdateMicrovmImage');
const lastState = () => platform.execution!.visited[platform.execution!.visited.length - 1];
/** What whoever is told of the failure reads. */
const cause = () => JSON.parse(platform.execution!.cause!).errorMessage;

test('a refresh tests, publishes and notes what it built; the next one has nothing to do', async () => {
  await platform.take(refresh());
  expect([lastState(), platform.channels, platform.records]).toEqual(['Refreshed', { candidate: '2.0' }, ['1.0', '2.0']]);
  await platform.take(refresh({ base: 'same' }));
  expect([lastState(), builds()]).toEqual(['Nothing to do', 1]);
});

describe('a schedule that fires during a deployment', () => {
  test.each([[[40]], [[0, 0, 40]]])('builds nothing, and the deployment publishes: pace %j', async (pace) => {
    await platform.take(deploy({ refresh: { force: true, states: 0, pace } }));
    expect([lastState(), platform.channels, builds()]).toEqual(['Nothing to do', { candidate: '2.0' }, 1]);
  });

  test('publishes nothing that is older, however long it stands still', async () => {
    // Up to where it is to publish; then a whole deployment goes by, and back, without a build.
    await platform.take(deploy({ siblingFails: true, refresh: { force: true, states: 20, pace: [0] } }));
    expect(platform.execution!.visited).toContain('Accept the publication');
    expect([lastState(), platform.channels]).toEqual(['A deployment goes first', { candidate: '1.0' }]);
  });
});

describe('a refresh whose', () => {
  test('smoke test fails publishes nothing, leaves no MicroVM, and says why', async () => {
    await platform.take(refresh({ base: 'movedAndSick' }));
    expect(cause()).toMatch(/^Version 2\.0 of MicroVM image 'agents' failed its smoke test: GET \/ on port 8080 answered 500/);
    expect([platform.channels, platform.records]).toEqual([{ candidate: '1.0' }, ['1.0']]);
  });

  test.each(['killedBefore', 'killedAfter'] as const)('smoke test is %s its call of the app publishes nothing; the next one tests what was built', async (kind) => {
    await platform.take(refresh({ mishaps: [{ operation: CALL_OF_THE_APP, call: 0, kind }] }));
    expect(cause()).toMatch(/signal: killed/);
    expect(platform.channels).toEqual({ candidate: '1.0' });
    await platform.take(refresh({ base: 'same' }));
    expect([lastState(), platform.channels, builds()]).toEqual(['Refreshed', { candidate: '2.0' }, 1]);
  });

  test('smoke test is timed out by Lambda goes on', async () => {
    await platform.take(refresh({ mishaps: [{ operation: CALL_OF_THE_APP, call: 0, kind: 'timedOutAfter' }] }));
    expect([lastState(), platform.channels, builds()]).toEqual(['Refreshed', { candidate: '2.0' }, 1]);
  });

  test('first look is throttled looks again, and tells nobody', async () => {
    world.simulator.faults.inject({ operation: 'GetMicrovmImage', throttle: true, times: 4 });
    const before = world.simulator.clock.now();
    await platform.take(refresh());
    expect([lastState(), platform.channels, builds()]).toEqual(['Refreshed', { candidate: '2.0' }, 1]);
    expect(world.simulator.clock.now() - before).toBeGreaterThan((1 + 2 + 4 + 8) * 60_000);
    expect(platform.execution!.visited).not.toContain('Clear up');
  });

  test('first look is throttled for longer than half an hour fails, and says so', async () => {
    world.simulator.faults.inject({ operation: 'GetMicrovmImage', throttle: true, times: 1_000 });
    await platform.take(refresh());
    expect(cause()).toMatch(/^Whether image 'agents' needs a refresh is not known: GetMicrovmImage was refused: Rate exceeded/);
    expect([lastState(), platform.channels, builds()]).toEqual(['Failed', { candidate: '1.0' }, 0]);
  });

  test('builds fail twice in a row disables the schedule and says so, though each service throttles at first', async () => {
    const { throttles, events } = platform.executions;
    const calls = ['aws-sdk:sfn:listExecutions', 'aws-sdk:scheduler:getSchedule', 'aws-sdk:scheduler:updateSchedule', 'events:putEvents'];
    for (const disabled of [false, true]) {
      calls.forEach((call) => { throttles[`arn:aws:states:::${call}`] = 3; });
      await platform.take(refresh({ buildFails: true }));
      expect(platform.executions.schedule.State).toBe(disabled ? 'DISABLED' : 'ENABLED');
      expect(events[events.length - 1]).toMatchObject({ DetailType: 'MicroVM Base Image Refresh Failed', Detail: { scheduleDisabled: disabled } });
    }
    expect(platform.execution).toMatchObject({ error: 'RefreshDisabled', cause: expect.stringMatching(/^failed 2 times in a row: the schedule is disabled\. /) });
  });

  test('build fails gives the image back as it was', async () => {
    await platform.take(refresh({ buildFails: true }));
    expect(cause()).toMatch(/^MicroVM image 'agents' version 2\.0 failed to build/);
    expect([platform.image!.state, platform.image!.versions.length, platform.channels]).toEqual(['UPDATED', 1, { candidate: '1.0' }]);
  });

  test('execution is stopped while it builds what fails leaves a failed version up to the next deployment, and no longer', async () => {
    await platform.take(refresh({ buildFails: true, stoppedAfter: 5 }));
    await world.simulator.clock.advance(60_000);
    expect([platform.image!.state, platform.image!.versions.map(({ state }) => state).sort()]).toEqual(['UPDATE_FAILED', ['FAILED', 'SUCCESSFUL']]);
    await platform.take(deploy());
    await world.simulator.clock.advance(60_000);
    expect(platform.image!.versions.map(({ version }) => version)).toEqual(['1.0', '3.0']);
  });

  test.each<[string, object, RegExp]>([
    ['throttles', { type: 'ThrottlingException', message: 'Rate exceeded', status: 400 }, /^PutParameter for publication 'agents' was refused: Rate exceeded\. Hint: the service did not recover in time/],
    ['is full', { type: 'ParameterLimitExceeded', message: 'full', status: 400 }, /^PutParameter for publication 'agents' was refused: full\. Hint: SSM allows 10,000 standard parameters/],
  ])('parameter store %s for good ends; the next one publishes what was built and tested', async (_what, error, message) => {
    world.store.faults.inject({ operation: 'PutParameter', error: error as any, times: 1_000 });
    await platform.take(refresh());
    expect(cause()).toMatch(message);
    expect([platform.channels, platform.records]).toEqual([{ candidate: '1.0' }, ['1.0']]);
    world.store.faults.clear();
    await platform.take(refresh({ base: 'same' }));
    expect([lastState(), platform.channels, builds()]).toEqual(['Refreshed', { candidate: '2.0' }, 1]);
  });

  test('parameter store throttles for a while waits', async () => {
    world.store.faults.inject({ operation: 'PutParameter', error: { type: 'TooManyUpdates', message: 'Slow down', status: 400 }, times: 3 });
    await platform.take(refresh());
    expect([lastState(), platform.channels]).toEqual(['Refreshed', { candidate: '2.0' }]);
  });

  test('account builds as much as it may ends, and what was there is as it was', async () => {
    world.simulator.quotas.concurrentBuilds = 0;
    await platform.take(refresh());
    expect(cause()).toMatch(/^UpdateMicrovmImage .*maximum number of concurrent builds|^Image 'agents' was not ready/);
    expect([platform.image!.versions.length, platform.channels]).toEqual([1, { candidate: '1.0' }]);
    world.simulator.quotas.concurrentBuilds = 10;
  });

  test('account has no memory left for a MicroVM ends with the quota to raise', async () => {
    world.simulator.quotas.memoryMiB = 0;
    await platform.take(refresh());
    expect(cause()).toMatch(/could not be tested: RunMicrovm was refused: .*memory.*L-CD1C0CC4/);
    expect(platform.channels).toEqual({ candidate: '1.0' });
    world.simulator.quotas.memoryMiB = 1_000_000;
  });

  test('publication has become somebody else\'s publishes nothing', async () => {
    const owner = world.store.values[`${ROOT}/owner`];
    world.store.set(`${ROOT}/owner`, '0123456789abcdef0123456789abcdef Rival');
    await platform.take(refresh());
    expect(cause()).toMatch(/^Publication 'agents' belongs to stack 'Rival': nothing was published/);
    expect([platform.channels, platform.records]).toEqual([{ candidate: '1.0' }, ['1.0']]);
    world.store.set(`${ROOT}/owner`, owner);
  });
});

describe('a consumer', () => {
  /** What its deployment would be told to launch: CloudFormation reads the parameters of the template, and stops when one is not there. */
  function deployConsumer(): string {
    const stack = stackOf();
    const { imageVersion } = MicrovmImage.fromPublication(stack, 'Agents', { publicationName: IMAGE_NAME, channel: 'candidate' });
    const [index, { Ref: id }] = stack.resolve(imageVersion)['Fn::Select'];
    const { Type, Default } = Template.fromStack(stack).toJSON().Parameters[id];
    expect(Type).toBe('AWS::SSM::Parameter::Value<List<String>>');
    const value = world.store.values[Default];
    return value === undefined ? `Unable to fetch parameters [${Default}]` : value.split(',')[index];
  }

  test('that comes before the first publication is not deployed; later it gets what is published', async () => {
    expect(deployConsumer()).toBe('1.0');
    await platform.take(refresh({ mishaps: [{ operation: 'PutParameter', call: 1, kind: 'killedBefore' }] }));
    expect([platform.records, deployConsumer()]).toEqual([['1.0', '2.0'], '1.0']);
    await platform.take(refresh({ base: 'same' }));
    expect(deployConsumer()).toBe('2.0');
    world.store.clear();
    expect(deployConsumer()).toBe('Unable to fetch parameters [/microvm-images/agents/channels/candidate]');
    await platform.take(deploy());
    expect(deployConsumer()).toBe('3.0');
  });
});

describe('a channel', () => {
  test('cannot be moved before the first publication of the version', async () => {
    await platform.take({ type: 'promote', choice: 3, mishaps: [] });
    expect(platform.reason).toMatch(/^Channel 'stable' of publication 'agents' cannot name version 99\.0: there is no record/);
    expect(platform.channels).toEqual({ candidate: '1.0' });
  });
});
