import { Unavailable, Verdict } from '../../common/handler/verdict';
import { compareVersions } from '../../common/handler/versions';
import { Metric } from '../contract';
import { baseImageAge, daysLeft } from './base-images';
import { decideRefresh, Outlook, servedBase } from './decide-refresh';
import { Log } from './driver';
import { describeFailure } from './failure';
import { metricEntry } from './metric-entry';
import { CloudFormationEvent, decodeRequest, EnsureRequest, RefreshPhase, requestIdOf } from './request';
import { ServicePort, ServiceRefusal } from './service-port';

/** What the state machine of a refresh asks first. */
export interface CheckInput {
  readonly StackId: string;
  readonly LogicalResourceId: string;
  /** The properties of the image in the deployed template, as JSON: no text of the user's is ever taken for an expression. */
  readonly ImageProperties: string;
  /** Of this execution. */
  readonly ExecutionId: string;
  /** Refresh whether the base image moved or not. */
  readonly Force: boolean;
}

export interface CheckResult {
  readonly Due: boolean;
  readonly Why: string;
  /** What the image's handlers are asked to do. Null: nothing. */
  readonly Event: CloudFormationEvent | null;
}

/**
 * Looks whether the base image moved. Changes nothing.
 *
 * @throws Verdict when the service does not let it look, and Unavailable when it may do so in a moment.
 */
export async function checkBase(input: CheckInput, service: ServicePort, clock: () => number, log: Log): Promise<CheckResult> {
  const event: CloudFormationEvent = {
    RequestType: 'Update',
    RequestId: requestIdOf(input.ExecutionId),
    StackId: input.StackId,
    LogicalResourceId: input.LogicalResourceId,
    ResourceProperties: JSON.parse(input.ImageProperties),
    Refresh: { phase: RefreshPhase.BUILD, token: '', requestSeen: '', refreshSeen: '' },
  };
  const request = decodeRequest(event, clock()) as EnsureRequest;
  const { desired } = request;
  const outlook = await look(request, service);
  const { image, versions, bases } = outlook;
  const decision = decideRefresh(request, outlook, clock(), input.Force ? event.RequestId : undefined);
  const base = image && servedBase(request, image, versions);
  if (base !== undefined) {
    log(metricEntry(desired.imageName, [
      [Metric.BASE_IMAGE_DAYS_LEFT, 'Count', daysLeft(base, bases, clock())],
      [Metric.BASE_IMAGE_AGE, 'None', baseImageAge(base, bases, clock())],
    ], clock()));
  }
  log({ requestId: event.RequestId, image: desired.imageName, due: decision.due, why: decision.why });
  return {
    Due: decision.due,
    Why: decision.why,
    Event: decision.due ? { ...event, Refresh: decision.order } : null,
  };
}

async function look({ imageArn, imageName, desired }: EnsureRequest, service: ServicePort): Promise<Outlook> {
  try {
    const [image, bases] = await Promise.all([service.getImage(imageArn), service.listBaseVersions(desired.baseImageArn)]);
    const versions = image === undefined ? [] : await service.listVersions(imageArn);
    return { image, versions: versions.sort((a, b) => compareVersions(b.version, a.version)), bases };
  } catch (error) {
    if (!(error instanceof ServiceRefusal)) {
      throw error;
    }
    const Failed = error.refusal === 'transient' || error.refusal === 'busy' ? Unavailable : Verdict;
    throw new Failed(describeFailure(
      `whether image '${imageName}' needs a refresh is not known: ${error.operation} ${error.reason}`,
      error.refusal === 'denied' ? 'look for a permissions boundary, an SCP or a policy of the organisation that denies it' : 'the next refresh looks again',
    ));
  }
}
