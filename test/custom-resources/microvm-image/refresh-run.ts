import { randomUUID } from 'crypto';
import { SimulatedStacks } from './simulated-stack';
import { encodeProperties, ImageProperties } from '../../../src/custom-resources/microvm-image/contract';
import { checkBase, CheckResult } from '../../../src/custom-resources/microvm-image/handler/check-base';
import { isComplete } from '../../../src/custom-resources/microvm-image/handler/is-complete';
import { acceptRequest, CloudFormationEvent, RefreshPhase } from '../../../src/custom-resources/microvm-image/handler/request';
import { SdkAdapter } from '../../../src/custom-resources/microvm-image/handler/sdk-adapter';

const STACK_ID = 'arn:aws:cloudformation:us-east-1:000000000000:stack/App/11111111-2222-3333-4444-555555555555';
const POLL_MS = 7_000;
const MAX_POLLS = 500;

/** One execution of the state machine of a refresh, state by state: the real handlers, asked in its order. */
export class RefreshRun {
  /** A whole execution. Undefined: nothing was due. */
  public static async of(stacks: SimulatedStacks, image: ImageProperties, force = false): Promise<string | undefined> {
    const run = new RefreshRun(stacks, image);
    if (!(await run.check(force)).Due) {
      return undefined;
    }
    const version = await run.build();
    await run.ask(RefreshPhase.COMMIT);
    return version;
  }

  private event?: CloudFormationEvent;
  private version?: string;

  constructor(private readonly stacks: SimulatedStacks, private readonly image: ImageProperties) {}

  public async check(force = false): Promise<CheckResult> {
    const checked = await checkBase({
      StackId: STACK_ID,
      LogicalResourceId: 'Image',
      ImageProperties: JSON.stringify({ ServiceToken: 'token', ServiceTimeout: 3600, ...encodeProperties(this.image) }),
      ExecutionId: `arn:aws:states:us-east-1:000000000000:execution:refresh:${randomUUID()}`,
      Force: force,
    }, new SdkAdapter(), this.now, this.log);
    this.event = checked.Event === null ? undefined : { ...checked.Event, ...acceptRequest(checked.Event, this.now()) };
    return checked;
  }

  /** One question of the state machine. Undefined: not complete. */
  public async ask(phase = RefreshPhase.BUILD): Promise<string | undefined> {
    const version = phase === RefreshPhase.BUILD ? undefined : this.version;
    const event = JSON.parse(JSON.stringify({ ...this.event, Refresh: { ...this.event!.Refresh, phase, version } }));
    const answer = await isComplete(event, new SdkAdapter(), this.now, this.log);
    return answer.IsComplete ? answer.Data?.ImageVersion ?? '' : undefined;
  }

  public async build(): Promise<string> {
    for (let poll = 0; poll < MAX_POLLS; poll++) {
      const version = await this.ask();
      if (version !== undefined) {
        this.version = version;
        return version;
      }
      await this.stacks.simulator.clock.advance(POLL_MS);
    }
    throw new Error('the refresh did not end');
  }

  private readonly now = (): number => this.stacks.simulator.clock.now();
  private readonly log = (entry: Record<string, unknown>): void => void this.stacks.logged.push(JSON.stringify(entry));
}
