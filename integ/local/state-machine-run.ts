import { DescribeExecutionCommand, GetExecutionHistoryCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';

const POLLS = 600;
const POLL_INTERVAL_MS = 50;

export interface StateMachineRun {
  readonly status?: string;
  readonly error?: string;
  readonly cause?: string;
  /** The names of the states it entered, in order. */
  readonly states: string[];
}

/** Starts an execution, as a schedule does or somebody by hand, and waits for its end. */
export async function runStateMachine(sfn: SFNClient, stateMachineArn: string, input: object): Promise<StateMachineRun> {
  const { executionArn } = await sfn.send(new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(input) }));
  for (let poll = 0; poll < POLLS; poll++) {
    const { status, error, cause } = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    if (status !== 'RUNNING') {
      const { events } = await sfn.send(new GetExecutionHistoryCommand({ executionArn, maxResults: 1_000 }));
      const states = events!.flatMap(({ stateEnteredEventDetails }) => stateEnteredEventDetails?.name ?? []);
      return { status, error, cause, states };
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
  }
  throw new Error('the execution does not end');
}
