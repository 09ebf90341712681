import { Functions } from './functions';
import { Answers, GoldenStack, Parameters, Part, PARTS } from './golden-stack';
import { CustomResource, STACK_ID } from '../common/custom-resource';
import { CloudFormationResponse, ProviderFramework } from '../microvm-image/provider-framework';

type Properties = Record<string, unknown>;
interface Sent { readonly properties: Properties; readonly response: CloudFormationResponse }

/**
 * A stack as CloudFormation deploys it: in the order of its references, only what changed, and back again when one of it fails.
 */
export class Deployment {
  public parameters?: Parameters;
  /** What went wrong last. */
  public reason = '';
  /** Which parts were asked in the last deployment. */
  public asked = new Set<Part>();
  private readonly resources: Record<Part, CustomResource>;
  private readonly current: Partial<Record<Part, Sent>> = {};

  constructor(private readonly golden: GoldenStack, functions: Functions, betweenTicks: () => Promise<void>) {
    const resource = (part: Part) => new CustomResource(new ProviderFramework({
      onEvent: async (event) => functions.onEvent(part, event),
      isComplete: async (event) => functions.isComplete(part, event),
    }, betweenTicks), golden.type(part), golden.logicalId(part), STACK_ID);
    this.resources = { image: resource('image'), smokeTest: resource('smokeTest'), publication: resource('publication') };
  }

  /** As the resources answered last. */
  public get answers(): Answers {
    return { imageVersion: this.current.image?.response.Data?.ImageVersion, smokeTestId: this.current.smokeTest?.response.PhysicalResourceId };
  }

  /**
   * Whether the stack is what was asked for. If not, it is what it was before.
   *
   * @param onRollback told before it goes back
   */
  public async deploy(parameters: Parameters, siblingFails: boolean, onRollback: () => void): Promise<boolean> {
    const { parameters: before } = this;
    this.asked = new Set();
    if (await this.apply(parameters) && !siblingFails) {
      this.parameters = parameters;
      return true;
    }
    onRollback();
    if (before === undefined) {
      await this.delete();
    } else {
      await this.continued(() => this.apply(before, new Set(this.asked)));
    }
    return false;
  }

  /** Deletes what is there, the last first. A delete that fails is tried again, as an operator does. */
  public async delete(): Promise<void> {
    for (const part of [...PARTS].reverse()) {
      const sent = this.current[part];
      if (sent !== undefined) {
        await this.continued(async () => this.answered(await this.resources[part].send('Delete', sent.properties, undefined, sent.response.PhysicalResourceId)));
        delete this.current[part];
      }
    }
    this.parameters = undefined;
  }

  /** @param again those that must be asked, whether or not they changed */
  private async apply(parameters: Parameters, again = new Set<Part>()): Promise<boolean> {
    for (const part of PARTS) {
      const before = this.current[part];
      const properties = this.golden.properties(part, parameters, this.answers);
      if (before !== undefined && !again.has(part) && JSON.stringify(properties) === JSON.stringify(before.properties)) {
        continue;
      }
      this.asked.add(part);
      const response = before === undefined
        ? await this.resources[part].send('Create', properties)
        : await this.resources[part].send('Update', properties, before.properties, before.response.PhysicalResourceId);
      const succeeded = this.answered(response);
      // What failed answers nothing; what others refer to is what it answered before.
      this.current[part] = { properties, response: succeeded || before === undefined ? response : before.response };
      if (!succeeded) {
        return false;
      }
    }
    return true;
  }

  private answered({ Status, Reason }: CloudFormationResponse): boolean {
    this.reason = Status === 'FAILED' ? Reason.split('\n')[0] : this.reason;
    return Status === 'SUCCESS';
  }

  private async continued(work: () => Promise<boolean>): Promise<void> {
    for (let attempt = 0; attempt < 4; attempt++) {
      if (await work()) {
        return;
      }
    }
    throw new Error(`could not be rolled back or deleted: ${this.reason}`);
  }
}
