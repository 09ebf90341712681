import { Answer, isComplete } from './is-complete';
import { SdkAdapter } from './sdk-adapter';
import { CloudFormationEvent } from '../../common/handler/cloudformation-event';

/** A tick ends itself this long before Lambda would: a killed function is a failed deployment. */
const RESERVE_MS = 20_000;

export async function handler(event: CloudFormationEvent, context?: { getRemainingTimeInMillis(): number }): Promise<Answer> {
  const remaining = context?.getRemainingTimeInMillis() ?? 60_000;
  const service = new SdkAdapter(AbortSignal.timeout(Math.max(1_000, remaining - RESERVE_MS)));
  return isComplete(event, service, () => Date.now(), log);
}

function log(entry: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(entry)}\n`);
}
