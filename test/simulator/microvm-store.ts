import { randomUUID } from 'node:crypto';
import { AccessTokens } from './access-tokens';
import { Context, spanOf } from './context';
import { IdempotencyTokens } from './idempotency';
import { Image, ImageVersion } from './image';
import { seconds } from './image-documents';
import { ImageUsers } from './image-store';
import { MicrovmEndpoint, Responder } from './microvm-endpoint';
import { Page, page } from './paging';
import { notFound, quotaExceeded, validationError } from './service-error';
import { Transition } from './transition';
import { checkShape } from './validation';

type Input = Record<string, any>;
type Document = Record<string, unknown>;
export type MicrovmState = 'PENDING' | 'RUNNING' | 'SUSPENDING' | 'SUSPENDED' | 'TERMINATING' | 'TERMINATED';

export interface Microvm {
  readonly id: string;
  readonly image: Image;
  readonly version: ImageVersion;
  readonly input: Input;
  readonly startedAt: number;
  readonly ingress: string[];
  readonly egress: string[];
  readonly maximumDurationInSeconds: number;
  endpoint: MicrovmEndpoint;
  state: MicrovmState;
  lastTrafficAt: number;
  suspendedAt?: number;
  terminatedAt?: number;
  stateReason: string | null;
  transition?: Transition;
}

const START_MS = 2_000;
const SUSPEND_MS = 1_500;
const TERMINATE_MS = 3_000;
const CLEAN = 'Success.';

/** MicroVMs and their life (section 5, 7.5). */
export class MicrovmStore implements ImageUsers {
  public readonly microvms = new Map<string, Microvm>();
  private readonly tokens = new IdempotencyTokens();
  private readonly access = new AccessTokens();
  private readonly responders = new Map<string, Responder>();

  constructor(private readonly context: Context, private readonly findImage: (name: string) => Image | undefined) {
  }

  public setResponder(imageName: string, responder: Responder): void {
    this.responders.set(imageName, responder);
  }

  public liveMicrovms(imageArn: string, imageVersion?: string): number {
    return [...this.microvms.values()].filter(({ image, version, state }) =>
      image.arn === imageArn && (imageVersion === undefined || version.imageVersion === imageVersion) && state !== 'TERMINATED').length;
  }

  public async run(input: Input): Promise<Document> {
    checkShape('RunMicrovm', input);
    const { arns, clock } = this.context;
    const name = arns.imageName(input.imageIdentifier, 'RunMicrovm');
    const kept = this.tokens.find('RunMicrovm', input);
    if (kept) {
      return kept.response;
    }
    const { image, version } = this.launchable(name, input.imageVersion);
    this.checkRun(input, version);
    this.checkMemory(version);
    const orDefault = (list: string[] | null | undefined, fallback: string[]) => list && list.length > 0 ? list : fallback;
    const microvm = {
      id: `microvm-${randomUUID()}`,
      image,
      version,
      input,
      startedAt: clock.now(),
      ingress: orDefault(input.ingressNetworkConnectors, [arns.managedConnector('HTTP_INGRESS')]),
      egress: orDefault(input.egressNetworkConnectors, version.config.egressNetworkConnectors),
      maximumDurationInSeconds: input.maximumDurationInSeconds ?? 28800,
      state: 'PENDING',
      lastTrafficAt: clock.now(),
      stateReason: null,
      transition: this.transition(START_MS),
    } as Omit<Microvm, 'endpoint'> as Microvm;
    this.microvms.set(microvm.id, microvm);
    microvm.endpoint = await this.openEndpoint(microvm);
    const response = this.document(microvm);
    this.tokens.keep('RunMicrovm', input, response, image.id);
    return response;
  }

  public get(id: string): Document {
    return this.document(this.existing(id));
  }

  public list(query: Record<string, string | string[]>): Page<Document> {
    if (query.imageIdentifier !== undefined) {
      this.context.arns.imageName(String(query.imageIdentifier), 'ListMicrovms');
    }
    const wanted = (microvm: Microvm) =>
      (query.imageIdentifier === undefined || microvm.image.arn === query.imageIdentifier)
      && (query.imageVersion === undefined || microvm.version.imageVersion === query.imageVersion);
    const result = page([...this.microvms.values()].filter(wanted), query);
    return { ...result, items: result.items.map((microvm) => this.summary(microvm)) };
  }

  public suspend(id: string): Document {
    const microvm = this.changeable(id);
    if (microvm.state === 'RUNNING' || microvm.state === 'PENDING') {
      microvm.state = 'SUSPENDING';
      microvm.transition = this.transition(SUSPEND_MS);
    }
    return {};
  }

  public resume(id: string): Document {
    const microvm = this.changeable(id);
    if (microvm.state === 'SUSPENDED' || microvm.state === 'SUSPENDING') {
      this.wake(microvm);
    }
    return {};
  }

  public terminate(id: string): Document {
    const microvm = this.existing(id);
    if (microvm.state !== 'TERMINATED' && microvm.state !== 'TERMINATING') {
      microvm.state = 'TERMINATING';
      microvm.transition = this.transition(TERMINATE_MS);
    }
    return {};
  }

  public createAuthToken(id: string, input: Input): Document {
    const microvm = this.changeable(id);
    checkShape('CreateMicrovmAuthToken', input);
    return { authToken: this.access.create(microvm.id, input.expirationInMinutes, input.allowedPorts, this.context.clock.now()) };
  }

  public createShellAuthToken(id: string, input: Input): Document {
    const microvm = this.changeable(id);
    checkShape('CreateMicrovmShellAuthToken', input);
    const has = (name: string) => microvm.ingress.includes(this.context.arns.managedConnector(name));
    if (has('ALL_INGRESS') && microvm.ingress.length > 1) {
      throw validationError('ALL_INGRESS cannot be combined with other ingress network connectors; use HTTP_INGRESS and/or SHELL_INGRESS instead');
    }
    if (!has('SHELL_INGRESS')) {
      throw validationError('Shell access requires SHELL_INGRESS network connector to be configured on the MicroVM.');
    }
    return { authToken: this.access.create(microvm.id, input.expirationInMinutes, [{ port: 8022 }], this.context.clock.now()) };
  }

  public existing(id: string): Microvm {
    const microvm = this.microvms.get(id);
    if (!microvm) {
      throw notFound(`MicroVM not found: ${id}`);
    }
    return microvm;
  }

  public countRead(condition: (microvm: Microvm) => boolean): void {
    [...this.microvms.values()].filter(condition).forEach((microvm) => microvm.transition?.countRead());
  }

  /** Lets everything happen that has fallen due. */
  public settle(): void {
    for (const microvm of [...this.microvms.values()]) {
      this.expire(microvm);
      if (microvm.transition?.isDone(this.context.clock.now())) {
        this.finishTransition(microvm);
      }
      const { terminatedAt } = microvm;
      if (terminatedAt !== undefined && this.context.clock.now() - terminatedAt >= this.context.readings.terminatedRetentionMs) {
        this.microvms.delete(microvm.id);
        void microvm.endpoint.close();
      }
    }
  }

  public async close(): Promise<void> {
    await Promise.all([...this.microvms.values()].map((microvm) => microvm.endpoint?.close()));
    this.microvms.clear();
  }

  private launchable(name: string, imageVersion: string | null | undefined): { image: Image; version: ImageVersion } {
    const image = this.findImage(name);
    const states = ['CREATED', 'UPDATED', 'UPDATING', ...(this.context.readings.updateFailedLaunches ? ['UPDATE_FAILED'] : [])];
    const version = image && states.includes(image.state)
      ? (imageVersion ? image.version(imageVersion) : image.newestActive())
      : undefined;
    if (!image || version?.state !== 'SUCCESSFUL' || version.status !== 'ACTIVE') {
      throw notFound(`No active version found for MicroVM image ${this.context.arns.image(name)}${imageVersion ? ` and version ${imageVersion}` : ''}`);
    }
    return { image, version };
  }

  private checkRun(input: Input, version: ImageVersion): void {
    if (input.logging?.cloudWatch && !input.executionRoleArn) {
      throw validationError('Logging cannot be enabled without providing executionRoleArn');
    }
    if (input.runHookPayload && version.config.hooks?.microvmHooks?.run !== 'ENABLED') {
      throw validationError('The run hook must be enabled in the MicroVM image to pass the run hook payload');
    }
    (input.ingressNetworkConnectors ?? []).forEach((arn: string) => this.context.arns.checkConnector(arn, 'ingress'));
    (input.egressNetworkConnectors ?? []).forEach((arn: string) => this.context.arns.checkConnector(arn, 'egress'));
  }

  private checkMemory(version: ImageVersion): void {
    const memory = (of: ImageVersion) => of.config.resources[0].minimumMemoryInMiB;
    const used = [...this.microvms.values()].filter(({ state }) => state !== 'TERMINATED').reduce((sum, each) => sum + memory(each.version), 0);
    if (used + memory(version) > this.context.quotas.memoryMiB) {
      throw quotaExceeded('The base maximum allocated memory limit has been reached for this account.');
    }
  }

  private changeable(id: string): Microvm {
    const microvm = this.existing(id);
    if (microvm.state === 'TERMINATED' || microvm.state === 'TERMINATING') {
      throw validationError(`The MicroVM ${id} has been terminated and its state cannot be changed.`);
    }
    return microvm;
  }

  private expire(microvm: Microvm): void {
    if (microvm.state === 'TERMINATED') {
      return;
    }
    const now = this.context.clock.now();
    const policy = microvm.input.idlePolicy;
    if (policy && microvm.state === 'RUNNING' && now - microvm.lastTrafficAt >= policy.maxIdleDurationSeconds * 1000) {
      microvm.state = 'SUSPENDED';
      microvm.suspendedAt = microvm.lastTrafficAt + policy.maxIdleDurationSeconds * 1000;
    }
    const suspendedTooLong = policy && microvm.suspendedAt !== undefined && now - microvm.suspendedAt >= policy.suspendedDurationSeconds * 1000;
    if (suspendedTooLong || now - microvm.startedAt >= microvm.maximumDurationInSeconds * 1000) {
      this.end(microvm);
    }
  }

  private finishTransition(microvm: Microvm): void {
    microvm.transition = undefined;
    if (microvm.state === 'PENDING') {
      microvm.state = 'RUNNING';
    } else if (microvm.state === 'SUSPENDING') {
      microvm.state = 'SUSPENDED';
      microvm.suspendedAt = this.context.clock.now();
    } else if (microvm.state === 'TERMINATING') {
      this.end(microvm);
    }
  }

  private wake(microvm: Microvm): void {
    microvm.state = 'RUNNING';
    microvm.lastTrafficAt = this.context.clock.now();
    microvm.suspendedAt = undefined;
    microvm.transition = undefined;
  }

  private end(microvm: Microvm): void {
    microvm.state = 'TERMINATED';
    microvm.stateReason = CLEAN;
    microvm.terminatedAt = this.context.clock.now();
    microvm.suspendedAt = undefined;
    microvm.transition = undefined;
  }

  private openEndpoint(microvm: Microvm): Promise<MicrovmEndpoint> {
    const { clock, arns } = this.context;
    return MicrovmEndpoint.open({
      reachable: !microvm.ingress.includes(arns.managedConnector('NO_INGRESS')),
      check: (token, port) => this.access.check(token, microvm.id, port, clock.now()),
      admit: () => {
        microvm.transition?.countRead();
        this.settle();
        microvm.lastTrafficAt = clock.now();
        if (microvm.state === 'SUSPENDED' && microvm.input.idlePolicy?.autoResumeEnabled) {
          this.wake(microvm);
        }
        return microvm.state === 'RUNNING';
      },
      respond: async (request) => {
        const identity = { microvmId: microvm.id, imageName: microvm.image.name, imageVersion: microvm.version.imageVersion };
        const responder = this.responders.get(microvm.image.name) ?? this.responders.get('*');
        return responder ? responder({ ...request, ...identity }) : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(identity) };
      },
    });
  }

  private transition(durationMs: number): Transition {
    return new Transition(spanOf(this.context, durationMs, {}, 0.5), this.context.clock.now());
  }

  private summary(microvm: Microvm): Document {
    return {
      microvmId: microvm.id,
      state: microvm.state,
      imageArn: microvm.image.arn,
      imageVersion: microvm.version.imageVersion,
      startedAt: seconds(microvm.startedAt),
      terminationReasonCode: null,
    };
  }

  private document(microvm: Microvm): Document {
    return {
      ...this.summary(microvm),
      endpoint: microvm.endpoint.host,
      executionRoleArn: microvm.input.executionRoleArn ?? null,
      idlePolicy: microvm.input.idlePolicy ?? null,
      maximumDurationInSeconds: microvm.maximumDurationInSeconds,
      terminatedAt: microvm.terminatedAt === undefined ? null : seconds(microvm.terminatedAt),
      stateReason: microvm.stateReason,
      ingressNetworkConnectors: microvm.ingress,
      egressNetworkConnectors: microvm.egress,
    };
  }
}
