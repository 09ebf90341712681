import { randomUUID } from 'node:crypto';
import { strToU8, zipSync } from 'fflate';
import { encodeProperties, ImageProperties, RunningMicrovms } from '../src/custom-resources/microvm-image/contract';
import { isComplete } from '../src/custom-resources/microvm-image/handler/is-complete';
import { acceptRequest, CloudFormationEvent } from '../src/custom-resources/microvm-image/handler/request';
import { SdkAdapter } from '../src/custom-resources/microvm-image/handler/sdk-adapter';
import { MicrovmSimulator } from '../test/simulator';

/** As the provider construct sets it. */
export const POLL_MS = 7_000;
export const BUILD_MS = 150_000;

/** A request on its way: asked about every seven seconds, as CDK's waiter does. */
export class Waiter {
  /** Calls to the service in each tick, and the state of the image it met. */
  public readonly ticks: Array<{ readonly calls: number; readonly building: boolean }> = [];
  public failure?: string;
  public data?: Record<string, string>;
  private readonly accepted: CloudFormationEvent;

  constructor(private readonly simulator: MicrovmSimulator, event: CloudFormationEvent) {
    this.accepted = { ...event, ...acceptRequest(event, simulator.clock.now()) };
  }

  /** One question. True when that was the answer. */
  public async tick(): Promise<boolean> {
    const { calls, clock, images } = this.simulator;
    const before = calls.count();
    const building = images.some(({ arn, state }) => arn === this.accepted.PhysicalResourceId && (state === 'CREATING' || state === 'UPDATING'));
    try {
      const answer = await isComplete(this.accepted, new SdkAdapter(), () => clock.now(), () => undefined);
      this.data = answer.Data as Record<string, string> | undefined;
      return answer.IsComplete;
    } catch (error) {
      this.failure = (error as Error).message;
      return true;
    } finally {
      this.ticks.push({ calls: calls.count() - before, building });
    }
  }

  /** Asks until it is answered. The finer the grain of the clock, the better the service dates what happens. */
  public async end(grainMs = POLL_MS): Promise<void> {
    while (!await this.tick()) {
      for (let passed = 0; passed < POLL_MS; passed += grainMs) {
        await this.simulator.clock.advance(grainMs);
      }
    }
  }
}

/** Images of one stack in a service whose clock stands still until it is moved: every time in it is exact. */
export class VirtualStack {
  public static async run<T>(work: (stack: VirtualStack) => Promise<T>): Promise<T> {
    const simulator = await MicrovmSimulator.start();
    Object.assign(process.env, {
      AWS_ENDPOINT_URL: simulator.endpoint, AWS_REGION: simulator.region, AWS_ACCESS_KEY_ID: 'bench', AWS_SECRET_ACCESS_KEY: 'bench',
    });
    try {
      return await work(new VirtualStack(simulator));
    } finally {
      await simulator.stop();
    }
  }

  private constructor(public readonly simulator: MicrovmSimulator) {
    simulator.logs.create('/images', simulator.clock.now());
    simulator.builds.plan({ durationMs: BUILD_MS, times: Number.POSITIVE_INFINITY });
  }

  public image(name: string, content = 'v1'): ImageProperties {
    const codeArtifactUri = `s3://assets/${content}.zip`;
    this.simulator.artifacts.put(codeArtifactUri, zipSync({ Dockerfile: strToU8('FROM scratch\nCMD ["/bin/sh"]\n') }));
    return {
      imageName: name,
      baseImageArn: `arn:aws:lambda:${this.simulator.region}:aws:microvm-image:al2023-1`,
      buildRoleArn: 'arn:aws:iam::000000000000:role/build',
      codeArtifactUri,
      minimumMemoryInMiB: 2048,
      egressNetworkConnectors: [`arn:aws:lambda:${this.simulator.region}:aws:network-connector:aws-network-connector:INTERNET_EGRESS`],
      additionalOsCapabilities: [],
      environmentVariables: {},
      logging: { disabled: false, logGroup: '/images' },
      tags: {},
      runningMicrovms: RunningMicrovms.FAIL,
      keepVersions: 5,
    };
  }

  public request(type: 'Create' | 'Update', properties: ImageProperties, old?: ImageProperties): Waiter {
    return new Waiter(this.simulator, {
      RequestType: type,
      RequestId: randomUUID(),
      StackId: 'arn:aws:cloudformation:us-east-1:000000000000:stack/App/11111111-2222-3333-4444-555555555555',
      LogicalResourceId: properties.imageName,
      PhysicalResourceId: type === 'Create' ? undefined : this.simulator.imageArn(properties.imageName),
      ResourceProperties: encodeProperties(properties),
      OldResourceProperties: old && encodeProperties(old),
    });
  }

  /** Builds started so far. */
  public get builds(): number {
    return this.simulator.calls.count('CreateMicrovmImage', 'UpdateMicrovmImage');
  }
}
