import { nameResources } from './app-names';
import { managedPolicyOfAws } from './aws-managed-policies';
import { Policy, PrincipalPolicies } from './iam-evaluation';
import { asList, asText } from './intrinsic-functions';
import { Place } from './physical-names';
import { Identities, Identity, PolicyDocument, PolicyStatement, readStatements } from './policy-documents';
import { SynthesizedApp } from './synthesized-app';
import { SynthesizedResource } from './synthesized-template';

/** A role, user or group, with all that decides over it. */
export interface AppPrincipal {
  readonly name: string;
  /** Left out for one from elsewhere. */
  readonly resource?: SynthesizedResource;
  readonly arn?: string;
  readonly place: Place;
  readonly policies: PrincipalPolicies;
  readonly trust: PolicyStatement[];
}

/** The properties of policies that name whose they are. */
const ATTACHED_BY: Record<string, string> = {
  Roles: 'AWS::IAM::Role',
  RoleName: 'AWS::IAM::Role',
  Users: 'AWS::IAM::User',
  UserName: 'AWS::IAM::User',
  Groups: 'AWS::IAM::Group',
  GroupName: 'AWS::IAM::Group',
};

/** The principals of an app, and those from elsewhere that its policies are attached to. */
export class AppPrincipals {
  public readonly all: AppPrincipal[];
  public readonly identities: Identities;

  private readonly names: Map<SynthesizedResource, string>;

  /**
   * @param pathOf the path of a resource's construct, if it is known
   * @param managedPolicies documents of policies that are elsewhere, as JSON, by ARN
   */
  constructor(
    private readonly app: SynthesizedApp,
    pathOf: (resource: SynthesizedResource) => string | undefined,
    private readonly managedPolicies: Record<string, string>,
  ) {
    this.identities = new Identities(app);
    this.names = new Map(nameResources(app.resources, pathOf).map(({ resource, name }) => [resource, name]));
    this.all = [...this.identities.all.map((identity) => this.principal(identity)), ...this.fromElsewhere()];
  }

  public nameOf(resource: SynthesizedResource): string {
    return this.names.get(resource) ?? resource.logicalId;
  }

  private principal(identity: Identity): AppPrincipal {
    const { resource, trust, boundaryArn } = identity;
    const groups = resource.type === 'AWS::IAM::User' ? this.groupsOf(resource) : [];
    return {
      name: this.nameOf(resource),
      resource,
      arn: resource.arn,
      place: resource.template.place,
      trust,
      policies: {
        identity: [identity, ...groups].flatMap((each) => this.identityPolicies(each)),
        boundary: boundaryArn === undefined ? undefined : this.managed(asText(boundaryArn)),
      },
    };
  }

  private identityPolicies({ policies, otherPolicyArns }: Identity): Policy[] {
    return [...policies.map((document) => this.policy(document)), ...otherPolicyArns.map((arn) => this.managed(arn))];
  }

  private policy({ resource, location, statements }: PolicyDocument): Policy {
    const inline = /^Properties\.Policies\.(\d+)\./.exec(location);
    const name = inline ? `${this.nameOf(resource)}, inline policy ${resource.properties.Policies[Number(inline[1])]?.PolicyName}` : this.nameOf(resource);
    return { name, statements };
  }

  /** A managed policy by its ARN: of the app, given by the caller, or known to be AWS's. */
  private managed(arn: string): Policy {
    const resource = this.app.resourceWithArn(arn);
    const document = this.identities.documents.find((each) => each.resource === resource);
    if (document) {
      return this.policy(document);
    }
    const given = this.managedPolicies[arn];
    return { name: arn, statements: given === undefined ? managedPolicyOfAws(arn) : readStatements(given) };
  }

  private groupsOf(user: SynthesizedResource): Identity[] {
    const names = [
      ...asList(user.properties.Groups),
      ...this.app.ofType('AWS::IAM::UserToGroupAddition')
        .filter(({ properties }) => asList(properties.Users).includes(user.physicalName.name))
        .map(({ properties }) => properties.GroupName),
    ].map(asText);
    return this.identities.all.filter(({ resource }) => resource.type === 'AWS::IAM::Group' && names.includes(resource.physicalName.name));
  }

  /** Their other policies, and what may forbid it all, are not here. */
  private fromElsewhere(): AppPrincipal[] {
    const found = new Map<string, { place: Place; documents: PolicyDocument[] }>();
    for (const document of this.identities.documents) {
      const { properties, template } = document.resource;
      for (const [property, type] of Object.entries(ATTACHED_BY)) {
        const isHere = (name: string) => this.identities.all.some(({ resource }) => resource.type === type && resource.physicalName.name === name);
        for (const name of asList(properties[property]).map(asText).filter((each) => !isHere(each))) {
          found.set(name, { place: template.place, documents: [...found.get(name)?.documents ?? [], document] });
        }
      }
    }
    return [...found].map(([name, { place, documents }]) => ({
      name,
      place,
      trust: [],
      policies: { identity: [...documents.map((document) => this.policy(document)), { name: `of ${name} elsewhere` }] },
    }));
  }
}
