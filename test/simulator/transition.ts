/** How long something takes: in virtual ms, in reads of a poller, or whichever comes first. */
export interface Span {
  readonly reads?: number;
  readonly durationMs?: number;
}

/** Something under way. */
export class Transition {
  private seen = 0;

  constructor(private readonly span: Span, private readonly startedAt: number) {
  }

  public countRead(): void {
    this.seen += 1;
  }

  /** 0 at the start, 1 or more at the end. */
  public progress(now: number): number {
    const { reads, durationMs } = this.span;
    const byReads = reads === undefined ? 0 : reads === 0 ? 1 : this.seen / reads;
    const byClock = durationMs === undefined ? 0 : durationMs === 0 ? 1 : (now - this.startedAt) / durationMs;
    return Math.max(byReads, byClock);
  }

  /** When it ends: now, if the reads say so. Infinity when nobody can tell. */
  public endsAt(now: number): number {
    const { reads, durationMs } = this.span;
    const byReads = reads !== undefined && this.seen >= reads ? now : Number.POSITIVE_INFINITY;
    return Math.min(byReads, durationMs === undefined ? Number.POSITIVE_INFINITY : this.startedAt + durationMs);
  }

  public isDone(now: number): boolean {
    return this.progress(now) >= 1;
  }
}
