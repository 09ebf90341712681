import { RequestContext } from './iam-context';

const OPEN = '\uE000';
const CLOSE = '\uE001';

/** A part of a text that only the deployment knows, such as an attribute of a resource or a parameter. */
export function unknownText(name: string): string {
  return `${OPEN}${name}${CLOSE}`;
}

export function hasUnknownText(text: string): boolean {
  return text.includes(OPEN);
}

/** The names of what is unknown in texts. */
export function unknownParts(...texts: string[]): string[] {
  return texts.flatMap((text) => [...text.matchAll(/\uE000([^\uE001]*)\uE001/g)].map(([, name]) => name));
}

/** For people: what is unknown as `<name>`. */
export function readableText(text: string): string {
  return text.split(OPEN).join('<').split(CLOSE).join('>');
}

/** One character, or something that stands for a text. */
export type PatternSymbol = { readonly is: 'character'; readonly character: string }
  | { readonly is: 'any' }
  | { readonly is: 'one' }
  | { readonly is: 'unknown'; readonly name: string };

const ANY: PatternSymbol = { is: 'any' };
const ONE: PatternSymbol = { is: 'one' };

/** A plain text: nothing but what is unknown has a meaning. */
export function plainSymbols(text: string): PatternSymbol[] {
  const symbols: PatternSymbol[] = [];
  for (let at = 0; at < text.length; at++) {
    if (text[at] === OPEN) {
      const end = text.indexOf(CLOSE, at);
      symbols.push({ is: 'unknown', name: text.slice(at + 1, end) });
      at = end;
    } else {
      symbols.push({ is: 'character', character: text[at] });
    }
  }
  return symbols;
}

export interface PatternOptions {
  /** Whether `*` and `?` stand for other characters. */
  readonly wildcards: boolean;
  /** What policy variables are taken from. Left out: they are plain text, as in policies older than version 2012-10-17. */
  readonly variables?: RequestContext;
}

/**
 * A text of a policy, with its wildcards and policy variables. Undefined when a variable has no value: then its statement
 * applies to nothing, not even where it says "not".
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 */
export function patternSymbols(text: string, options: PatternOptions): PatternSymbol[] | undefined {
  const symbols: PatternSymbol[] = [];
  let plain = '';
  const flush = () => {
    symbols.push(...plainSymbols(plain));
    plain = '';
  };
  for (let at = 0; at < text.length; at++) {
    const end = options.variables && text.startsWith('${', at) ? text.indexOf('}', at) : -1;
    if (end >= 0) {
      const value = variable(text.slice(at + 2, end), options.variables!);
      if (value === undefined) {
        return undefined;
      }
      plain += value;
      at = end;
    } else if (options.wildcards && (text[at] === '*' || text[at] === '?')) {
      flush();
      symbols.push(text[at] === '*' ? ANY : ONE);
    } else {
      plain += text[at];
    }
  }
  flush();
  return symbols;
}

/** The text of a policy variable, in which `*` is no wildcard. Undefined when it has none. */
function variable(text: string, context: RequestContext): string | undefined {
  if (text === '*' || text === '?' || text === '$') {
    return text;
  }
  const [, key, fallback] = /^\s*([^,]*?)\s*(?:,\s*'(.*)'\s*)?$/.exec(text) ?? [];
  const value = context.get(key ?? text);
  if (value === 'unknown') {
    return unknownText(key ?? text);
  }
  // A key with several values cannot be a text.
  return (RequestContext.isMultivalued(key ?? text) ? undefined : value?.[0]) ?? fallback;
}
