import { evaluate } from './jsonata';

export type Status = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';

/** What a task answers when it does not succeed. */
export class TaskFailure extends Error {
  constructor(public readonly error: string, public readonly cause: string) {
    super(cause);
  }
}

export interface Surroundings {
  readonly stateMachineArn: string;
  readonly executionArn: string;
  now(): number;
  /** @throws TaskFailure */
  task(resource: string, args: any): Promise<unknown>;
}

interface Retrier { readonly ErrorEquals: string[]; readonly IntervalSeconds: number; readonly MaxAttempts: number; readonly BackoffRate: number }
interface Catcher { readonly ErrorEquals: string[]; readonly Assign?: unknown; readonly Next: string }
interface State {
  readonly Type: string;
  readonly Next: string;
  readonly Arguments?: unknown;
  readonly Assign?: Record<string, unknown>;
  readonly Output?: unknown;
  readonly Resource: string;
  readonly Retry?: Retrier[];
  readonly Catch?: Catcher[];
  readonly Choices: { readonly Condition: string; readonly Next: string }[];
  readonly Default: string;
  readonly Seconds: number;
  readonly Error: unknown;
  readonly Cause: unknown;
}
export interface Definition { readonly StartAt: string; readonly QueryLanguage: string; readonly States: Record<string, State> }

/** The fields that are played, by the type of a state. */
const PLAYED: Record<string, string[]> = {
  Task: ['Type', 'Resource', 'Arguments', 'Assign', 'Output', 'Retry', 'Catch', 'Next'],
  Choice: ['Type', 'Choices', 'Default'],
  Pass: ['Type', 'Assign', 'Next'],
  Wait: ['Type', 'Seconds', 'Next'],
  Succeed: ['Type'],
  Fail: ['Type', 'Error', 'Cause'],
};
const SECOND = 1_000;

/**
 * One execution of a state machine in the Amazon States Language with JSONata, a state at a time: the tasks are played by whoever
 * started it, and so is the clock.
 *
 * See https://docs.aws.amazon.com/step-functions/latest/dg/concepts-amazon-states-language.html
 */
export class Execution {
  public status: Status = 'RUNNING';
  public error?: string;
  public cause?: string;
  public readonly visited: string[] = [];
  /** It does nothing before. */
  public waitsUntil = 0;
  private variables: Record<string, unknown> = {};
  private state: string;
  private attempts = 0;

  constructor(private readonly definition: Definition, private input: unknown, private readonly around: Surroundings) {
    if (definition.QueryLanguage !== 'JSONata') {
      throw new Error(`not played: ${definition.QueryLanguage}`);
    }
    for (const [name, state] of Object.entries(definition.States)) {
      const unknown = Object.keys(state).filter((field) => !PLAYED[state.Type]?.includes(field));
      if (unknown.length > 0) {
        throw new Error(`not played: ${unknown} of the ${state.Type} '${name}'`);
      }
    }
    this.state = definition.StartAt;
  }

  /** Somebody stops it, or its time is over: it does no more, not even clear up. */
  public stop(status: 'ABORTED' | 'TIMED_OUT'): void {
    this.status = this.status === 'RUNNING' ? status : this.status;
  }

  /** Enters the next state, or tries it again, and leaves it. */
  public async step(): Promise<void> {
    const state = this.definition.States[this.state];
    this.visited.push(this.state);
    switch (state.Type) {
      case 'Task':
        return this.task(state);
      case 'Choice': {
        const chosen = state.Choices.find(({ Condition }) => this.condition(Condition));
        return this.enter(chosen?.Next ?? state.Default);
      }
      case 'Pass':
        this.assign(state.Assign, {});
        return this.enter(state.Next);
      case 'Wait':
        this.waitsUntil = this.around.now() + state.Seconds * SECOND;
        return this.enter(state.Next);
      case 'Succeed':
        this.status = 'SUCCEEDED';
        return;
      default:
        this.fail(String(this.value(state.Error)), String(this.value(state.Cause)));
    }
  }

  private async task(state: State): Promise<void> {
    try {
      const args = this.value(state.Arguments);
      // What a task is handed and what it answers is JSON.
      const result = copy(await this.around.task(state.Resource, copy(args)));
      const output = state.Output === undefined ? result : this.value(state.Output, { result });
      this.assign(state.Assign, { result });
      this.input = output;
      this.enter(state.Next);
    } catch (thrown) {
      if (!(thrown instanceof TaskFailure) && !(thrown instanceof QueryEvaluationError)) {
        throw thrown;
      }
      const failure = thrown instanceof TaskFailure ? thrown : new TaskFailure('States.QueryEvaluationError', thrown.message);
      this.afterFailure(state, failure);
    }
  }

  private afterFailure({ Retry = [], Catch = [] }: State, { error, cause }: TaskFailure): void {
    const matches = ({ ErrorEquals }: { readonly ErrorEquals: string[] }) => ErrorEquals.some((each) => each === error || each === 'States.ALL');
    const retrier = Retry.find(matches);
    if (retrier && this.attempts < retrier.MaxAttempts) {
      this.waitsUntil = this.around.now() + retrier.IntervalSeconds * retrier.BackoffRate ** this.attempts * SECOND;
      this.attempts++;
      return;
    }
    const catcher = Catch.find(matches);
    if (catcher === undefined) {
      return this.fail(error, cause);
    }
    const errorOutput = { Error: error, Cause: cause };
    this.assign(catcher.Assign, { errorOutput });
    this.input = errorOutput;
    this.enter(catcher.Next);
  }

  private fail(error: string, cause: string): void {
    Object.assign(this, { status: 'FAILED', error, cause });
  }

  private enter(next: string): void {
    this.state = next;
    this.attempts = 0;
  }

  private condition(expression: string): boolean {
    const met = this.value(expression);
    if (typeof met !== 'boolean') {
      throw new Error(`${expression} is ${JSON.stringify(met)}: nothing catches that in a Choice`);
    }
    return met;
  }

  /** All of them see the variables as they were before. */
  private assign(fields: unknown, known: object): void {
    this.variables = { ...this.variables, ...(fields === undefined ? {} : this.value(fields, known) as object) };
  }

  /** Texts that are an expression from the first character to the last, at any depth; every other text is what it says. */
  private value(template: unknown, known: object = {}): unknown {
    if (Array.isArray(template)) {
      return template.map((each) => this.value(each, known));
    }
    if (typeof template === 'object' && template !== null) {
      return Object.fromEntries(Object.entries(template).map(([key, each]) => [key, this.value(each, known)]));
    }
    const expression = typeof template === 'string' && /^\{%(.*)%\}$/s.exec(template)?.[1];
    return expression ? this.evaluated(expression, known) : template;
  }

  private evaluated(expression: string, known: object): unknown {
    const { stateMachineArn, executionArn } = this.around;
    const states = { input: this.input, context: { Execution: { Id: executionArn }, StateMachine: { Id: stateMachineArn } }, ...known };
    let value: unknown;
    try {
      value = evaluate(expression, { ...this.variables, states });
    } catch (error) {
      throw new QueryEvaluationError(`${expression}: ${(error as Error).message}`);
    }
    if (value === undefined) {
      throw new QueryEvaluationError(`${expression} is nothing`);
    }
    return value;
  }
}

class QueryEvaluationError extends Error {}

function copy(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value ?? null));
}
