import { randomUUID } from 'crypto';
import { LambdaMicrovmsClient, RunMicrovmCommand } from '@aws-sdk/client-lambda-microvms';
import { strToU8, zipSync } from 'fflate';
import { ByHand, CONTESTED, DeployStep, DestroyStep, FOREIGN, History, Step, templateOf, TickScript } from './random-history';
import { Answer, Delivery, RequestDesk, withoutRetries } from './request-desk';
import { imageProperties } from './stack-events';
import { compareVersions } from '../../../src/custom-resources/common/handler/versions';
import { ImageProperties, RunningMicrovms, Tag } from '../../../src/custom-resources/microvm-image/contract';
import { desiredConfig } from '../../../src/custom-resources/microvm-image/handler/config';
import { RETAINED } from '../../../src/custom-resources/microvm-image/handler/ownership';
import { SdkAdapter } from '../../../src/custom-resources/microvm-image/handler/sdk-adapter';
import { ImageView, MicrovmSimulator } from '../../simulator';
import { inProcess } from '../common/in-process';

const POLL_MS = 7_000;
const STACKS = ['App/11111111-2222-3333-4444-555555555555', 'Other/99999999-2222-3333-4444-555555555555']
  .map((stack) => `arn:aws:cloudformation:us-east-1:000000000000:stack/${stack}`);
const DATA_KEYS = ['BaseImageVersion', 'ImageArn', 'ImageName', 'ImageVersion'];
const DEADLINE_MS = 55 * 60_000;

/** What CloudFormation knows of one resource. */
interface Resource {
  physicalId?: string;
  properties?: ImageProperties;
  /** The version consumers were given. */
  version?: string;
}

/** What may end a request in FAILED; anything else must succeed. */
interface Circumstances {
  readonly properties: ImageProperties;
  readonly buildsMayFail: boolean;
}

interface Request {
  readonly type: 'Create' | 'Update' | 'Delete';
  readonly properties: ImageProperties;
  readonly old?: ImageProperties;
  readonly physicalId?: string;
  readonly deliveredTwice?: boolean;
  readonly mayFail: (reason: string) => boolean;
}

/** An account with two stacks of one image each, driven through a history as CloudFormation and the world drive it. */
export class HistoryWorld {
  /** An artifact that builds. */
  public static readonly ARTIFACT = zipSync({ Dockerfile: strToU8('FROM public.ecr.aws/lambda/microvms:al2023-minimal\nCMD ["/bin/sh"]\n') });

  /** Of the simulator that the environment names, over the wire. */
  public static clients() {
    return { adapter: withoutRetries(new SdkAdapter()), microvms: new LambdaMicrovmsClient() };
  }

  /** Of a simulator of this process, without sockets between: the SDK writes requests and reads answers all the same. */
  public static clientsOf(simulator: MicrovmSimulator): ReturnType<typeof HistoryWorld.clients> {
    return { adapter: inProcess(new SdkAdapter(), async (request) => simulator.handle(request)), microvms: new LambdaMicrovmsClient() };
  }

  /** What was found wrong. */
  public readonly violations: string[] = [];
  public readonly story: string[] = [];
  private readonly resources: Resource[] = [{}, {}];
  private readonly desk: RequestDesk;
  private readonly adapter: SdkAdapter;
  private readonly client: LambdaMicrovmsClient;
  /** Times an image was deleted by hand: each excuses one more build. */
  private deletedByHand = 0;
  private foreignWasChanged = false;
  private baseVersion = 1;

  /** @param clients of the simulator: making them takes as long as a short history */
  constructor(private readonly simulator: MicrovmSimulator, clients = HistoryWorld.clients()) {
    ({ adapter: this.adapter, microvms: this.client } = clients);
    this.desk = new RequestDesk(simulator, this.adapter, (violation) => this.violated(violation), (line) => this.story.push(line));
  }

  public async play(history: History): Promise<void> {
    await this.prepare(history);
    for (const step of history.steps) {
      this.story.push(JSON.stringify(step));
      await this.take(step);
      if (this.violations.length > 0) {
        return;
      }
    }
    await this.end();
  }

  private async prepare({ readings }: History): Promise<void> {
    Object.assign(this.simulator.readings, readings);
    for (const artifact of ['v1', 'v2', 'v3']) {
      this.simulator.artifacts.put(`s3://assets/${artifact}.zip`, HistoryWorld.ARTIFACT);
    }
    this.simulator.logs.create(imageProperties().logging.logGroup!, this.simulator.clock.now());
    await this.adapter.createImage(FOREIGN, desiredConfig(imageProperties()), { team: 'somebody' }, randomUUID());
    await this.simulator.clock.advance(600_000);
  }

  private async take(step: Step): Promise<void> {
    switch (step.type) {
      case 'deploy':
        this.simulator.builds.clear();
        step.builds.forEach((build) => this.simulator.builds.plan(build));
        this.simulator.builds.plan({ durationMs: 14_000, times: Number.POSITIVE_INFINITY });
        return this.deploy(step);
      case 'destroy':
        return this.destroy(step);
      case 'byHand':
        return this.byHand(step.stack, step.what);
    }
  }

  private async deploy(step: DeployStep): Promise<void> {
    const resource = this.resources[step.stack];
    const wanted = templateOf(step.stack, step.template, step.engine);
    const busy = this.isBuildStuck(resource.physicalId ?? '');
    const mayFail = this.failuresOf({ properties: wanted, buildsMayFail: step.builds.length > 0 || busy });
    return resource.physicalId === undefined
      ? this.create(step, resource, wanted, mayFail)
      : this.update(step, resource, wanted, mayFail);
  }

  private async create(step: DeployStep, resource: Resource, wanted: ImageProperties, mayFail: Request['mayFail']): Promise<void> {
    const response = (await this.send(step.stack, { type: 'Create', properties: wanted, deliveredTwice: step.deliveredTwice, mayFail }, step.ticks))!;
    if (response.Status === 'SUCCESS' && step.fate.type !== 'siblingFails') {
      this.settle(resource, wanted, response);
    } else {
      await this.remove(step.stack, wanted, response.PhysicalResourceId, step.rollbackTicks);
    }
  }

  private async update(step: DeployStep, resource: Resource, wanted: ImageProperties, mayFail: Request['mayFail']): Promise<void> {
    const before = resource.properties!;
    const oldId = resource.physicalId!;
    const { fate } = step;
    const served = { version: resource.version, wasThere: this.isServable(oldId, resource.version) };
    const response = await this.send(
      step.stack,
      { type: 'Update', properties: wanted, old: before, physicalId: oldId, deliveredTwice: step.deliveredTwice, mayFail },
      step.ticks, fate.type === 'cancelled' ? fate.afterTicks : undefined,
    );
    if (served.wasThere && !this.isServable(oldId, served.version)) {
      this.violated(`an update left nothing of version ${served.version}, which was served before it`);
    }
    if (response?.Status === 'SUCCESS' && fate.type === 'good') {
      this.settle(resource, wanted, response);
      if (response.PhysicalResourceId !== oldId) {
        await this.remove(step.stack, before, oldId, step.rollbackTicks);
      }
      return;
    }
    const newId = response?.PhysicalResourceId ?? this.simulator.imageArn(wanted.imageName);
    await this.rollBack(step, resource, wanted, before, newId);
    if (newId !== oldId) {
      await this.remove(step.stack, wanted, newId, []);
    }
  }

  /** The Update back. One that fails is continued, without faults, and must get there. */
  private async rollBack(step: DeployStep, resource: Resource, from: ImageProperties, to: ImageProperties, physicalId: string): Promise<void> {
    const servable = this.isServable(resource.physicalId!, resource.version);
    let builds = 0;
    let response: Answer;
    for (let attempt = 0; ; attempt++) {
      const mayFail = this.failuresOf({ properties: to, buildsMayFail: !servable || this.isBuildStuck(resource.physicalId!) });
      response = (await this.send(step.stack, { type: 'Update', properties: to, old: from, physicalId, mayFail }, attempt === 0 ? step.rollbackTicks : []))!;
      builds += this.desk.versionsStarted(response.RequestId);
      if (response.Status === 'SUCCESS' || attempt === 3) {
        break;
      }
      await this.outlast(resource.physicalId!);
    }
    if (servable) {
      const ended = response.Data?.ImageVersion;
      if (builds > 0 || (response.Status === 'SUCCESS' && ended !== resource.version)) {
        this.violated(`a rollback to version ${resource.version} started ${builds} builds and ended on ${ended}`);
      }
    }
    if (response.Status === 'SUCCESS') {
      this.settle(resource, to, response);
    } else if (servable) {
      this.violated(`a rollback without faults failed: ${response.Reason}`);
    }
  }

  private async destroy(step: DestroyStep): Promise<void> {
    const resource = this.resources[step.stack];
    if (resource.physicalId !== undefined) {
      if (step.deletion) {
        this.simulator.deletions.plan(step.deletion);
      }
      await this.remove(step.stack, resource.properties!, resource.physicalId, step.ticks);
      this.simulator.deletions.clear();
      Object.assign(resource, { physicalId: undefined, properties: undefined, version: undefined });
    }
  }

  /** A Delete, again until it succeeds: MicroVMs that keep an image are terminated by the user in between. */
  private async remove(stack: number, properties: ImageProperties, physicalId: string, ticks: TickScript[]): Promise<void> {
    for (let attempt = 0; attempt < 4; attempt++) {
      const running = this.simulator.microvms.filter(({ state, imageArn }) => imageArn === physicalId && state !== 'TERMINATED');
      const kept = running.length > 0 && properties.runningMicrovms === RunningMicrovms.FAIL;
      const mayFail = (reason: string) => (kept && /running or suspended/.test(reason)) || this.isBuildStuck(physicalId);
      const response = (await this.send(stack, { type: 'Delete', properties, physicalId, mayFail }, attempt === 0 ? ticks : []))!;
      if (response.Status === 'SUCCESS') {
        return;
      }
      await this.terminateAll();
      await this.outlast(physicalId);
    }
    this.violated(`${physicalId} could not be deleted`);
  }

  /** Hands a request over and polls for it until it is answered, or so many ticks. */
  private async send(stack: number, request: Request, ticks: TickScript[], limit = Number.POSITIVE_INFINITY): Promise<Answer | undefined> {
    const requestId = randomUUID();
    const deletedBefore = this.deletedByHand;
    const event = { ...request, stackId: STACKS[stack], requestId };
    await this.simulator.clock.advance(1_000);
    const deliveries: Delivery[] = [await this.desk.accept(event)];
    if (request.deliveredTwice) {
      await this.simulator.clock.advance(3_000);
      deliveries.push(await this.desk.accept(event));
    }
    for (let tick = 0; tick < limit && !deliveries.some(({ response }) => response); tick++) {
      const script = ticks[tick] ?? {};
      if (tick > 0) {
        await this.simulator.clock.advance(pause(tick));
        await this.beLate(script);
        if (ticks[tick - 1]?.fault) {
          // It may have read nothing, but the time has passed.
          await this.catchUp();
        }
      }
      if (!script.ghostsSleep) {
        await this.desk.tickGhosts(deliveries);
      }
      await this.desk.tick(deliveries[tick % deliveries.length], script, deliveries[(tick + 1) % deliveries.length]);
      if (tick > 200) {
        this.violated(`${request.type} did not end`);
        break;
      }
    }
    this.desk.letGo(deliveries);
    const answered = deliveries.find(({ response }) => response);
    const allowed = 1 + (this.deletedByHand - deletedBefore) + (this.desk.secondBuildExcused(requestId) ? 1 : 0);
    if (this.desk.versionsStarted(requestId) > allowed) {
      this.violated(`request ${requestId} started ${this.desk.versionsStarted(requestId)} builds`);
    }
    if (answered) {
      this.judge(request, answered);
    }
    return answered?.response;
  }

  private async beLate({ lateMs }: TickScript): Promise<void> {
    if (lateMs) {
      await this.simulator.clock.advance(lateMs);
      await this.catchUp();
    }
  }

  /** The simulator counts how many reads are stale; the service's are stale for seconds. */
  private async catchUp(): Promise<void> {
    for (let read = 0; read < this.simulator.readings.staleReadsAfterWrite; read++) {
      await Promise.all(this.simulator.images.map(({ arn }) => swallow(async () => this.adapter.getImage(arn))));
    }
  }

  private judge(request: Request, { response, crashed, acceptedAt, answeredAt, lastPause }: Delivery): void {
    const { Status, Reason, Data, PhysicalResourceId, bytes } = response!;
    this.story.push(`${request.type} ${request.properties.imageName}: ${Status} ${Data?.ImageVersion ?? ''} ${Status === 'FAILED' ? Reason.split('\n')[0] : ''}`);
    if (bytes >= 4_096) {
      this.violated(`a response of ${bytes} bytes`);
    }
    if (answeredAt! - acceptedAt > DEADLINE_MS + lastPause + 120_000) {
      this.violated(`${request.type} was answered after ${(answeredAt! - acceptedAt) / 60_000} minutes`);
    }
    if (Status === 'FAILED') {
      const line = Reason.split('\n')[0];
      if (!crashed && !/ Hint: .+\.$/.test(line)) {
        this.violated(`a reason without a hint: ${Reason}`);
      }
      if (!crashed && !request.mayFail(line)) {
        this.violated(`${request.type} of ${request.properties.imageName} failed without a cause: ${line}`);
      }
      return;
    }
    if (request.type === 'Delete') {
      const left = this.simulator.images.find(({ arn }) => arn === PhysicalResourceId);
      if (left?.tags[Tag.OWNER] === this.desk.ownerOf(response!.StackId)) {
        this.violated(`a Delete succeeded and left ${PhysicalResourceId} in state ${left.state}`);
      }
      return;
    }
    if (Object.keys(Data ?? {}).sort().join() !== DATA_KEYS.join() || Data!.ImageArn !== PhysicalResourceId) {
      this.violated(`the data of a ${request.type} are ${JSON.stringify(Data)}`);
    }
    const version = this.simulator.images.find(({ arn }) => arn === PhysicalResourceId)?.versions.find((each) => each.version === Data?.ImageVersion);
    const { codeArtifactUri, buildRoleArn, baseImageVersion, waitForBuild, followLatest } = request.properties;
    const isBuilding = version !== undefined && ['PENDING', 'IN_PROGRESS'].includes(version.state);
    if (version === undefined || !(isBuilding ? waitForBuild === false : version.state === 'SUCCESSFUL' && version.status === 'ACTIVE')) {
      this.violated(`version ${Data?.ImageVersion} was handed out ${version?.state} and ${version?.status}`);
    } else if (version.config.codeArtifact.uri !== codeArtifactUri || version.config.buildRoleArn !== buildRoleArn || version.config.description
      || (baseImageVersion && version.config.baseImageVersion !== `${baseImageVersion}.0` && version.config.baseImageVersion !== baseImageVersion)) {
      this.violated(`version ${Data?.ImageVersion} is not what was asked for: ${JSON.stringify(version.config)}`);
    }
    const latest = this.latestOf(PhysicalResourceId);
    if (followLatest && !isBuilding && latest !== Data?.ImageVersion) {
      this.violated(`version ${Data?.ImageVersion} was handed out, and launches that name none get ${latest}`);
    }
  }

  private latestOf(arn: string): string | undefined {
    const active = this.simulator.images.find((image) => image.arn === arn)?.versions.filter(({ state, status }) => state === 'SUCCESSFUL' && status === 'ACTIVE');
    return active?.map(({ version }) => version).sort(compareVersions).pop();
  }

  private failuresOf({ properties: { imageName: name, buildTimeoutSeconds }, buildsMayFail }: Circumstances): Request['mayFail'] {
    // A minute may end while anything is still being tried again.
    return (reason) => buildTimeoutSeconds !== undefined
      || (/failed to build|is stuck|was not ready after 55 minutes/.test(reason) && buildsMayFail)
      || (/already exists|Choose another imageName|choose another imageName/.test(reason) && ([CONTESTED, FOREIGN].includes(name) || this.isForgotten(name)));
  }

  private settle(resource: Resource, properties: ImageProperties, response: Answer): void {
    Object.assign(resource, { properties, physicalId: response.PhysicalResourceId, version: response.Data?.ImageVersion });
  }

  private isServable(arn: string, version?: string): boolean {
    const image = this.simulator.images.find((each) => each.arn === arn);
    return image !== undefined && image.state !== 'DELETING'
      && image.versions.some((each) => each.version === version && each.state === 'SUCCESSFUL');
  }

  private isForgotten(imageName: string): boolean {
    return this.simulator.images.some(({ name, tags }) => name === imageName && (tags[Tag.OWNER] ?? RETAINED).startsWith(RETAINED));
  }

  /** A build that does not end soon. The service can neither cancel it nor delete the image meanwhile. */
  private isBuildStuck(arn: string): boolean {
    return this.simulator.images.some((image) => image.arn === arn && (image.state === 'CREATING' || image.state === 'UPDATING'));
  }

  /** The service gives up on a wedged build after 15 hours, and the user tries again then. */
  private async outlast(arn: string): Promise<void> {
    if (this.isBuildStuck(arn)) {
      await this.simulator.clock.advance(16 * 3_600_000);
    }
  }

  private async byHand(stack: number, what: ByHand): Promise<void> {
    const arn = this.resources[stack].physicalId;
    const image = this.simulator.images.find((each) => each.arn === arn);
    if (arn === undefined || image === undefined || what === 'publishBase') {
      return this.simulator.publishBaseImage(String(++this.baseVersion));
    }
    // A duplicate of an answered request ends at its next turn, and seven seconds after an answer nobody deletes an image.
    await this.desk.tickGhosts([]);
    this.foreignWasChanged ||= image.name === FOREIGN && (what === 'build' || what === 'delete');
    const { adapter } = this;
    await swallow(async () => {
      switch (what) {
        case 'build':
          return adapter.updateImage(arn, { ...desiredConfig(templateOf(stack, 6)), description: 'by hand' }, randomUUID());
        case 'deactivate':
          return adapter.retireVersion(arn, this.resources[stack].version ?? '1.0');
        case 'delete':
          await adapter.deleteImage(arn);
          this.deletedByHand += 1;
          // The image that is made next counts its versions from 1.0 again.
          this.resources[stack].version = undefined;
          return;
        case 'nothingForHours':
          await this.simulator.clock.advance(9 * 3_600_000);
          return;
        case 'forgetOwner':
          return adapter.untag(arn, [Tag.OWNER]);
        case 'publish':
          return adapter.tag(arn, { [Tag.PUBLISHED]: oldestSuccessful(image).join(' ') });
        case 'run':
          await this.client.send(new RunMicrovmCommand({ imageIdentifier: arn }));
      }
    });
    // People are slower than reads are stale: what nobody can see yet binds nobody.
    await this.catchUp();
  }

  private async terminateAll(): Promise<void> {
    for (const { microvmId, state } of this.simulator.microvms) {
      if (state !== 'TERMINATED') {
        await swallow(async () => this.adapter.terminateMicrovm(microvmId));
      }
    }
    await this.simulator.clock.advance(60_000);
  }

  /** Both stacks are deleted; whatever still polls then polls to its end. Nothing of ours may be left. */
  private async end(): Promise<void> {
    for (const [stack, { physicalId, properties }] of this.resources.entries()) {
      if (physicalId !== undefined) {
        await this.remove(stack, properties!, physicalId, []);
      }
    }
    for (let tick = 0; tick < 60 && this.desk.hasGhosts(); tick++) {
      await this.simulator.clock.advance(60_000);
      await this.desk.tickGhosts([]);
    }
    for (const { name, state, tags } of this.simulator.images) {
      if (tags[Tag.OWNER] !== undefined && !tags[Tag.OWNER].startsWith(RETAINED)) {
        this.violated(`image ${name} is left behind in state ${state}`);
      }
    }
    const foreign = this.simulator.images.find(({ name }) => name === FOREIGN);
    if (this.foreignWasChanged) {
      return;
    }
    // What a publication of theirs noted is not ours to take away.
    const { [Tag.PUBLISHED]: _published, ...tags } = foreign?.tags ?? {};
    if (JSON.stringify(tags) !== JSON.stringify({ team: 'somebody' }) || foreign?.versions.length !== 1) {
      this.violated("somebody else's image was changed");
    }
  }

  private violated(what: string): void {
    this.violations.push(what);
    this.story.push(`VIOLATION ${what}`);
  }
}

/** Seven seconds, and longer once nothing seems to happen: an hour of a wedged build need not be played tick by tick. */
function pause(tick: number): number {
  return tick < 10 ? POLL_MS : Math.min(POLL_MS * 2 ** (tick - 9), 240_000);
}

/** Those that go first when nobody names them. */
function oldestSuccessful(image: ImageView): string[] {
  const successful = image.versions.filter(({ state }) => state === 'SUCCESSFUL').map(({ version }) => version);
  return successful.sort(compareVersions).slice(0, 2);
}

/** What the service refuses somebody else's hand is not our business. */
async function swallow(work: () => Promise<unknown>): Promise<void> {
  await work().catch(() => undefined);
}
