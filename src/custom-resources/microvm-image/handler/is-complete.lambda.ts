import { isComplete } from './is-complete';
import { CloudFormationEvent } from './request';
import { SdkAdapter } from './sdk-adapter';
import { Answer } from '../../common/handler/cloudformation-event';
import { endOfTick, Invocation, log } from '../../common/handler/lambda';
import { ImageAttributes } from '../contract';

export async function handler(event: CloudFormationEvent, invocation?: Invocation): Promise<Answer<ImageAttributes>> {
  return isComplete(event, new SdkAdapter(endOfTick(invocation)), () => Date.now(), log);
}
