import { isComplete } from './is-complete';
import { SdkAdapter } from './sdk-adapter';
import { Answer, CloudFormationEvent } from '../../common/handler/cloudformation-event';
import { endOfTick, Invocation, log } from '../../common/handler/lambda';
import { PublicationAttributes } from '../contract';

export async function handler(event: CloudFormationEvent, invocation?: Invocation): Promise<Answer<PublicationAttributes>> {
  return isComplete(event, new SdkAdapter(endOfTick(invocation)), () => Date.now(), log);
}
