import { Driver } from './driver';
import { decodeRequest } from './request';
import { ServicePort } from './service-port';
import { Answer, CloudFormationEvent } from '../../common/handler/cloudformation-event';
import { Log } from '../../common/handler/verdict';
import { SmokeTestAttributes } from '../contract';

/** Takes one step of a request, and tells the framework whether it was the last. */
export async function isComplete(
  event: CloudFormationEvent, service: ServicePort, clock: () => number, log: Log,
): Promise<Answer<SmokeTestAttributes>> {
  const request = decodeRequest(event, clock());
  if (request === undefined) {
    return { IsComplete: true };
  }
  return await new Driver(service, clock, log).tick(request)
    ? { IsComplete: true, Data: { ImageVersion: request.test.imageVersion } }
    : { IsComplete: false };
}
