import { HistoryWorld } from './history-world';
import { Delivery, RequestDesk } from './request-desk';
import { SimulatedStacks } from './simulated-stack';
import { StackResource } from './stack-events';
import { Tag } from '../../../src/custom-resources/microvm-image/contract';
import { FaultSpec, SimulatorOptions } from '../../simulator';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let stacks: SimulatedStacks;

async function start(options: SimulatorOptions = {}): Promise<StackResource> {
  stacks = await SimulatedStacks.start(options);
  return stacks.resource();
}
afterEach(async () => stacks.simulator.stop());

/** From now on, every call of the operation. */
const refuse = (operation: string, error: FaultSpec['error']) => stacks.simulator.faults.inject({ operation, error, times: Number.POSITIVE_INFINITY });

/** What the answer is, and how many minutes it took. */
async function timed<T>(work: () => Promise<T>): Promise<{ response: T; minutes: number }> {
  const begun = stacks.simulator.clock.now();
  return { response: await work(), minutes: (stacks.simulator.clock.now() - begun) / MINUTE };
}

describe('a create that the service does not allow names the cause and what to do', () => {
  test.each<[string, string, FaultSpec['error'], RegExp]>([
    [
      'in a region without MicroVMs, where every call is denied without a text', '*',
      { type: 'AccessDeniedException', message: null, status: 403 },
      /was refused: no reason given\. Hint: .*not offered in this region/,
    ],
    [
      'when the build role may not be passed', 'CreateMicrovmImage',
      { type: 'AccessDeniedException', message: 'User: handler is not authorized to perform: iam:PassRole on resource: arn:aws:iam::000000000000:role/build', status: 403 },
      /CreateMicrovmImage .*iam:PassRole on resource.* Hint: .*iam:PassedToService/,
    ],
    [
      'when the connector may not be passed', 'CreateMicrovmImage',
      { type: 'AccessDeniedException', message: 'User: handler is not authorized to perform: lambda:PassNetworkConnector', status: 403 },
      /Hint: .*egressConnector/,
    ],
    [
      'when the build role cannot be assumed', 'CreateMicrovmImage',
      { type: 'ValidationException', message: 'The service is unable to assume the provided role. Please verify the trust policy on the role.', status: 400 },
      /unable to assume.* Hint: .*trust lambda\.amazonaws\.com.*sourceAccountCondition: false/,
    ],
  ])('%s', async (_when, operation, error, reason) => {
    const image = await start();
    refuse(operation, error);
    const { response, minutes } = await timed(() => image.send('Create', stacks.image('v1')));

    expect(response).toMatchObject({ Status: 'FAILED', Reason: expect.stringMatching(reason) });
    expect(minutes).toBeLessThan(3);
    expect(stacks.simulator.images).toEqual([]);
  });

  test('when the account has as many images as it may', async () => {
    const image = await start({ quotas: { images: 1 } });
    await stacks.resource('arn:aws:cloudformation:us-east-1:000000000000:stack/Full/22222222-2222-3333-4444-555555555555').create(stacks.image('v1', { imageName: 'full' }));
    const { response, minutes } = await timed(() => image.create(stacks.image('v1')));

    expect(response).toMatchObject({ Status: 'FAILED', Reason: expect.stringMatching(/Service Quota.*images L-942E56BE/) });
    expect(minutes).toBeLessThan(6);
    expect(stacks.simulator.images.map(({ name }) => name)).toEqual(['full']);
  });
});

test('a build whose role cannot be assumed is made once more, then fails with its reason and the way out', async () => {
  const image = await start();
  const reason = 'Lambda was unable to assume the role arn:aws:iam::000000000000:role/build';
  stacks.simulator.builds.plan({ failure: { kind: 's3-access-denied', reason }, times: 3 });

  expect(await image.send('Create', stacks.image('v1'))).toMatchObject({
    Status: 'FAILED', Reason: expect.stringMatching(/version 2\.0 failed to build: Lambda was unable to assume the role.* Hint: .*sourceAccountCondition: false/),
  });
});

describe('a build that never starts', () => {
  test('fails the create after 10 minutes, and its Delete after 10 more; both say why', async () => {
    const image = await start();
    stacks.simulator.builds.plan({ wedged: true });
    const created = await timed(() => image.send('Create', stacks.image('v1')));
    expect(created.response).toMatchObject({ Status: 'FAILED', Reason: expect.stringMatching(/ersion 1\.0 .*stuck.*PENDING for 10 minutes.* Hint: .*client token/) });
    expect(created.minutes).toBeLessThan(11);

    const remove = () => image.send('Delete', stacks.image('v1'), undefined, stacks.imageArn);
    const deleted = await timed(remove);
    expect(deleted.response).toMatchObject({ Status: 'FAILED', Reason: expect.stringMatching(/none of its builds has started.* Hint: delete the stack again later/) });
    expect(deleted.minutes).toBeLessThan(11);

    await stacks.simulator.clock.advance(15 * HOUR);
    expect(await remove()).toMatchObject({ Status: 'SUCCESS' });
    expect(stacks.simulator.images).toEqual([]);
  });

  test('is not waited for by the rollback', async () => {
    const image = await start();
    await image.create(stacks.image('v1'));
    stacks.simulator.builds.plan({ wedged: true });
    expect(await image.update(stacks.image('v2'))).toMatchObject({ Status: 'FAILED' });
    const { response, minutes } = await timed(() => image.rollBack(stacks.image('v2'), stacks.image('v1')));

    expect(response).toMatchObject({ Status: 'SUCCESS', Data: { ImageVersion: '1.0' } });
    expect(minutes).toBe(0);
  });
});

test('a build longer than CloudFormation waits fails at 55 minutes, goes on, and the next deployment takes its version', async () => {
  const image = await start();
  await image.create(stacks.image('v1'));
  stacks.simulator.builds.plan({ durationMs: 65 * MINUTE });
  const { response, minutes } = await timed(() => image.update(stacks.image('v2')));
  expect(response).toMatchObject({ Status: 'FAILED', Reason: expect.stringMatching(/not ready after 55 minutes: version 2\.0 was still building; deploy again and it is picked up/) });
  expect(minutes).toBeLessThan(56);
  expect(await image.rollBack(stacks.image('v2'), stacks.image('v1'))).toMatchObject({ Status: 'SUCCESS', Data: { ImageVersion: '1.0' } });

  const before = stacks.builds;
  expect(await image.update(stacks.image('v2'))).toMatchObject({ Status: 'SUCCESS', Data: { ImageVersion: '2.0' } });
  expect(stacks.builds).toBe(before);
});

test('of two stacks that create one name at the same time one gets it, and the clean-up of the other leaves it alone', async () => {
  await start();
  const properties = stacks.image('v1', { imageName: 'golden' });
  const desk = new RequestDesk(stacks.simulator, HistoryWorld.clients().adapter, () => undefined, () => undefined);
  const stackId = (name: string) => `arn:aws:cloudformation:us-east-1:000000000000:stack/${name}/${name}-2222-3333-4444-555555555555`;
  const create = (name: string) => desk.accept({ stackId: stackId(name), type: 'Create', requestId: name, properties });
  const end = async (deliveries: Delivery[]) => {
    while (deliveries.some(({ response }) => !response)) {
      for (const delivery of deliveries) {
        await desk.tick(delivery, {}, delivery);
      }
      await stacks.simulator.clock.advance(7_000);
    }
  };
  const deliveries = [await create('first'), await create('second')];
  await end(deliveries);
  expect(deliveries.map(({ response }) => response!.Status)).toEqual(['SUCCESS', 'FAILED']);
  expect(deliveries[1].response!.Reason).toMatch(/'golden' already exists.*belongs to stack 'first'.* Hint: choose another imageName/i);

  const cleanUp = await desk.accept({
    stackId: stackId('second'), type: 'Delete', requestId: 'clean-up', properties, physicalId: deliveries[1].response!.PhysicalResourceId,
  });
  await end([cleanUp]);
  expect(cleanUp.response!.Status).toBe('SUCCESS');
  expect(stacks.simulator.images.map(({ name, state, tags }) => [name, state, tags[Tag.STACK_NAME]])).toEqual([['golden', 'CREATED', 'first']]);
});
