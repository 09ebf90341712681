import { HttpCheckProperties, SmokeTestProperties } from '../contract';

/** The calls a smoke test needs: of the MicroVMs API, of CloudWatch Logs, of Lambda, and of the app in the MicroVM. */
export interface ServicePort {
  /** Undefined when there is no such image. */
  getTags(imageArn: string): Promise<Record<string, string> | undefined>;
  /** MicroVMs of any version of the image that run with the role, started after `since`, and are not terminated. */
  listMicrovms(imageArn: string, executionRoleArn: string, since: number): Promise<MicrovmView[]>;
  /** Launches a MicroVM, or returns the one an earlier call with the same token launched. */
  launch(test: SmokeTestProperties, maximumDurationSeconds: number, clientToken: string): Promise<MicrovmView>;
  /** Calls the app as whoever has a token does. */
  callApp(microvm: MicrovmView, port: number, check: HttpCheckProperties): Promise<Answer>;
  /** Has a function of the user's look at the MicroVM. */
  invokeCheck(functionArn: string, microvm: MicrovmView, test: SmokeTestProperties): Promise<CheckResult>;
  terminate(microvmId: string): Promise<void>;
  /** The last lines a MicroVM wrote. */
  tailLog(logGroup: string, microvmId: string, since: number): Promise<string[]>;
  tag(imageArn: string, tags: Record<string, string>): Promise<void>;
  untag(imageArn: string, keys: string[]): Promise<void>;
}

export interface MicrovmView {
  readonly microvmId: string;
  readonly state: string;
  readonly imageVersion: string;
  readonly startedAt: number;
  /** A host. Empty when the service does not tell. */
  readonly endpoint: string;
  readonly stateReason?: string;
}

export interface Response {
  readonly type: 'response';
  readonly status: number;
  /** Its beginning. */
  readonly body: string;
}

/** What came back from the endpoint. */
export type Answer =
  | Response
  /** Nothing: the connection was refused, lost, or took too long. */
  | { readonly type: 'silence'; readonly why: string };

export interface CheckResult {
  /** Absent: the check passed. */
  readonly error?: string;
}
