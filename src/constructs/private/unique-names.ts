import { IConstruct } from 'constructs';

/** Names of which a stack, or a stage of the app, has one each, and the constructs that have them. */
export class UniqueNames {
  private readonly taken = new WeakMap<IConstruct, Map<string, IConstruct>>();

  /** Takes a name for a construct. If another one has it, that one keeps it and is returned. */
  public take(name: string, within: IConstruct, taker: IConstruct): IConstruct | undefined {
    const names = this.taken.get(within) ?? new Map<string, IConstruct>();
    this.taken.set(within, names);
    const other = names.get(name);
    names.set(name, other ?? taker);
    return other;
  }
}
