import { RequestContext } from './iam-context';

/** A part of a text of a policy or a request. */
interface Piece {
  /** `variable`: a policy variable such as `${aws:PrincipalTag/team}`. `unknown`: what only the deployment will tell. */
  readonly is: 'text' | 'variable' | 'unknown';
  /** Of a variable and of what is unknown: its name. */
  readonly text: string;
}

const DYNAMIC_REFERENCE = /^\{\{resolve:[^}]*\}\}/;
const POLICY_VARIABLE = /^([*?$]$|\s*[A-Za-z0-9-]+:)/;

/**
 * Takes a text apart.
 *
 * The reader of templates writes what is unknown as `${Name}`, and a policy its variables as `${prefix:key}`: the names of
 * resources, parameters and attributes have no prefix. CloudFormation's dynamic references are unknown, too.
 */
function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let start = 0;
  for (let at = text.indexOf('{'); at >= 0; at = text.indexOf('{', at + 1)) {
    const isReference = text[at - 1] === '$';
    const end = isReference ? closingBrace(text, at) : at + (DYNAMIC_REFERENCE.exec(text.slice(at))?.[0].length ?? 0) - 1;
    if (end > at) {
      const name = isReference ? text.slice(at + 1, end) : text.slice(at, end + 1);
      found.push({ is: 'text', text: text.slice(start, isReference ? at - 1 : at) });
      found.push({ is: isReference && POLICY_VARIABLE.test(name) && !name.includes('${') ? 'variable' : 'unknown', text: name });
      start = end + 1;
      at = end;
    }
  }
  return [...found, { is: 'text', text: text.slice(start) }];
}

/** Of the brace at a place. -1: it has none. */
function closingBrace(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    depth += text[at] === '{' ? 1 : text[at] === '}' ? -1 : 0;
    if (depth === 0) {
      return at;
    }
  }
  return -1;
}

/** A part of a text that only the deployment will tell, as the reader of templates writes it. */
export function unknownText(name: string): string {
  return `\${${name}}`;
}

/** The names of what is unknown in texts. */
export function unknownParts(...texts: string[]): string[] {
  return texts.flatMap((text) => pieces(text).flatMap((piece) => (piece.is === 'unknown' ? [piece.text] : [])));
}

export function hasUnknownPart(...texts: string[]): boolean {
  return unknownParts(...texts).length > 0;
}

/** Splits at colons, into so many parts at most. Colons of a policy variable and of an unknown part belong to it. */
export function colonParts(text: string, most: number): string[] {
  const parts = [''];
  for (const piece of pieces(text)) {
    for (const [index, part] of (piece.is === 'text' ? piece.text.split(':') : [unknownText(piece.text)]).entries()) {
      if (index > 0 && parts.length < most) {
        parts.push(part);
      } else {
        parts[parts.length - 1] += index > 0 ? `:${part}` : part;
      }
    }
  }
  return parts;
}

/** One character, or something that stands for a text. */
export type PatternSymbol = { readonly is: 'character'; readonly character: string }
  | { readonly is: 'any' }
  | { readonly is: 'one' }
  | { readonly is: 'unknown'; readonly name: string };

/** A plain text: nothing but what is unknown has a meaning. */
export function plainSymbols(text: string): PatternSymbol[] {
  return pieces(text).flatMap((piece): PatternSymbol[] =>
    piece.is === 'unknown' ? [{ is: 'unknown', name: piece.text }] : characters(piece.is === 'text' ? piece.text : unknownText(piece.text)));
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
export function patternSymbols(text: string, { wildcards, variables }: PatternOptions): PatternSymbol[] | undefined {
  const symbols: PatternSymbol[] = [];
  for (const piece of pieces(text)) {
    const added = piece.is === 'unknown' ? plainSymbols(unknownText(piece.text))
      : piece.is === 'variable' && variables ? variable(piece.text, variables)
        : characters(piece.is === 'text' ? piece.text : unknownText(piece.text)).map((symbol) => (wildcards ? wildcard(symbol) : symbol));
    if (!added) {
      return undefined;
    }
    symbols.push(...added);
  }
  return symbols;
}

/** The text of a policy variable, in which `*` is no wildcard. Undefined when it has none. */
function variable(text: string, context: RequestContext): PatternSymbol[] | undefined {
  if (text.length === 1) {
    return characters(text);
  }
  const [, key, fallback] = /^\s*(.*?)\s*(?:,\s*'(.*)'\s*)?$/.exec(text)!;
  const value = context.get(key);
  if (value === 'unknown') {
    return [{ is: 'unknown', name: `the condition key ${key}` }];
  }
  // A key with several values cannot be a text.
  const single = (RequestContext.isMultivalued(key) ? undefined : value?.[0]) ?? fallback;
  return single === undefined ? undefined : plainSymbols(single);
}

function characters(text: string): PatternSymbol[] {
  return [...text].map((character) => ({ is: 'character', character }));
}

function wildcard(symbol: PatternSymbol): PatternSymbol {
  return symbol.is !== 'character' ? symbol
    : symbol.character === '*' ? { is: 'any' }
      : symbol.character === '?' ? { is: 'one' } : symbol;
}
