import { CfnParameter, CfnResource, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as s3 from 'aws-cdk-lib/aws-s3';
import {
  BaseImageRefresh, MicrovmCode, MicrovmImage, MicrovmImageEngine, MicrovmImagePublication, MicrovmSmokeTest,
} from '../../../src';
import { VersionStep } from '../../../src/constructs/private/refresh-workflow';
import { stackOf } from '../../constructs/fixtures';
import { Definition } from '../../state-machine/execution';
import { STACK_ID } from '../common/custom-resource';

export const IMAGE_NAME = 'agents';
export const IMAGE_ARN = `arn:aws:lambda:us-east-1:000000000000:microvm-image:${IMAGE_NAME}`;
export const ROOT = '/microvm-images/agents';
export const BUCKET = 'assets';
export const MAX_FAILURES = 2;
/** Of versions of the image, and of records of the publication. */
export const KEPT = 2;

/** What is deployed in this order. */
export const PARTS = ['image', 'smokeTest', 'publication'] as const;
export type Part = (typeof PARTS)[number];

/** What the deployer gives. */
export interface Parameters { readonly code: string; readonly team: string }
/** What resources answered. */
export interface Answers { readonly imageVersion?: string; readonly smokeTestId?: string }

export type Handler = 'onEvent' | 'isComplete';

/** The stack of a platform team, synthesized once: what its resources are sent, and the state machine of its refresh, are those of the template. */
export class GoldenStack {
  private readonly template: any;
  private readonly resources: Record<Part, CfnResource>;
  private readonly functions = new Map<string, { part: Part | 'check'; handler: Handler }>();
  private readonly definition: unknown;

  constructor() {
    const stack = stackOf();
    const [code, team] = ['Code', 'Team'].map((name) => new CfnParameter(stack, name).valueAsString);
    const image = new MicrovmImage(stack, 'Image', {
      imageName: IMAGE_NAME,
      code: MicrovmCode.fromBucket(s3.Bucket.fromBucketName(stack, 'Assets', BUCKET), code),
      engine: MicrovmImageEngine.custom({ keepVersions: KEPT }),
      tags: { team },
    });
    const smokeTest = new MicrovmSmokeTest(stack, 'SmokeTest', { image });
    const publication = new MicrovmImagePublication(stack, 'Publication', { image, publicationName: IMAGE_NAME, smokeTests: [smokeTest], keepRecords: KEPT });
    const refresh = new BaseImageRefresh(stack, 'Refresh', { image, publication, maxFailures: MAX_FAILURES });

    const { handlers, resource } = image._image;
    const steps: Record<Part, Pick<VersionStep, 'handlers' | 'resource'>> = {
      image: { handlers: handlers!, resource }, smokeTest: smokeTest._tested, publication: publication._published,
    };
    this.resources = { image: resource, smokeTest: smokeTest._tested.resource, publication: publication._published.resource };
    this.template = Template.fromStack(stack).toJSON();
    for (const part of PARTS) {
      for (const handler of ['onEvent', 'isComplete'] as const) {
        this.functions.set(this.resolve(stack.resolve(steps[part].handlers[handler].functionArn)), { part, handler });
      }
    }
    this.definition = this.template.Resources[idOf(stack, refresh)].Properties.DefinitionString;
  }

  /** Who is meant by the name that a state machine invokes. A function that is none of them looks whether the base image moved. */
  public functionOf(arn: string): { part: Part | 'check'; handler: Handler } {
    return this.functions.get(arn) ?? { part: 'check', handler: 'onEvent' };
  }

  public logicalId(part: Part): string {
    return this.idOf(part);
  }

  public type(part: Part): string {
    return this.resources[part].cfnResourceType;
  }

  /** As CloudFormation sends them: every reference resolved. */
  public properties(part: Part, parameters: Parameters, answers: Answers): Record<string, unknown> {
    return this.resolve(this.template.Resources[this.idOf(part)].Properties, parameters, answers);
  }

  public workflow(parameters: Parameters, answers: Answers): Definition {
    return JSON.parse(this.resolve(this.definition, parameters, answers));
  }

  /** The log groups there are. */
  public get logGroups(): string[] {
    return Object.entries<any>(this.template.Resources).filter(([, { Type }]) => Type === 'AWS::Logs::LogGroup').map(([id]) => groupName(id));
  }

  private idOf(part: Part): string {
    const { Resources } = this.template;
    return Object.keys(Resources).find((id) => Resources[id].Type === this.type(part))!;
  }

  private resolve(value: any, parameters?: Parameters, answers: Answers = {}): any {
    const again = (each: any) => this.resolve(each, parameters, answers);
    if (Array.isArray(value)) {
      return value.map(again);
    }
    if (typeof value !== 'object' || value === null) {
      return value;
    }
    if ('Ref' in value) {
      return this.reference(value.Ref, parameters, answers);
    }
    if ('Fn::GetAtt' in value) {
      return this.attribute(value['Fn::GetAtt'], answers);
    }
    if ('Fn::Join' in value) {
      const [separator, parts] = value['Fn::Join'];
      return again(parts).join(separator);
    }
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, again(each)]));
  }

  private reference(id: string, parameters?: Parameters, answers: Answers = {}): string {
    const known: Record<string, string | undefined> = {
      'AWS::Partition': 'aws',
      'AWS::Region': 'us-east-1',
      'AWS::AccountId': '000000000000',
      'AWS::StackId': STACK_ID,
      'Code': parameters?.code,
      'Team': parameters?.team,
      [this.idOf('image')]: IMAGE_ARN,
      [this.idOf('smokeTest')]: answers.smokeTestId,
      [this.idOf('publication')]: ROOT,
    };
    const value = known[id] ?? (this.template.Resources[id]?.Type === 'AWS::Logs::LogGroup' ? groupName(id) : undefined);
    return value ?? missing(id);
  }

  private attribute([id, name]: [string, string], { imageVersion }: Answers): string {
    if (id === this.idOf('image') && name === 'ImageVersion') {
      return imageVersion ?? missing(`${id}.${name}`);
    }
    const kind = { 'AWS::IAM::Role': 'iam::000000000000:role/', 'AWS::Lambda::Function': 'lambda:us-east-1:000000000000:function:' }[
      this.template.Resources[id].Type as string];
    return name === 'Arn' && kind ? `arn:aws:${kind}${id}` : missing(`${id}.${name}`);
  }
}

function idOf(stack: Stack, { stateMachine }: BaseImageRefresh): string {
  return stack.getLogicalId(stateMachine.node.defaultChild as CfnResource);
}

function groupName(id: string): string {
  return `/groups/${id}`;
}

function missing(what: string): never {
  throw new Error(`the template refers to ${what}, which is not played`);
}
