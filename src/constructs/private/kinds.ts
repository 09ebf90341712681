import { Construct, IConstruct } from 'constructs';
import { lit, UnscopedValidationError, ValidationError } from './cdk-internals';

/** What a prop of a class must be, by a member of it: `instanceof` fails for another copy of the library. */
export type Kind = readonly [member: string, kind: string];

/** Kinds that several constructs take. */
export const KindOf = {
  BUILT_IMAGE: ['_image', 'a MicrovmImage that is defined in this app'],
  PUBLICATION: ['_published', 'a MicrovmImagePublication'],
  SMOKE_TEST: ['_tested', 'a list of MicrovmSmokeTest'],
  CONNECTOR: ['arnIn', 'a MicrovmConnector, such as MicrovmConnector.fromNetworkConnector()'],
  DURATION: ['toSeconds', 'a Duration, such as Duration.minutes(5)'],
} as const satisfies Record<string, Kind>;

/** The compiler tells users of TypeScript, and nobody else. */
export function validateKind(scope: IConstruct | undefined, prop: string, value: unknown, [member, kind]: Kind) {
  if (typeof value !== 'object' || value === null || !(member in value)) {
    const message = `${prop} must be ${kind}, got ${named(value)}`;
    throw scope ? new ValidationError(lit`MicrovmImageKind`, message, scope) : new UnscopedValidationError(lit`MicrovmImageKind`, message);
  }
}

/** Those of the props that are given. */
export function validateGivenKinds(scope: IConstruct, props: object, kinds: Record<string, Kind>) {
  for (const [prop, kind] of Object.entries(kinds)) {
    const value = (props as Record<string, unknown>)[prop];
    if (value !== undefined) {
      validateKind(scope, prop, value, kind);
    }
  }
}

/** Each of a list. */
export function validateKinds(scope: IConstruct, prop: string, values: unknown, kind: Kind) {
  validateKind(scope, prop, values, ['forEach', kind[1]]);
  (values as unknown[]).forEach((value) => validateKind(scope, prop, value, kind));
}

function named(value: unknown): string {
  if (typeof value === 'string' || Construct.isConstruct(value)) {
    return `'${typeof value === 'string' ? value : value.node.path}'`;
  }
  return typeof value === 'object' && value !== null ? 'another object' : String(value);
}
