/** One row of the table. */
export interface Measurement {
  /** What is measured, and against what. */
  readonly what: string;
  readonly target: string;
  /** How, in a sentence or two: enough to judge the number by. */
  readonly method: string;
  measure(): Promise<Finding>;
}

export interface Finding {
  readonly result: string;
  readonly met: boolean;
}

/** The middle of some numbers, and how far they reach. */
export class Sample {
  private readonly sorted: number[];

  constructor(values: number[]) {
    this.sorted = [...values].sort((a, b) => a - b);
  }

  public get median(): number {
    const middle = Math.floor(this.sorted.length / 2);
    return this.sorted.length % 2 === 1 ? this.sorted[middle] : (this.sorted[middle - 1] + this.sorted[middle]) / 2;
  }

  public get mean(): number {
    return this.sorted.reduce((sum, value) => sum + value, 0) / this.sorted.length;
  }

  public get max(): number {
    return this.sorted[this.sorted.length - 1];
  }

  public toString(): string {
    return `${this.median.toFixed(0)} (${this.sorted[0].toFixed(0)} to ${this.max.toFixed(0)})`;
  }
}

/** Runs the subjects in turns, so that a slow minute of the machine is everybody's, and returns what each measured. */
export function inTurns(rounds: number, subjects: Array<() => number>): Sample[] {
  const values: number[][] = subjects.map(() => []);
  // The first round warms the disk's cache and is not counted.
  for (let round = 0; round <= rounds; round++) {
    subjects.forEach((subject, index) => {
      const value = subject();
      if (round > 0) {
        values[index].push(value);
      }
    });
  }
  return values.map((each) => new Sample(each));
}

export function ratio(ours: Sample, theirs: Sample): string {
  return `${(ours.median / theirs.median).toFixed(2)}x`;
}
