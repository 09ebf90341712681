/**
 * Keys with a list of values. A condition needs a set operator (`ForAnyValue`, `ForAllValues`) for them.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
 */
const MULTIVALUED = new Set([
  'aws:calledvia', 'aws:principalorgpaths', 'aws:principalservicenameslist', 'aws:resourceorgpaths', 'aws:sourceorgpaths', 'aws:tagkeys', 'aws:vpceorgpaths',
]);

/** What is known of a condition key: its values, that the request does not carry it (`undefined`), or nothing. */
export type ContextValue = string[] | undefined | 'unknown';

/** The condition keys of a request. */
export class RequestContext {
  /** Whoever knows these keys, and nothing of any other. An empty list: the request does not carry the key. */
  public static partial(keys: Record<string, string[]>): RequestContext {
    return new RequestContext(keys, 'unknown');
  }

  /** A request that carries these keys and no other. */
  public static complete(keys: Record<string, string[]>): RequestContext {
    return new RequestContext(keys, undefined);
  }

  public static isMultivalued(key: string): boolean {
    return MULTIVALUED.has(key.toLowerCase());
  }

  private readonly values: Map<string, string[]>;

  private constructor(private readonly keys: Record<string, string[]>, private readonly otherwise: 'unknown' | undefined) {
    this.values = new Map(Object.entries(keys).map(([key, values]) => [key.toLowerCase(), values]));
  }

  /** Names of keys are the same in capitals and small letters. */
  public get(key: string): ContextValue {
    const values = this.values.get(key.toLowerCase());
    if (values === undefined) {
      return this.otherwise;
    }
    return values.length > 0 ? values : undefined;
  }

  /** The same, where these keys are known too, or otherwise. */
  public with(keys: Record<string, string[]>): RequestContext {
    return new RequestContext({ ...this.keys, ...keys }, this.otherwise);
  }
}
