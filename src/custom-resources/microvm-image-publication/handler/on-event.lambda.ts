import { acceptRequest } from './request';
import { Acceptance, CloudFormationEvent } from '../../common/handler/cloudformation-event';

/** All the work is done by `isComplete`. */
export async function handler(event: CloudFormationEvent): Promise<Acceptance> {
  return acceptRequest(event, Date.now());
}
