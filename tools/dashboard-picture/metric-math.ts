/** The values of a metric at equal steps of time; undefined where there are none. */
export type Series = ReadonlyArray<number | undefined>;

type Value = Series | number;

/**
 * Evaluates the part of CloudWatch's metric math that our dashboard uses: arithmetic, `EPOCH` and `FILL(..., REPEAT)`.
 *
 * @param epochs the seconds since 1970 of each step
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
 */
export function evaluate(expression: string, metrics: Record<string, Series>, epochs: number[]): Series {
  const tokens = expression.match(/[A-Za-z]\w*|\d+(?:\.\d+)?|[-+*/(),]/g) ?? [];
  const next = () => tokens.shift() ?? fail('the end');
  const ahead = () => tokens[0] ?? 'the end';
  const expect = (token: string) => (ahead() === token ? next() : fail(ahead()));
  const fail = (what: string): never => { throw new Error(`'${expression}': did not expect ${what}`); };

  const sum = (): Value => chain(product, ['+', '-']);
  const product = (): Value => chain(operand, ['*', '/']);
  const chain = (part: () => Value, operators: string[]): Value => {
    let value = part();
    while (operators.includes(ahead())) {
      const operator = next();
      value = pairwise(value, part(), (a, b) => (operator === '+' ? a + b : operator === '-' ? a - b : operator === '*' ? a * b : a / b));
    }
    return value;
  };
  const operand = (): Value => {
    const token = next();
    if (token === '(') {
      const value = sum();
      expect(')');
      return value;
    }
    if (/^\d/.test(token)) {
      return Number(token);
    }
    if (ahead() !== '(') {
      return metrics[token] ?? fail(token);
    }
    next();
    const argument = sum();
    const value = token === 'EPOCH' ? epochs : token === 'FILL' ? repeated(argument as Series, expect) : fail(token);
    expect(')');
    return value;
  };

  const result = sum();
  if (tokens.length > 0) {
    fail(ahead());
  }
  return result as Series;
}

/** The last value, where there is none; and none before the first. */
function repeated(series: Series, expect: (token: string) => void): Series {
  expect(',');
  expect('REPEAT');
  let last: number | undefined;
  return series.map((value) => (last = value ?? last));
}

/** Where one side has no value, neither has the result. */
function pairwise(a: Value, b: Value, operation: (a: number, b: number) => number): Value {
  if (typeof a === 'number' && typeof b === 'number') {
    return operation(a, b);
  }
  const at = (value: Value, index: number) => (typeof value === 'number' ? value : value[index]);
  return Array.from({ length: (typeof a === 'number' ? b as Series : a).length }, (_, index) => {
    const [left, right] = [at(a, index), at(b, index)];
    return left === undefined || right === undefined ? undefined : operation(left, right);
  });
}
