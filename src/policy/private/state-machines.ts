import { asText } from './intrinsic-functions';
import { parseJson } from './json-text';
import { SynthesizedResource } from './synthesized-template';

/** A task of a state machine that launches MicroVMs. */
export interface RunTask {
  readonly location: string;
  /** As Step Functions has it: names begin with a capital. Text is an expression. Undefined: all of what the state gets. */
  readonly input: unknown;
}

/** The tasks of a state machine that call `RunMicrovm`, also those inside of parallel branches and maps. */
export function runTasks({ properties }: SynthesizedResource): RunTask[] {
  const text = properties.DefinitionString;
  const location = text === undefined ? 'Properties.Definition' : 'Properties.DefinitionString';
  const definition = text === undefined ? JSON.stringify(properties.Definition ?? {}) : asText(text);
  return tasksIn(parseJson(substituted(definition, properties.DefinitionSubstitutions))).map((input) => ({ location, input }));
}

function tasksIn(value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null) {
    return [];
  }
  const state = value as Record<string, unknown>;
  const runs = /:aws-sdk:lambdamicrovms:runMicrovm(\.|$)/i.test(asText(state.Resource));
  const own = runs ? [state.Parameters ?? state.Arguments] : [];
  return [...own, ...Object.values(state).flatMap(tasksIn)];
}

function substituted(definition: string, substitutions: unknown): string {
  return Object.entries(substitutions ?? {}).reduce((result, [name, value]) => result.split(`\${${name}}`).join(asText(value)), definition);
}
