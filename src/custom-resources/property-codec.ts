/** Thrown when resource properties cannot be understood: a verdict, retrying cannot help. */
export class InvalidProperties extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'InvalidProperties';
    // The framework prints the stack in the stack's events.
    this.stack = message;
  }
}

/** Properties as they stand in a template or an event. */
export type Raw = Record<string, unknown>;

export function withoutAbsent(values: Raw): Raw {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** An unresolved token is an object or a list like any other, and is kept. */
export function nonEmpty<T extends object>(value: T): T | undefined {
  return Object.getPrototypeOf(value) === Object.prototype || Array.isArray(value)
    ? (Object.keys(value).length > 0 ? value : undefined)
    : value;
}

export function optionalText(raw: Raw, key: string, name = key): string | undefined {
  const value = raw[key];
  return value === undefined || value === null || value === '' ? undefined : scalar(value, name);
}

export function text(raw: Raw, key: string, name = key): string {
  const value = optionalText(raw, key, name);
  if (value === undefined) {
    throw new InvalidProperties(`${name} is missing`);
  }
  return value;
}

function scalar(value: unknown, name: string): string {
  if (typeof value === 'object') {
    throw new InvalidProperties(`${name}: expected text, got ${Array.isArray(value) ? 'a list' : 'an object'}`);
  }
  return String(value);
}

export function optionalInteger(raw: Raw, key: string): number | undefined {
  const value = optionalText(raw, key);
  if (value !== undefined && !/^\d+$/.test(value)) {
    throw new InvalidProperties(`${key}: expected a whole number, got '${value}'`);
  }
  return value === undefined ? undefined : Number(value);
}

export function integer(raw: Raw, key: string): number {
  const value = optionalInteger(raw, key);
  if (value === undefined) {
    throw new InvalidProperties(`${key} is missing`);
  }
  return value;
}

export function optionalFlag(raw: Raw, key: string): boolean | undefined {
  const value = optionalText(raw, key);
  if (value !== undefined && value !== 'true' && value !== 'false') {
    throw new InvalidProperties(`${key}: expected true or false, got '${value}'`);
  }
  return value === undefined ? undefined : value === 'true';
}

export function texts(raw: Raw, key: string): string[] {
  const value = raw[key] ?? [];
  if (!Array.isArray(value)) {
    throw new InvalidProperties(`${key}: expected a list`);
  }
  return value.map((entry, index) => text({ [key]: entry }, key, `${key}[${index}]`));
}

export function record(raw: Raw, key: string): Raw {
  const value = raw[key] ?? {};
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new InvalidProperties(`${key}: expected an object`);
  }
  return value as Raw;
}

export function textMap(raw: Raw, key: string): Record<string, string> {
  return Object.fromEntries(Object.entries(record(raw, key)).map(([name, value]) => [name, scalar(value, `${key}.${name}`)]));
}
