import { asList, asText } from './intrinsic-functions';
import { parseStrictJson } from './json-text';
import { SynthesizedApp } from './synthesized-app';
import { SynthesizedResource } from './synthesized-template';

/** `AWS`, `Service`, `Federated` or `CanonicalUser`, and who. `*` is `AWS: *`. */
export interface Principal {
  readonly type: string;
  readonly value: string;
}

/** One key of a condition: `StringEquals`, `aws:SourceAccount`, and the values of which one must match. */
export interface Condition {
  readonly operator: string;
  readonly key: string;
  readonly values: string[];
}

/** A statement whose single values are lists like the others. A part that the statement does not have is undefined. */
export interface PolicyStatement {
  /** Of its document. Older ones than 2012-10-17 know no policy variables. */
  readonly version?: string;
  readonly sid?: string;
  readonly effect: string;
  readonly actions?: string[];
  readonly notActions?: string[];
  readonly resources?: string[];
  readonly notResources?: string[];
  readonly principals?: Principal[];
  readonly notPrincipals?: Principal[];
  readonly conditions: Condition[];
}

/** The statements of a policy, and where it is written. */
export interface PolicyDocument {
  readonly resource: SynthesizedResource;
  /** Below the resource, such as `Properties.PolicyDocument`. */
  readonly location: string;
  readonly statements: PolicyStatement[];
}

/** A role, user or group, with all that says what it may do. */
export interface Identity {
  readonly resource: SynthesizedResource;
  /** Who may assume it. Empty for users and groups. */
  readonly trust: PolicyStatement[];
  /** Inline and attached policies of the app. */
  readonly policies: PolicyDocument[];
  /** Managed policies that are not in the app, AWS's own for example. */
  readonly otherPolicyArns: string[];
  /** The ARN of its permissions boundary. */
  readonly boundaryArn?: string;
}

const IDENTITIES: Record<string, { attachedBy: string; inlinePolicy: string; inlineName: string }> = {
  'AWS::IAM::Role': { attachedBy: 'Roles', inlinePolicy: 'AWS::IAM::RolePolicy', inlineName: 'RoleName' },
  'AWS::IAM::User': { attachedBy: 'Users', inlinePolicy: 'AWS::IAM::UserPolicy', inlineName: 'UserName' },
  'AWS::IAM::Group': { attachedBy: 'Groups', inlinePolicy: 'AWS::IAM::GroupPolicy', inlineName: 'GroupName' },
};
const ATTACHABLE = ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy'];

/** What becomes roles that are not in the template: the property with their policies. */
const ROLES_TO_BE: Record<string, string> = { 'AWS::Serverless::Function': 'Policies', 'AWS::Serverless::StateMachine': 'Policies', 'AWS::SSO::PermissionSet': 'InlinePolicy' };

/** The roles, users and groups of an app, and their policies. */
export class Identities {
  public readonly all: Identity[];
  /** Every policy of the app that says what identities may do, attached or not. */
  public readonly documents: PolicyDocument[];

  private readonly byArn: Map<string, Identity>;

  constructor(private readonly app: SynthesizedApp) {
    this.documents = app.resources.flatMap(documentsOf);
    const attached = this.attachments();
    this.all = app.ofType(...Object.keys(IDENTITIES)).map((resource) => {
      const { policies, otherPolicyArns } = this.managed(resource, attached.get(nameKey(resource.type, resource.physicalName.name, resource)) ?? []);
      return {
        resource,
        trust: readStatements(resource.properties.AssumeRolePolicyDocument),
        policies: [...this.documents.filter((document) => document.resource === resource), ...policies],
        otherPolicyArns,
        boundaryArn: resource.properties.PermissionsBoundary,
      };
    });
    this.byArn = new Map(this.all.map((identity) => [identity.resource.arn!, identity]));
  }

  public withArn(arn: string): Identity | undefined {
    return this.byArn.get(arn);
  }

  /** Which policies name which identity as theirs. */
  private attachments(): Map<string, PolicyDocument[]> {
    const found = new Map<string, PolicyDocument[]>();
    for (const document of this.documents) {
      const { type, properties } = document.resource;
      for (const [identityType, { attachedBy, inlinePolicy, inlineName }] of Object.entries(IDENTITIES)) {
        const names = ATTACHABLE.includes(type) ? asList(properties[attachedBy]) : type === inlinePolicy ? [properties[inlineName]] : [];
        for (const name of names) {
          const key = nameKey(identityType, asText(name), document.resource);
          found.set(key, [...found.get(key) ?? [], document]);
        }
      }
    }
    return found;
  }

  private managed(resource: SynthesizedResource, attached: PolicyDocument[]) {
    const arns = asList(resource.properties.ManagedPolicyArns).map(asText);
    const ours = arns.map((arn) => this.app.resourceWithArn(arn));
    const named = this.documents.filter((document) => ours.includes(document.resource) && !attached.includes(document));
    return { policies: [...attached, ...named], otherPolicyArns: arns.filter((_arn, index) => ours[index] === undefined) };
  }
}

/** Names of roles are unique in an account, not in an app. */
function nameKey(type: string, name: string, { template }: SynthesizedResource): string {
  return `${type}|${template.place.account}|${name}`;
}

function documentsOf(resource: SynthesizedResource): PolicyDocument[] {
  const { type } = resource;
  if (IDENTITIES[type]) {
    return asList(resource.properties.Policies).map((policy: any, index) => ({
      resource,
      location: `Properties.Policies.${index}.PolicyDocument`,
      statements: readStatements(policy?.PolicyDocument),
    }));
  }
  if (ATTACHABLE.includes(type) || Object.values(IDENTITIES).some(({ inlinePolicy }) => inlinePolicy === type)) {
    return [{ resource, location: 'Properties.PolicyDocument', statements: readStatements(resource.properties.PolicyDocument) }];
  }
  const property = ROLES_TO_BE[type];
  return property === undefined
    ? []
    : asList(resource.properties[property]).map((policy) => ({ resource, location: `Properties.${property}`, statements: readStatements(policy) }));
}

/** Reads a policy document, given as an object or as JSON text. */
export function readStatements(document: unknown): PolicyStatement[] {
  const parsed = typeof document === 'string' ? parseStrictJson(document) : document;
  return asList((parsed as any)?.Statement)
    .filter((statement): statement is Record<string, unknown> => typeof statement === 'object' && statement !== null)
    .map((statement) => ({
      version: (parsed as any).Version,
      sid: statement.Sid === undefined ? undefined : asText(statement.Sid),
      effect: asText(statement.Effect),
      actions: texts(statement.Action),
      notActions: texts(statement.NotAction),
      resources: texts(statement.Resource),
      notResources: texts(statement.NotResource),
      principals: principals(statement.Principal),
      notPrincipals: principals(statement.NotPrincipal),
      conditions: conditions(statement.Condition),
    }));
}

function texts(value: unknown): string[] | undefined {
  return value === undefined ? undefined : asList(value).map(asText);
}

function principals(value: unknown): Principal[] | undefined {
  if (value === undefined) {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return asList(value).map((entry) => ({ type: 'AWS', value: asText(entry) }));
  }
  return Object.entries(value).flatMap(([type, values]) => asList(values).map((entry) => ({ type, value: asText(entry) })));
}

function conditions(value: unknown): Condition[] {
  return Object.entries((value ?? {}) as Record<string, Record<string, unknown>>)
    .flatMap(([operator, keys]) => Object.entries(keys ?? {}).map(([key, values]) => ({ operator, key, values: asList(values).map(asText) })));
}
