import { get } from 'https';
import { Readable } from 'stream';
import { ReadableStream } from 'stream/web';
import { ImageProperties } from '../../../src/custom-resources/microvm-image/contract';
import { SMOKE_TEST_RESOURCE_TYPE, encodeSmokeTest, SmokeTestProperties } from '../../../src/custom-resources/microvm-smoke-test/contract';
import { isComplete } from '../../../src/custom-resources/microvm-smoke-test/handler/is-complete';
import { acceptRequest } from '../../../src/custom-resources/microvm-smoke-test/handler/request';
import { Fetch, SdkAdapter } from '../../../src/custom-resources/microvm-smoke-test/handler/sdk-adapter';
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

/** `fetch`, by somebody who trusts the throw-away CA of the simulator's endpoints; a process takes it from NODE_EXTRA_CA_CERTS only when it starts. */
export const trusting = ({ endpointCa }: MicrovmSimulator): Fetch => async (url, { headers, signal, redirect }) => new Promise((resolve, reject) => {
  get(url, { ca: endpointCa, agent: false, headers: headers as Record<string, string>, signal: signal ?? undefined }, (response) => {
    if (redirect !== 'manual' && response.statusCode! >= 300 && response.statusCode! < 400) {
      reject(new Error('the redirect was followed, and its target given the token'));
    }
    const body = Readable.toWeb(response) as ReadableStream;
    resolve(new Response(response.statusCode === 204 ? undefined : body, { status: response.statusCode, headers: Object.entries(response.headersDistinct).map(([name, values]) => [name, values!.join(', ')]) }));
  }).once('error', reject);
});

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
  private readonly adapter: SdkAdapter;
  /** Stands between the handler and its services. */
  public through?: (service: ServicePort) => ServicePort;

  private constructor(private readonly stacks: SimulatedStacks) {
    this.simulator = stacks.simulator;
    this.adapter = new SdkAdapter(undefined, trusting(stacks.simulator));
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
