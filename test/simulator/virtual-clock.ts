/** The only time the simulator knows. It stands still until a test moves it, or follows real time. */
export class VirtualClock {
  /** Moves the clock by this many ms before each API call; 0 leaves it alone. */
  public autoAdvancePerCall = 0;
  /** Catches up with real time before each API call: for callers who compare what the service tells with a clock of their own. */
  public followsRealTime = false;
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
    this.time = Math.max(this.time + this.autoAdvancePerCall, this.followsRealTime ? Date.now() : 0);
  }
}
