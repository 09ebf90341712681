import { RequestContext } from './iam-context';
import { colonParts, hasUnknownPart, PatternOptions, PatternSymbol, patternSymbols, plainSymbols, unknownParts } from './iam-text';
import { all, NO, Truth, unknown, YES } from './iam-truth';

const ARN_PARTS = 6;

/**
 * Whether a pattern covers a text.
 *
 * Yes when it does whatever the unknown parts turn out to be, unknown when it does for some of them.
 */
export function covers(pattern: PatternSymbol[], text: PatternSymbol[]): Truth {
  if (coversCertainly(pattern, text)) {
    return YES;
  }
  const open = [...pattern, ...text].flatMap((symbol) => (symbol.is === 'unknown' ? [symbol.name] : []));
  return open.length > 0 && coversPerhaps(pattern, text) ? unknown(...new Set(open)) : NO;
}

/**
 * Whether an ARN pattern of a `Resource` covers a resource. Undefined when a policy variable has no value.
 *
 * Part by part: a wildcard reaches no further than the next colon, but in the last part, which may hold colons itself.
 * Policy variables work in the last part only.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
 */
export function coversResource(pattern: string, resource: string, variables: RequestContext | undefined): Truth | undefined {
  if (pattern === '*') {
    return YES;
  }
  const wanted = arnParts(pattern);
  const given = arnParts(resource);
  if (!wanted || !given) {
    // A whole ARN that only the deployment knows, or a part of one.
    const symbols = patternSymbols(pattern, { wildcards: true, variables });
    return hasUnknownPart(pattern, resource) ? symbols ? covers(symbols, plainSymbols(resource)) : unknown(...unknownParts(pattern, resource)) : NO;
  }
  const before = all(wanted.slice(0, -1).map((part, index) => covers(patternSymbols(part, { wildcards: true })!, plainSymbols(given[index]))));
  const [lastWanted, lastGiven] = [wanted[ARN_PARTS - 1], given[ARN_PARTS - 1]];
  const last = patternSymbols(lastWanted, { wildcards: true, variables });
  if (!last && hasUnknownPart(pattern, resource)) {
    return unknown(...unknownParts(pattern, resource));
  }
  if (!last) {
    return before.holds === 'no' || !lastGiven.startsWith(typeOf(lastWanted)) ? NO : undefined;
  }
  const truth = all([before, covers(last, plainSymbols(lastGiven))]);
  // IAM's guide calls a wildcard in the type of a resource wrong, and does not say what it does.
  return truth.holds === 'yes' && /[*?]/.test(typeOf(lastWanted))
    ? unknown(`whether a wildcard in the type of a resource covers anything, as in ${pattern}`)
    : truth;
}

/** With what separates it from the name; empty when nothing does. */
function typeOf(lastPart: string): string {
  return /^[^:/]*[:/]/.exec(lastPart)?.[0] ?? '';
}

/** Whether an ARN of an `ArnLike` condition covers another ARN. Undefined when one is no ARN, or a policy variable has no value. */
export function coversArn(pattern: string, arn: string, variables: RequestContext | undefined): Truth | undefined {
  const wanted = colonParts(pattern, ARN_PARTS);
  const given = colonParts(arn, ARN_PARTS);
  if (!isArn(wanted) || !isArn(given)) {
    if (hasUnknownPart(pattern, arn)) {
      return unknown(...unknownParts(pattern, arn));
    }
    // Documented for six parts only, while `*` by itself is in use.
    return isArn(given) && coversText(pattern, arn, { wildcards: true })?.holds === 'yes' ? unknown(`whether '${pattern}' covers ARNs`) : undefined;
  }
  const symbols = wanted.map((part) => patternSymbols(part, { wildcards: true, variables }));
  return symbols.some((part) => part === undefined) ? undefined
    : all(symbols.map((part, index) => covers(part!, plainSymbols(given[index]))));
}

/** Whether the text of a condition covers another. Undefined when a policy variable has no value. */
export function coversText(pattern: string, text: string, options: PatternOptions): Truth | undefined {
  const symbols = patternSymbols(pattern, options);
  return symbols && covers(symbols, plainSymbols(text));
}

/** Undefined for what is not an ARN, or not certain to be one. What a short one lacks is taken for `*`, as IAM does. */
function arnParts(arn: string): string[] | undefined {
  const parts = colonParts(arn, ARN_PARTS);
  if (parts[0] !== 'arn' || (parts.length < ARN_PARTS && hasUnknownPart(arn))) {
    return undefined;
  }
  return [...parts, ...Array<string>(ARN_PARTS - parts.length).fill('*')];
}

function isArn(parts: string[]): boolean {
  return parts.length === ARN_PARTS && parts[0] === 'arn';
}

/** What is unknown covers only itself, and only `*` covers it. One pass that returns to the last `*`. */
function coversCertainly(pattern: PatternSymbol[], text: PatternSymbol[]): boolean {
  let at = 0;
  let star = -1;
  let resume = 0;
  for (let index = 0; index < text.length;) {
    const symbol = pattern[at];
    if (symbol?.is === 'any') {
      star = at++;
      resume = index;
    } else if (symbol && same(symbol, text[index])) {
      at++;
      index++;
    } else if (star >= 0) {
      at = star + 1;
      index = ++resume;
    } else {
      return false;
    }
  }
  return pattern.slice(at).every(({ is }) => is === 'any');
}

/** Whether some texts in place of what is unknown make them fit: two patterns that have a text in common. */
function coversPerhaps(pattern: PatternSymbol[], text: PatternSymbol[]): boolean {
  const isOpen = (symbol: PatternSymbol | undefined) => symbol?.is === 'any' || symbol?.is === 'unknown';
  const seen = new Set<number>();
  const ways: Array<[number, number]> = [[0, 0]];
  for (let way = ways.pop(); way; way = ways.pop()) {
    const [at, index] = way;
    if (at === pattern.length && index === text.length) {
      return true;
    }
    const id = at * (text.length + 1) + index;
    if (at > pattern.length || index > text.length || seen.has(id)) {
      continue;
    }
    seen.add(id);
    if (isOpen(pattern[at])) {
      ways.push([at + 1, index], [at, index + 1]);
    }
    if (isOpen(text[index])) {
      ways.push([at, index + 1], [at + 1, index]);
    }
    if (pattern[at] && text[index] && same(pattern[at], text[index])) {
      ways.push([at + 1, index + 1]);
    }
  }
  return false;
}

function same(pattern: PatternSymbol, text: PatternSymbol): boolean {
  switch (pattern.is) {
    case 'character': return text.is === 'character' && text.character === pattern.character;
    case 'one': return text.is === 'character';
    case 'unknown': return text.is === 'unknown' && text.name === pattern.name;
    default: return false;
  }
}

/** Whether a pattern of `Action` covers an action. Capitals and small letters are the same. */
export function coversAction(pattern: string, action: string): Truth {
  if (pattern === '*' || pattern === '*:*') {
    return YES;
  }
  const [service] = pattern.split(':');
  const truth = covers(patternSymbols(pattern.toLowerCase(), { wildcards: true })!, plainSymbols(action.toLowerCase()));
  return truth.holds === 'yes' && /[*?]/.test(service) ? unknown(`whether a wildcard in the name of a service covers anything (${pattern})`) : truth;
}
