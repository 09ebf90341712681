import { meets } from './iam-condition';
import { RequestContext } from './iam-context';
import { coversAction, coversResource } from './iam-pattern';
import { all, any, NO, not, Truth, YES } from './iam-truth';
import { PolicyStatement } from './policy-documents';

/** What is asked of IAM. */
export interface Request {
  readonly action: string;
  readonly resource: string;
  readonly context: RequestContext;
}

/** Whether a statement of an identity policy applies to a request. */
export function applies(statement: PolicyStatement, request: Request): Truth {
  return all([
    appliesToAction(statement, request.action),
    appliesToResource(statement, request),
    meetsCondition(statement, request.context),
  ]);
}

export function appliesToAction({ actions, notActions }: PolicyStatement, action: string): Truth {
  const covered = (patterns: string[]) => any(patterns.map((pattern) => coversAction(pattern, action)));
  return notActions ? not(covered(notActions)) : covered(actions ?? []);
}

export function meetsCondition(statement: PolicyStatement, context: RequestContext): Truth {
  return meets(statement.conditions, context, variablesOf(statement, context));
}

function appliesToResource(statement: PolicyStatement, { resource, context }: Request): Truth {
  const covered = (patterns: string[]) => patterns.map((pattern) => coversResource(pattern, resource, variablesOf(statement, context)));
  // A policy variable without a value makes a pattern fit nothing, and a NotResource apply to nothing.
  return statement.notResources
    ? all(covered(statement.notResources).map((truth) => (truth ? not(truth) : NO)))
    : statement.resources ? any(covered(statement.resources).map((truth) => truth ?? NO)) : YES;
}

function variablesOf({ version }: PolicyStatement, context: RequestContext): RequestContext | undefined {
  return version === '2012-10-17' ? context : undefined;
}
