export interface LogEvent { readonly timestamp: number; readonly message: string; readonly ingestionTime: number; readonly eventId: string }
export interface LogStream { readonly name: string; readonly createdAt: number; readonly events: LogEvent[] }
export interface LogGroup { readonly name: string; readonly createdAt: number; retentionInDays?: number; readonly streams: Map<string, LogStream> }

/** CloudWatch Logs in memory. */
export class LogGroups {
  private readonly groups = new Map<string, LogGroup>();
  private eventCount = 0;

  public create(name: string, now: number): boolean {
    if (this.groups.has(name)) {
      return false;
    }
    this.groups.set(name, { name, createdAt: now, streams: new Map() });
    return true;
  }

  public delete(name: string): boolean {
    return this.groups.delete(name);
  }

  public get(name: string): LogGroup | undefined {
    return this.groups.get(name);
  }

  public all(): LogGroup[] {
    return [...this.groups.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  public stream(group: LogGroup, name: string, now: number): LogStream {
    const found = group.streams.get(name);
    if (found) {
      return found;
    }
    const stream: LogStream = { name, createdAt: now, events: [] };
    group.streams.set(name, stream);
    return stream;
  }

  public append(stream: LogStream, events: readonly { timestamp: number; message: string }[], now: number): void {
    for (const event of events) {
      this.eventCount += 1;
      stream.events.push({ ...event, ingestionTime: now, eventId: String(this.eventCount).padStart(56, '0') });
    }
  }

  /** Every line of a group, stream by stream, for assertions. */
  public lines(name: string): string[] {
    return [...this.groups.get(name)?.streams.values() ?? []].flatMap((stream) => stream.events.map((event) => event.message));
  }

  public clear(): void {
    this.groups.clear();
  }
}
