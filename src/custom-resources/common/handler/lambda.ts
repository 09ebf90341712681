/** What Lambda tells of an invocation. */
export interface Invocation {
  getRemainingTimeInMillis(): number;
}

/** A tick ends itself this long before Lambda would: a killed function is a failed deployment. */
const RESERVE_MS = 20_000;

/** Fires when the calls of a tick must end. */
export function endOfTick(invocation?: Invocation): AbortSignal {
  const remaining = invocation?.getRemainingTimeInMillis() ?? 60_000;
  return AbortSignal.timeout(Math.max(1_000, remaining - RESERVE_MS));
}

/** Not by `console.log`: Lambda puts a prefix before its lines, and a metric must be all of a line. */
export function log(entry: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(entry)}\n`);
}
