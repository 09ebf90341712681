import { Driver } from './driver';
import { decodeRequest } from './request';
import { ServicePort } from './service-port';
import { Answer, CloudFormationEvent } from '../../common/handler/cloudformation-event';
import { Log } from '../../common/handler/verdict';
import { PublicationAttributes } from '../contract';

/** Takes one step of a request, and tells the framework whether it was the last. */
export async function isComplete(
  event: CloudFormationEvent, service: ServicePort, clock: () => number, log: Log,
): Promise<Answer<PublicationAttributes>> {
  const request = decodeRequest(event, clock());
  if (request === undefined) {
    return { IsComplete: true };
  }
  if (!await new Driver(service, clock, log).tick(request)) {
    return { IsComplete: false };
  }
  const named = request.kind === 'publish' ? request.publication : request.kind === 'promote' ? request.channel : undefined;
  return { IsComplete: true, Data: named && { ImageArn: named.imageArn, ImageVersion: named.imageVersion } };
}
