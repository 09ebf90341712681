import { Answer, CheckResult, MicrovmView } from './service-port';
import { IAM_GRACE, MINUTE, SECOND } from '../../common/handler/limits';

/** Time limits, in milliseconds. */
export const Limit = {
  /** What may pass before the MicroVM runs: a full quota of memory is waited for, and leftovers of a killed run are. */
  BEFORE_LAUNCH: 5 * MINUTE,
  IAM_GRACE,
  /** How long a version that was built a moment ago may not be found. */
  READ_LAG: 30 * SECOND,
  /** How long the service may take to end MicroVMs. It ends them by itself later. */
  SWEEP: 3 * MINUTE,
  /** The clocks of the service and of the handler may differ by so much. */
  SKEW: 5 * SECOND,
} as const;

/** How long a MicroVM of a test lives at most, whatever becomes of the handler. */
export function maximumDurationSeconds(timeoutSeconds: number): number {
  return timeoutSeconds + Limit.BEFORE_LAUNCH / SECOND;
}

/** The world as one tick sees it. */
export interface Observation {
  /** What the tag of the test says: the versions that passed it. */
  readonly passed: string[];
  /** MicroVMs of this test that are not terminated, of this request or one before. */
  readonly microvms: MicrovmView[];
  /** The MicroVM of this request, once it was launched. */
  readonly launched?: MicrovmView;
  /** Once the app was called. */
  readonly answer?: Answer;
  /** Once the user's function was asked. */
  readonly check?: CheckResult;
}

/** What to do next. */
export type Step =
  | { readonly type: 'launch' }
  | { readonly type: 'call'; readonly microvm: MicrovmView }
  | { readonly type: 'check'; readonly microvm: MicrovmView }
  | { readonly type: 'terminate'; readonly microvmIds: string[]; readonly why: string }
  /** Note that the version passed, and end the MicroVM. */
  | { readonly type: 'pass'; readonly microvm: MicrovmView }
  /** End the MicroVM, and say why. */
  | { readonly type: 'fail'; readonly microvm?: MicrovmView; readonly what: string; readonly hint: string }
  | { readonly type: 'wait'; readonly why: string }
  | { readonly type: 'done'; readonly why: string };
