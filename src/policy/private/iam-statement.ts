import { Condition, meets } from './iam-condition';
import { RequestContext } from './iam-context';
import { coversAction, coversResource } from './iam-pattern';
import { all, any, NO, not, Truth, YES } from './iam-truth';

/** What is asked of IAM. */
export interface Request {
  readonly action: string;
  readonly resource: string;
  readonly context: RequestContext;
}

/** A statement, and where it stands. */
export interface Statement {
  readonly policy: string;
  /** Its `Sid`, or its place in the policy, from 1. */
  readonly name: string;
  readonly effect: 'Allow' | 'Deny';
  readonly actions?: string[];
  readonly notActions?: string[];
  readonly resources?: string[];
  readonly notResources?: string[];
  readonly principal?: unknown;
  readonly notPrincipal?: unknown;
  readonly condition: Condition;
  /** Policies older than version 2012-10-17 know no policy variables. */
  readonly knowsVariables: boolean;
}

/** Reads the statements of a policy document, which must have no intrinsic function of CloudFormation left. */
export function statementsOf(policy: string, document: unknown): Statement[] {
  const { Version: version, Statement: statements } = document as { Version?: unknown; Statement?: unknown };
  return list(statements).map((statement: any, index) => ({
    policy,
    name: statement.Sid ? String(statement.Sid) : `statement ${index + 1}`,
    effect: statement.Effect === 'Deny' ? 'Deny' : 'Allow',
    actions: texts(statement.Action),
    notActions: texts(statement.NotAction),
    resources: texts(statement.Resource),
    notResources: texts(statement.NotResource),
    principal: statement.Principal,
    notPrincipal: statement.NotPrincipal,
    condition: statement.Condition ?? {},
    knowsVariables: version === '2012-10-17',
  }));
}

/** Whether a statement of an identity policy applies to a request. */
export function applies(statement: Statement, request: Request): Truth {
  return all([
    appliesToAction(statement, request.action),
    appliesToResource(statement, request),
    meetsCondition(statement, request.context),
  ]);
}

export function appliesToAction({ actions, notActions }: Statement, action: string): Truth {
  const covered = (patterns: string[]) => any(patterns.map((pattern) => coversAction(pattern, action)));
  return notActions ? not(covered(notActions)) : covered(actions ?? []);
}

export function meetsCondition(statement: Statement, context: RequestContext): Truth {
  return meets(statement.condition, context, statement.knowsVariables ? context : undefined);
}

function appliesToResource(statement: Statement, { resource, context }: Request): Truth {
  const covered = (patterns: string[]) => patterns.map((pattern) =>
    coversResource(pattern, resource, statement.knowsVariables ? context : undefined));
  // A policy variable without a value makes a pattern fit nothing, and a NotResource apply to nothing.
  return statement.notResources
    ? all(covered(statement.notResources).map((truth) => (truth ? not(truth) : NO)))
    : statement.resources ? any(covered(statement.resources).map((truth) => truth ?? NO)) : YES;
}

function texts(value: unknown): string[] | undefined {
  return value === undefined ? undefined : list(value).map(String);
}

function list(value: unknown): unknown[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}
