import { dirname, join } from 'path';
import { CloudFormationEvent } from '../../../src/custom-resources/microvm-image/handler/request';

/** What the framework PUTs to CloudFormation. */
export interface CloudFormationResponse {
  readonly Status: 'SUCCESS' | 'FAILED';
  readonly Reason: string;
  readonly PhysicalResourceId: string;
  readonly Data?: Record<string, string>;
  /** The size of the whole body; CloudFormation allows 4,096. */
  readonly bytes: number;
  /** How often `isComplete` was asked. */
  readonly ticks: number;
}

export interface Handlers {
  onEvent(event: CloudFormationEvent): Promise<unknown>;
  isComplete(event: CloudFormationEvent): Promise<unknown>;
}

/** As MicrovmImageProvider sets it: 57 minutes at one question every 7 seconds. */
const MAX_ATTEMPTS = Math.floor((57 * 60) / 7);

const RUNTIME = join(dirname(require.resolve('aws-cdk-lib/package.json')), 'custom-resources/lib/provider-framework/runtime');

/**
 * CDK's own Provider framework code, run in process: only Lambda, Step Functions and the PUT are replaced, by functions.
 * `betweenTicks` stands for the waiter's pause.
 */
export class ProviderFramework {
  private readonly framework: Record<string, (event: unknown) => Promise<void>>;
  private readonly outbound: Record<string, unknown>;
  private started?: string;
  private body?: string;

  constructor(private readonly handlers: Handlers, private readonly betweenTicks: () => Promise<void>) {
    process.env.USER_ON_EVENT_FUNCTION_ARN = 'arn:aws:lambda:us-east-1:000000000000:function:on-event';
    process.env.USER_IS_COMPLETE_FUNCTION_ARN = 'arn:aws:lambda:us-east-1:000000000000:function:is-complete';
    process.env.WAITER_STATE_MACHINE_ARN = 'arn:aws:states:us-east-1:000000000000:stateMachine:waiter';
    this.outbound = jest.requireActual(join(RUNTIME, 'outbound.js'));
    this.framework = jest.requireActual(join(RUNTIME, 'framework.js'));
    // MicrovmImageProvider sets the framework's log level to FATAL.
    jest.requireActual<{ log: () => void }>(join(RUNTIME, 'util.js')).log = () => undefined;
  }

  /** Handles one request to its end. Between its ticks others may handle theirs. */
  public async handle(event: CloudFormationEvent): Promise<CloudFormationResponse> {
    this.started = this.body = undefined;
    this.connect();
    await this.framework.onEvent({ ...event, ResponseURL: 'https://cloudformation.example/response' });
    let ticks = 0;
    while (this.body === undefined) {
      ticks++;
      this.connect();
      try {
        await this.framework.isComplete(JSON.parse(this.started!));
      } catch (error) {
        if (ticks === MAX_ATTEMPTS) {
          await this.framework.onTimeout({ Cause: JSON.stringify({ errorMessage: (error as Error).message }) });
        }
        await this.betweenTicks();
      }
    }
    return { ...JSON.parse(this.body), bytes: Buffer.byteLength(this.body), ticks };
  }

  /** The framework's code is the same for all. */
  private connect(): void {
    this.outbound.invokeFunction = async (request: { FunctionName: string; Payload: string }) => this.invoke(request);
    this.outbound.startExecution = async (request: { input: string }) => void (this.started = request.input);
    this.outbound.httpRequest = async (_options: unknown, body: string) => void (this.body = body);
  }

  /** Answers as Lambda does: a thrown error becomes a payload with its message and stack. */
  private async invoke(request: { FunctionName: string; Payload: string }): Promise<unknown> {
    const handler = request.FunctionName.endsWith(':on-event') ? this.handlers.onEvent : this.handlers.isComplete;
    try {
      return { Payload: JSON.stringify(await handler(JSON.parse(request.Payload))) };
    } catch (error) {
      const { name, message, stack } = error as Error;
      return { FunctionError: 'Unhandled', Payload: JSON.stringify({ errorType: name, errorMessage: message, trace: stack?.split('\n') }) };
    }
  }
}
