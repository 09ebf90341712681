import { createHash } from 'crypto';
import { Stack } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';

/** The service's limit on an image name. */
const MAX_IMAGE_NAME = 64;
const MAX_STACK_PART = 24;
const HASH = 8;

/**
 * What starts the name of everything the library names in a stack, and in no other stack of the account and region.
 *
 * Deployed images carry this name, and the handler's policy reaches images by it: it must never change for a given
 * stack.
 */
export function stackPrefix(scope: IConstruct): string {
  const stack = Stack.of(scope);
  const top = topLevelStack(stack);
  const nestedPath = stack.node.path.slice(top.node.path.length);
  const hash = shortHash(`${top.stackName}|${nestedPath}`);
  return `${plain(top.stackName).slice(0, MAX_STACK_PART)}-${hash}`;
}

/**
 * The name of the image `id` under `scope`, when the user gives none: at most 64 characters, the same in every
 * synthesis, and never derived from content, since an image of that name may still exist.
 */
export function generateImageName(scope: IConstruct, id: string): string {
  const prefix = stackPrefix(scope);
  const path = `${scope.node.path}/${id}`.slice(Stack.of(scope).node.path.length + 1);
  const room = MAX_IMAGE_NAME - prefix.length - HASH - 2;
  // The end of the path says more about the image than its beginning.
  const readable = plain(path).slice(-room).replace(/^-+/, '');
  return `${prefix}-${readable}-${shortHash(path)}`;
}

/**
 * The IAM path of the roles the library creates in this stack, so one pattern names them all. With the region, since
 * IAM is global and a stack of the same name may exist in another one.
 */
export function rolePath(scope: IConstruct): string {
  return `/cdk-lambda-microvms/${Stack.of(scope).region}/${stackPrefix(scope)}/`;
}

/** The log group the service itself would write to. */
export function defaultLogGroupName(imageName: string): string {
  return `/aws/lambda-microvms/${imageName}`;
}

function topLevelStack(stack: Stack): Stack {
  return stack.nestedStackParent ? topLevelStack(stack.nestedStackParent) : stack;
}

function plain(text: string): string {
  return text.replace(/[^a-zA-Z0-9_-]+/g, '-');
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, HASH);
}
