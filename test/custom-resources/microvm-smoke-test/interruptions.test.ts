import { SmokeTestedImage } from './smoke-tested-image';
import { CustomResource } from '../common/custom-resource';
import { Moment } from '../common/killer';

let world: SmokeTestedImage;
beforeAll(async () => {
  world = await SmokeTestedImage.start();
  await world.build(2);
});
afterAll(async () => world.stop());

const healthy = () => world.simulator.respond('*', () => ({ status: 200 }));
const sick = () => world.simulator.respond('*', ({ imageVersion }) => ({ status: imageVersion === '2.0' ? 500 : 200 }));

async function passed(test: CustomResource): Promise<void> {
  expect(await test.create(world.properties('1.0'))).toMatchObject({ Status: 'SUCCESS' });
}

/** What is killed: CloudFormation goes on with a rollback or a clean-up, which nothing disturbs. */
const SCENARIOS: Record<string, (test: CustomResource) => Promise<() => Promise<unknown>>> = {
  'a first test': async (test) => () => test.create(world.properties('1.0')),
  'the test of a new version': async (test) => {
    await passed(test);
    return () => test.update(world.properties('2.0'));
  },
  'the test of a version that fails': async (test) => {
    await passed(test);
    sick();
    return () => test.update(world.properties('2.0'));
  },
};
const notes = () => Object.entries(world.simulator.images[0].tags).filter(([key]) => key.startsWith('microvm-cdk:tested-')).map(([, note]) => note).join(' ');

describe.each(Object.entries(SCENARIOS))('%s may be killed', (what, scenario) => {
  test.each<Moment>(['before', 'after'])('%s any of its calls, and leaves no MicroVM, and no note that a version passed which did not', async (moment) => {
    let kills = 0;
    for (let call = 0; ; call++) {
      healthy();
      const smokeTest = world.test();
      smokeTest.onFailure = () => world.kill.disarm();
      const run = await scenario(smokeTest);
      world.kill.arm(call, moment);
      await run();
      const struck = world.kill.disarm();
      expect({ call, running: world.running }).toEqual({ call, running: [] });
      if (/fails/.test(what)) {
        expect(notes()).not.toContain('2.0/');
      }
      await smokeTest.delete();
      expect(notes()).toBe('');
      if (!struck) {
        break;
      }
      kills++;
    }
    expect(kills).toBeGreaterThan(8);
  });
});
