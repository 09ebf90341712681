import { dirname, join } from 'path';
import { CloudFormationResponse } from './provider-framework';
import { TickScript } from './random-history';
import { Crash, scriptedService } from './scripted-service';
import { stringified } from './stack-events';
import { encodeProperties, ImageProperties, RESERVED_TAG_PREFIX, Tag } from '../../../src/custom-resources/microvm-image/contract';
import { isComplete } from '../../../src/custom-resources/microvm-image/handler/is-complete';
import { RETAINED } from '../../../src/custom-resources/microvm-image/handler/ownership';
import { acceptRequest, CloudFormationEvent, decodeRequest } from '../../../src/custom-resources/microvm-image/handler/request';
import { SdkAdapter } from '../../../src/custom-resources/microvm-image/handler/sdk-adapter';
import { MicrovmSimulator } from '../../simulator';
import { NO_RETRIES } from '../common/in-process';

const RUNTIME = join(dirname(require.resolve('aws-cdk-lib/package.json')), 'custom-resources/lib/provider-framework/runtime');
const LOGICAL_ID = 'Image';

export interface Incoming {
  readonly type: 'Create' | 'Update' | 'Delete';
  readonly stackId: string;
  readonly requestId: string;
  readonly properties: ImageProperties;
  readonly old?: ImageProperties;
  readonly physicalId?: string;
}

export interface Answer extends CloudFormationResponse {
  readonly StackId: string;
  readonly RequestId: string;
}

/** One arrival of a request, and the waiter that polls for it. */
export interface Delivery {
  readonly url: string;
  readonly requestId: string;
  readonly acceptedAt: number;
  /** The waiter's input. */
  input?: string;
  response?: Answer;
  answeredAt?: number;
  lastTickAt: number;
  lastPause: number;
  crashed: boolean;
}

/** CDK's own Provider framework with any number of requests on their way at once. */
export class RequestDesk {
  private readonly framework: Record<string, (event: unknown) => Promise<void>> = jest.requireActual(join(RUNTIME, 'framework.js'));
  private readonly deliveries = new Map<string, Delivery>();
  private readonly started = new Map<string, number>();
  private ghosts: Delivery[] = [];
  private ticking?: { delivery: Delivery; script: TickScript; twin: Delivery };

  constructor(
    private readonly simulator: MicrovmSimulator,
    public readonly adapter: SdkAdapter,
    private readonly violated: (what: string) => void,
    private readonly tell: (line: string) => void,
  ) {
    for (const name of ['USER_ON_EVENT_FUNCTION_ARN', 'USER_IS_COMPLETE_FUNCTION_ARN', 'WAITER_STATE_MACHINE_ARN']) {
      process.env[name] = `arn:aws:lambda:us-east-1:000000000000:function:${name}`;
    }
    Object.assign(jest.requireActual(join(RUNTIME, 'outbound.js')), {
      invokeFunction: async (request: { FunctionName: string; Payload: string }) => this.invoke(request),
      startExecution: async ({ input }: { input: string }) => void (this.deliveries.get(JSON.parse(input).ResponseURL)!.input = input),
      httpRequest: async ({ path }: { path: string }, body: string) => this.answer(`https://cloudformation.example${path}`, body),
    });
    Object.assign(jest.requireActual(join(RUNTIME, 'util.js')), { log: () => undefined });
  }

  public async accept(incoming: Incoming): Promise<Delivery> {
    const now = this.simulator.clock.now();
    const url = `https://cloudformation.example/${this.deliveries.size + 1}`;
    const delivery: Delivery = { url, requestId: incoming.requestId, acceptedAt: now, lastTickAt: now, lastPause: 0, crashed: false };
    this.deliveries.set(url, delivery);
    await this.framework.onEvent({
      RequestType: incoming.type,
      RequestId: incoming.requestId,
      StackId: incoming.stackId,
      LogicalResourceId: LOGICAL_ID,
      PhysicalResourceId: incoming.physicalId,
      ResponseURL: url,
      ResourceProperties: stringified({ ServiceToken: 'token', ...encodeProperties(incoming.properties) }),
      OldResourceProperties: incoming.old && stringified({ ServiceToken: 'token', ...encodeProperties(incoming.old) }),
    });
    return delivery;
  }

  /** One question of the waiter. The twin is the other delivery of the request, if it came twice. */
  public async tick(delivery: Delivery, script: TickScript, twin: Delivery): Promise<void> {
    if (delivery.response) {
      return;
    }
    const outer = this.ticking;
    const now = this.simulator.clock.now();
    delivery.lastPause = now - delivery.lastTickAt;
    delivery.lastTickAt = now;
    this.ticking = { delivery, script, twin };
    try {
      await this.framework.isComplete(JSON.parse(delivery.input!));
    } catch (error) {
      if ((error as Error).name !== 'Error' || !/"RequestType"/.test((error as Error).message)) {
        throw error;
      }
    } finally {
      this.ticking = outer;
    }
  }

  /** CloudFormation waits no more, but nobody tells the waiter. */
  public letGo(deliveries: Delivery[]): void {
    this.ghosts.push(...deliveries);
  }

  public hasGhosts(): boolean {
    this.ghosts = this.ghosts.filter(({ response }) => !response);
    return this.ghosts.length > 0;
  }

  public async tickGhosts(except: Delivery[]): Promise<void> {
    for (const ghost of this.ghosts.filter((each) => !each.response && !except.includes(each))) {
      await this.tick(ghost, {}, ghost);
    }
    this.hasGhosts();
  }

  public versionsStarted(requestId: string): number {
    return this.started.get(requestId) ?? 0;
  }

  /** A version failed because the artifact could not be read: a build role may be younger than its policy. */
  public secondBuildExcused(requestId: string): boolean {
    return this.versionsStarted(requestId) === 2
      && this.simulator.images.some(({ versions }) => versions.some(({ builds }) => builds.some(({ stateReason }) => /S3_ACCESS_DENIED|s3:GetObject/.test(stateReason ?? ''))));
  }

  public ownerOf(stackId: string): string {
    return decodeRequest({
      RequestType: 'Delete',
      RequestId: '',
      StackId: stackId,
      LogicalResourceId: LOGICAL_ID,
      PhysicalResourceId: this.simulator.imageArn('any'),
      ResourceProperties: {},
    }, 0)!.owner;
  }

  private async invoke({ FunctionName, Payload }: { FunctionName: string; Payload: string }): Promise<unknown> {
    const event: CloudFormationEvent = JSON.parse(Payload);
    try {
      return { Payload: JSON.stringify(/ON_EVENT/.test(FunctionName) ? acceptRequest(event, this.simulator.clock.now()) : await this.work(event)) };
    } catch (error) {
      const { name, message, stack } = error as Error;
      return { FunctionError: 'Unhandled', Payload: JSON.stringify({ errorType: name, errorMessage: message, trace: stack?.split('\n') }) };
    }
  }

  private async work(event: CloudFormationEvent): Promise<unknown> {
    const { delivery, script, twin } = this.ticking!;
    const request = decodeRequest(event, this.simulator.clock.now());
    let versionsBefore = 0;
    const { service, crashed } = scriptedService(this.adapter, this.simulator, script, {
      before: (operation, args) => {
        versionsBefore = this.versions();
        this.checkOwner(operation, args, event, request?.owner);
        this.checkUse(operation, args);
        this.checkPublished(operation, args);
      },
      after: () => {
        const more = Math.max(0, this.versions() - versionsBefore);
        this.started.set(event.RequestId, this.versionsStarted(event.RequestId) + more);
      },
      interrupt: async () => this.tick(twin, {}, twin),
    });
    const id = `${event.RequestType} ${delivery.url.split('/').pop()} +${(this.simulator.clock.now() - delivery.acceptedAt) / 1000}s`;
    const log = ({ requestId: _id, image: _image, ...entry }: Record<string, unknown>) => this.tell(`  ${id} ${JSON.stringify(entry)}`);
    try {
      return await Promise.race([isComplete(event, service, () => this.simulator.clock.now(), log), crashed]);
    } catch (error) {
      delivery.crashed ||= error instanceof Crash;
      throw error;
    }
  }

  private versions(): number {
    return this.simulator.images.reduce((sum, { versions }) => sum + versions.length, 0);
  }

  /**
   * Nothing is done to an image whose owner is somebody else. One that only lost the owner's tag may be claimed again by
   * its own stack, or be released by it, which takes the library's tags off and no others. One that nobody owns may be
   * adopted, by those who ask for it.
   */
  private checkOwner(operation: string, args: unknown[], event: CloudFormationEvent, owner?: string): void {
    const image = this.simulator.images.find(({ arn }) => arn === args[0]);
    const tagged = image?.tags[Tag.OWNER];
    const abandoned = tagged === undefined || tagged.startsWith(RETAINED);
    const adopts = operation === 'tag' && event.ResourceProperties.Adopt === 'true' && abandoned;
    const retained = tagged === RETAINED + owner && operation !== 'deleteImage';
    const ofStack = tagged === undefined && image?.tags[Tag.STACK] === event.StackId.split('/')[2];
    const reclaims = (operation === 'tag' || operation === 'untag') && event.RequestType !== 'Delete';
    const releases = tagged === undefined && operation === 'untag' && event.RequestType === 'Delete' && (args[1] as string[]).every((key) => key.startsWith(RESERVED_TAG_PREFIX));
    if (image !== undefined && tagged !== owner && !adopts && !retained && !releases && !(ofStack && reclaims)) {
      this.violated(`${event.RequestType} called ${operation} on ${image.name}, whose owner is ${tagged}`);
    }
  }

  /** No version goes that a MicroVM runs. */
  private checkUse(operation: string, [arn, version]: unknown[]): void {
    const user = operation === 'deleteVersion'
      && this.simulator.microvms.find(({ imageArn, imageVersion, state }) => imageArn === arn && imageVersion === version && state !== 'TERMINATED');
    if (user) {
      this.violated(`version ${version} was deleted although ${user.microvmId} runs it`);
    }
  }

  /** No published version goes, and what is published is not ours to change. */
  private checkPublished(operation: string, [arn, what]: unknown[]): void {
    const published = this.simulator.images.find((image) => image.arn === arn)?.tags[Tag.PUBLISHED]?.split(' ') ?? [];
    if (operation === 'deleteVersion' && published.includes(String(what))) {
      this.violated(`version ${what} was deleted although it is published`);
    }
    const written = operation === 'tag' ? Object.keys(what as object) : operation === 'untag' ? what as string[] : [];
    if (written.includes(Tag.PUBLISHED)) {
      this.violated(`${operation} changed what is published of ${arn}`);
    }
  }

  /** The first answer counts; CloudFormation drops the others. */
  private async answer(url: string, body: string): Promise<void> {
    const delivery = this.deliveries.get(url)!;
    delivery.answeredAt ??= this.simulator.clock.now();
    delivery.response ??= { ...JSON.parse(body), bytes: Buffer.byteLength(body), ticks: 0 };
  }
}

/** The SDK's own retries cost real time, so the adapter sees each fault at once. */
export function withoutRetries(adapter: SdkAdapter): SdkAdapter {
  for (const client of ['microvms', 'logs']) {
    Reflect.get(adapter, client).config.retryStrategy = async () => NO_RETRIES;
  }
  return adapter;
}
