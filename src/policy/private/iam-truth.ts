/**
 * Whether something holds, as far as it can be known before deployment: three-valued logic after Kleene.
 *
 * What is unknown says why: a condition key nobody gave, or a value that only the deployment has.
 */
export interface Truth {
  readonly holds: 'yes' | 'no' | 'unknown';
  readonly because: string[];
}

export const YES: Truth = { holds: 'yes', because: [] };
export const NO: Truth = { holds: 'no', because: [] };

export function unknown(...because: string[]): Truth {
  return { holds: 'unknown', because };
}

export function known(holds: boolean): Truth {
  return holds ? YES : NO;
}

export function not(truth: Truth): Truth {
  return truth.holds === 'unknown' ? truth : known(truth.holds === 'no');
}

/** Whether all hold. Of nothing: yes. */
export function all(truths: Truth[]): Truth {
  return truths.some(({ holds }) => holds === 'no') ? NO : merged(truths, YES);
}

/** Whether one holds. Of nothing: no. */
export function any(truths: Truth[]): Truth {
  return truths.some(({ holds }) => holds === 'yes') ? YES : merged(truths, NO);
}

function merged(truths: Truth[], otherwise: Truth): Truth {
  const open = truths.filter(({ holds }) => holds === 'unknown');
  return open.length > 0 ? unknown(...new Set(open.flatMap(({ because }) => because))) : otherwise;
}
