import { ServiceError, validationError } from './service-error';

/** Checks one value and adds a line per broken constraint; a wrong JSON type ends the request at once. */
export type Check = (value: any, path: string, broken: string[]) => void;

const QUOTED = (value: unknown) => typeof value === 'string' ? value : JSON.stringify(value);

function fails(broken: string[], value: unknown, path: string, rule: string): void {
  broken.push(`Value ${value === null || value === undefined ? 'null' : `'${QUOTED(value)}'`} at '${path}' failed to satisfy constraint: Member must ${rule}`);
}

function wrongType(value: unknown, wanted: string): ServiceError {
  const token = Array.isArray(value) ? 'START_ARRAY'
    : { string: 'STRING_VALUE', number: 'NUMBER_VALUE', boolean: value ? 'TRUE_VALUE' : 'FALSE_VALUE', object: 'START_OBJECT' }[typeof value as string];
  return new ServiceError('SerializationException', `${token} can not be converted to ${wanted}`);
}

export function string(rule: { min?: number; max?: number; pattern?: string; values?: readonly string[]; sensitive?: boolean } = {}): Check {
  return (value, path, broken) => {
    if (typeof value !== 'string') {
      throw wrongType(value, 'a String');
    }
    const shown = rule.sensitive ? '***' : value;
    const length = [...value].length;
    if (rule.min !== undefined && length < rule.min) {
      fails(broken, shown, path, `have length greater than or equal to ${rule.min}`);
    }
    if (rule.max !== undefined && length > rule.max) {
      fails(broken, shown, path, `have length less than or equal to ${rule.max}`);
    }
    if (rule.pattern !== undefined && !new RegExp(`^(?:${rule.pattern})$`, 'u').test(value)) {
      fails(broken, shown, path, `satisfy regular expression pattern: ${rule.pattern}`);
    }
    if (rule.values && !rule.values.includes(value)) {
      fails(broken, shown, path, `satisfy enum value set: [${rule.values.join(', ')}]`);
    }
  };
}

export function integer(rule: { min?: number; max?: number } = {}): Check {
  return (value, path, broken) => {
    if (typeof value !== 'number' || !Number.isInteger(value)) {
      throw wrongType(value, 'an Integer');
    }
    if (rule.min !== undefined && value < rule.min) {
      fails(broken, value, path, `have value greater than or equal to ${rule.min}`);
    }
    if (rule.max !== undefined && value > rule.max) {
      fails(broken, value, path, `have value less than or equal to ${rule.max}`);
    }
  };
}

export const boolean: Check = (value) => {
  if (typeof value !== 'boolean') {
    throw wrongType(value, 'a Boolean');
  }
};

export function list(member: Check, rule: { min?: number; max?: number } = {}): Check {
  return (value, path, broken) => {
    if (!Array.isArray(value)) {
      throw wrongType(value, 'a List');
    }
    if (rule.min !== undefined && value.length < rule.min) {
      fails(broken, value, path, `have length greater than or equal to ${rule.min}`);
    }
    if (rule.max !== undefined && value.length > rule.max) {
      fails(broken, value, path, `have length less than or equal to ${rule.max}`);
    }
    value.forEach((item, index) => member(item, `${path}.${index + 1}.member`, broken));
  };
}

export function map(key: Check, member: Check, rule: { max?: number } = {}): Check {
  return (value, path, broken) => {
    assertObject(value);
    const entries = Object.entries(value);
    if (rule.max !== undefined && entries.length > rule.max) {
      fails(broken, '***', path, `have length less than or equal to ${rule.max}`);
    }
    entries.forEach(([name, item]) => {
      key(name, path, broken);
      member(item, `${path}.${name}.member`, broken);
    });
  };
}

/** `name*` marks a required member. Unknown members are ignored, nulls count as left out. */
export function struct(members: Record<string, Check>): Check {
  return (value, path, broken) => {
    assertObject(value);
    for (const [declared, check] of Object.entries(members)) {
      const name = declared.replace('*', '');
      const at = path === '' ? name : `${path}.${name}`;
      if (value[name] !== undefined && value[name] !== null) {
        check(value[name], at, broken);
      } else if (declared.endsWith('*')) {
        fails(broken, null, at, 'not be null');
      }
    }
  };
}

/** Exactly one member. */
export function union(members: Record<string, Check>): Check {
  return (value, path, broken) => {
    assertObject(value);
    const set = Object.keys(value).filter((name) => value[name] !== null && value[name] !== undefined);
    if (set.length !== 1 || !members[set[0]]) {
      throw new ServiceError('SerializationException', `Exactly one member of the union '${path}' must be set: ${Object.keys(members).join(', ')}`);
    }
    members[set[0]](value[set[0]], `${path}.${set[0]}`, broken);
  };
}

/** The empty structure: `true` and the like get the recorded text (5.2). */
export const unit: Check = (value) => {
  if (typeof value !== 'object' || value === null) {
    throw validationError('Expected null');
  }
};

export function enforce(check: Check, value: unknown): void {
  const broken: string[] = [];
  check(value, '', broken);
  if (broken.length > 0) {
    throw validationError(`${broken.length} validation error${broken.length === 1 ? '' : 's'} detected: ${broken.join('; ')}`);
  }
}

function assertObject(value: unknown): asserts value is Record<string, any> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrongType(value, 'a Structure');
  }
}
