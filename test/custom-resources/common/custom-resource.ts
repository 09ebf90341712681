import { randomUUID } from 'crypto';
import { CloudFormationResponse, ProviderFramework } from '../microvm-image/provider-framework';
import { stringified } from '../microvm-image/stack-events';

type Properties = Record<string, unknown>;

export const STACK_ID = 'arn:aws:cloudformation:us-east-1:000000000000:stack/App/11111111-2222-3333-4444-555555555555';
export const OTHER_STACK_ID = 'arn:aws:cloudformation:us-east-1:000000000000:stack/Other/99999999-2222-3333-4444-555555555555';

/**
 * A custom resource of a stack, as CloudFormation drives it: it remembers the physical id and the properties last sent,
 * rolls a failed update back, and deletes what a replacement or a failed create left behind.
 */
export class CustomResource {
  public physicalId?: string;
  /** Told when a deployment failed, before what CloudFormation sends then. */
  public onFailure?: () => void;
  private properties?: Properties;

  constructor(
    private readonly framework: ProviderFramework,
    private readonly type: string,
    private readonly logicalId: string,
    private readonly stackId = STACK_ID,
  ) {}

  /** What a deployment sends; the clean-up of a failed create with it. */
  public async create(properties: Properties): Promise<CloudFormationResponse> {
    const response = await this.send('Create', properties);
    if (response.Status === 'FAILED') {
      this.onFailure?.();
      await this.send('Delete', properties, undefined, response.PhysicalResourceId);
    } else {
      this.physicalId = response.PhysicalResourceId;
      this.properties = properties;
    }
    return response;
  }

  /** What a deployment sends; the rollback of a failed update with it. */
  public async update(properties: Properties): Promise<CloudFormationResponse> {
    const before = this.properties!;
    const formerId = this.physicalId;
    const response = await this.send('Update', properties, before, formerId);
    if (response.Status === 'FAILED') {
      this.onFailure?.();
      const rolledBack = await this.send('Update', before, properties, formerId);
      expect(rolledBack).toMatchObject({ Status: 'SUCCESS' });
      if (response.PhysicalResourceId !== formerId) {
        await this.send('Delete', properties, undefined, response.PhysicalResourceId);
      }
      return response;
    }
    this.properties = properties;
    this.physicalId = response.PhysicalResourceId;
    if (formerId !== this.physicalId) {
      await this.send('Delete', before, undefined, formerId);
    }
    return response;
  }

  /** The update back to former properties, because a sibling failed. */
  public async rollBack(former: Properties): Promise<CloudFormationResponse> {
    const response = await this.send('Update', former, this.properties, this.physicalId);
    this.properties = former;
    return response;
  }

  /** For deployments that are told step by step. */
  public deployed(properties: Properties): void {
    this.properties = properties;
  }

  public async delete(): Promise<CloudFormationResponse | undefined> {
    return this.properties && this.send('Delete', this.properties, undefined, this.physicalId);
  }

  public async send(type: 'Create' | 'Update' | 'Delete', properties: Properties, old?: Properties, physicalId?: string): Promise<CloudFormationResponse> {
    return this.framework.handle({
      RequestType: type,
      RequestId: randomUUID(),
      StackId: this.stackId,
      LogicalResourceId: this.logicalId,
      ResourceType: this.type,
      PhysicalResourceId: physicalId,
      ResourceProperties: stringified({ ServiceToken: 'token', ...properties }) as Properties,
      OldResourceProperties: old && stringified({ ServiceToken: 'token', ...old }) as Properties,
    });
  }
}
