import { ImageAttributes } from '../contract';
import { Driver, Log } from './driver';
import { CloudFormationEvent, decodeRequest } from './request';
import { ServicePort } from './service-port';
import { Answer } from '../../common/handler/cloudformation-event';

/** Takes one step of a request, and tells the framework whether it was the last. */
export async function isComplete(event: CloudFormationEvent, service: ServicePort, clock: () => number, log: Log): Promise<Answer<ImageAttributes>> {
  const request = decodeRequest(event, clock());
  if (request === undefined) {
    return { IsComplete: true };
  }
  const outcome = await new Driver(service, clock, log).tick(request);
  return outcome.type === 'done' ? { IsComplete: true, Data: outcome.attributes } : { IsComplete: false };
}
