/**
 * The part of JSONata that the state machines of this library use, as Step Functions evaluates it. Whatever else an expression
 * says is an error here, so that none is ever played as something it is not.
 *
 * See https://docs.jsonata.org/ and https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
 */
export function evaluate(expression: string, variables: Record<string, unknown>): unknown {
  return new Parser(expression).parse()({ variables });
}

/** Undefined is JSONata's nothing. */
type Evaluation = (scope: Scope) => unknown;
interface Scope {
  readonly variables: Record<string, unknown>;
  /** What a name without a dollar sign is a member of. */
  readonly context?: unknown;
}
type Callable = (...values: unknown[]) => unknown;

const TOKEN = /\s*(?:('[^'\\]*'|"[^"\\]*")|(\d+)|(\$?[A-Za-z_]\w*)|(>=|[.,:?&=+()[\]{}]))/y;
/** How tightly an operator binds. See https://docs.jsonata.org/other-operators */
const BINDING: Record<string, number> = { '?': 20, '=': 40, '>=': 40, 'in': 40, '&': 50, '+': 50, '.': 75, '[': 80, '(': 80 };

const FUNCTIONS: Record<string, Callable> = {
  $merge: (objects) => Object.assign({}, ...objects as object[]),
  $count: (counted) => items(counted).length,
  $not: (value) => !truth(value),
  $sift: (object, keeps) => Object.fromEntries(Object.entries(object as object).filter(([key, value]) => truth((keeps as Callable)(value, key)))),
  /** One of Step Functions' own. */
  $parse: (json) => JSON.parse(String(json)),
};

class Parser {
  private readonly tokens: string[] = [];
  private at = 0;

  constructor(private readonly expressionText: string) {
    const token = new RegExp(TOKEN);
    while (token.lastIndex < expressionText.trimEnd().length) {
      const { lastIndex } = token;
      const match = token.exec(expressionText);
      if (match === null) {
        throw new Error(`not played: ${expressionText.slice(lastIndex)}`);
      }
      this.tokens.push(match[0].trim());
    }
  }

  public parse(): Evaluation {
    const evaluation = this.expression(0);
    if (this.at < this.tokens.length) {
      this.refuse(this.tokens[this.at]);
    }
    return evaluation;
  }

  private expression(binding: number): Evaluation {
    let left = this.primary(this.next());
    while ((BINDING[this.peek()] ?? 0) > binding) {
      left = this.operation(this.next(), left);
    }
    return left;
  }

  private primary(token: string): Evaluation {
    if (/^['"]/.test(token)) {
      return () => token.slice(1, -1);
    }
    if (/^\d/.test(token)) {
      return () => Number(token);
    }
    switch (token) {
      case 'true': case 'false': return () => token === 'true';
      case '[': return this.array();
      case '{': return this.object();
      case 'function': return this.lambda();
      default:
        if (token.startsWith('$')) {
          return ({ variables }) => {
            if (!(token in FUNCTIONS) && !(token.slice(1) in variables)) {
              throw new Error(`there is no variable ${token}`);
            }
            return FUNCTIONS[token] ?? variables[token.slice(1)];
          };
        }
        return /^\w+$/.test(token) ? ({ context }) => member(context, token) : this.refuse(token);
    }
  }

  private operation(operator: string, left: Evaluation): Evaluation {
    switch (operator) {
      case '.': {
        const name = this.next();
        return (scope) => member(left(scope), name);
      }
      case '[': {
        const keeps = this.expression(0);
        this.expect(']');
        return (scope) => sequence(items(left(scope)).filter((context) => truth(keeps({ ...scope, context }))));
      }
      case '(': {
        const values = this.list(')');
        return (scope) => (left(scope) as Callable)(...values.map((value) => value(scope)));
      }
      case '?': {
        const then = this.expression(0);
        this.expect(':');
        const otherwise = this.expression(0);
        return (scope) => (truth(left(scope)) ? then(scope) : otherwise(scope));
      }
      default: {
        const right = this.expression(BINDING[operator]);
        return (scope) => binary(operator, left(scope), right(scope));
      }
    }
  }

  /** What is nothing is no item. */
  private array(): Evaluation {
    const values = this.list(']');
    return (scope) => values.map((value) => value(scope)).filter((value) => value !== undefined);
  }

  private object(): Evaluation {
    const entries: Array<[Evaluation, Evaluation]> = [];
    while (this.peek() !== '}') {
      const key = this.expression(0);
      this.expect(':');
      entries.push([key, this.expression(0)]);
      if (this.peek() !== '}') {
        this.expect(',');
      }
    }
    this.expect('}');
    return (scope) => Object.fromEntries(entries.map(([key, value]) => [key(scope), value(scope)]).filter(([, value]) => value !== undefined));
  }

  private lambda(): Evaluation {
    this.expect('(');
    const parameters: string[] = [];
    while (this.peek() !== ')') {
      parameters.push(this.next().slice(1));
      if (this.peek() !== ')') {
        this.expect(',');
      }
    }
    this.expect(')');
    this.expect('{');
    const body = this.expression(0);
    this.expect('}');
    return (scope) => (...values: unknown[]) => body({
      ...scope, variables: { ...scope.variables, ...Object.fromEntries(parameters.map((name, index) => [name, values[index]])) },
    });
  }

  private list(end: string): Evaluation[] {
    const values: Evaluation[] = [];
    while (this.peek() !== end) {
      values.push(this.expression(0));
      if (this.peek() !== end) {
        this.expect(',');
      }
    }
    this.expect(end);
    return values;
  }

  private peek(): string {
    return this.tokens[this.at] ?? '';
  }

  private next(): string {
    return this.tokens[this.at++] ?? this.refuse('its end');
  }

  private expect(token: string): void {
    if (this.next() !== token) {
      this.refuse(this.tokens[this.at - 1]);
    }
  }

  private refuse(token: string): never {
    throw new Error(`not played: ${token} in ${this.expressionText}`);
  }
}

/** Of each, when there are many. */
function member(of: unknown, name: string): unknown {
  if (Array.isArray(of)) {
    return sequence(of.flatMap((each) => items(member(each, name))));
  }
  return typeof of === 'object' && of !== null ? (of as Record<string, unknown>)[name] : undefined;
}

function items(value: unknown): unknown[] {
  return value === undefined ? [] : [value].flat();
}

/** One is that one, and none is nothing. */
function sequence(values: unknown[]): unknown {
  return values.length > 1 ? values : values[0];
}

function binary(operator: string, left: unknown, right: unknown): unknown {
  switch (operator) {
    case '=': return left !== undefined && right !== undefined && left === primitive(right);
    case 'in': return items(right).includes(left);
    case '&': return text(left) + text(right);
    case '+': return number(left) + number(right);
    case '>=': return number(left) >= number(right);
    default: throw new Error(`not played: ${operator}`);
  }
}

function truth(value: unknown): boolean {
  return Array.isArray(value) ? value.some(truth) : typeof value === 'object' && value !== null ? Object.keys(value).length > 0 : Boolean(value);
}

function text(value: unknown): string {
  return value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value);
}

function number(value: unknown): number {
  if (typeof value !== 'number') {
    throw new Error(`${JSON.stringify(value)} is no number`);
  }
  return value;
}

function primitive(value: unknown): unknown {
  if (typeof value === 'object') {
    throw new Error('not played: objects that are compared');
  }
  return value;
}
