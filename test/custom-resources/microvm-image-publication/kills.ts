import { DeleteMicrovmImageVersionCommand, LambdaMicrovmsClient } from '@aws-sdk/client-lambda-microvms';
import * as fc from 'fast-check';
import { Publisher, ROOT } from './publisher';
import { CustomResource } from '../common/custom-resource';

/** In each of the two halves, which run side by side. `KILLS=1000 SEED=7 npx jest kills` plays others. */
const KILLS = Number(process.env.KILLS ?? 250);

type Deed =
  /** The next version is built, or one that was published is asked for again; it is tested and published. Sick ones fail their test. */
  | { readonly type: 'publish'; readonly isNew: boolean; readonly choice: number; readonly sick: boolean; readonly siblingFails: boolean }
  /** The channel is moved to one of the records there are, or to none of them. */
  | { readonly type: 'promote'; readonly choice: number };
type Publish = Extract<Deed, { type: 'publish' }>;
interface Killing { readonly deed: Deed; readonly call: number; readonly moment: 'before' | 'after'; readonly rollbackToo: boolean }

const publish: fc.Arbitrary<Publish> = fc.record({
  type: fc.constant('publish'), isNew: fc.boolean(), choice: fc.nat(4), sick: fc.boolean(), siblingFails: fc.boolean(),
});
const promote: fc.Arbitrary<Deed> = fc.record({ type: fc.constant('promote'), choice: fc.nat(5) });
/** As many calls as such a deployment makes, and some of its rollback. */
const killingOf = (deed: fc.Arbitrary<Deed>, calls: number): fc.Arbitrary<Killing> => fc.record({
  deed, call: fc.nat(calls), moment: fc.constantFrom('before', 'after'), rollbackToo: fc.boolean(),
});
const killing = fc.oneof({ weight: 3, arbitrary: killingOf(publish, 40) }, { weight: 2, arbitrary: killingOf(promote, 6) });

let world: Publisher;
/** The stack of a platform team, whose handlers are killed at random. */
class Platform {
  public readonly violations: string[] = [];
  public kills = 0;
  private readonly smokeTest = world.tested.test();
  private readonly publication = world.publication();
  private readonly channel = world.channel();
  private deployed = '1.0';
  private promoted?: string;
  private built = 1;
  private readonly microvms = new LambdaMicrovmsClient({});
  private readonly sick = new Set<string>();

  public async start(): Promise<void> {
    world.simulator.respond('*', ({ imageVersion }) => ({ status: this.sick.has(imageVersion) ? 500 : 200 }));
    await this.smokeTest.create(world.tested.properties('1.0'));
    await this.publication.create(world.properties('1.0', { keepRecords: 4 }));
    // Whoever reads a channel may do so at any moment.
    world.store.onWrite = () => this.look('in between');
  }

  public async suffer({ deed, call, moment, rollbackToo }: Killing): Promise<void> {
    for (const resource of [this.smokeTest, this.publication, this.channel]) {
      resource.onFailure = () => {
        if (!rollbackToo) {
          this.kills += world.kill.disarm() ? 1 : 0;
        }
      };
    }
    world.kill.arm(call, moment);
    await (deed.type === 'publish' ? this.publish(deed) : this.promote(deed.choice));
    this.kills += world.kill.disarm() ? 1 : 0;
    this.look(`after ${deed.type} killed ${moment} call ${call}`);
    if (world.tested.running.length > 0) {
      this.violations.push(`${deed.type} killed ${moment} call ${call} left ${world.tested.running}`);
    }
  }

  /** CloudFormation in its order: the image, its test, the publication; and back when one of them fails. */
  private async publish({ isNew, choice, sick, siblingFails }: Publish): Promise<void> {
    const version = isNew ? await this.build() : world.records[choice % world.records.length];
    if (isNew && sick) {
      this.sick.add(version);
    }
    const before = this.deployed;
    if (await this.fails(this.smokeTest, world.tested.properties(version), world.tested.properties(before))) {
      return;
    }
    const published = (of: string) => world.properties(of, { keepRecords: 4 });
    if (await this.fails(this.publication, published(version), published(before)) || siblingFails) {
      await this.back(this.publication, published(before));
      await this.back(this.smokeTest, world.tested.properties(before));
      return;
    }
    this.deployed = version;
  }

  private async promote(choice: number): Promise<void> {
    const { records } = world;
    const version = records[choice] ?? '99.0';
    if (this.promoted === undefined) {
      const created = await this.channel.create(world.channelProperties(version));
      this.promoted = created.Status === 'SUCCESS' ? version : undefined;
    } else if (!await this.fails(this.channel, world.channelProperties(version), world.channelProperties(this.promoted))) {
      this.promoted = version;
    }
  }

  /** A failed update that is rolled back by itself. What fails while rolling back is retried, as an operator does. */
  private async fails(resource: CustomResource, properties: Record<string, unknown>, before: Record<string, unknown>): Promise<boolean> {
    const response = await resource.send('Update', properties, before, resource.physicalId);
    if (response.Status === 'SUCCESS') {
      resource.deployed(properties);
      return false;
    }
    resource.onFailure?.();
    await this.back(resource, before);
    return true;
  }

  private async back(resource: CustomResource, before: Record<string, unknown>): Promise<void> {
    if ((await resource.rollBack(before)).Status === 'FAILED') {
      this.kills += world.kill.disarm() ? 1 : 0;
      expect(await resource.rollBack(before)).toMatchObject({ Status: 'SUCCESS' });
    }
  }

  /** The image's own handler is not killed. Before a build, everything goes that retention may let go. */
  private async build(): Promise<string> {
    const image = world.simulator.images[0];
    const needed = [this.deployed, ...world.protectedVersions?.split(' ') ?? []];
    for (const { version } of image.versions.filter((each) => !needed.includes(each.version))) {
      await this.microvms.send(new DeleteMicrovmImageVersionCommand({ imageIdentifier: image.arn, imageVersion: version }));
      await world.simulator.clock.advance(60_000);
    }
    world.simulator.builds.plan({ durationMs: 1_000 });
    await world.tested.build(++this.built);
    return `${this.built}.0`;
  }

  /** A channel always names a version that exists, passed its test and is ACTIVE, and is protected from deletion. */
  private look(when: string): void {
    const { versions, tags } = world.simulator.images[0];
    for (const [channel, version] of Object.entries(world.channels)) {
      const found = versions.find((each) => each.version === version);
      if (found?.state !== 'SUCCESSFUL' || found.status !== 'ACTIVE' || this.sick.has(version!)) {
        this.violations.push(`${when}: ${channel} names ${version}, which is ${found?.state ?? 'gone'} ${found?.status ?? ''}${this.sick.has(version!) ? ' and sick' : ''}`);
      }
      if (!tags['microvm-cdk:published']?.split(' ').includes(version!)) {
        this.violations.push(`${when}: ${channel} names ${version}, which nothing protects`);
      }
      if (!(`${ROOT}/versions/${version}` in world.store.values)) {
        this.violations.push(`${when}: ${channel} names ${version}, of which there is no record`);
      }
    }
  }
}

/** One half of the kills: a test file of its own. */
export function killAtRandom(seed: number): void {
  beforeAll(async () => {
    world = await Publisher.start();
  });
  afterAll(async () => world.stop());

  test(`${KILLS} kills while publishing and promoting: a channel always names a version that exists, passed its test, is ACTIVE and protected; no MicroVM stays`, async () => {
    const platform = new Platform();
    await platform.start();
    for (const each of fc.sample(killing, { numRuns: KILLS * 20, seed: Number(process.env.SEED ?? 20261127) + seed })) {
      await platform.suffer(each);
      expect(platform.violations).toEqual([]);
      if (platform.kills >= KILLS) {
        break;
      }
    }
    expect(platform.kills).toBeGreaterThanOrEqual(KILLS);
  }, 600_000);
}
