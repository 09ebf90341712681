import { conflict } from './service-error';

interface Kept { readonly parameters: string; readonly response: Record<string, unknown>; readonly imageId: string }

/** Client tokens, kept for good (3.3). */
export class IdempotencyTokens {
  private readonly kept = new Map<string, Kept>();

  /** The original answer when the token was seen before; other parameters under it are a conflict. */
  public find(operation: string, input: Record<string, any>): Kept | undefined {
    const kept = input.clientToken ? this.kept.get(input.clientToken) : undefined;
    if (kept && kept.parameters !== parametersOf(operation, input)) {
      throw conflict('The client token was already used with different parameters.');
    }
    return kept;
  }

  public keep(operation: string, input: Record<string, any>, response: Record<string, unknown>, imageId: string): void {
    if (input.clientToken) {
      this.kept.set(input.clientToken, { parameters: parametersOf(operation, input), response, imageId });
    }
  }
}

function parametersOf(operation: string, input: Record<string, any>): string {
  return JSON.stringify([operation, sorted(input)]);
}

function sorted(value: any): any {
  if (Array.isArray(value)) {
    return value.map(sorted);
  }
  return value && typeof value === 'object'
    ? Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]))
    : value;
}
