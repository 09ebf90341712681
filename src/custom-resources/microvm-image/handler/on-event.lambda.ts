import { acceptRequest, Acceptance, CloudFormationEvent } from './request';

/** All the work is done by `isComplete`. */
export async function handler(event: CloudFormationEvent): Promise<Acceptance> {
  return acceptRequest(event, Date.now());
}
