import { randomUUID } from 'crypto';
import { Functions } from './functions';
import { Definition, Execution, Surroundings, TaskFailure } from '../../state-machine/execution';

const STATE_MACHINE = 'arn:aws:states:us-east-1:000000000000:stateMachine:Refresh';

export interface PutEvent { readonly DetailType: string; readonly Detail: Record<string, any> }

/** Step Functions, with what else the state machine of a refresh calls. */
export class RefreshExecutions {
  public readonly events: PutEvent[] = [];
  public schedule: Record<string, unknown> = { Name: 'Refresh', Arn: 'arn:aws:scheduler:us-east-1:000000000000:schedule/default/Refresh', State: 'ENABLED' };
  /** How many more calls each of them refuses, by its resource. */
  public readonly throttles: Record<string, number> = {};
  /** The newest first. */
  private readonly executions: Execution[] = [];

  constructor(private readonly functions: Functions, private readonly now: () => number) {}

  public get failuresInARow(): number {
    const ends = this.executions.findIndex(({ status }) => status !== 'FAILED' && status !== 'TIMED_OUT');
    return ends < 0 ? this.executions.length : ends;
  }

  public start(definition: Definition, force: boolean): Execution {
    const surroundings: Surroundings = {
      stateMachineArn: STATE_MACHINE,
      executionArn: `arn:aws:states:us-east-1:000000000000:execution:Refresh:${randomUUID()}`,
      now: this.now,
      task: async (resource, args) => this.task(resource, args),
    };
    const execution = new Execution(definition, { force }, surroundings);
    this.executions.unshift(execution);
    return execution;
  }

  private async task(resource: string, args: any): Promise<unknown> {
    if ((this.throttles[resource] ?? 0) > 0) {
      this.throttles[resource]--;
      throw new TaskFailure('Throttled', `${resource}: Rate exceeded`);
    }
    switch (resource) {
      case 'arn:aws:states:::lambda:invoke':
        return { StatusCode: 200, Payload: await this.invoke(args.FunctionName, args.Payload) };
      case 'arn:aws:states:::events:putEvents':
        this.events.push(...args.Entries);
        return { FailedEntryCount: 0 };
      case 'arn:aws:states:::aws-sdk:sfn:listExecutions':
        return { Executions: this.executions.slice(0, args.MaxResults).map(({ status }) => ({ Status: status })) };
      case 'arn:aws:states:::aws-sdk:scheduler:getSchedule':
        return this.schedule;
      case 'arn:aws:states:::aws-sdk:scheduler:updateSchedule':
        this.schedule = { ...args, Arn: this.schedule.Arn };
        return { ScheduleArn: this.schedule.Arn };
      default:
        throw new Error(`not played: ${resource}`);
    }
  }

  /** What a function throws is the error by its name, and its payload the cause. */
  private async invoke(name: string, payload: unknown): Promise<unknown> {
    try {
      return await this.functions.invoke(name, payload);
    } catch (thrown) {
      const { name: errorType, message: errorMessage } = thrown as Error;
      throw new TaskFailure(errorType, JSON.stringify({ errorMessage, errorType }));
    }
  }
}
