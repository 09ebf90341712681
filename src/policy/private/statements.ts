import { PolicyStatement } from './policy-documents';

/** Whether a statement allows an action on something. */
export function allows({ effect, actions, notActions }: PolicyStatement, action: string): boolean {
  return effect === 'Allow' && (actions
    ? actions.some((pattern) => covers(pattern, action, 'i'))
    : notActions !== undefined && !notActions.some((pattern) => covers(pattern, action, 'i')));
}

/** The patterns of resources a statement is about: everything, when it only says what it is not about. */
export function resourcePatterns({ resources, notResources }: PolicyStatement): string[] {
  return resources ?? (notResources ? ['*'] : []);
}

/**
 * Whether a pattern covers a resource that nobody has thought of: `microvm-image:*` does, `microvm-image:team-a-*` does not.
 *
 * @param unheardOf the last part of its ARN
 */
export function coversAnything(pattern: string, service: string, unheardOf: string): boolean {
  const fields = pattern.split(':');
  const field = (index: number, otherwise: string) => (fields[index] === undefined || /[*?]/.test(fields[index]) ? otherwise : fields[index]);
  return covers(pattern, ['arn', field(1, 'aws'), service, field(3, 'region'), field(4, 'account'), unheardOf].join(':'));
}

/** Whether a condition narrows a statement to resources with a certain tag. */
export function needsResourceTag({ conditions }: PolicyStatement): boolean {
  return conditions.some(({ operator, key, values }) => /^(ForAnyValue:)?String(Equals|Like)(IgnoreCase)?$/i.test(operator)
    && /^(aws|iam):ResourceTag\//i.test(key)
    && values.every((value) => !/^\**$/.test(value)));
}

/** IAM's wildcards: `*` any text, `?` any character. */
export function covers(pattern: string, value: string, flags = ''): boolean {
  if (pattern === '*') {
    return true;
  }
  const expression = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\*+/g, '.*').replace(/\?/g, '.');
  return new RegExp(`^${expression}$`, `s${flags}`).test(value);
}
