import { announce } from '../../common/handler/announce';
import { Log, Superseded, Verdict } from '../../common/handler/verdict';
import { Tag } from '../contract';
import { baseImageAge } from './base-images';
import { buildFailed, buildSucceeded, versionPruned } from './build-events';
import { buildMetrics, BuildReport } from './build-metrics';
import { decideDelete } from './decide-delete';
import { decideEnsure } from './decide-ensure';
import { decideClear, decidePrune } from './decide-upkeep';
import { Action, Decision, Failure, Limit, Observation, Outcome, TagChange } from './decision';
import { buildReasons, describeBuildFailure, describeFailure, redact, stageReached } from './failure';
import { afterRefusal } from './refusal';
import { EnsureRequest, Request } from './request';
import { BuildView, ServicePort, ServiceRefusal, SnapshotSizes, VersionView } from './service-port';
import { imageNameOf } from '../../common/handler/image-arn';
import { compareVersions } from '../../common/handler/versions';
import { ImageEvent } from '../../microvm-events';

export type { Log };
export { Verdict };

/** Undefined sizes could not be read. */
interface BuildEvidence extends BuildView {
  readonly sizes?: SnapshotSizes;
}

/** One tick: observe, decide, act. Everything it learns comes from the service, so a tick can be repeated or lost. */
export class Driver {
  private versionsSeen = 0;

  constructor(private readonly service: ServicePort, private readonly clock: () => number, private readonly write: Log) {}

  /** @throws Verdict when the request has failed for good. */
  public async tick(request: Request): Promise<Outcome> {
    const outcome = tolerated(request, await this.step(request));
    this.log(request, {
      request: request.kind,
      outcome: outcome.type,
      why: outcome.type === 'fail' ? undefined : outcome.why,
    });
    if (outcome.type === 'fail') {
      const Failed = outcome.failure.type === 'superseded' ? Superseded : Verdict;
      throw new Failed(await this.describe(request, outcome.failure));
    }
    if (request.kind === 'ensure' && outcome.type === 'done' && outcome.built !== undefined) {
      const { built } = outcome;
      this.measure(request, built, await this.evidence(request, built), { succeeded: true, ...await this.circumstances(request, built) });
      await this.announce(request, () => [buildSucceeded(request, built)]);
    }
    return outcome;
  }

  private async step(request: Request): Promise<Outcome> {
    let action: Action | undefined;
    try {
      let seen = await this.observe(request);
      let decision = this.decide(request, seen);
      while (decision.need !== undefined) {
        seen = await this.lookUp(request, seen, decision.need);
        decision = this.decide(request, seen);
      }
      this.log(request, {
        state: seen.image?.state ?? 'absent',
        versions: seen.versions.slice(0, 5).map((version) => `${version.version} ${version.state} ${version.status}`),
        action: decision.action?.type,
        tags: Object.keys(decision.tags?.set ?? {}),
      });
      if (!await this.writeTags(request, decision)) {
        return { type: 'wait', why: 'the image does not take tags now' };
      }
      action = decision.action;
      try {
        await this.act(request.imageArn, action);
        const pruned = action?.type === 'deleteVersion' ? action.version : undefined;
        const gone = seen.versions.filter(({ version }) => version === pruned);
        await this.announce(request, (ensure) => gone.map((version) => versionPruned(ensure, version)));
      } catch (error) {
        if (!(error instanceof ServiceRefusal)) {
          throw error;
        }
        // A version handed out is there whether or not the failed one beside it could be cleared away, and a released image
        // is released; a passing fault is given one more tick or two.
        if (decision.outcome.type === 'done') {
          const retry = error.refusal === 'transient' && this.clock() - request.acceptedAt < Limit.CLEAR;
          return retry ? { type: 'wait', why: error.message } : decision.outcome;
        }
        return error.refusal === 'runningMicrovms' && action?.type === 'deleteImage'
          ? await this.clearMicrovms(request, seen)
          : afterRefusal(request, error, this.clock(), action);
      }
      return decision.outcome;
    } catch (error) {
      return error instanceof ServiceRefusal ? afterRefusal(request, error, this.clock(), action) : this.afterSurprise(request, error);
    }
  }

  private decide(request: Request, seen: Observation): Decision {
    const now = this.clock();
    switch (request.kind) {
      case 'ensure':
        return decideEnsure(request, seen, now);
      case 'delete':
        return decideDelete(request, seen, now);
      case 'prune':
        return decidePrune(request, seen, now);
      case 'clear':
        return decideClear(request, seen, now);
    }
  }

  private async lookUp(request: Request, seen: Observation, need: NonNullable<Decision['need']>): Promise<Observation> {
    const { imageArn } = request;
    if (need === 'baseVersions') {
      return { ...seen, baseVersions: request.kind === 'ensure' ? await this.service.listBaseVersions(request.desired.baseImageArn) : [] };
    }
    if (need === 'liveMicrovms') {
      return {
        ...seen,
        liveMicrovms: await this.service.listLiveMicrovms(imageArn),
        pinningMicrovms: await this.service.listMicrovmsOfVersion(imageArn),
      };
    }
    const microvms = await this.service.listMicrovmsOfVersion(imageArn, need.microvmsOf);
    return { ...seen, microvmsOf: { ...seen.microvmsOf, [need.microvmsOf]: microvms } };
  }

  private async observe(request: Request): Promise<Observation> {
    const { imageArn } = request;
    const image = await this.service.getImage(imageArn);
    if (image === undefined) {
      const renamedFrom = request.kind === 'ensure' ? request.renamedFrom : undefined;
      return { former: renamedFrom && await this.service.getImage(renamedFrom) || undefined, versions: [], builds: [] };
    }
    if (request.kind === 'clear') {
      return { image, versions: [], builds: [] };
    }
    const versions = (await this.service.listVersions(imageArn)).sort((a, b) => compareVersions(b.version, a.version));
    this.versionsSeen = versions.length;
    const newest = versions[0];
    const builds = newest === undefined || newest.state === 'SUCCESSFUL' ? [] : await this.service.listBuilds(imageArn, newest.version);
    return { image, versions, builds };
  }

  /**
   * False when the tags could not be written and the action must not be taken without them: a build that nobody claimed
   * could be started twice, an adopted image that is not marked would be deleted one day, and a refresh that is not noted would
   * be undone by the next deployment. A version that is handed out is the same with or without them, and so is a deleted image.
   */
  private async writeTags(request: Request, decision: Decision): Promise<boolean> {
    const change: TagChange = decision.tags ?? { set: {}, remove: [] };
    try {
      // First, to make room: an image has at most 50 tags.
      if (change.remove.length > 0) {
        await this.service.untag(request.imageArn, change.remove);
      }
      if (Object.keys(change.set).length > 0) {
        await this.service.tag(request.imageArn, change.set);
      }
      return true;
    } catch (error) {
      if (error instanceof ServiceRefusal && (error.refusal === 'busy' || decision.action?.type === 'deleteImage')) {
        this.log(request, { warning: 'tags wait for the next request', refused: error.message });
        return !(Tag.ADOPTED in change.set) && !(Tag.REFRESHED in change.set)
          && (decision.action === undefined || decision.action.type === 'deleteImage' || decision.outcome.type === 'done');
      }
      throw error;
    }
  }

  private async act(imageArn: string, action: Action | undefined): Promise<void> {
    switch (action?.type) {
      case undefined:
        return;
      case 'create':
        return this.service.createImage(imageNameOf(imageArn), action.config, action.tags, action.clientToken);
      case 'build':
        return this.service.updateImage(imageArn, action.config, action.clientToken);
      case 'activate':
        return this.service.activateVersion(imageArn, action.version);
      case 'retire':
        return this.service.retireVersion(imageArn, action.version);
      case 'deleteVersion':
        return this.service.deleteVersion(imageArn, action.version);
      case 'deleteImage':
        return this.service.deleteImage(imageArn);
      case 'untag':
        return this.service.untag(imageArn, action.keys);
      case 'terminate':
        for (const microvmId of action.microvmIds) {
          await this.service.terminateMicrovm(microvmId);
        }
    }
  }

  /** The service says only after a delete that MicroVMs pin the image, and listing them is not worth a call in every tick. */
  private async clearMicrovms(request: Request, seen: Observation): Promise<Outcome> {
    const decision = this.decide(request, { ...seen, liveMicrovms: await this.service.listLiveMicrovms(request.imageArn) });
    await this.act(request.imageArn, decision.action);
    return decision.outcome;
  }

  /** A fault that is nobody's verdict yet: the next tick may do better, and the last one says what it was. */
  private afterSurprise(request: Request, error: unknown): Outcome {
    const message = error instanceof Error ? error.message : String(error);
    this.log(request, { error: message, stack: error instanceof Error ? error.stack : undefined });
    return this.clock() - request.acceptedAt < request.timeAllowed
      ? { type: 'wait', why: message }
      : { type: 'fail', failure: { type: 'other', what: `image '${request.imageName}' could not be handled: ${message}`, hint: 'deploy again' } };
  }

  private async describe(request: Request, failure: Failure): Promise<string> {
    const secrets = secretsOf(request);
    if (failure.type !== 'build' || request.kind !== 'ensure') {
      return failure.type === 'build' ? '' : describeFailure(failure.what, failure.hint, secrets);
    }
    const { version } = failure;
    const { logging, hooks, codeArtifactUri, buildRoleArn } = request.desired;
    const evidence = await this.evidence(request, version, failure.builds);
    const builds = evidence.map((build) => ({ ...build, stage: build.sizes === undefined ? 'unknown' as const : stageReached(build.sizes) }));
    this.measure(request, version, evidence, { succeeded: false });
    await this.announce(request, () => [buildFailed(request, version, buildReasons({ builds, secrets }))]);
    return describeBuildFailure({
      imageName: request.imageName,
      version: version.version,
      builds,
      artifactUri: codeArtifactUri,
      buildRoleArn,
      logGroup: logging.disabled ? undefined : logging.logGroup,
      logLines: logging.logGroup === undefined || logging.disabled
        ? []
        : await this.optional(request, undefined, async () => this.service.tailLog(logging.logGroup!, version.version, version.createdAt)),
      secrets,
      hookPort: hooks?.port,
      isCreate: request.isCreate,
    });
  }

  /** The builds of a version, with what each of them made as far as that can be read. */
  private async evidence(request: Request, { version }: VersionView, known: BuildView[] = []): Promise<BuildEvidence[]> {
    const { imageArn } = request;
    const builds = known.length > 0 ? known : await this.optional(request, [], async () => this.service.listBuilds(imageArn, version));
    return Promise.all(builds.map(async (build) => ({
      ...build,
      sizes: await this.optional(request, undefined, async () => this.service.getSnapshotSizes(imageArn, version, build.buildId)),
    })));
  }

  /** What the service knows at the end of a build, and nobody counts. */
  private async circumstances(request: EnsureRequest, { config }: VersionView): Promise<Pick<BuildReport, 'versionsInUse' | 'baseImageAge'>> {
    const inUse = await this.optional(request, undefined, async () => this.service.listVersionsInUse(request.imageArn));
    const bases = await this.optional(request, [], async () => this.service.listBaseVersions(config.baseImageArn));
    return { versionsInUse: inUse?.length, baseImageAge: baseImageAge(config.baseImageVersion, bases, this.clock()) };
  }

  private measure(
    request: Request, { createdAt, updatedAt }: VersionView, builds: BuildEvidence[],
    rest: Pick<BuildReport, 'succeeded' | 'versionsInUse' | 'baseImageAge'>,
  ) {
    this.log(request, buildMetrics({
      ...rest,
      imageName: request.imageName,
      durationMs: updatedAt === undefined ? undefined : updatedAt - createdAt,
      snapshots: builds.flatMap(({ sizes }) => sizes ?? []),
      versions: this.versionsSeen,
    }, this.clock()));
  }

  private async announce(request: Request, events: (request: EnsureRequest) => ImageEvent[]): Promise<void> {
    if (request.kind === 'ensure' && request.desired.eventBusArn !== undefined) {
      await announce(this.service, request.desired.eventBusArn, events(request), (entry) => this.log(request, entry));
    }
  }

  /** Evidence decorates an error or a metric; without it the answer must still get out. */
  private async optional<T, U>(request: Request, otherwise: U, look: () => Promise<T>): Promise<T | U> {
    try {
      return await look();
    } catch (error) {
      this.log(request, { warning: 'evidence not read', error: error instanceof Error ? error.message : String(error) });
      return otherwise;
    }
  }

  /** Texts of the service may repeat what they were sent. */
  private log(request: Request, entry: Record<string, unknown>): void {
    const secrets = secretsOf(request);
    const clean = (value: unknown) => (typeof value === 'string' ? value.split('\n').map((line) => redact(line, secrets)).join('\n') : value);
    const entries = Object.entries(entry).map(([key, value]) => [key, clean(value)]);
    this.write({ requestId: request.requestId, image: request.imageName, ...Object.fromEntries(entries) });
  }
}

/** Old versions that stay cost something; a deployment that fails because of them costs more. */
function tolerated(request: Request, outcome: Outcome): Outcome {
  return request.kind === 'prune' && outcome.type === 'fail'
    ? { type: 'done', why: `old versions remain: ${outcome.failure.type === 'build' ? '' : outcome.failure.what}` }
    : outcome;
}

/** Values of environment variables are the user's business. */
function secretsOf(request: Request): string[] {
  return request.kind === 'ensure' ? Object.values(request.desired.environmentVariables) : [];
}

