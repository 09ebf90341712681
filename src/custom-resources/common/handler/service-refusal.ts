/** Why the service refused a call, as far as it decides what to do next. */
export type Refusal =
  /** 5xx, a gateway's HTML page, a lost connection, a throttle: the same call may pass in a moment. */
  | 'transient'
  /** The image is busy: a build or a delete has to end first. */
  | 'busy'
  | 'quota'
  | 'denied'
  | 'nameTaken'
  | 'runningMicrovms'
  | 'notFound'
  /** The request itself is wrong; repeating it cannot help. */
  | 'invalid';

export class ServiceRefusal extends Error {
  constructor(readonly refusal: Refusal, readonly operation: string, message: string) {
    super(message);
    this.name = 'ServiceRefusal';
  }

  /** While it is waited for. */
  get summary(): string {
    return `${this.operation} refused (${this.refusal}): ${this.message}`;
  }

  /** In a verdict. */
  get reason(): string {
    return `was refused: ${this.message || 'no reason given'}`;
  }
}
