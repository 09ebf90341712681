export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;

/** The framework gives up at 57 min and CloudFormation at 60, without a reason; ours comes first. */
export const DEADLINE = 55 * MINUTE;

/** How long a denial may be a policy on its way through IAM. */
export const IAM_GRACE = 2 * MINUTE;

/** The service answers the last tick before the deadline too, so that the error can say what it kept answering. */
export const LAST_TICKS = 10 * SECOND;
