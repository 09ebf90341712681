import { createHash } from 'crypto';

/** What CloudFormation sends, as the Provider framework hands it to both functions of a handler. */
export interface CloudFormationEvent {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  readonly RequestId: string;
  readonly StackId: string;
  readonly LogicalResourceId: string;
  /** Of an image when it is left out. */
  readonly ResourceType?: string;
  readonly PhysicalResourceId?: string;
  readonly ResourceProperties: Record<string, unknown>;
  readonly OldResourceProperties?: Record<string, unknown>;
  /** Added by `onEvent`: when this request arrived, in ISO 8601. */
  readonly AcceptedAt?: string;
  /** Of a base image refresh only: CloudFormation never sends it. */
  readonly Refresh?: RefreshMark;
}

/** What tells a base image refresh that a deployment goes first. */
export interface RefreshMark {
  /** The request tag the image had when the refresh was decided. */
  readonly requestSeen: string;
}

/** What `onEvent` answers; the framework hands it on to every `isComplete`. */
export interface Acceptance {
  readonly PhysicalResourceId: string;
  readonly AcceptedAt: string;
}

/** What the framework makes of an answer of `isComplete`: not complete means ask again. */
export interface Answer<Attributes> {
  readonly IsComplete: boolean;
  readonly Data?: Attributes;
}

/** When a request arrived, in milliseconds since the epoch. Deadlines count from there. */
export function arrivalOf({ AcceptedAt }: CloudFormationEvent, now: number): number {
  return AcceptedAt === undefined ? now : Date.parse(AcceptedAt);
}

/** The same for every request of one resource, and no other's. */
export function resourceDigest({ StackId, LogicalResourceId }: CloudFormationEvent, digits: number): string {
  return createHash('sha256').update(`${StackId}|${LogicalResourceId}`).digest('hex').slice(0, digits);
}

/** For people. */
export function stackNameOf({ StackId }: CloudFormationEvent): string {
  return StackId.split('/')[1] ?? StackId;
}

/** The properties of a request. Undefined for a Delete whose properties make no sense: it was never more than refused. */
export function propertiesOf<Properties>(event: CloudFormationEvent, decode: (raw: Record<string, unknown>) => Properties): Properties | undefined {
  try {
    return decode(event.ResourceProperties);
  } catch (error) {
    if (event.RequestType === 'Delete') {
      return undefined;
    }
    throw error;
  }
}
