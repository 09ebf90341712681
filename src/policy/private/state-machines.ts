import { asText } from './intrinsic-functions';
import { SynthesizedResource } from './synthesized-template';

/** A task of a state machine that launches MicroVMs. */
export interface RunTask {
  readonly location: string;
  /** As Step Functions has it: names begin with a capital. */
  readonly input: Record<string, unknown>;
}

/** The tasks of a state machine that call `RunMicrovm`, also those inside of parallel branches and maps. */
export function runTasks({ properties }: SynthesizedResource): RunTask[] {
  const text = properties.DefinitionString;
  const location = text === undefined ? 'Properties.Definition' : 'Properties.DefinitionString';
  const definition = text === undefined ? properties.Definition : parse(substituted(asText(text), properties.DefinitionSubstitutions));
  return tasksIn(definition).map((input) => ({ location, input }));
}

function tasksIn(value: unknown): Array<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) {
    return [];
  }
  const state = value as Record<string, unknown>;
  const runs = /:aws-sdk:lambdamicrovms:runMicrovm(\.|$)/i.test(asText(state.Resource));
  const own = runs ? [(state.Parameters ?? state.Arguments ?? {}) as Record<string, unknown>] : [];
  return [...own, ...Object.values(state).flatMap(tasksIn)];
}

function substituted(text: string, substitutions: Record<string, unknown> = {}): string {
  return Object.entries(substitutions).reduce((result, [name, value]) => result.split(`\${${name}}`).join(asText(value)), text);
}

/** Undefined when it is not JSON: then CloudFormation refuses it too. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
