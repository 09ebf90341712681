import {
  CHANNEL_RESOURCE_TYPE, ChannelProperties, encodeChannel, encodePublication, PUBLICATION_RESOURCE_TYPE, PublicationProperties, versionOfPointer,
} from '../../../src/custom-resources/microvm-image-publication/contract';
import { isComplete } from '../../../src/custom-resources/microvm-image-publication/handler/is-complete';
import { acceptRequest } from '../../../src/custom-resources/microvm-image-publication/handler/request';
import { SdkAdapter } from '../../../src/custom-resources/microvm-image-publication/handler/sdk-adapter';
import { ParameterStore } from '../../parameter-store/parameter-store';
import { MicrovmSimulator, SimulatorOptions } from '../../simulator';
import { CustomResource, STACK_ID } from '../common/custom-resource';
import { ProviderFramework } from '../microvm-image/provider-framework';
import { POLL_MS, SmokeTestedImage } from '../microvm-smoke-test/smoke-tested-image';

export const ROOT = '/microvm-images/agents';

/** An image, its smoke test and its publication: real handlers in CDK's Provider framework, against simulated services. */
export class Publisher {
  public static async start(options: SimulatorOptions = {}): Promise<Publisher> {
    const store = await ParameterStore.start();
    process.env.AWS_ENDPOINT_URL_SSM = store.endpoint;
    return new Publisher(store, await SmokeTestedImage.start(options));
  }

  public readonly simulator: MicrovmSimulator;
  public readonly logged: string[] = [];
  /** One for all ticks: a client is slow to make. */
  private readonly adapter = new SdkAdapter();

  private constructor(public readonly store: ParameterStore, public readonly tested: SmokeTestedImage) {
    this.simulator = tested.simulator;
    store.now = () => this.simulator.clock.now();
  }

  public get imageArn(): string {
    return this.tested.imageArn;
  }

  public publication(stackId = STACK_ID, logicalId = 'Publication'): CustomResource {
    return new CustomResource(this.framework(), PUBLICATION_RESOURCE_TYPE, logicalId, stackId);
  }

  public channel(logicalId = 'Channel', stackId = STACK_ID): CustomResource {
    return new CustomResource(this.framework(), CHANNEL_RESOURCE_TYPE, logicalId, stackId);
  }

  public properties(imageVersion: string, overrides: Partial<PublicationProperties> = {}): Record<string, unknown> {
    return encodePublication({ imageArn: this.imageArn, imageVersion, root: ROOT, channels: ['candidate'], keepRecords: 10, ...overrides });
  }

  public channelProperties(imageVersion: string, overrides: Partial<ChannelProperties> = {}): Record<string, unknown> {
    return encodeChannel({ imageArn: this.imageArn, imageVersion, root: ROOT, channel: 'stable', ...overrides });
  }

  /** The versions the channels name. */
  public get channels(): Record<string, string | undefined> {
    return Object.fromEntries(Object.entries(this.store.values)
      .filter(([name]) => name.startsWith(`${ROOT}/channels/`))
      .map(([name, value]) => [name.split('/').pop()!, versionOfPointer(value)]));
  }

  public get records(): string[] {
    return Object.keys(this.store.values).filter((name) => name.startsWith(`${ROOT}/versions/`)).map((name) => name.split('/').pop()!);
  }

  /** What the image says must stay. */
  public get protectedVersions(): string | undefined {
    return this.simulator.images[0].tags['microvm-cdk:published'];
  }

  public async stop(): Promise<void> {
    delete process.env.AWS_ENDPOINT_URL_SSM;
    await Promise.all([this.tested.stop(), this.store.stop()]);
  }

  private framework(): ProviderFramework {
    const now = () => this.simulator.clock.now();
    return new ProviderFramework({
      onEvent: async (event) => acceptRequest(event, now()),
      isComplete: async (event) => isComplete(event, this.adapter, now, (entry) => this.logged.push(JSON.stringify(entry))),
    }, () => this.simulator.clock.advance(POLL_MS));
  }
}
