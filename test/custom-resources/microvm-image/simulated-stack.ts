import { randomUUID } from 'crypto';
import { strToU8, zipSync } from 'fflate';
import { CloudFormationResponse, ProviderFramework } from './provider-framework';
import { imageProperties, StackResource, stringified } from './stack-events';
import { ImageProperties, UPKEEP_RESOURCE_TYPE } from '../../../src/custom-resources/microvm-image/contract';
import { isComplete } from '../../../src/custom-resources/microvm-image/handler/is-complete';
import { acceptRequest } from '../../../src/custom-resources/microvm-image/handler/request';
import { SdkAdapter } from '../../../src/custom-resources/microvm-image/handler/sdk-adapter';
import { MicrovmSimulator, SimulatorOptions } from '../../simulator';

/** As MicrovmImageProvider sets it. */
const POLL_MS = 7_000;

/** Stacks whose image resource is handled by the real handler, against a service of their own. */
export class SimulatedStacks {
  public static readonly IMAGE = imageProperties().imageName;
  /** One that builds. */
  public static readonly ARTIFACT = zipSync({ Dockerfile: strToU8('FROM public.ecr.aws/lambda/microvms:al2023-minimal\nCMD ["/bin/sh"]\n') });

  public static async start(options: SimulatorOptions = {}): Promise<SimulatedStacks> {
    const simulator = await MicrovmSimulator.start(options);
    Object.assign(process.env, {
      AWS_ENDPOINT_URL: simulator.endpoint, AWS_REGION: simulator.region, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test',
    });
    simulator.logs.create(imageProperties().logging.logGroup!, simulator.clock.now());
    return new SimulatedStacks(simulator);
  }

  /** What the handler logged. */
  public readonly logged: string[] = [];
  public readonly adapter = new SdkAdapter();
  public readonly imageArn: string;

  private constructor(public readonly simulator: MicrovmSimulator) {
    this.imageArn = simulator.imageArn(SimulatedStacks.IMAGE);
  }

  /** The image resource of a stack. */
  public resource(stackId?: string): StackResource {
    return new StackResource(this.framework(), stackId);
  }

  /** A request for the upkeep of an image that CloudFormation builds, from its message to its answer. */
  public async upkeep(type: 'Create' | 'Update' | 'Delete', stackId: string, imageArn: string, properties: object): Promise<CloudFormationResponse> {
    return this.framework().handle({
      RequestType: type,
      RequestId: randomUUID(),
      StackId: stackId,
      LogicalResourceId: 'Upkeep',
      ResourceType: UPKEEP_RESOURCE_TYPE,
      PhysicalResourceId: type === 'Create' ? undefined : imageArn,
      ResourceProperties: stringified(properties) as Record<string, unknown>,
    });
  }

  /** What CloudFormation's messages go to. */
  public framework(): ProviderFramework {
    const now = () => this.simulator.clock.now();
    return new ProviderFramework({
      onEvent: async (event) => acceptRequest(event, now()),
      isComplete: async (event) => isComplete(event, new SdkAdapter(), now, (entry) => this.logged.push(JSON.stringify(entry))),
    }, () => this.simulator.clock.advance(POLL_MS));
  }

  /** The properties of an image built from some content. */
  public image(content: string, overrides: Partial<ImageProperties> = {}): ImageProperties {
    const codeArtifactUri = `s3://assets/${content}.zip`;
    this.simulator.artifacts.put(codeArtifactUri, SimulatedStacks.ARTIFACT);
    return imageProperties({ codeArtifactUri, ...overrides });
  }

  /** The versions of the image, oldest first. */
  public async versions(): Promise<string[]> {
    const versions = await this.adapter.listVersions(this.imageArn);
    return versions.map(({ version }) => version).sort((a, b) => Number(a) - Number(b));
  }

  /** The builds started so far. */
  public get builds(): number {
    return this.simulator.calls.count('CreateMicrovmImage') + this.simulator.calls.count('UpdateMicrovmImage');
  }

  public get tags(): Record<string, string> {
    return this.simulator.images[0].tags;
  }
}
