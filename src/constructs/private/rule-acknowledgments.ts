import { Stack, Validations } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';

/**
 * Acknowledges cdk-nag's wildcard finding for exactly these resources of the policies under `scope`.
 *
 * cdk-nag reports each wildcard on its own, and so they are acknowledged: one that is added later is reported.
 */
export function acknowledgeWildcards(scope: IConstruct, reason: string, resources: string[]) {
  const stack = Stack.of(scope);
  Validations.of(scope).acknowledge(...resources.map((resource) => ({
    id: `AwsSolutions-IAM5[Resource::${flatten(stack.resolve(resource))}]`,
    reason,
  })));
}

/** Writes an intrinsic function the way cdk-nag does in its finding ids. */
function flatten(value: any): string {
  if (typeof value === 'string') {
    return value;
  }
  if (value['Fn::Join']) {
    const [delimiter, parts] = value['Fn::Join'];
    return parts.map(flatten).join(delimiter);
  }
  if (value['Fn::Sub']) {
    return value['Fn::Sub'].replace(/\$\{([^}]+)\}/g, '<$1>');
  }
  if (value['Fn::GetAtt']) {
    return `<${value['Fn::GetAtt'].join('.')}>`;
  }
  return value.Ref ? `<${value.Ref}>` : JSON.stringify(value);
}
