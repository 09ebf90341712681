import { CfnElement, NestedStack, Reference, Stack, Stage, Token, Tokenization } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';
import { asText } from './intrinsic-functions';
import { SynthesizedApp } from './synthesized-app';
import { StackSource, SynthesizedResource, SynthesizedTemplate } from './synthesized-template';

/** Where the templates come from, and what is known of the constructs behind them. */
export interface AppSource {
  readonly stacks: StackSource[];
  /** Names of the templates that questions are about. Left out: all. */
  readonly scope?: string;
  /** The path of a resource's construct, if it is known. */
  pathOf(resource: SynthesizedResource): string | undefined;
  /** A text with its tokens resolved. */
  valueOf(text: string, app: SynthesizedApp): string;
}

/** One template, without constructs. */
export function sourceOfTemplate(stack: StackSource): AppSource {
  return { stacks: [stack], pathOf: () => undefined, valueOf: (text) => text };
}

/** The stacks of a stage, and of the stages in it. Synthesizes them. */
export function sourceOfStage(stage: Stage, only?: Stack): AppSource {
  const stacks = stage.node.findAll().filter(Stack.isStack);
  const names = new Map(stacks.map((stack) => [stack, templateName(stack)]));
  const byName = new Map([...names].map(([stack, name]) => [name, stack]));
  const paths = new Map<string, string>();
  for (const element of stage.node.findAll().filter(CfnElement.isCfnElement)) {
    const stack = Stack.of(element);
    paths.set(`${names.get(stack)}|${stack.resolve(element.logicalId)}`, element.node.path);
  }
  const home = only ?? stacks[0];
  return {
    stacks: stacks.filter((stack) => !stack.nestedStackParent).map(sourceOfStack),
    scope: only && templateName(only),
    pathOf: ({ template, logicalId }) => paths.get(`${template.name}|${logicalId}`),
    valueOf: (text, app) => resolveTokens(text, (scope) => {
      const stack = scope ? Stack.of(scope) : home;
      const template = app.templates.find(({ name }) => byName.get(name) === stack);
      return template && { stack, template };
    }),
  };
}

function sourceOfStack(stack: Stack): StackSource {
  const artifact = Stage.of(stack)!.synth().getStackArtifact(stack.artifactId);
  return {
    name: stack.node.path,
    stackName: stack.stackName,
    template: artifact.template,
    templatePath: artifact.templateFullPath,
    account: concrete(stack.account),
    region: concrete(stack.region),
  };
}

/** As the reader of templates names them: a nested one after the resource in the template of its parent. */
function templateName(stack: Stack): string {
  const resource = NestedStack.isNestedStack(stack) ? stack.nestedStackResource : undefined;
  return resource && stack.nestedStackParent
    ? `${templateName(stack.nestedStackParent)}/${stack.nestedStackParent.resolve(resource.logicalId)}`
    : stack.node.path;
}

function concrete(value: string): string | undefined {
  return Token.isUnresolved(value) ? undefined : value;
}

/** What refers to a resource is resolved in the stack of that resource. */
function resolveTokens(text: string, find: (scope?: IConstruct) => { stack: Stack; template: SynthesizedTemplate } | undefined): string {
  if (!Token.isUnresolved(text)) {
    return text;
  }
  return Tokenization.reverseString(text).mapTokens({
    mapToken: (token) => {
      const found = find(Reference.isReference(token) ? token.target : undefined);
      return found ? asText(found.template.resolve(found.stack.resolve(token))) : String(token);
    },
  }).join({ join: (left, right) => `${left ?? ''}${right ?? ''}` });
}
