import { ImageProperties } from '../../../src/custom-resources/microvm-image/contract';
import { SMOKE_TEST_RESOURCE_TYPE, encodeSmokeTest, SmokeTestProperties } from '../../../src/custom-resources/microvm-smoke-test/contract';
import { isComplete } from '../../../src/custom-resources/microvm-smoke-test/handler/is-complete';
import { acceptRequest } from '../../../src/custom-resources/microvm-smoke-test/handler/request';
import { SdkAdapter } from '../../../src/custom-resources/microvm-smoke-test/handler/sdk-adapter';
import { ServicePort } from '../../../src/custom-resources/microvm-smoke-test/handler/service-port';
import { MicrovmSimulator, SimulatorOptions } from '../../simulator';
import { CustomResource, STACK_ID } from '../common/custom-resource';
import { Killer } from '../common/killer';
import { ProviderFramework } from '../microvm-image/provider-framework';
import { SimulatedStacks } from '../microvm-image/simulated-stack';
import { StackResource } from '../microvm-image/stack-events';

/** As the provider sets it. */
export const POLL_MS = 7_000;
export const EXECUTION_ROLE = 'arn:aws:iam::000000000000:role/smoke-test';
export const LOG_GROUP = '/smoke-test';
const CONNECTOR = 'arn:aws:lambda:us-east-1:aws:network-connector:aws-network-connector';

/** The simulator's endpoints have no certificate. Everything else about the call is the handler's own. */
export const overPlainHttp = async (url: string, init: RequestInit) => fetch(url.replace(/^https:/, 'http:'), init);

/** An image in a simulator, and a smoke test of it whose real handler runs in CDK's Provider framework. */
export class SmokeTestedImage {
  public static async start(options: SimulatorOptions = {}): Promise<SmokeTestedImage> {
    const stacks = await SimulatedStacks.start(options);
    stacks.simulator.logs.create(LOG_GROUP, stacks.simulator.clock.now());
    const tested = new SmokeTestedImage(stacks);
    await tested.image.create(stacks.image('v1'));
    return tested;
  }

  public readonly simulator: MicrovmSimulator;
  public readonly image: StackResource;
  public readonly logged: string[] = [];
  public readonly kill = new Killer();
  /** One for all ticks: a client is slow to make. */
  private readonly adapter = new SdkAdapter(undefined, overPlainHttp);
  /** Stands between the handler and its services. */
  public through?: (service: ServicePort) => ServicePort;

  private constructor(private readonly stacks: SimulatedStacks) {
    this.simulator = stacks.simulator;
    this.image = stacks.resource();
  }

  public get imageArn(): string {
    return this.stacks.imageArn;
  }

  /** Builds version `<number>.0`. */
  public async build(number: number, overrides: Partial<ImageProperties> = {}): Promise<void> {
    await this.image.update(this.stacks.image(`v${number}`, overrides));
  }

  public test(logicalId = 'SmokeTest', stackId = STACK_ID): CustomResource {
    const now = () => this.simulator.clock.now();
    const framework = new ProviderFramework({
      onEvent: async (event) => acceptRequest(event, now()),
      isComplete: async (event) => this.kill.race((watched) => isComplete(
        event, watched(this.through?.(this.adapter) ?? this.adapter), now, (entry) => this.logged.push(JSON.stringify(entry)),
      )),
    }, () => this.simulator.clock.advance(POLL_MS));
    return new CustomResource(framework, SMOKE_TEST_RESOURCE_TYPE, logicalId, stackId);
  }

  /** The properties of a test of a version. */
  public properties(imageVersion: string, overrides: Partial<SmokeTestProperties> = {}): Record<string, unknown> {
    return encodeSmokeTest({
      imageArn: this.imageArn,
      imageVersion,
      executionRoleArn: EXECUTION_ROLE,
      ingressNetworkConnectors: [`${CONNECTOR}:HTTP_INGRESS`],
      egressNetworkConnectors: [`${CONNECTOR}:INTERNET_EGRESS`],
      logGroup: LOG_GROUP,
      port: 8080,
      http: { path: '/health', status: 200 },
      timeoutSeconds: 60,
      ...overrides,
    });
  }

  /** MicroVMs that still cost something. */
  public get running(): string[] {
    return this.simulator.microvms.filter(({ state }) => state !== 'TERMINATED').map(({ microvmId }) => microvmId);
  }

  public get launches(): number {
    return this.simulator.microvms.length;
  }

  public async stop(): Promise<void> {
    await this.simulator.stop();
  }
}
