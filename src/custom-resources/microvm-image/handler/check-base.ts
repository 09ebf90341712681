import { Metric } from '../contract';
import { baseImageAge, daysLeft } from './base-images';
import { decideRefresh, servedBase } from './decide-refresh';
import { Log } from './driver';
import { compareVersions } from './ledger';
import { metricEntry } from './metric-entry';
import { CloudFormationEvent, decodeRequest, EnsureRequest, RefreshPhase, requestIdOf } from './request';
import { ServicePort } from './service-port';

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

/** Looks whether the base image moved. Changes nothing. */
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
  const { imageArn, desired } = request;
  const [image, bases] = await Promise.all([service.getImage(imageArn), service.listBaseVersions(desired.baseImageArn)]);
  const versions = (image === undefined ? [] : await service.listVersions(imageArn)).sort((a, b) => compareVersions(b.version, a.version));
  const decision = decideRefresh(request, { image, versions, bases }, clock(), input.Force ? event.RequestId : undefined);
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
