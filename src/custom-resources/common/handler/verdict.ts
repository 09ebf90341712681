/** One line of the handler's log. */
export type Log = (entry: Record<string, unknown>) => void;

/** The end of a request that failed. The framework passes the message on to the stack's events, and the stack trace with it. */
export class Verdict extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'Verdict';
    this.stack = message;
  }
}
