import { strToU8, zipSync } from 'fflate';
import { Deployment } from './deployment';
import { Functions } from './functions';
import { BUCKET, GoldenStack, IMAGE_ARN, IMAGE_NAME, MAX_FAILURES, Parameters, ROOT } from './golden-stack';
import { Overlap, Step, StepOf } from './random-history';
import { RefreshExecutions } from './refresh-executions';
import { compareVersions } from '../../../src/custom-resources/common/handler/versions';
import {
  CHANNEL_RESOURCE_TYPE, decodeRecord, encodeChannel, encodePointer, PUBLISHED_TAG, versionOfPointer,
} from '../../../src/custom-resources/microvm-image-publication/contract';
import { ParameterStore } from '../../parameter-store/parameter-store';
import { ImageView, MicrovmSimulator } from '../../simulator';
import { Execution } from '../../state-machine/execution';
import { CustomResource, OTHER_STACK_ID } from '../common/custom-resource';
import { ProviderFramework } from '../microvm-image/provider-framework';
import { POLL_MS } from '../microvm-smoke-test/smoke-tested-image';

const ARTIFACT = zipSync({ Dockerfile: strToU8('FROM public.ecr.aws/lambda/microvms:al2023-minimal\nCMD ["/bin/sh"]\n') });
const BUILD_MS = 5_000;
const HOUR = 3_600_000;
const UNDISTURBED: StepOf<'deploy'> = {
  type: 'deploy', code: 'new', sick: false, buildFails: false, siblingFails: false, rollbackStruck: false, mishaps: [],
};
/** Longer than anything that is under way. */
const MANY_STATES = 400;

/** An account in which a platform team publishes an image, and somebody else moves a channel, through a history. */
export class Platform {
  /** What was found wrong. */
  public readonly violations: string[] = [];
  public readonly story: unknown[] = [];
  /** The last refresh. */
  public execution?: Execution;
  public readonly executions: RefreshExecutions;
  /** Why a deployment or promotion failed last. */
  public reason = '';
  private readonly stack: Deployment;
  private readonly channel: CustomResource;
  private promoted?: string;
  private zips = 0;
  private bases = 1;
  private former?: string;
  /** The version a refresh built of what is deployed. */
  private refreshed?: string;
  private readonly sickCodes = new Set<string>();
  private readonly sickBases = new Set<string>();
  /** Versions whose app answered a smoke test as it should. */
  private readonly passed = new Set<string>();
  /** What happens between two ticks of a deployment. */
  private meanwhile?: () => Promise<void>;

  constructor(
    private readonly golden: GoldenStack, private readonly simulator: MicrovmSimulator, private readonly store: ParameterStore,
    private readonly functions: Functions,
  ) {
    functions.log = (entry) => this.story.push(entry);
    const betweenTicks = async () => {
      await simulator.clock.advance(POLL_MS);
      await this.meanwhile?.();
    };
    this.stack = new Deployment(golden, this.functions, betweenTicks);
    this.channel = new CustomResource(new ProviderFramework({
      onEvent: async (event) => this.functions.onEvent('publication', event),
      isComplete: async (event) => this.functions.isComplete('publication', event),
    }, betweenTicks), CHANNEL_RESOURCE_TYPE, 'Stable', OTHER_STACK_ID);
    this.executions = new RefreshExecutions(this.functions, () => simulator.clock.now());
    this.functions.onChange = (operation) => this.look(`after ${operation}`);
  }

  public get image(): ImageView | undefined {
    return this.simulator.images.find(({ name }) => name === IMAGE_NAME);
  }

  /** The versions the channels name. */
  public get channels(): Record<string, string> {
    return Object.fromEntries(this.below('channels').map((name) => [name.split('/').pop()!, versionOfPointer(this.store.values[name])!]));
  }

  public get records(): string[] {
    return this.below('versions').map((name) => name.split('/').pop()!);
  }

  /** From the first deployment to the end of the stack. */
  public async play(history: Step[]): Promise<void> {
    await this.begin();
    for (const step of history) {
      await this.take(step);
      if (this.violations.length > 0) {
        return;
      }
    }
    await this.sweep();
  }

  /** Version 1.0 is deployed. */
  public async begin(): Promise<void> {
    this.golden.logGroups.forEach((group) => this.simulator.logs.create(group, this.simulator.clock.now()));
    this.simulator.respond('*', ({ imageVersion }) => this.answer(imageVersion));
    this.buildsFail(false);
    await this.deploy(UNDISTURBED);
  }

  public async take(step: Step): Promise<void> {
    this.story.push(step);
    this.functions.plan(step.mishaps);
    await this.perform(step);
    this.functions.spare();
    this.look(`after ${step.type}`);
  }

  /** The next deployment, which nothing disturbs, leaves nothing behind of all that went before; the end of the stack leaves nothing. */
  public async sweep(): Promise<void> {
    this.story.push('sweep');
    this.moveBase(false);
    await this.deploy(UNDISTURBED);
    const newest = this.image?.versions.map(({ version }) => version).sort(compareVersions).pop();
    if (this.channels.candidate !== newest) {
      this.violated(`the deployment at the end published ${this.channels.candidate}, and the newest version is ${newest}: ${this.stack.reason}`);
    }
    this.image?.versions.filter(({ state }) => state !== 'SUCCESSFUL')
      .forEach(({ version, state }) => this.violated(`version ${version} is left, which is ${state}`));
    await this.close();
    await this.stack.delete();
    await this.simulator.clock.advance(60_000);
    const left = [...Object.keys(this.store.values), ...this.simulator.images.map(({ arn, state }) => `${arn} ${state}`)];
    if (left.length > 0) {
      this.violated(`the delete of the stack left ${left}`);
    }
    this.expectNoMicrovm('the delete of the stack');
  }

  private async perform(step: Step): Promise<void> {
    switch (step.type) {
      case 'deploy': return this.deploy(step);
      case 'refresh': return this.refresh(step);
      case 'promote': return this.promote(step.choice);
      case 'close': return this.close();
      case 'retire': return this.retire();
      case 'hours': return this.simulator.clock.advance(9 * HOUR);
    }
  }

  private async deploy(step: StepOf<'deploy'>): Promise<void> {
    const { parameters: before } = this.stack;
    const { code, team } = before ?? { code: undefined, team: '0' };
    const wanted = step.code === 'same' ? code : step.code === 'former' ? this.former ?? code : undefined;
    const parameters = { code: wanted ?? this.zip(step.sick), team: step.code === 'same' ? String(Number(team) + 1) : team };
    const execution = step.refresh && await this.overlap(step.refresh);
    this.buildsFail(step.buildFails);
    const succeeded = await this.stack.deploy(parameters, step.siblingFails, () => {
      this.buildsFail(false);
      if (!step.rollbackStruck) {
        this.functions.spare();
      }
    });
    this.meanwhile = undefined;
    this.reason = this.stack.reason;
    this.story.push(`  ${succeeded ? 'deployed' : 'rolled back'} ${this.stack.answers.imageVersion} ${succeeded ? '' : this.stack.reason}`);
    this.buildsFail(false);
    const { imageVersion } = this.stack.answers;
    const isRefreshed = this.refreshed !== undefined && code === parameters.code && this.stack.asked.has('image');
    if (succeeded && isRefreshed && imageVersion !== this.refreshed) {
      this.violated(`a deployment took the image from ${this.refreshed}, which was refreshed, back to ${imageVersion}`);
    }
    if (succeeded && code !== parameters.code) {
      this.former = code;
      this.refreshed = undefined;
    }
    this.expectPublished('a deployment');
    if (execution === undefined) {
      this.expectNoMicrovm('a deployment');
    } else if (await this.finish(execution, before!) === 'A deployment goes first') {
      this.expectPublished('a deployment that a refresh made way for');
    }
  }

  /** The first states of a refresh that a deployment then meets. */
  private async overlap({ force, states, pace }: Overlap): Promise<Execution | undefined> {
    const execution = this.startRefresh(force);
    await this.run(execution, states);
    let tick = 0;
    this.meanwhile = async () => {
      for (let left = pace[tick++ % pace.length]; left > 0 && this.isDue(execution); left--) {
        await execution.step();
      }
    };
    return execution;
  }

  private async refresh({ base, force, buildFails, stoppedAfter }: StepOf<'refresh'>): Promise<void> {
    const before = this.channels.candidate;
    const left = this.running;
    if (base !== 'same') {
      this.moveBase(base === 'movedAndSick');
    }
    this.buildsFail(buildFails);
    const execution = this.startRefresh(force);
    if (stoppedAfter !== undefined) {
      await this.run(execution, stoppedAfter);
      execution.stop('ABORTED');
    }
    const last = await this.finish(execution, this.stack.parameters!);
    this.buildsFail(false);
    if (execution.status === 'FAILED' && !this.functions.struck) {
      await this.expectClearedUp(execution.visited.includes('Is smoke test 1 done') ? [] : left);
    }
    if (last === 'Refreshed') {
      const { version, config } = this.image!.versions.find((each) => each.version === this.channels.candidate)!;
      if (this.refreshed !== version || (!force && config.baseImageVersion !== `${this.bases}.0`)) {
        this.violated(`a refresh that told of ${this.refreshed} left ${version} on base ${config.baseImageVersion} published`);
      }
    }
    if (last === 'Nothing to do' && this.channels.candidate !== before) {
      this.violated(`a refresh that had nothing to do moved the channel from ${before} to ${this.channels.candidate}`);
    }
  }

  private startRefresh(force: boolean): Execution {
    this.execution = this.executions.start(this.golden.workflow(this.stack.parameters!, this.stack.answers), force);
    return this.execution;
  }

  private isDue({ status, waitsUntil }: Execution): boolean {
    return status === 'RUNNING' && waitsUntil <= this.simulator.clock.now();
  }

  private async run(execution: Execution, states: number): Promise<void> {
    for (let state = 0; state < states && execution.status === 'RUNNING'; state++) {
      await this.simulator.clock.advance(Math.max(0, execution.waitsUntil - this.simulator.clock.now()));
      await execution.step();
    }
  }

  /**
   * The state in which it ends.
   *
   * @param deployed what was, when it began
   */
  private async finish(execution: Execution, deployed: Parameters): Promise<string> {
    await this.run(execution, MANY_STATES);
    const last = execution.visited[execution.visited.length - 1];
    this.story.push(`  refresh ${execution.status} at ${last} ${execution.cause ?? ''}`);
    if (execution.status === 'RUNNING') {
      this.violated('a refresh did not end');
    }
    if (execution.error === 'RefreshDisabled' && this.executions.failuresInARow < MAX_FAILURES) {
      this.violated(`the schedule was disabled after ${this.executions.failuresInARow} failures`);
    }
    if (last === 'Refreshed' && deployed.code === this.stack.parameters?.code) {
      this.refreshed = this.executions.events[this.executions.events.length - 1].Detail.imageVersion;
    }
    return last;
  }

  /**
   * What failed to build goes, and so does the MicroVM of a test that failed.
   *
   * @param left MicroVMs that an earlier refresh left when it was killed: the next test ends them
   */
  private async expectClearedUp(left: string[]): Promise<void> {
    await this.simulator.clock.advance(60_000);
    const failed = this.image!.versions.filter(({ state }) => state === 'FAILED').map(({ version }) => version);
    const running = this.running.filter((each) => !left.includes(each));
    if (this.image!.state === 'UPDATE_FAILED' || failed.length + running.length > 0) {
      this.violated(`a refresh that failed left the image ${this.image!.state}, the failed versions ${failed} and the MicroVMs ${running}`);
    }
  }

  private async retire(): Promise<void> {
    const named = Object.values(this.channels);
    const version = this.records.find((each) => !named.includes(each));
    if (version !== undefined) {
      await this.functions.retire(version);
    }
  }

  private moveBase(sick: boolean): void {
    const base = String(++this.bases);
    this.simulator.publishBaseImage(base);
    if (sick) {
      this.sickBases.add(`${base}.0`);
    }
  }

  /** CloudFormation reads the record before it sends anything; who names a version by hand may name any. */
  private async promote(choice: number): Promise<void> {
    const imageVersion = this.records[choice] ?? '99.0';
    const properties = encodeChannel({ imageArn: IMAGE_ARN, imageVersion, root: ROOT, channel: 'stable' });
    this.channel.onFailure = () => this.functions.spare();
    const { Status, Reason } = await (this.promoted === undefined ? this.channel.create(properties) : this.channel.update(properties));
    this.reason = Reason.split('\n')[0];
    if (Status === 'SUCCESS') {
      this.promoted = imageVersion;
    }
    if (Status === 'SUCCESS' && this.channels.stable !== imageVersion) {
      this.violated(`the channel was moved to ${imageVersion} and names ${this.channels.stable}`);
    }
  }

  private async close(): Promise<void> {
    if (this.promoted !== undefined) {
      const response = await this.channel.delete();
      if (response?.Status === 'FAILED') {
        await this.channel.delete();
      }
      this.promoted = undefined;
    }
  }

  /** CloudFormation asks a publication only when its version changed: what a refresh published stays until then. */
  private expectPublished(what: string): void {
    const { answers: { imageVersion }, asked, parameters } = this.stack;
    if (parameters !== undefined && asked.has('publication') && this.channels.candidate !== imageVersion) {
      this.violated(`${what} gave ${imageVersion} and left ${this.channels.candidate} published`);
    }
  }

  private expectNoMicrovm(what: string): void {
    if (this.running.length > 0 && (this.stack.parameters === undefined || this.stack.asked.has('smokeTest'))) {
      this.violated(`${what} left the MicroVMs ${this.running}`);
    }
  }

  /** Whoever follows a channel may do so at any moment. */
  private look(when: string): void {
    const { image, store: { values } } = this;
    const named = Object.entries(this.channels);
    for (const [channel, version] of named) {
      const found = image?.versions.find((each) => each.version === version);
      const record = decodeRecord(values[`${ROOT}/versions/${version}`]);
      const wrong = [
        found?.state !== 'SUCCESSFUL' || found.status !== 'ACTIVE' ? `is ${found?.state ?? 'gone'} ${found?.status ?? ''}` : [],
        this.passed.has(version) ? [] : 'passed no test',
        record === undefined ? 'has no record' : encodePointer(record) === values[`${ROOT}/channels/${channel}`] ? [] : 'has another record',
      ].flat();
      if (wrong.length > 0) {
        this.violated(`${when}: ${channel} names ${version}, which ${wrong.join(' and ')}`);
      }
    }
    const kept = image?.tags[PUBLISHED_TAG]?.split(' ') ?? [];
    for (const version of new Set([...this.records, ...named.map(([, each]) => each)])) {
      if (!kept.includes(version)) {
        this.violated(`${when}: ${version} is published, and nothing protects it`);
      }
      if (image?.versions.find((each) => each.version === version)?.state !== 'SUCCESSFUL') {
        this.violated(`${when}: ${version} is published, and there is no such version`);
      }
    }
  }

  private get running(): string[] {
    return this.simulator.microvms.filter(({ state }) => state !== 'TERMINATED').map(({ microvmId }) => microvmId);
  }

  private below(part: string): string[] {
    return Object.keys(this.store.values).filter((name) => name.startsWith(`${ROOT}/${part}/`));
  }

  private answer(imageVersion: string): { status: number } {
    const { codeArtifact, baseImageVersion } = this.image!.versions.find(({ version }) => version === imageVersion)!.config;
    const sick = this.sickCodes.has(codeArtifact.uri) || this.sickBases.has(String(baseImageVersion));
    if (!sick) {
      this.passed.add(imageVersion);
    }
    return { status: sick ? 500 : 200 };
  }

  private zip(sick: boolean): string {
    const key = `v${++this.zips}.zip`;
    const uri = `s3://${BUCKET}/${key}`;
    this.simulator.artifacts.put(uri, ARTIFACT);
    if (sick) {
      this.sickCodes.add(uri);
    }
    return key;
  }

  private buildsFail(fail: boolean): void {
    this.simulator.builds.clear();
    this.simulator.builds.plan({ durationMs: BUILD_MS, times: Number.POSITIVE_INFINITY, ...(fail ? { failure: { kind: 'container' } } : {}) });
  }

  private violated(what: string): void {
    this.violations.push(what);
    this.story.push(`VIOLATION ${what}`);
  }
}
