import { applies, Request, Statement, statementsOf } from './iam-statement';
import { any, Truth, unknown } from './iam-truth';

/** A policy of a principal. */
export interface Policy {
  readonly name: string;
  /** Left out for a policy that is elsewhere: it could say anything. */
  readonly document?: unknown;
}

/** What decides over a principal. */
export interface PrincipalPolicies {
  /** Inline and managed. */
  readonly identity: Policy[];
  /** The permission boundary. */
  readonly boundary?: Policy;
}

export type Outcome = 'allowed' | 'denied' | 'conditional';

/** What IAM would answer, and why. */
export interface Decision {
  /** `conditional` when it depends on what is known only later. */
  readonly outcome: Outcome;
  /** The statements that decided. None: nothing allows it. */
  readonly statements: Statement[];
  /** What would have to be known. */
  readonly unknowns: string[];
  /** The layer that allows nothing, when no statement denies. */
  readonly missing?: 'identity' | 'boundary';
}

interface Layer {
  readonly name: 'identity' | 'boundary';
  readonly allows: Judged[];
  readonly denies: Judged[];
}

interface Judged {
  readonly statement?: Statement;
  readonly truth: Truth;
}

/**
 * Evaluates policies as IAM does for a call within one account: an explicit denial wins, then an identity policy must allow,
 * and so must the permission boundary if there is one.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
export function evaluate({ identity, boundary }: PrincipalPolicies, request: Request): Decision {
  const layers = [layer('identity', identity, request), ...(boundary ? [layer('boundary', [boundary], request)] : [])];
  const denied = layers.flatMap(({ denies }) => denies).filter(({ truth }) => truth.holds === 'yes');
  if (denied.length > 0) {
    return decision('denied', denied);
  }
  const silent = layers.find(({ allows }) => allows.every(({ truth }) => truth.holds === 'no'));
  if (silent) {
    return { ...decision('denied', []), missing: silent.name };
  }
  const perhapsDenied = layers.flatMap(({ denies }) => denies).filter(({ truth }) => truth.holds === 'unknown');
  const uncertain = layers.filter(({ allows }) => any(allows.map(({ truth }) => truth)).holds === 'unknown').flatMap(({ allows }) => allows);
  if (perhapsDenied.length + uncertain.length > 0) {
    return decision('conditional', [...perhapsDenied, ...uncertain.filter(({ truth }) => truth.holds === 'unknown')]);
  }
  return decision('allowed', layers.flatMap(({ allows }) => allows).filter(({ truth }) => truth.holds === 'yes'));
}

function layer(name: Layer['name'], policies: Policy[], request: Request): Layer {
  const judged = policies.flatMap((policy): Array<Judged & { effect: 'Allow' | 'Deny' }> => {
    if (policy.document === undefined) {
      const truth = unknown(`what the policy ${policy.name} says, which is not in the template`);
      return [{ effect: 'Allow', truth }, { effect: 'Deny', truth }];
    }
    return statementsOf(policy.name, policy.document)
      .map((statement) => ({ effect: statement.effect, statement, truth: applies(statement, request) }));
  });
  return { name, allows: judged.filter(({ effect }) => effect === 'Allow'), denies: judged.filter(({ effect }) => effect === 'Deny') };
}

function decision(outcome: Outcome, judged: Judged[]): Decision {
  return {
    outcome,
    statements: judged.flatMap(({ statement }) => statement ?? []),
    unknowns: [...new Set(judged.flatMap(({ truth }) => truth.because))],
  };
}
