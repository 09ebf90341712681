import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { formatImageArn } from '../../src/custom-resources/microvm-image/contract';

interface TemplateResource {
  readonly Type: string;
  readonly Properties: Record<string, any>;
}

export interface PolicyDocument {
  readonly Version: string;
  readonly Statement: any[];
}

export const PARTITION = 'aws';
export const REGION = 'us-east-1';
export const ACCOUNT = '000000000000';

/** A template with its intrinsic functions resolved the way CloudFormation would in one account, region and stack. */
export class DeployedTemplate {
  /** @param ssm what the SSM parameters hold that the template reads, by name */
  public static of(stack: Stack, stackId: string, ssm: Record<string, string> = {}): DeployedTemplate {
    const { Resources, Parameters = {} } = Template.fromStack(stack).toJSON();
    const values = Object.entries<any>(Parameters).map(([id, { Default }]) => [id, ssm[Default] ?? Default]);
    return new DeployedTemplate(Resources, stackId, Object.fromEntries(values));
  }

  private constructor(
    private readonly resources: Record<string, TemplateResource>,
    public readonly stackId: string,
    private readonly parameters: Record<string, string>,
  ) {}

  public logicalIds(type: string): string[] {
    return Object.keys(this.resources).filter((id) => this.resources[id].Type === type);
  }

  public properties(logicalId: string): Record<string, any> {
    return this.resolve(this.resources[logicalId].Properties) as Record<string, any>;
  }

  /** The properties of all resources of a type. */
  public all(type: string): Record<string, any>[] {
    return this.logicalIds(type).map((id) => this.properties(id));
  }

  /** The one role whose logical id contains the text. */
  public role(part: string): string {
    const found = this.logicalIds('AWS::IAM::Role').filter((id) => id.includes(part));
    if (found.length !== 1) {
      throw new Error(`expected one role with '${part}' in its id, found: ${found.join(', ') || 'none'}`);
    }
    return found[0];
  }

  public roleArn(logicalId: string): string {
    const { Path: path = '/', RoleName: name = logicalId } = this.resources[logicalId].Properties;
    return `arn:${PARTITION}:iam::${ACCOUNT}:role${this.resolve(path)}${this.resolve(name)}`;
  }

  /** Everything a role is allowed: its inline policies and those attached to it. */
  public policiesOf(roleLogicalId: string): PolicyDocument[] {
    const inline = (this.resources[roleLogicalId].Properties.Policies ?? []).map((policy: any) => policy.PolicyDocument);
    const attached = ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy'].flatMap((type) => this.logicalIds(type))
      .map((id) => this.resources[id].Properties)
      .filter((policy) => (policy.Roles ?? []).some((role: any) => role.Ref === roleLogicalId))
      .map((policy) => policy.PolicyDocument);
    return [...inline, ...attached].map((document) => this.resolve(document) as PolicyDocument);
  }

  private resolve(value: unknown): unknown {
    if (Array.isArray(value)) {
      return value.map((entry) => this.resolve(entry));
    }
    if (typeof value !== 'object' || value === null) {
      return value;
    }
    const [[key, argument], ...more] = Object.entries(value).length > 0 ? Object.entries(value) : [['', undefined]];
    if (more.length === 0) {
      switch (key) {
        case 'Ref': return this.ref(argument as string);
        case 'Fn::GetAtt': return this.attribute(...(argument as [string, string]));
        case 'Fn::Join': return (this.resolve((argument as any)[1]) as string[]).join((argument as any)[0]);
        case 'Fn::Split': return (this.resolve((argument as any)[1]) as string).split((argument as any)[0]);
        case 'Fn::Select': return (this.resolve((argument as any)[1]) as string[])[Number((argument as any)[0])];
        case 'Fn::Sub': return (argument as string).replace(/\$\{([^}]+)\}/g, (_match, name) => this.ref(name));
      }
    }
    return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, this.resolve(entry)]));
  }

  private ref(id: string): string {
    const pseudo: Record<string, string> = {
      'AWS::Partition': PARTITION,
      'AWS::Region': REGION,
      'AWS::AccountId': ACCOUNT,
      'AWS::StackId': this.stackId,
      'AWS::StackName': this.stackId.split('/')[1],
      'AWS::URLSuffix': 'amazonaws.com',
    };
    const resource = this.resources[id];
    switch (resource?.Type) {
      case 'AWS::Logs::LogGroup': return resource.Properties.LogGroupName ?? id;
      case 'AWS::SSM::Parameter': return resource.Properties.Name ?? id;
      case 'Custom::LambdaMicrovmImage': return this.imageArn(resource.Properties.ImageName);
      case 'AWS::Lambda::MicrovmImage': return this.imageArn(resource.Properties.Name);
      case 'AWS::StepFunctions::StateMachine': return `arn:${PARTITION}:states:${REGION}:${ACCOUNT}:stateMachine:${id}`;
      default: return pseudo[id] ?? this.parameters[id] ?? id;
    }
  }

  private attribute(id: string, name: string): string {
    const resource = this.resources[id];
    switch (`${resource.Type}.${name}`) {
      case 'AWS::IAM::Role.Arn': return this.roleArn(id);
      case 'AWS::Logs::LogGroup.Arn': return `arn:${PARTITION}:logs:${REGION}:${ACCOUNT}:log-group:${this.ref(id)}:*`;
      case 'AWS::Lambda::Function.Arn': return `arn:${PARTITION}:lambda:${REGION}:${ACCOUNT}:function:${id}`;
      case 'AWS::S3::Bucket.Arn': return `arn:${PARTITION}:s3:::${id.toLowerCase()}`;
      case 'AWS::Lambda::NetworkConnector.Arn': return `arn:${PARTITION}:lambda:${REGION}:${ACCOUNT}:network-connector:${id}`;
      case 'Custom::LambdaMicrovmImage.ImageVersion': return '1.0';
      case 'AWS::KMS::Key.Arn': return `arn:${PARTITION}:kms:${REGION}:${ACCOUNT}:key/${id}`;
      default: return `${id}.${name}`;
    }
  }

  private imageArn(imageName: string): string {
    return formatImageArn({ partition: PARTITION, region: REGION, account: ACCOUNT, imageName });
  }
}
