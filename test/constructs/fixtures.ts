import * as fs from 'fs';
import { App, AppProps, Stack, StackProps } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { MicrovmCode, MicrovmImage, MicrovmImageProps } from '../../src';
import { RESOURCE_TYPE } from '../../src/custom-resources/microvm-image/contract';

export const DOCKERFILE = 'FROM public.ecr.aws/lambda/microvms:al2023-minimal\nEXPOSE 8080 9000\n';
export const CODE = MicrovmCode.fromInline({ dockerfile: DOCKERFILE });
export const ENV = { account: '123456789012', region: 'us-east-1' };
/** The flags of a new CDK app: they merge statements, for one. */
export const FLAGS = JSON.parse(fs.readFileSync(require.resolve('aws-cdk-lib/recommended-feature-flags.json'), 'utf8'));

export function stackOf(props: StackProps = {}, app: AppProps = {}): Stack {
  return new Stack(new App(app), 'Stack', props);
}

export function imageIn(scope: Construct, props: Partial<MicrovmImageProps> = {}, id = 'Image'): MicrovmImage {
  return new MicrovmImage(scope, id, { code: CODE, ...props });
}

/** An image written with CloudFormation's own resource. */
export function bareImageIn(scope: Construct, name = 'bare'): lambda.CfnMicrovmImage {
  return new lambda.CfnMicrovmImage(scope, 'Bare', {
    name,
    description: '',
    baseImageArn: 'x',
    baseImageVersion: '1',
    buildRoleArn: 'x',
    codeArtifact: { uri: 's3://x/y' },
    cpuConfigurations: [],
    resources: [],
    additionalOsCapabilities: [],
    egressNetworkConnectors: [],
    environmentVariables: [],
    hooks: {},
    logging: {},
  });
}

/** The resources of a type, by logical id. */
export function resources(scope: Stack, type: string): Record<string, any> {
  return Template.fromStack(scope).findResources(type);
}

/** The only resource of a type. */
export function only(scope: Stack, type: string): any {
  const all = Object.values(resources(scope, type));
  if (all.length !== 1) {
    throw new Error(`expected one ${type}, got ${all.length}`);
  }
  return all[0];
}

export function imageResource(scope: Stack): any {
  return only(scope, RESOURCE_TYPE);
}

/** Intrinsic functions written as one text, in the way people write them: `arn:<AWS::Partition>:...`. */
export function text(value: any): string {
  if (typeof value !== 'object') {
    return String(value);
  }
  if (value['Fn::Join']) {
    return value['Fn::Join'][1].map(text).join(value['Fn::Join'][0]);
  }
  if (value['Fn::Sub']) {
    return value['Fn::Sub'].replace(/\$\{([^}]+)\}/g, '<$1>');
  }
  if (value['Fn::GetAtt']) {
    return `<${value['Fn::GetAtt'].join('.')}>`;
  }
  return value.Ref ? `<${value.Ref}>` : JSON.stringify(value);
}

export interface Statement {
  readonly actions: string[];
  readonly resources: string[];
  readonly condition?: any;
}

/** The allowing statements attached to the role whose logical id starts so, from its inline and its default policies. */
export function statementsOf(scope: Stack, roleLogicalId: string): Statement[] {
  const role = Object.entries(resources(scope, 'AWS::IAM::Role')).find(([id]) => id.startsWith(roleLogicalId));
  const inline = role?.[1].Properties.Policies?.map((policy: any) => policy.PolicyDocument) ?? [];
  const attached = Object.values(resources(scope, 'AWS::IAM::Policy'))
    .filter((policy) => policy.Properties.Roles?.some((attachedRole: any) => text(attachedRole).replace('<', '').startsWith(roleLogicalId)))
    .map((policy) => policy.Properties.PolicyDocument);
  return [...inline, ...attached].flatMap(statements);
}

export function statements(document: any): Statement[] {
  return document.Statement.map((statement: any) => ({
    actions: [statement.Action].flat(),
    resources: [statement.Resource].flat().map(text),
    ...(statement.Condition && { condition: statement.Condition }),
  }));
}

/** The ids of the warnings of a stack. */
export function warnings(scope: Stack): string[] {
  return Annotations.fromStack(scope).findWarning('*', Match.anyValue())
    .map((message) => /\[ack: ([^\]]+)\]/.exec(String(message.entry.data))?.[1] ?? String(message.entry.data));
}
