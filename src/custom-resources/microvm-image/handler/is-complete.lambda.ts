import { Answer, isComplete } from './is-complete';
import { CloudFormationEvent } from './request';
import { SdkAdapter } from './sdk-adapter';

/** A tick ends itself this long before Lambda would: a killed function is a failed deployment. */
const RESERVE_MS = 20_000;

export async function handler(event: CloudFormationEvent, context?: { getRemainingTimeInMillis(): number }): Promise<Answer> {
  const remaining = context?.getRemainingTimeInMillis() ?? 60_000;
  const service = new SdkAdapter(AbortSignal.timeout(Math.max(1_000, remaining - RESERVE_MS)));
  return isComplete(event, service, () => Date.now(), log);
}

/** Not by `console.log`: Lambda puts a prefix before its lines, and a metric must be all of a line. */
function log(entry: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(entry)}\n`);
}
