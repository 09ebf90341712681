import { Functions } from './functions';
import { GoldenStack } from './golden-stack';
import { Platform } from './platform';
import { ParameterStore } from '../../parameter-store/parameter-store';
import { MicrovmSimulator } from '../../simulator';

/** An account, emptied for each platform: to make one, and the clients of its services, takes longer than a history. */
export class GoldenWorld {
  public static async start(): Promise<GoldenWorld> {
    const simulator = await MicrovmSimulator.start();
    Object.assign(process.env, { AWS_REGION: simulator.region, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' });
    return new GoldenWorld(simulator, await ParameterStore.start());
  }

  public readonly functions: Functions;
  private readonly golden = new GoldenStack();

  private constructor(public readonly simulator: MicrovmSimulator, public readonly store: ParameterStore) {
    this.functions = new Functions(this.golden, simulator, store);
  }

  public async platform(): Promise<Platform> {
    await this.simulator.reset();
    this.store.clear();
    this.functions.plan([]);
    return new Platform(this.golden, this.simulator, this.store, this.functions);
  }

  public async stop(): Promise<void> {
    await Promise.all([this.simulator.stop(), this.store.stop()]);
  }
}
