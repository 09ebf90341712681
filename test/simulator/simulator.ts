import { createServer, IncomingMessage, Server, ServerResponse } from 'node:http';
import { AddressInfo } from 'node:net';
import { ApiServer } from './api-server';
import { Arns } from './arns';
import { ArtifactOptions, MemoryArtifacts, S3Artifacts } from './artifact';
import { BuildLogs, MemoryLogSink, RemoteLogSink } from './build-logs';
import { BuildPlan, DeletionPlan, Plans } from './build-plan';
import { BuildRoles } from './build-roles';
import { CallLog } from './call-log';
import { Context } from './context';
import { ControlApi } from './control-api';
import { EndpointCertificate } from './endpoint-certificate';
import { DeliveredEvent, EventsApi } from './events-api';
import { Faults } from './faults';
import { GuestProcesses } from './guest-processes';
import { errorAnswer, HttpAnswer, HttpRequest, readRequest, send } from './http-exchange';
import { ImageBuilds } from './image-builds';
import { ImageStore } from './image-store';
import { ImageTags } from './image-tags';
import { LogGroups } from './log-groups';
import { LogsApi } from './logs-api';
import { ManagedImages } from './managed-images';
import { Responder } from './microvm-endpoint';
import { MicrovmStore } from './microvm-store';
import { Invocation, Operation, Operations } from './operations';
import { DEFAULT_QUOTAS, DEFAULT_READINGS, Quotas, Readings, SimulatorOptions } from './options';
import { ServiceError } from './service-error';
import { imageView, ImageView, microvmView, MicrovmView } from './views';
import { VirtualClock } from './virtual-clock';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** How long a call waits, in real time, for guests that are not done when their time is over: pollers without a pause would run out of tries. */
const PATIENCE_MS = 1_000;

/** The AWS Lambda MicroVMs API on loopback: the unmodified SDK client works against `endpoint`. */
export class MicrovmSimulator {
  public static async start(options: SimulatorOptions = {}): Promise<MicrovmSimulator> {
    const simulator = new MicrovmSimulator(options);
    await simulator.listen(options.port ?? 0);
    return simulator;
  }

  public readonly region: string;
  public readonly accountId: string;
  public readonly calls = new CallLog();
  public readonly faults = new Faults();
  public readonly builds = new Plans<BuildPlan>();
  public readonly deletions = new Plans<DeletionPlan>();
  public readonly buildRoles = new BuildRoles();
  public readonly logs = new LogGroups();
  public readonly clock: VirtualClock;
  /** May be changed at any time, as may `quotas`. */
  public readonly readings: Mutable<Readings>;
  public readonly quotas: Mutable<Quotas>;
  private readonly memoryArtifacts: MemoryArtifacts;
  private readonly arns: Arns;
  private readonly server: Server;
  private readonly stopping = new AbortController();
  private readonly control: ControlApi;
  private readonly remote: { close(): void }[] = [];
  private context!: Context;
  private imageStore!: ImageStore;
  private microvmStore!: MicrovmStore;
  private processes?: GuestProcesses;
  private api!: ApiServer;
  private logsApi!: LogsApi;
  private eventsApi!: EventsApi;
  private queue: Promise<unknown> = Promise.resolve();

  private constructor(private readonly options: SimulatorOptions) {
    this.region = options.region ?? 'us-east-1';
    this.accountId = options.accountId ?? '000000000000';
    this.arns = new Arns(options.partition ?? 'aws', this.region, this.accountId);
    this.clock = new VirtualClock(options.startAt ?? Date.now(), () => this.exclusively(() => undefined, async () => undefined, Infinity));
    this.readings = { ...DEFAULT_READINGS, ...options.readings };
    this.quotas = { ...DEFAULT_QUOTAS, ...options.quotas };
    this.memoryArtifacts = new MemoryArtifacts(this.region);
    this.server = createServer((request, response) => void this.serve(request, response));
    this.control = new ControlApi(this);
    this.assemble();
  }

  public get endpoint(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** PEM of the throw-away CA behind the endpoints of MicroVMs: what their callers must trust. */
  public get endpointCa(): string {
    return EndpointCertificate.shared.ca;
  }

  /** Artifacts of builds when no S3 endpoint is given. */
  public get artifacts(): { put(uri: string, bytes: Uint8Array, options?: ArtifactOptions): void; delete(uri: string): void } {
    return this.memoryArtifacts;
  }

  public get images(): readonly ImageView[] {
    return [...this.imageStore.images.values()].map((image) => imageView(image, this.context));
  }

  public get microvms(): readonly MicrovmView[] {
    return [...this.microvmStore.microvms.values()].map(microvmView);
  }

  public imageArn(name: string): string {
    return this.arns.image(name);
  }

  /** What was put on EventBridge, the oldest first. */
  public get events(): readonly DeliveredEvent[] {
    return this.eventsApi.delivered;
  }

  /** EventBridge answers the call, and refuses what is in it. */
  public refuseEvents(errorCode: string): void {
    this.eventsApi.refuseEntries = errorCode;
  }

  /**
   * Plays the app of an image's MicroVMs; `*` plays those of every image.
   *
   * @param responder in process mode it answers in place of the process, and MicroVMs launched from now on have none; undefined ends that
   */
  public respond(imageName: string, responder: Responder | undefined): void {
    this.microvmStore.setResponder(imageName, responder);
  }

  /** AWS releases a new version of the managed base image. */
  public publishBaseImage(version: string): void {
    this.context.managed.publish(version, this.clock.now());
  }

  /** AWS deprecates a version of the managed base image, or lets it expire. */
  public retireBaseImage(version: string, status: string, at: number = this.clock.now()): void {
    this.context.managed.retire(version, status, at);
  }

  /** Back to an empty account; the endpoint, the clock and in-memory artifacts stay. */
  public async reset(): Promise<void> {
    await this.exclusively(() => undefined, () => this.endMicrovms());
    this.calls.clear();
    this.faults.clear();
    this.builds.clear();
    this.deletions.clear();
    this.buildRoles.clear();
    this.logs.clear();
    Object.assign(this.readings, DEFAULT_READINGS, this.options.readings);
    Object.assign(this.quotas, DEFAULT_QUOTAS, this.options.quotas);
    this.assemble();
  }

  public async stop(): Promise<void> {
    this.stopping.abort();
    this.faults.clear();
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await Promise.all([closed, this.endMicrovms()]);
    this.remote.forEach((client) => client.close());
  }

  /** What `endpoint` answers, for those of this process who need no socket between. */
  public async handle(request: HttpRequest): Promise<HttpAnswer> {
    if (request.path.startsWith(ControlApi.ROOT)) {
      return this.control.handle(request);
    }
    if (this.logsApi.handles(request)) {
      return this.logsApi.handle(request);
    }
    return this.eventsApi.handles(request) ? this.eventsApi.handle(request) : this.api.handle(request);
  }

  /** What the endpoint of a MicroVM answers, likewise. */
  public async handleAt(host: string, request: HttpRequest): Promise<HttpAnswer> {
    const microvm = [...this.microvmStore.microvms.values()].find(({ endpoint }) => endpoint.host === host);
    return microvm ? microvm.endpoint.handle(request) : { status: 0, drop: true };
  }

  private async endMicrovms(): Promise<void> {
    await Promise.all([this.microvmStore.close(), this.processes?.endAll()]);
  }

  private assemble(): void {
    this.context = {
      arns: this.arns,
      clock: this.clock,
      managed: new ManagedImages(this.arns),
      readings: this.readings,
      quotas: this.quotas,
      advance: this.options.advance ?? { mode: 'clock' },
    };
    const { guests } = this.options;
    const logs = new BuildLogs(this.logSink());
    this.processes = guests?.mode === 'process' ? new GuestProcesses(this.context, guests.environment) : undefined;
    const builds = new ImageBuilds(this.context, this.buildRoles, this.artifactSource(), logs, this.processes);
    this.microvmStore = new MicrovmStore(this.context, (name) => this.imageStore.images.get(name), this.buildRoles, logs, this.processes);
    this.imageStore = new ImageStore(this.context, builds, this.builds, this.deletions, this.microvmStore);
    const operations = new Operations(this.context, this.imageStore, new ImageTags(this.context, this.imageStore), this.microvmStore);
    this.api = new ApiServer(this.context, operations, this.faults, this.calls, (operation, call, work) => {
      return this.exclusively(() => this.countReads(operation, call), work);
    }, this.stopping.signal);
    this.logsApi = new LogsApi(this.context, this.logs, this.faults, this.calls);
    this.eventsApi = new EventsApi(this.context, this.faults, this.calls);
  }

  private artifactSource() {
    return this.options.s3Endpoint ? this.keep(new S3Artifacts(this.options.s3Endpoint, this.region)) : this.memoryArtifacts;
  }

  private logSink() {
    return this.options.logsEndpoint
      ? this.keep(new RemoteLogSink(this.options.logsEndpoint, this.region))
      : new MemoryLogSink(this.logs, () => this.clock.now());
  }

  private keep<T extends { close(): void }>(client: T): T {
    this.remote.push(client);
    return client;
  }

  private async listen(port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => this.server.once('error', reject).listen(port, '127.0.0.1', resolve));
  }

  private async serve(raw: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      send(response, await this.handle(await readRequest(raw)));
    } catch (error) {
      if (!response.headersSent) {
        send(response, errorAnswer(new ServiceError('InternalServerException', `simulator: ${(error as Error).stack}`)));
      }
    }
  }

  /** One piece of work at a time, each on a state that is up to date. */
  private exclusively<T>(first: () => void, work: () => Promise<T>, patienceMs: number = PATIENCE_MS): Promise<T> {
    const turn = this.queue.then(async () => {
      first();
      await this.microvmStore.settle(patienceMs);
      await this.imageStore.settle(patienceMs);
      return work();
    });
    this.queue = turn.catch(() => undefined);
    return turn;
  }

  /** Whoever addresses an image or MicroVM moves it one read on; so does whoever lists all of them. */
  private countReads({ name: operation }: Operation, { labels, query, body }: Invocation): void {
    this.clock.tick();
    const named = [labels[0], query.imageIdentifier, body.imageIdentifier].filter((value) => value !== undefined).map(String);
    const all = named.length === 0;
    for (const { name, arn } of this.imageStore.images.values()) {
      if (named.includes(arn) || (all && operation === 'ListMicrovmImages')) {
        this.imageStore.countRead(name);
      }
    }
    this.microvmStore.countRead(({ id, launch: { image } }) => named.includes(id) || named.includes(image.arn) || (all && operation === 'ListMicrovms'));
  }
}
