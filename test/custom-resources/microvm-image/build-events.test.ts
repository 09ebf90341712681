import { ensureRequest, versionView } from './builders';
import { ProviderFramework } from './provider-framework';
import { SimulatedStacks } from './simulated-stack';
import { StackResource } from './stack-events';
import { imageEvent } from '../../../src/custom-resources/microvm-events';
import { ImageProperties } from '../../../src/custom-resources/microvm-image/contract';
import { buildFailed } from '../../../src/custom-resources/microvm-image/handler/build-events';
import { isComplete } from '../../../src/custom-resources/microvm-image/handler/is-complete';
import { acceptRequest, CloudFormationEvent } from '../../../src/custom-resources/microvm-image/handler/request';
import { SdkAdapter } from '../../../src/custom-resources/microvm-image/handler/sdk-adapter';
import { ServicePort, ServiceRefusal } from '../../../src/custom-resources/microvm-image/handler/service-port';
import { FaultSpec } from '../../simulator';

const BUS = 'arn:aws:events:us-east-1:000000000000:event-bus/default';
const SUCCEEDED = 'MicroVM Image Build Succeeded';
const FAILED = 'MicroVM Image Build Failed';
const PRUNED = 'MicroVM Image Version Pruned';
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

let stacks: SimulatedStacks;
let image: StackResource;
let log: Array<Record<string, any>>;

beforeEach(async () => {
  stacks = await SimulatedStacks.start();
  image = stacks.resource();
});
afterEach(async () => stacks.simulator.stop());

/** An image whose events somebody wants. */
const announced = (content: string, more: Partial<ImageProperties> = {}) => stacks.image(content, { eventBusArn: BUS, ...more });
const types = () => stacks.simulator.events.map(({ type, detail }) => `${type} ${detail.imageVersion}`);
const warnings = () => {
  log = stacks.logged.map((line) => JSON.parse(line));
  return log.filter(({ warning }) => warning === 'event not put');
};

describe('a build', () => {
  test('that succeeds is told once, to the bus, with the version and what it was built on', async () => {
    stacks.simulator.builds.plan({ durationMs: 120_000 });
    await image.create(announced('v1'));
    expect(stacks.simulator.events).toEqual([{
      bus: BUS,
      source: 'cdk-lambda-microvms',
      type: SUCCEEDED,
      resources: [stacks.imageArn],
      detail: {
        id: expect.stringMatching(/^[0-9a-f]{32}$/),
        imageArn: stacks.imageArn,
        imageName: SimulatedStacks.IMAGE,
        imageVersion: '1.0',
        stackName: 'App',
        baseImageVersion: '1',
        durationSeconds: expect.any(Number),
      },
    }]);
    expect(stacks.simulator.events[0].detail.durationSeconds).toBeGreaterThanOrEqual(120);
    expect(stacks.simulator.events[0].detail.durationSeconds).toBeLessThan(300);
  });

  test('that fails is told once, with the reason, how far it got and where its log is', async () => {
    await image.create(announced('v1'));
    stacks.simulator.builds.plan({ failure: { kind: 'ready-timeout' } });
    const update = announced('v2');
    await image.update(update);
    await image.rollBack(update, announced('v1'));
    expect(types().slice(0, 2)).toEqual([`${SUCCEEDED} 1.0`, `${FAILED} 2.0`]);
    expect(stacks.simulator.events[1].detail).toMatchObject({
      reason: expect.stringMatching(/ready hook.*\(Graviton 3, Graviton 4\)/i), stage: 'hook', logGroup: update.logging.logGroup,
    });
  });

  test.each<[string, Partial<ImageProperties>]>([
    ['nobody wants to hear of', { eventBusArn: undefined }],
    ['nobody waits for', { waitForBuild: false }],
  ])('%s is not told', async (_what, more) => {
    await image.create(announced('v1', more));
    expect(stacks.simulator.events).toEqual([]);
    expect(stacks.simulator.calls.count('PutEvents')).toBe(0);
  });

  test('tells no value of the environment, though the service repeats it, and no line of the log', async () => {
    const secret = 'hunter2-hunter2';
    stacks.simulator.builds.plan({ failure: { kind: 'container', reason: `RUN failed: ${secret} is wrong` }, logLines: ['a line of the log'] });
    await image.create(announced('v1', { environmentVariables: { TOKEN: secret } }));
    const [event] = stacks.simulator.events;
    expect(event).toMatchObject({ type: FAILED, detail: { reason: expect.stringContaining('RUN failed: *** is wrong') } });
    expect(JSON.stringify(stacks.simulator.calls.all.filter(({ operation }) => operation === 'PutEvents'))).not.toContain(secret);
    expect(JSON.stringify(event)).not.toContain('a line of the log');
    expect(JSON.stringify(event.detail).length).toBeLessThan(2_048);
  });
});

test('a build that failed names no log group when logging is off', () => {
  const logGroupWhen = (disabled: boolean) => buildFailed(
    ensureRequest({ desired: { logging: { disabled, logGroup: '/logs' } } }), versionView('2.0'), { reason: 'x', stage: 'hook' },
  ).detail.logGroup;
  expect([logGroupWhen(false), logGroupWhen(true)]).toEqual(['/logs', undefined]);
});

test('a deployment that builds nothing tells nothing, also the one that turns the events on', async () => {
  await image.create(stacks.image('v1'));
  await image.update(announced('v1'));
  await image.update(announced('v1', { tags: { team: 'shop' } }));
  expect([stacks.builds, stacks.simulator.events]).toEqual([1, []]);
});

test('an image that was deleted and made again has other events, although its version is the same', async () => {
  await image.create(announced('v1'));
  await image.delete();
  await stacks.resource().create(announced('v1'));
  expect(types()).toEqual([`${SUCCEEDED} 1.0`, `${SUCCEEDED} 1.0`]);
  expect(new Set(stacks.simulator.events.map(({ detail }) => detail.id)).size).toBe(2);
});

test('each version that made room for a build is told once, and so is one that failed and was cleared away', async () => {
  const keeping = (content: string) => announced(content, { keepVersions: 2 });
  await image.create(keeping('v1'));
  for (const content of ['v2', 'v3', 'v4']) {
    await stacks.simulator.clock.advance(DAY);
    await image.update(keeping(content));
  }
  stacks.simulator.builds.plan({ failure: { kind: 'container' } });
  await stacks.simulator.clock.advance(DAY);
  await image.update(keeping('v5'));
  await image.rollBack(keeping('v5'), keeping('v4'));
  const pruned = stacks.simulator.events.filter(({ type }) => type === PRUNED).map(({ detail }) => [detail.imageVersion, detail.state]);
  expect(pruned).toEqual(expect.arrayContaining([['1.0', 'SUCCESSFUL'], ['5.0', 'FAILED']]));
  await stacks.simulator.clock.advance(MINUTE);
  const left = await stacks.versions();
  expect(pruned.map(([version]) => version).sort()).toEqual(['1.0', '2.0', '3.0', '4.0', '5.0'].filter((version) => !left.includes(version)));
});

/** The service for one step, which Lambda kills before its call number `doomed` or once it was made. */
function killed(doomed: number, when: 'before' | 'after'): { service: ServicePort; dead: Promise<unknown> } {
  let calls = 0;
  let die: () => void;
  const dead = new Promise<void>((resolve) => (die = resolve));
  const service = new Proxy(new SdkAdapter() as ServicePort, {
    get: (port, operation: keyof ServicePort) => async (...args: never[]) => {
      const isDoomed = calls++ === doomed;
      const answer = isDoomed && when === 'before' ? undefined : await (port[operation] as (...all: never[]) => Promise<unknown>).apply(port, args);
      if (isDoomed) {
        die();
        await new Promise(() => undefined);
      }
      return answer;
    },
  });
  return { service, dead };
}

describe.each([['succeeded', {}, SUCCEEDED], ['failed', { failure: { kind: 'container' as const } }, FAILED]])('the step after a build %s', (_what, plan, type) => {
  let last: CloudFormationEvent;
  const now = () => stacks.simulator.clock.now();
  const step = async (service: ServicePort) => isComplete(last, service, now, () => undefined).catch(() => undefined);

  /** Up to the step that ends the request, which is then killed. */
  async function createUntilKilled(doomed: number, when: 'before' | 'after'): Promise<boolean> {
    stacks.simulator.builds.plan({ ...plan, durationMs: 1_000 });
    let died = false;
    const framework = new ProviderFramework({
      onEvent: async (event) => acceptRequest(event, now()),
      isComplete: async (event) => {
        last = event;
        const { service, dead } = killed(stacks.simulator.images.length > 0 ? doomed : -1, when);
        const answer = isComplete(event, service, now, () => undefined);
        died = await Promise.race([dead.then(() => true), answer.then(() => false, () => false)]);
        return died ? { IsComplete: true } : answer;
      },
    }, () => stacks.simulator.clock.advance(7_000));
    await new StackResource(framework).send('Create', announced('v1'));
    return died;
  }

  test('tells the same event when it runs again and again, by the same id', async () => {
    await createUntilKilled(-1, 'before');
    for (let run = 0; run < 3; run++) {
      await step(new SdkAdapter());
    }
    expect(types()).toEqual(Array.from({ length: 4 }, () => `${type} 1.0`));
    expect(new Set(stacks.simulator.events.map(({ detail }) => detail.id)).size).toBe(1);
  });

  test.each(['before', 'after'] as const)('loses no event when it is killed %s any of its calls and runs again', async (when) => {
    let kills = 0;
    for (let call = 0; await createUntilKilled(call, when); call++) {
      kills++;
      await step(new SdkAdapter());
      expect([call, ...new Set(stacks.simulator.events.map(({ detail }) => detail.id))]).toEqual([call, expect.any(String)]);
      await stacks.simulator.reset();
    }
    expect(kills).toBeGreaterThan(4);
  });
});

describe('EventBridge that', () => {
  const fault = (spec: Omit<FaultSpec, 'operation'>) => () => void stacks.simulator.faults.inject({ operation: 'PutEvents', times: 99, ...spec });
  test.each<[string, () => void]>([
    ['throttles', fault({ error: { type: 'ThrottlingException', status: 400, message: 'Rate exceeded' } })],
    ['breaks', fault({ error: { type: 'InternalException', status: 500 } })],
    ['is hidden behind a broken gateway', fault({ http502: true })],
    ['denies', fault({ error: { type: 'AccessDeniedException', status: 400, message: 'not authorized to perform: events:PutEvents' } })],
    ['has no such bus', fault({ error: { type: 'ResourceNotFoundException', status: 400, message: 'Event bus default does not exist.' } })],
    ['refuses what is in the call', () => stacks.simulator.refuseEvents('ThrottlingException')],
  ])('%s changes no deployment, and the log says so', async (_what, break_) => {
    break_();
    expect(await image.create(announced('v1'))).toMatchObject({ Status: 'SUCCESS', Data: { ImageVersion: '1.0' } });
    expect(warnings()).toEqual([expect.objectContaining({ event: SUCCEEDED, eventId: expect.any(String), error: expect.any(String) })]);

    stacks.simulator.builds.plan({ failure: { kind: 'container' } });
    expect(await image.update(announced('v2'))).toMatchObject({ Status: 'FAILED', Reason: expect.stringContaining('version 2.0 failed to build') });
    expect(warnings()).toHaveLength(2);
    expect(stacks.simulator.events).toEqual([]);
  });

  test('takes an event and loses its answer is asked again, for the same event', async () => {
    stacks.simulator.faults.inject({ operation: 'PutEvents', lostResponse: true });
    expect(await image.create(announced('v1'))).toMatchObject({ Status: 'SUCCESS' });
    expect(new Set(stacks.simulator.events.map(({ detail }) => detail.id)).size).toBe(1);
    expect(warnings()).toEqual([]);
  });

  test('does not answer holds a step up no longer than the step has', async () => {
    stacks.simulator.faults.inject({ operation: 'PutEvents', hold: true });
    const ended = new AbortController();
    const put = new SdkAdapter(ended.signal).putEvent(BUS, imageEvent(SUCCEEDED, { imageArn: stacks.imageArn, imageVersion: '1.0', occasion: '' }));
    ended.abort();
    await expect(put).rejects.toThrow(ServiceRefusal);
  });
});
