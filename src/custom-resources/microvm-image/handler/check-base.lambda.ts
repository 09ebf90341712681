import { checkBase, CheckInput, CheckResult } from './check-base';
import { SdkAdapter } from './sdk-adapter';

/** The state machine asks again when it gets no answer. */
const TIME_LIMIT_MS = 50_000;

export async function handler(input: CheckInput): Promise<CheckResult> {
  return checkBase(input, new SdkAdapter(AbortSignal.timeout(TIME_LIMIT_MS)), () => Date.now(), log);
}

/** Not by `console.log`: Lambda puts a prefix before its lines, and a metric must be all of a line. */
function log(entry: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(entry)}\n`);
}
