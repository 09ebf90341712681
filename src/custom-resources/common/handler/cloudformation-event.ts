/** What CloudFormation sends, as the Provider framework hands it to both handlers. */
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
