import { Decision, Reason } from './iam-evaluation';

const ANSWERS = { allowed: 'is allowed', denied: 'is denied', conditional: 'may be allowed or denied' };
const MISSING = { identity: 'no statement of its policies allows it', boundary: 'its permission boundary does not allow it' };

/** Says who may do what to which, and the statements that decided. */
export function explainDecision(principal: string, action: string, resource: string, decision: Decision): string {
  const { outcome, reasons, unknowns, missing } = decision;
  return [
    `${principal} ${ANSWERS[outcome]} ${action} on ${resource}`,
    ...(missing ? [`  ${MISSING[missing]}`] : []),
    ...reasons.map((reason) => `  ${explainReason(reason)}`),
    ...unknowns.map((each) => `  not known here: ${each}`),
  ].join('\n');
}

function explainReason({ policy, position, statement }: Reason): string {
  const { sid, effect, actions, notActions, resources, notResources, conditions } = statement;
  const parts = Object.entries({ Action: actions, NotAction: notActions, Resource: resources, NotResource: notResources })
    .flatMap(([name, values]) => (values ? [`${name} ${values.join(', ')}`] : []));
  const when = conditions.map(({ operator, key, values }) => `${operator} ${key} ${values.join(', ')}`);
  return `${effect}, statement ${position}${sid ? ` (${sid})` : ''} of ${policy}: ${[...parts, ...when.map((each) => `if ${each}`)].join('; ')}`;
}
