import { BlockList, isIP } from 'net';
import { RequestContext } from './iam-context';
import { coversArn, coversText } from './iam-pattern';
import { hasUnknownPart, PatternOptions, unknownParts } from './iam-text';
import { all, any, known, NO, not, Truth, unknown } from './iam-truth';
import { Condition } from './policy-documents';

/** Whether a value of the policy fits one of the request. Undefined: it can fit none, not even where the operator says "not". */
type Comparison = (wanted: string, given: string, variables: RequestContext | undefined) => Truth | undefined;

interface Operator {
  readonly compare: Comparison;
  readonly negated?: boolean;
}

const OPERATORS: Record<string, Operator> = Object.fromEntries(Object.entries({
  ...withNegation('StringEquals', text({ wildcards: false })),
  ...withNegation('StringEqualsIgnoreCase', ignoreCase(text({ wildcards: false }))),
  ...withNegation('StringLike', text({ wildcards: true })),
  ...withNegation('ArnEquals', coversArn),
  ...withNegation('ArnLike', coversArn),
  ...withNegation('NumericEquals', ordered(toNumber, (given, wanted) => given === wanted)),
  NumericLessThan: { compare: ordered(toNumber, (given, wanted) => given < wanted) },
  NumericLessThanEquals: { compare: ordered(toNumber, (given, wanted) => given <= wanted) },
  NumericGreaterThan: { compare: ordered(toNumber, (given, wanted) => given > wanted) },
  NumericGreaterThanEquals: { compare: ordered(toNumber, (given, wanted) => given >= wanted) },
  ...withNegation('DateEquals', ordered(toTime, (given, wanted) => given === wanted)),
  DateLessThan: { compare: ordered(toTime, (given, wanted) => given < wanted) },
  DateLessThanEquals: { compare: ordered(toTime, (given, wanted) => given <= wanted) },
  DateGreaterThan: { compare: ordered(toTime, (given, wanted) => given > wanted) },
  DateGreaterThanEquals: { compare: ordered(toTime, (given, wanted) => given >= wanted) },
  Bool: { compare: bool },
  BinaryEquals: { compare: (wanted: string, given: string) => coversText(wanted, given, { wildcards: false }) },
  IpAddress: { compare: ipAddress },
  NotIpAddress: { compare: ipAddress, negated: true },
}).map(([name, operator]) => [name.toLowerCase(), operator]));

/**
 * Whether a request meets a condition: every operator, every key.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 */
export function meets(conditions: Condition[], context: RequestContext, variables: RequestContext | undefined): Truth {
  return all(conditions.map((condition) => meetsOne(condition, context, variables)));
}

function meetsOne({ operator: name, key, values: wanted }: Condition, context: RequestContext, variables: RequestContext | undefined): Truth {
  const [, set, base, ifExists] = /^(?:(ForAllValues|ForAnyValue):)?(.*?)(IfExists)?$/i.exec(name)!;
  const given = context.get(key);
  if (given === 'unknown') {
    return unknown(`the condition key ${key}`);
  }
  if (base.toLowerCase() === 'null') {
    return any(wanted.map((value) => coversText(value.toLowerCase(), String(given === undefined), { wildcards: false }) ?? NO));
  }
  const operator = OPERATORS[base.toLowerCase()];
  if (!operator) {
    return unknown(`what the condition operator ${name} means`);
  }
  const fits = (value: string) => one(operator, wanted, value, variables);
  if (set) {
    return ofSet(set, given, fits, ifExists !== undefined);
  }
  if (given === undefined) {
    return known(ifExists !== undefined || operator.negated === true);
  }
  // Without a set operator, a key with a list of values fits nothing.
  return RequestContext.isMultivalued(key) ? NO : fits(given[0]);
}

function ofSet(set: string, given: string[] | undefined, fits: (value: string) => Truth, ifExists: boolean): Truth {
  if (set.toLowerCase() === 'forallvalues') {
    return all((given ?? []).map(fits));
  }
  // Nothing documents which of the two wins.
  return given === undefined && ifExists ? unknown('whether ForAnyValue with IfExists holds without the key') : any((given ?? []).map(fits));
}

/** Values of the policy are alternatives; of a negated operator none may fit. */
function one({ compare, negated }: Operator, wanted: string[], given: string, variables: RequestContext | undefined): Truth {
  const truths = wanted.map((value) => compare(value, given, variables));
  return negated ? all(truths.map((truth) => (truth ? not(truth) : NO))) : any(truths.map((truth) => truth ?? NO));
}

function withNegation(name: string, compare: Comparison): Record<string, Operator> {
  const negated = name.replace(/^(String|Arn|Numeric|Date)/, '$1Not');
  return { [name]: { compare }, [negated]: { compare, negated: true } };
}

function text({ wildcards }: PatternOptions): Comparison {
  return (wanted, given, variables) => coversText(wanted, given, { wildcards, variables });
}

function ignoreCase(compare: Comparison): Comparison {
  return (wanted, given, variables) => compare(wanted.toLowerCase(), given.toLowerCase(), variables);
}

/** Numbers and dates. Policy variables are no numbers. */
function ordered(parse: (text: string) => number | undefined, holds: (given: number, wanted: number) => boolean): Comparison {
  return (wanted, given) => {
    if (hasUnknownPart(wanted, given)) {
      return unknown(...unknownParts(wanted, given));
    }
    const [wantedNumber, givenNumber] = [parse(wanted), parse(given)];
    return wantedNumber === undefined || givenNumber === undefined ? undefined : known(holds(givenNumber, wantedNumber));
  };
}

function toNumber(value: string): number | undefined {
  return value.trim() === '' || Number.isNaN(Number(value)) ? undefined : Number(value);
}

/** ISO 8601, or seconds since 1970. */
function toTime(value: string): number | undefined {
  const time = /^\d+$/.test(value) && value.length > 4 ? Number(value) * 1000 : Date.parse(value);
  return Number.isNaN(time) ? undefined : time;
}

function bool(wanted: string, given: string, variables: RequestContext | undefined): Truth | undefined {
  const truth = coversText(wanted.toLowerCase(), given.toLowerCase(), { wildcards: false, variables });
  return truth?.holds === 'yes' && !/^(true|false)$/i.test(given) ? undefined : truth;
}

function ipAddress(wanted: string, given: string): Truth | undefined {
  if (hasUnknownPart(wanted, given)) {
    return unknown(...unknownParts(wanted, given));
  }
  const [network, prefix] = wanted.split('/');
  const family = isIP(network);
  const bits = prefix === undefined ? (family === 4 ? 32 : 128) : toNumber(prefix);
  if (family === 0 || isIP(given) === 0 || bits === undefined || bits > (family === 4 ? 32 : 128)) {
    return undefined;
  }
  const block = new BlockList();
  block.addSubnet(network, bits, `ipv${family as 4 | 6}`);
  return isIP(given) === family ? known(block.check(given, `ipv${family as 4 | 6}`)) : NO;
}
