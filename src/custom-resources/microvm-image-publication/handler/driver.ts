import { decideClose, decidePromote } from './decide-channel';
import { decidePublish, decideWithdraw } from './decide-publication';
import { Decision, Observation, Step } from './decision';
import { Move, moves, promoted, published } from './publication-events';
import { afterRefusal } from './refusal';
import { claimOf, PublishRequest, Request, WithdrawRequest } from './request';
import { ParameterView, ServicePort } from './service-port';
import { announce } from '../../common/handler/announce';
import { describeFailure } from '../../common/handler/failure-text';
import { ServiceRefusal } from '../../common/handler/service-refusal';
import { Log, Superseded, Verdict } from '../../common/handler/verdict';
import {
  channelName, encodePointer, encodeRecord, ownerName, PUBLISHED_AS_TAG, PUBLISHED_TAG, recordName, versionOfPointer,
} from '../contract';

/** One tick: observe, decide, act. Everything it learns comes from the services, so a tick can be repeated or lost. */
export class Driver {
  constructor(private readonly service: ServicePort, private readonly clock: () => number, private readonly write: Log) {}

  /**
   * Whether the request is done. It is when nothing is left to do, seen anew after the last thing was done.
   *
   * @throws Verdict when it has failed for good.
   */
  public async tick(request: Request): Promise<boolean> {
    const decision = await this.step(request);
    this.log(request, { outcome: decision.type, why: 'why' in decision ? decision.why : undefined });
    if (decision.type === 'fail' || decision.type === 'superseded') {
      const Failed = decision.type === 'superseded' ? Superseded : Verdict;
      throw new Failed(describeFailure(decision.what, decision.hint));
    }
    return decision.type === 'done';
  }

  private async step(request: Request): Promise<Decision> {
    try {
      let seen = await this.observe(request);
      let decision = this.decide(request, seen);
      if (decision.type === 'need') {
        const { imageArn, imageVersion } = (request as PublishRequest).publication;
        seen = { ...seen, snapshots: await this.service.listSnapshots(imageArn, imageVersion) };
        decision = this.decide(request, seen);
      }
      if (decision.type === 'act') {
        this.log(request, { steps: decision.steps.map((step) => step.type) });
        for (const step of decision.steps) {
          await this.act(request, step);
        }
      }
      if (decision.type === 'done') {
        await this.tell(request, seen);
      }
      return decision;
    } catch (error) {
      return this.afterError(request, error);
    }
  }

  private decide(request: Request, seen: Observation): Decision {
    switch (request.kind) {
      case 'publish':
        return decidePublish(request, seen, this.clock());
      case 'withdraw':
        return decideWithdraw(request, seen);
      case 'promote':
        return decidePromote(request, seen, this.clock());
      case 'close':
        return decideClose(request, seen);
    }
  }

  private async observe(request: Request): Promise<Observation> {
    const { root } = request;
    switch (request.kind) {
      case 'publish': {
        const { imageArn, imageVersion } = request.publication;
        return {
          parameters: await this.service.listParameters(root),
          version: await this.service.getVersion(imageArn, imageVersion),
          tags: await this.service.getTags(imageArn),
        };
      }
      case 'withdraw':
        return { parameters: await this.service.listParameters(root), tags: await this.tagsToRemove(request) };
      case 'promote': {
        const { imageArn, imageVersion, channel } = request.channel;
        return {
          parameters: await this.service.getParameters([recordName(root, imageVersion), channelName(root, channel)]),
          version: await this.service.getVersion(imageArn, imageVersion),
        };
      }
      case 'close':
        return { parameters: await this.service.getParameters([channelName(root, request.channel.channel)]) };
    }
  }

  private async act(request: Request, step: Step): Promise<void> {
    const { root } = request;
    switch (step.type) {
      case 'claim':
        return this.service.createParameter(ownerName(root), claimOf(request as PublishRequest), 'Which stack publishes under this name');
      case 'protect':
        return this.service.tag((request as PublishRequest).publication.imageArn, {
          [PUBLISHED_TAG]: step.versions.join(' '), [PUBLISHED_AS_TAG]: root,
        });
      case 'unprotect':
        return this.unprotect(request as WithdrawRequest);
      case 'record':
        return this.service.createParameter(recordName(root, step.record.version), encodeRecord(step.record), 'A published version of a Lambda MicroVM image');
      case 'point':
        return this.service.putList(channelName(root, step.channel), encodePointer(step.record), 'The version of a Lambda MicroVM image to launch');
      case 'remove':
        return this.service.deleteParameters(step.names);
    }
  }

  /** Once all is done and was seen to be. What is published is, whether or not somebody hears of it. */
  private async tell(request: Request, seen: Observation): Promise<void> {
    if (request.kind !== 'publish' && request.kind !== 'promote') {
      return;
    }
    const { eventBusArn } = request.kind === 'publish' ? request.publication : request.channel;
    if (eventBusArn === undefined) {
      return;
    }
    const moved = moves(request, seen);
    const before = await this.valuesBefore(request, moved);
    const events = [
      ...(request.kind === 'publish' ? published(request, seen) : []),
      ...moved.map((move) => promoted(request, move, versionOfPointer(before[move.parameterName]?.value))),
    ];
    await announce(this.service, eventBusArn, events, (entry) => this.log(request, entry));
  }

  /** Decoration: without it, an event tells where a channel is and not where it was. */
  private async valuesBefore(request: Request, moved: Move[]): Promise<Record<string, ParameterView>> {
    const names = moved.flatMap(({ before }) => before ?? []);
    try {
      return names.length > 0 ? await this.service.getParameters(names) : {};
    } catch (error) {
      this.log(request, { warning: 'previous versions not read', error: error instanceof Error ? error.message : String(error) });
      return {};
    }
  }

  /** The image may be gone, or out of reach: then there is nothing to protect. */
  private async tagsToRemove({ imageArn }: WithdrawRequest): Promise<Record<string, string> | undefined> {
    return tolerating(async () => this.service.getTags(imageArn));
  }

  private async unprotect({ imageArn }: WithdrawRequest): Promise<void> {
    await tolerating(async () => this.service.untag(imageArn, [PUBLISHED_TAG, PUBLISHED_AS_TAG]));
  }

  private afterError(request: Request, error: unknown): Decision {
    if (error instanceof ServiceRefusal) {
      return afterRefusal(request, error, this.clock());
    }
    const message = error instanceof Error ? error.message : String(error);
    this.log(request, { error: message, stack: error instanceof Error ? error.stack : undefined });
    return afterRefusal(request, new ServiceRefusal('transient', 'The handler', message), this.clock());
  }

  private log(request: Request, entry: Record<string, unknown>): void {
    this.write({ requestId: request.requestId, publication: request.root, request: request.kind, ...entry });
  }
}

async function tolerating<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ServiceRefusal && ['busy', 'denied', 'notFound', 'invalid'].includes(error.refusal)) {
      return undefined;
    }
    throw error;
  }
}
