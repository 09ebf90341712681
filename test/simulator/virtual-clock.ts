/** The only time the simulator knows. It stands still until a test moves it. */
export class VirtualClock {
  /** Moves the clock by this many ms before each API call; 0 leaves it alone. */
  public autoAdvancePerCall = 0;
  private time: number;

  constructor(startAt: number, private readonly onAdvance: () => Promise<void>) {
    this.time = startAt;
  }

  public now(): number {
    return this.time;
  }

  /** Resolves when everything that fell due has happened. */
  public async advance(ms: number): Promise<void> {
    if (!(ms >= 0)) {
      throw new Error(`the clock only moves forward, got ${ms}`);
    }
    this.time += ms;
    await this.onAdvance();
  }

  /** @internal */
  public tick(): void {
    this.time += this.autoAdvancePerCall;
  }
}
