import { findResource, NamedResource, nameResources } from './app-names';
import { AppPrincipal, AppPrincipals } from './app-principals';
import { AppSource } from './app-source';
import { RequestContext } from './iam-context';
import { Decision, evaluate } from './iam-evaluation';
import { colonParts } from './iam-text';
import { strangers } from './iam-trust';
import { readImages } from './image-settings';
import { readLaunches } from './launches';
import { possibleRoles } from './microvm-roles';
import { CUSTOM_IMAGE, NATIVE_IMAGE, Place } from './physical-names';
import { SynthesizedApp } from './synthesized-app';
import { SynthesizedResource } from './synthesized-template';

/** Connectors that AWS manages. */
const MANAGED_CONNECTORS = ['HTTP_INGRESS', 'ALL_INGRESS', 'SHELL_INGRESS', 'NO_INGRESS', 'INTERNET_EGRESS'];
const NETWORK_CONNECTOR = 'AWS::Lambda::NetworkConnector';

/** Those that make a MicroVM reachable from the internet. */
export const PUBLIC_CONNECTORS = ['HTTP_INGRESS', 'ALL_INGRESS'];

export const RUN = 'lambda:RunMicrovm';
export const PASS_CONNECTOR = 'lambda:PassNetworkConnector';
const PASS_ROLE = 'iam:PassRole';

/** What is known besides the templates. */
export interface Knowledge {
  /** Condition keys of all requests. */
  readonly context?: Record<string, string[]>;
  /** Documents of policies that are elsewhere, as JSON, by ARN. */
  readonly managedPolicies?: Record<string, string>;
}

/** What anybody may do in an app, read under one assumption about the conditions in its templates. */
export class AppAccess {
  /** Under each assumption that makes a difference: an answer must be true under all. */
  public static readings(source: AppSource, knowledge: Knowledge): AppAccess[] {
    return SynthesizedApp.readings(source.stacks).map((app) => new AppAccess(source, app, knowledge));
  }

  public readonly images: NamedResource[];
  public readonly principals: AppPrincipal[];

  private readonly named: NamedResource[];
  private readonly everyone: AppPrincipals;

  private constructor(private readonly source: AppSource, private readonly app: SynthesizedApp, private readonly knowledge: Knowledge) {
    this.named = nameResources(this.app.resources, (resource) => source.pathOf(resource));
    this.everyone = new AppPrincipals(this.app, (resource) => source.pathOf(resource), knowledge.managedPolicies ?? {});
    this.principals = this.everyone.all.filter(({ resource }) => !resource || this.isAsked(resource));
    this.images = this.named.filter(({ resource }) => [CUSTOM_IMAGE, NATIVE_IMAGE].includes(resource.type) && this.isAsked(resource));
  }

  /** The principals that a text means: by name, logical id, physical name or ARN, which may be a token. */
  public principalsCalled(text: string): AppPrincipal[] {
    const value = this.source.valueOf(text, this.app);
    const found = findResource(this.named, value).flatMap(({ resource }) => this.everyone.all.filter((each) => each.resource === resource));
    return found.length > 0 ? found : this.everyone.all.filter(({ name, resource }) => !resource && name === value.replace(/^arn:.*[:/]/, ''));
  }

  /** The ARN of what a text means: an image, role or connector by its name, a managed connector, or any ARN. Undefined: none, or several. */
  public resourceArn(text: string, place: Place): string | undefined {
    const value = this.source.valueOf(text, this.app);
    if (value === '*' || value.startsWith('arn:')) {
      return value;
    }
    if (MANAGED_CONNECTORS.includes(value)) {
      return connectorArn(place, value);
    }
    const found = findResource(this.named, value).filter(({ resource }) => resource.arn !== undefined);
    return found.length === 1 ? found[0].resource.arn : value.startsWith('${') ? value : undefined;
  }

  public imageName(text: string): string | undefined {
    return findResource(this.images, this.source.valueOf(text, this.app))[0]?.name;
  }

  /** The place of an image, or of the first template. */
  public placeOf(text: string): Place {
    const [found] = findResource(this.named, this.source.valueOf(text, this.app));
    return (found?.resource.template ?? this.app.templates[0]).place;
  }

  public decide(principal: AppPrincipal, action: string, resource: string): Decision {
    return evaluate(principal.policies, { action, resource, context: this.contextOf(principal, action, resource) });
  }

  /** Not certainly denied. Of one from elsewhere only what is given here counts: who knows what it may do besides. */
  public may(principal: AppPrincipal, action: string, resource: string): boolean {
    const { identity, boundary } = principal.policies;
    const seen = principal.resource ? principal.policies : { identity: identity.filter(({ statements }) => statements), boundary };
    return evaluate(seen, { action, resource, context: this.contextOf(principal, action, resource) }).outcome !== 'denied';
  }

  /** Names of the connectors that a principal may pass. `*`: any other, too. */
  public connectorsOf(principal: AppPrincipal): string[] {
    const passes = (arn: string) => this.may(principal, PASS_CONNECTOR, arn);
    const places = this.app.templates.map(({ place }) => place);
    const ours = this.named.filter(({ resource }) => resource.type === NETWORK_CONNECTOR);
    // A connector of another app, named in a policy.
    const written = principal.policies.identity.flatMap(({ statements }) => statements ?? []).flatMap(({ resources }) => resources ?? [])
      .filter((arn) => /:network-connector:/.test(arn) && !/[*?]/.test(arn) && colonParts(arn, 6)[4] !== 'aws' && !ours.some(({ resource }) => resource.arn === arn));
    return [...new Set([
      ...MANAGED_CONNECTORS.filter((name) => places.some((place) => passes(connectorArn(place, name)))),
      ...ours.filter(({ resource }) => passes(resource.arn!)).map(({ name }) => name),
      ...written.filter(passes),
      ...(places.some(({ partition, region, account }) => passes(`arn:${partition}:lambda:${region}:${account}:network-connector:any-other`)) ? ['*'] : []),
    ])];
  }

  /** Who may launch an image so that it can be reached from the internet. */
  public publicLaunchers(imageArn: string, place: Place): AppPrincipal[] {
    const open = PUBLIC_CONNECTORS.map((name) => connectorArn(place, name));
    return this.everyone.all.filter((principal) =>
      this.may(principal, RUN, imageArn) && open.some((connector) => this.may(principal, PASS_CONNECTOR, connector)));
  }

  /** Roles of builds and MicroVMs that somebody of another account can have assumed, and who. */
  public unconfinedTrusts(): Array<{ readonly name: string; readonly strangers: string[] }> {
    const roles = this.microvmRoles();
    return this.principals.filter(({ resource }) => resource && roles.includes(resource))
      .map(({ name, trust, place }) => ({ name, strangers: strangers(trust, place) }))
      .filter((found) => found.strangers.length > 0);
  }

  private microvmRoles(): SynthesizedResource[] {
    const { identities } = this.everyone;
    const subjects = { app: this.app, identities, images: readImages(this.app), launches: readLaunches(this.app, identities) };
    const mayLaunchWith = (role: string) => this.everyone.all.some((principal) =>
      this.may(principal, PASS_ROLE, role) && this.images.some((image) => this.may(principal, RUN, image.resource.arn!)));
    return possibleRoles(subjects, ({ resource }) => mayLaunchWith(resource.arn!)).map(({ resource }) => resource);
  }

  /** Within a stack the questions are about what belongs to it; the others serve to understand it. */
  private isAsked({ template }: SynthesizedResource): boolean {
    const { scope } = this.source;
    return scope === undefined || template.name === scope || template.name.startsWith(`${scope}/`);
  }

  /** What is certain of every request a role makes, and what the caller knows. */
  private contextOf({ arn, place, resource: principal }: AppPrincipal, action: string, resource: string): RequestContext {
    const [,,, region, account] = colonParts(resource, 6);
    return RequestContext.partial({
      'aws:PrincipalAccount': [place.account],
      'aws:PrincipalIsAWSService': ['false'],
      // AWS's endpoints for these calls take nothing but TLS.
      'aws:SecureTransport': ['true'],
      ...(arn && principal?.type !== 'AWS::IAM::Group' ? { 'aws:PrincipalArn': [arn] } : {}),
      ...(principal?.type === 'AWS::IAM::Role' ? { 'aws:username': [] } : {}),
      ...(account && account !== 'aws' ? { 'aws:ResourceAccount': [account] } : {}),
      ...(region && action.startsWith('lambda:') ? { 'aws:RequestedRegion': [region] } : {}),
      ...this.knowledge.context,
    });
  }
}

/** Whether an action of MicroVMs has no resource: then a policy must say `*`. */
export function hasNoResource(action: string): boolean {
  return /^lambda:(CreateMicrovmImage|ListMicrovmImages|ListMicrovms|ListManagedMicrovmImages|ListNetworkConnectors)$/i.test(action);
}

function connectorArn({ partition, region }: Place, name: string): string {
  return `arn:${partition}:lambda:${region}:aws:network-connector:aws-network-connector:${name}`;
}
