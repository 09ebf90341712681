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

/** The end of a refresh that made way for a deployment. Its name is what the state machine catches. */
export class Superseded extends Verdict {
  constructor(message: string) {
    super(message);
    this.name = 'Superseded';
  }
}

/** Nothing was found out, and nothing is wrong: a look in a moment may tell. Its name is what the state machine tries again on. */
export class Unavailable extends Verdict {
  constructor(message: string) {
    super(message);
    this.name = 'Unavailable';
  }
}
