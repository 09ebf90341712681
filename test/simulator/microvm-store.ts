import { AccessTokens } from './access-tokens';
import { BuildLogs } from './build-logs';
import { BuildRoles } from './build-roles';
import { Context } from './context';
import { GuestProcesses } from './guest-processes';
import { IdempotencyTokens } from './idempotency';
import { Image, ImageVersion } from './image';
import { seconds } from './image-documents';
import { ImageUsers } from './image-store';
import { logGroupOf, logStreamName } from './log-destination';
import { Microvm } from './microvm';
import { MicrovmEndpoint, Responder, Upstream } from './microvm-endpoint';
import { Page, page } from './paging';
import { conflict, notFound, quotaExceeded, ServiceError, validationError } from './service-error';
import { checkShape } from './validation';

type Input = Record<string, any>;
type Document = Record<string, unknown>;

/** Where a shell would answer (own): none is played. */
const SHELL_PORT = 8022;

/** The operations on MicroVMs (section 5). */
export class MicrovmStore implements ImageUsers {
  public readonly microvms = new Map<string, Microvm>();
  private readonly tokens = new IdempotencyTokens();
  private readonly access = new AccessTokens();
  private readonly responders = new Map<string, Responder>();

  constructor(
    private readonly context: Context,
    private readonly findImage: (name: string) => Image | undefined,
    private readonly roles: BuildRoles,
    private readonly logs: BuildLogs,
    private readonly processes?: GuestProcesses,
  ) {
  }

  /** @param responder undefined: from now on none */
  public setResponder(imageName: string, responder: Responder | undefined): void {
    if (responder) {
      this.responders.set(imageName, responder);
    } else {
      this.responders.delete(imageName);
    }
  }

  public liveMicrovms(imageArn: string, imageVersion?: string): number {
    return [...this.microvms.values()].filter(({ launch: { image, version }, state }) =>
      image.arn === imageArn && (imageVersion === undefined || version.imageVersion === imageVersion) && state !== 'TERMINATED').length;
  }

  public async run(input: Input): Promise<Document> {
    checkShape('RunMicrovm', input);
    const { arns } = this.context;
    const name = arns.imageName(input.imageIdentifier, 'RunMicrovm');
    const kept = this.tokens.find('RunMicrovm', input);
    if (kept) {
      return kept.response;
    }
    const { image, version } = this.launchable(name, input.imageVersion);
    this.checkRun(input, version);
    this.checkMemory(version);
    const orDefault = (list: string[] | null | undefined, fallback: string[]) => list && list.length > 0 ? list : fallback;
    const microvm = new Microvm(this.context, {
      image,
      version,
      input,
      ingress: orDefault(input.ingressNetworkConnectors, [arns.managedConnector('HTTP_INGRESS')]),
      egress: orDefault(input.egressNetworkConnectors, version.config.egressNetworkConnectors),
    }, this.responder(name) ? undefined : this.processes?.start(image, version));
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
      (query.imageIdentifier === undefined || microvm.launch.image.arn === query.imageIdentifier)
      && (query.imageVersion === undefined || microvm.launch.version.imageVersion === query.imageVersion);
    const result = page([...this.microvms.values()].filter(wanted), query);
    return { ...result, items: result.items.map((microvm) => this.summary(microvm)) };
  }

  public suspend(id: string): Document {
    const microvm = this.changeable(id);
    if (microvm.state === 'PENDING' || microvm.isResuming) {
      throw busy(microvm);
    }
    if (microvm.state === 'RUNNING') {
      microvm.suspend();
    }
    return {};
  }

  public resume(id: string): Document {
    const microvm = this.changeable(id);
    if (microvm.state === 'PENDING' || microvm.state === 'SUSPENDING') {
      throw busy(microvm);
    }
    if (microvm.state === 'SUSPENDED' && !microvm.isResuming) {
      microvm.resume();
    }
    return {};
  }

  public terminate(id: string): Document {
    const microvm = this.existing(id);
    if (microvm.state !== 'TERMINATED' && microvm.state !== 'TERMINATING') {
      microvm.terminate();
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
    const has = (name: string) => this.hasIngress(microvm, name);
    if (has('ALL_INGRESS') && microvm.launch.ingress.length > 1) {
      throw validationError('ALL_INGRESS cannot be combined with other ingress network connectors; use HTTP_INGRESS and/or SHELL_INGRESS instead');
    }
    if (!has('SHELL_INGRESS')) {
      throw validationError('Shell access requires SHELL_INGRESS network connector to be configured on the MicroVM.');
    }
    return { authToken: this.access.create(microvm.id, input.expirationInMinutes, [{ port: SHELL_PORT }], this.context.clock.now()) };
  }

  public existing(id: string): Microvm {
    const microvm = this.microvms.get(id);
    if (!microvm) {
      throw notFound(`MicroVM not found: ${id}`);
    }
    return microvm;
  }

  public countRead(condition: (microvm: Microvm) => boolean): void {
    [...this.microvms.values()].filter(condition).forEach((microvm) => microvm.countRead());
  }

  /**
   * Lets everything happen that has fallen due.
   *
   * @param patienceMs how long to wait, in real time, for what runs in the guests
   */
  public async settle(patienceMs: number): Promise<void> {
    for (const microvm of [...this.microvms.values()]) {
      await microvm.settle(patienceMs);
      await this.writeLogs(microvm);
      const { terminatedAt } = microvm;
      if (terminatedAt !== undefined && this.context.clock.now() - terminatedAt >= this.context.readings.terminatedRetentionMs) {
        this.microvms.delete(microvm.id);
        void microvm.close();
      }
    }
  }

  public async close(): Promise<void> {
    await Promise.all([...this.microvms.values()].map((microvm) => microvm.close()));
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
    const used = [...this.microvms.values()].filter(({ state }) => state !== 'TERMINATED').reduce((sum, { launch }) => sum + memory(launch.version), 0);
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

  private openEndpoint(microvm: Microvm): Promise<MicrovmEndpoint> {
    return MicrovmEndpoint.open({
      reachable: ['HTTP_INGRESS', 'ALL_INGRESS'].some((name) => this.hasIngress(microvm, name)),
      check: (token, port) => this.access.check(token, microvm.id, port, this.context.clock.now()),
      admit: () => microvm.admit(),
      upstream: (port) => this.upstream(microvm, port),
      touch: () => microvm.touch(),
    });
  }

  private upstream({ id: microvmId, launch: { image, version }, guest }: Microvm, port: number): Upstream {
    const responder = this.responder(image.name);
    if (guest && !responder) {
      const localPort = guest.localPort(port);
      return localPort === undefined ? undefined : { localPort };
    }
    const identity = { microvmId, imageName: image.name, imageVersion: version.imageVersion };
    const whoami = { headers: { 'content-type': 'application/json' }, body: JSON.stringify(identity) };
    return { respond: async (request) => responder ? responder({ ...request, ...identity }) : whoami };
  }

  private responder(imageName: string): Responder | undefined {
    return this.responders.get(imageName) ?? this.responders.get('*');
  }

  private hasIngress(microvm: Microvm, name: string): boolean {
    return microvm.launch.ingress.includes(this.context.arns.managedConnector(name));
  }

  /** Run-time logs need an execution role, and a group of their own: that of the image is not inherited (5.1, 14). */
  private async writeLogs({ id, guest, launch: { image, version, input } }: Microvm): Promise<void> {
    const { executionRoleArn, logging } = input;
    const lines = guest?.takeLines() ?? [];
    const group = logGroupOf(logging, image.name, this.context.readings.emptyLoggingIsDisabled);
    if (lines.length === 0 || !executionRoleArn || group === undefined) {
      return;
    }
    const name = logging?.cloudWatch?.logStream ?? logStreamName(this.context.clock, version.imageVersion, id);
    await this.logs.write(group, [{ name, lines }], {
      mayWrite: this.roles.may(executionRoleArn, 'logs:PutLogEvents', group),
      mayCreateGroup: this.roles.may(executionRoleArn, 'logs:CreateLogGroup', group),
    }, this.context.clock.now());
  }

  private summary(microvm: Microvm): Document {
    return {
      microvmId: microvm.id,
      state: microvm.state,
      imageArn: microvm.launch.image.arn,
      imageVersion: microvm.launch.version.imageVersion,
      startedAt: seconds(microvm.startedAt),
      terminationReasonCode: null,
    };
  }

  private document(microvm: Microvm): Document {
    return {
      ...this.summary(microvm),
      endpoint: microvm.endpoint.host,
      executionRoleArn: microvm.launch.input.executionRoleArn ?? null,
      idlePolicy: microvm.launch.input.idlePolicy ?? null,
      maximumDurationInSeconds: microvm.maximumDurationInSeconds,
      terminatedAt: microvm.terminatedAt === undefined ? null : seconds(microvm.terminatedAt),
      stateReason: microvm.stateReason,
      ingressNetworkConnectors: microvm.launch.ingress,
      egressNetworkConnectors: microvm.launch.egress,
    };
  }
}

/** That it is refused, and the text, are own. */
function busy(microvm: Microvm): ServiceError {
  const state = microvm.isResuming ? 'RESUMING' : microvm.state;
  return conflict(`The MicroVM ${microvm.id} cannot change from its current state: ${state}`);
}
