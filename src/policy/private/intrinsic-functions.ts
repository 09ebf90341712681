/** What the value of an intrinsic function depends on. */
export interface Surroundings {
  /** A parameter, pseudo parameter or resource. Undefined stands for `AWS::NoValue`. */
  ref(name: string): unknown;
  attribute(logicalId: string, attribute: string): unknown;
  /** Whether a condition holds. */
  condition(name: string): boolean;
  mapping(map: string, first: string, second: string): unknown;
  importedValue(name: string): unknown;
  outputOf(stackName: string, output: string): unknown;
}

type Arguments = unknown[];

/**
 * Replaces intrinsic functions by their values.
 *
 * What only a deployment can tell becomes a placeholder such as `${Queue.Arn}`: the same thing has the same placeholder
 * wherever it is used, however it is written, so that two values can be compared.
 */
export function resolve(value: unknown, surroundings: Surroundings): unknown {
  if (Array.isArray(value)) {
    return value.map((entry) => resolve(entry, surroundings)).filter((entry) => entry !== undefined);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  const entries = Object.entries(value);
  if (entries.length === 1 && isFunction(entries[0][0])) {
    return call(entries[0][0], entries[0][1], surroundings);
  }
  return Object.fromEntries(entries
    .map(([key, entry]) => [key, resolve(entry, surroundings)])
    .filter(([, entry]) => entry !== undefined));
}

/** All text that is written out in a value, not computed by a deployment: where a secret could be. */
export function literalText(value: unknown): string[] {
  if (typeof value === 'string') {
    return [value];
  }
  if (Array.isArray(value)) {
    return value.flatMap(literalText);
  }
  if (typeof value !== 'object' || value === null) {
    return value === undefined || value === null ? [] : [String(value)];
  }
  const [[name, argument] = ['', undefined], ...more] = Object.entries(value);
  if (more.length === 0) {
    switch (name) {
      case 'Ref': case 'Fn::GetAtt': case 'Fn::ImportValue': case 'Fn::FindInMap': case 'Fn::GetStackOutput': return [];
      case 'Fn::If': return literalText(asList(argument).slice(1));
      case 'Fn::Select': return literalText(asList(argument)[1]);
      case 'Fn::Sub': {
        const [template, variables] = Array.isArray(argument) ? argument : [argument, {}];
        return [...String(template).split(/\$\{[^!][^}]*\}/), ...literalText(Object.values(variables ?? {}))];
      }
      case 'Fn::Join': {
        const [delimiter, parts] = asList(argument);
        return joined(parts, String(delimiter ?? ''));
      }
    }
  }
  return Object.values(value).flatMap(literalText);
}

/** Neighbours that are both written out are one text. */
function joined(parts: unknown, delimiter: string): string[] {
  const texts: string[] = [];
  let open = false;
  for (const part of asList(parts)) {
    if (typeof part === 'string') {
      texts.push(open ? `${texts.pop()}${delimiter}${part}` : part);
    } else {
      texts.push(...literalText(part));
    }
    open = typeof part === 'string';
  }
  return texts;
}

function isFunction(key: string): boolean {
  return key === 'Ref' || key.startsWith('Fn::');
}

function call(name: string, argument: unknown, surroundings: Surroundings): unknown {
  const args = () => asList(resolve(argument, surroundings));
  switch (name) {
    case 'Ref': return surroundings.ref(String(argument));
    case 'Fn::GetAtt': return getAtt(argument, surroundings);
    case 'Fn::Sub': return substitute(argument, surroundings);
    case 'Fn::Join': return join(args());
    case 'Fn::Split': return split(args());
    case 'Fn::Select': return select(argument, surroundings);
    case 'Fn::If': {
      const [condition, then, otherwise] = asList(argument);
      return resolve(surroundings.condition(String(condition)) ? then : otherwise, surroundings);
    }
    case 'Fn::FindInMap': {
      const [map, first, second, otherwise] = args();
      return surroundings.mapping(String(map), String(first), String(second))
        ?? (otherwise as { DefaultValue?: unknown } | undefined)?.DefaultValue
        ?? placeholder('FindInMap', String(map), String(first), String(second));
    }
    case 'Fn::ImportValue': {
      const imported = String(resolve(argument, surroundings));
      return surroundings.importedValue(imported) ?? placeholder('ImportValue', imported);
    }
    case 'Fn::GetStackOutput': {
      const { StackName, OutputName } = (resolve(argument, surroundings) ?? {}) as Record<string, unknown>;
      return surroundings.outputOf(String(StackName), String(OutputName)) ?? placeholder('GetStackOutput', String(StackName), String(OutputName));
    }
    case 'Fn::Base64': return resolve(argument, surroundings);
    case 'Fn::ToJsonString': return JSON.stringify(resolve(argument, surroundings));
    case 'Fn::Length': return args().length;
    case 'Fn::GetAZs': return ['${GetAZs.0}', '${GetAZs.1}', '${GetAZs.2}'];
    default: return placeholder(name.replace('Fn::', ''), JSON.stringify(argument));
  }
}

function getAtt(argument: unknown, surroundings: Surroundings): unknown {
  const [logicalId, ...attribute] = Array.isArray(argument) ? argument : String(argument).split('.');
  return surroundings.attribute(String(logicalId), attribute.map((part) => String(resolve(part, surroundings))).join('.'));
}

function substitute(argument: unknown, surroundings: Surroundings): string {
  const [template, variables] = Array.isArray(argument) ? argument : [argument, {}];
  return String(template).replace(/\$\{([^}]*)\}/g, (_match, name: string) => {
    if (name.startsWith('!')) {
      return `\${${name.slice(1)}}`;
    }
    const [id, ...attribute] = name.trim().split('.');
    if (variables && Object.prototype.hasOwnProperty.call(variables, name.trim())) {
      return asText(resolve(variables[name.trim()], surroundings));
    }
    return asText(attribute.length > 0 ? surroundings.attribute(id, attribute.join('.')) : surroundings.ref(id));
  });
}

function join([delimiter, parts]: Arguments): string {
  return asList(parts).map(asText).join(String(delimiter));
}

function split([delimiter, source]: Arguments): string[] {
  return asText(source).split(String(delimiter));
}

function select(argument: unknown, surroundings: Surroundings): unknown {
  const [index, list] = asList(argument).map((entry) => resolve(entry, surroundings));
  const entries = asList(list);
  return entries[Number(index)] ?? placeholder('Select', String(index), asText(list));
}

function placeholder(...parts: string[]): string {
  return `\${${parts.join('.')}}`;
}

export function asText(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'object' ? JSON.stringify(value) : String(value ?? '');
}

export function asList(value: unknown): unknown[] {
  return value === undefined || value === null ? [] : Array.isArray(value) ? value : [value];
}
