import { checkBase, CheckInput, CheckResult } from './check-base';
import { SdkAdapter } from './sdk-adapter';
import { log } from '../../common/handler/lambda';

/** The state machine asks again when it gets no answer. */
const TIME_LIMIT_MS = 50_000;

export async function handler(input: CheckInput): Promise<CheckResult> {
  return checkBase(input, new SdkAdapter(AbortSignal.timeout(TIME_LIMIT_MS)), () => Date.now(), log);
}
