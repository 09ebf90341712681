import { applies, Request } from './iam-statement';
import { any, Truth, unknown } from './iam-truth';
import { PolicyStatement } from './policy-documents';

/** A policy of a principal. */
export interface Policy {
  readonly name: string;
  /** Left out for a policy that is elsewhere: it could say anything. */
  readonly statements?: PolicyStatement[];
}

/** What decides over a principal. */
export interface PrincipalPolicies {
  /** Inline and managed. */
  readonly identity: Policy[];
  /** The permission boundary. */
  readonly boundary?: Policy;
}

export type Outcome = 'allowed' | 'denied' | 'conditional';

/** A statement that decided, and where it stands. */
export interface Reason {
  readonly policy: string;
  /** Its place in the policy, from 1. */
  readonly position: number;
  readonly statement: PolicyStatement;
}

/** What IAM would answer, and why. */
export interface Decision {
  /** `conditional` when it depends on what is known only later. */
  readonly outcome: Outcome;
  readonly reasons: Reason[];
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
  /** None of a policy that is elsewhere. */
  readonly reason?: Reason;
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
  const denies = layers.flatMap((each) => each.denies);
  if (denies.some(isCertain)) {
    return decision('denied', denies.filter(isCertain));
  }
  const silent = layers.find(({ allows }) => allows.every(({ truth }) => truth.holds === 'no'));
  if (silent) {
    return { ...decision('denied', []), missing: silent.name };
  }
  const open = [
    ...denies,
    ...layers.filter(({ allows }) => any(allows.map(({ truth }) => truth)).holds === 'unknown').flatMap(({ allows }) => allows),
  ].filter(({ truth }) => truth.holds === 'unknown');
  return open.length > 0 ? decision('conditional', open) : decision('allowed', layers.flatMap(({ allows }) => allows).filter(isCertain));
}

function layer(name: Layer['name'], policies: Policy[], request: Request): Layer {
  const allows: Judged[] = [];
  const denies: Judged[] = [];
  for (const { name: policy, statements } of policies) {
    if (!statements) {
      const truth = unknown(`what the policy ${policy} says, which is not in the template`);
      allows.push({ truth });
      denies.push({ truth });
    }
    for (const [index, statement] of (statements ?? []).entries()) {
      const judged = { reason: { policy, position: index + 1, statement }, truth: applies(statement, request) };
      (statement.effect === 'Deny' ? denies : allows).push(judged);
    }
  }
  return { name, allows, denies };
}

function isCertain({ truth }: Judged): boolean {
  return truth.holds === 'yes';
}

function decision(outcome: Outcome, judged: Judged[]): Decision {
  return {
    outcome,
    reasons: judged.flatMap(({ reason }) => reason ?? []),
    unknowns: [...new Set(judged.flatMap(({ truth }) => truth.because))],
  };
}
