import { Stack, Stage } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { MicrovmAssertionsOptions, MicrovmTemplateAssertionsOptions } from './microvm-assertions-options';
import { explainDecision } from './private/access-explanation';
import { AppAccess, hasNoResource, PASS_CONNECTOR, PUBLIC_CONNECTORS, RUN } from './private/app-access';
import { AppPrincipal } from './private/app-principals';
import { AppSource, sourceOfStage, sourceOfTemplate } from './private/app-source';
import { Decision } from './private/iam-evaluation';
import { lit, UnscopedValidationError } from '../constructs/private/cdk-internals';

/**
 * Answers, in unit tests and without an account, who may do what with MicroVMs.
 *
 * It reads synthesized templates, so it knows constructs of this library, a bare `CfnMicrovmImage` and roles written by
 * hand alike, and evaluates policies as IAM does: inline, attached and managed ones, permission boundaries, explicit denials,
 * conditions, `NotAction`, `NotResource`, wildcards and policy variables.
 *
 * What only the deployment will know is not guessed. Such an answer is neither yes nor no: `allows` and `denies` are both
 * false, `assertAllows` and `assertDenies` both fail and name what is unknown, and lists of who may do something include it.
 * Give values of condition keys with `withContext`.
 *
 * Roles, users, images and connectors go by the path of their construct (`MyStack/Launcher/ServiceRole`), their logical id,
 * name or ARN; a token such as `role.roleArn` will do. In a template without constructs, names are the paths in its
 * metadata, or logical ids.
 *
 * Not seen: policies of roles that are imported (what the app adds to them is), policies that something else attaches later,
 * service control policies, session policies, and VPC endpoint policies.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 *
 * @example
 * declare const stack: Stack;
 * declare const image: MicrovmImage;
 * declare const launcher: lambda.Function;
 * const access = MicrovmAssertions.fromStack(stack);
 * access.assertAllows(launcher.role!.roleArn, 'lambda:RunMicrovm', image.imageArn);
 * access.assertOnlyMayRun(image.imageArn, [launcher.role!.roleArn]);
 * access.assertIngressPrivate(image.imageArn);
 * access.assertTrustsConfined();
 */
export class MicrovmAssertions {
  /**
   * Reads a stack of an app, with its nested stacks. Synthesizes the stage it is in, so make it when the app is complete.
   *
   * The roles and images are those of the stack. What it takes from other stacks of its stage is known, too.
   */
  public static fromStack(stack: Stack, options: MicrovmAssertionsOptions = {}): MicrovmAssertions {
    const stage = Stage.of(stack);
    if (!stage) {
      throw new UnscopedValidationError(lit`MicrovmAssertionsStage`, `stack must be in an app, got '${stack.node.path}' without; make it with new App() as its scope`);
    }
    return new MicrovmAssertions(sourceOfStage(stage, stack), options);
  }

  /**
   * Reads all stacks of an app or of a stage. Synthesizes them, so make it when the app is complete.
   */
  public static fromStage(stage: Stage, options: MicrovmAssertionsOptions = {}): MicrovmAssertions {
    return new MicrovmAssertions(sourceOfStage(stage), options);
  }

  /**
   * Reads one template, from wherever it comes: `Template.fromString(...)`, `Template.fromJSON(...)`. Nested stacks are not seen.
   */
  public static fromTemplate(template: Template, options: MicrovmTemplateAssertionsOptions = {}): MicrovmAssertions {
    const { account, region } = options;
    return new MicrovmAssertions(sourceOfTemplate({ name: 'Template', template: template.toJSON(), account, region }), options);
  }

  private readonly readings: AppAccess[];

  private constructor(private readonly source: AppSource, private readonly options: MicrovmAssertionsOptions) {
    this.readings = AppAccess.readings(source, options);
  }

  /**
   * The same, with more known of the requests.
   *
   * @param context condition keys and their values. An empty list says that a request does not carry the key
   */
  public withContext(context: { [key: string]: string[] }): MicrovmAssertions {
    return new MicrovmAssertions(this.source, { ...this.options, context: { ...this.options.context, ...context } });
  }

  /** Names of the images. */
  public get images(): string[] {
    return this.names((reading) => reading.images);
  }

  /** Names of the roles, users and groups, and of those from elsewhere that a policy here is attached to. */
  public get principals(): string[] {
    return this.names((reading) => reading.principals);
  }

  /**
   * Whether a principal is certain to be allowed something.
   *
   * @param principal a role, user or group
   * @param action such as `lambda:RunMicrovm`
   * @param resource what it is done to: for calls on a MicroVM its image, for `iam:PassRole` the role, for
   * `lambda:PassNetworkConnector` the connector, such as `HTTP_INGRESS`. `*` for actions that have no resource, such as
   * `lambda:ListMicrovms`
   */
  public allows(principal: string, action: string, resource: string): boolean {
    return this.decide(principal, action, resource).decision.outcome === 'allowed';
  }

  /**
   * Whether a principal is certain to be denied something. Parameters are as for `allows`.
   */
  public denies(principal: string, action: string, resource: string): boolean {
    return this.decide(principal, action, resource).decision.outcome === 'denied';
  }

  /**
   * Says in words whether a principal may do something, and which statements decide. Parameters are as for `allows`.
   */
  public explain(principal: string, action: string, resource: string): string {
    const { name, arn, decision } = this.decide(principal, action, resource);
    return explainDecision(name, action, arn, decision);
  }

  /**
   * Fails unless a principal is certain to be allowed something. Parameters are as for `allows`.
   */
  public assertAllows(principal: string, action: string, resource: string): void {
    const { name, arn, decision } = this.decide(principal, action, resource);
    this.check(
      decision.outcome === 'allowed',
      `${name} must be allowed ${action} on ${arn}; it is not, or not for certain`,
      explainDecision(name, action, arn, decision),
    );
  }

  /**
   * Fails unless a principal is certain to be denied something. Parameters are as for `allows`.
   */
  public assertDenies(principal: string, action: string, resource: string): void {
    const { name, arn, decision } = this.decide(principal, action, resource);
    this.check(
      decision.outcome === 'denied',
      `${name} must be denied ${action} on ${arn}; it is not, or not for certain`,
      explainDecision(name, action, arn, decision),
    );
  }

  /**
   * Names of all principals that may do something. Parameters are as for `allows`.
   *
   * Only those that are certain to be denied are left out. One from elsewhere is in when a policy of these templates allows it.
   */
  public whoMay(action: string, resource: string): string[] {
    return this.names((reading) => reading.principals
      .filter((principal) => reading.may(principal, action, this.arn(reading, principal, action, resource))));
  }

  /**
   * Fails when another principal than these may do something.
   *
   * @param action such as `lambda:RunMicrovm`
   * @param resource as for `allows`
   * @param principals those that may, or some of whom may
   */
  public assertOnlyMay(action: string, resource: string, principals: string[]): void {
    const expected = principals.map((principal) => this.find(principal)[0].principal.name);
    const others = this.whoMay(action, resource).filter((name) => !expected.includes(name));
    this.check(
      others.length === 0,
      `nobody${expected.length > 0 ? ` but ${expected.join(', ')}` : ''} must be allowed ${action}; ${others.join(', ')} may be`,
      ...others.map((name) => this.explain(name, action, resource)),
    );
  }

  /**
   * Names of all principals that may run MicroVMs of an image: `lambda:RunMicrovm`. As for `whoMay`, all but those that are certain
   * to be denied.
   */
  public whoMayRun(image: string): string[] {
    return this.whoMay(RUN, image);
  }

  /**
   * Fails when another principal than these may run MicroVMs of an image.
   */
  public assertOnlyMayRun(image: string, principals: string[]): void {
    this.assertOnlyMay(RUN, image, principals);
  }

  /**
   * Names of the connectors that a principal may pass to MicroVMs and builds, all but those it is certain to be denied:
   * managed ones such as `HTTP_INGRESS`, connectors of the app by their name, others by the ARN that its policies give. `*` says
   * that it may pass any other, too.
   */
  public connectorsOf(principal: string): string[] {
    return [...new Set(this.find(principal).flatMap((found) => found.reading.connectorsOf(found.principal)))];
  }

  /**
   * Fails when a principal may pass another connector than these.
   *
   * @param principal a role, user or group
   * @param connectors as `connectorsOf` names them
   */
  public assertOnlyConnectors(principal: string, connectors: string[]): void {
    const others = this.connectorsOf(principal).filter((name) => !connectors.includes(name));
    this.check(
      others.length === 0,
      `${this.find(principal)[0].principal.name} must pass no connector${connectors.length > 0 ? ` but ${connectors.join(', ')}` : ''}; it may pass ${others.join(', ')}`,
      ...others.filter((name) => name !== '*').map((name) => this.explain(principal, PASS_CONNECTOR, name)),
    );
  }

  /**
   * Whether somebody may launch the image so that its MicroVMs can be reached from the internet: who may run it and pass
   * `HTTP_INGRESS` or `ALL_INGRESS`. A launch that names no ingress connector has `HTTP_INGRESS`, and needs the same permission.
   *
   * A public endpoint still wants a token, which `lambda:CreateMicrovmAuthToken` allows to make.
   */
  public isIngressPublic(image: string): boolean {
    return this.publicLaunchers(image).length > 0;
  }

  /**
   * Fails when somebody may launch the image so that its MicroVMs can be reached from the internet.
   */
  public assertIngressPrivate(image: string): void {
    const launchers = this.publicLaunchers(image);
    const [name] = this.readings.flatMap((reading) => reading.imageName(image) ?? []);
    this.check(launchers.length === 0, `MicroVMs of ${name ?? image} must not be reachable from the internet; ${launchers.join(', ')} may launch such`, ...launchers.flatMap((launcher) => [
      this.explain(launcher, RUN, image),
      ...PUBLIC_CONNECTORS.filter((connector) => !this.denies(launcher, PASS_CONNECTOR, connector))
        .map((connector) => this.explain(launcher, PASS_CONNECTOR, connector)),
    ]));
  }

  /**
   * Names of the roles of builds and MicroVMs that can be assumed for another account: by Lambda on its behalf, or by that
   * account itself.
   *
   * Such roles are those that build an image or that a launch names, and those that trust Lambda and are not the role of a function,
   * unless somebody who may run an image may pass that, too. Operator roles of network connectors are left out: the service presents no
   * account when it assumes them, so their trust cannot be confined.
   */
  public get unconfinedTrusts(): string[] {
    return this.names((reading) => reading.unconfinedTrusts());
  }

  /**
   * Fails when a role of builds or MicroVMs can be assumed for another account. See `unconfinedTrusts`.
   */
  public assertTrustsConfined(): void {
    const found = this.readings.flatMap((reading) => reading.unconfinedTrusts());
    this.check(found.length === 0, 'roles of MicroVMs must be assumed for this account only; add a condition on aws:SourceAccount to their trust', ...new Set(found.map(
      ({ name, strangers }) => `${name} can be assumed by ${strangers.join(', ')}`)));
  }

  private publicLaunchers(image: string): string[] {
    return this.names((reading) => reading.publicLaunchers(this.arn(reading, undefined, RUN, image), reading.placeOf(image)));
  }

  private decide(principal: string, action: string, resource: string) {
    const answers = this.find(principal).map((found) => {
      const arn = this.arn(found.reading, found.principal, action, resource);
      return { name: found.principal.name, arn, decision: found.reading.decide(found.principal, action, arn) };
    });
    return answers.every(({ decision }) => decision.outcome === answers[0].decision.outcome)
      ? answers[0]
      : { ...answers[0], decision: undecided(answers.map(({ decision }) => decision)) };
  }

  private find(principal: string): Array<{ reading: AppAccess; principal: AppPrincipal }> {
    const found = this.readings.map((reading) => ({ reading, principals: reading.principalsCalled(principal) }));
    if (found.some(({ principals }) => principals.length > 1)) {
      throw new UnscopedValidationError(
        lit`MicrovmAssertionsPrincipal`,
        `principal must be one role, user or group, got '${principal}', which ${found[0].principals.length} have; use one of: ${found[0].principals.map(({ name }) => name).join(', ')}`,
      );
    }
    const one = found.flatMap(({ reading, principals }) => principals.map((each) => ({ reading, principal: each })));
    if (one.length === 0) {
      throw new UnscopedValidationError(
        lit`MicrovmAssertionsPrincipal`,
        `principal must be a role, user or group of these templates, got '${principal}'; policies of one from elsewhere cannot be seen. There are: ${this.principals.join(', ') || 'none'}`,
      );
    }
    return one;
  }

  private arn(reading: AppAccess, principal: AppPrincipal | undefined, action: string, resource: string): string {
    if (!/^[a-z0-9-]+:[A-Za-z0-9]+$/.test(action)) {
      throw new UnscopedValidationError(lit`MicrovmAssertionsAction`, `action must be one action such as 'lambda:RunMicrovm', got '${action}'`);
    }
    const arn = reading.resourceArn(resource, principal?.place ?? reading.placeOf(resource));
    if (arn === undefined) {
      throw new UnscopedValidationError(
        lit`MicrovmAssertionsResource`,
        `resource must be an ARN, a managed connector, or an image, role or connector of these templates, got '${resource}'. Images are: ${this.images.join(', ') || 'none'}`,
      );
    }
    if (hasNoResource(action) !== (arn === '*') && (hasNoResource(action) || /^(iam:PassRole|lambda:\w*(Microvm|NetworkConnector)\w*)$/i.test(action))) {
      throw new UnscopedValidationError(
        lit`MicrovmAssertionsResource`,
        hasNoResource(action) ? `resource must be '*' for ${action}, which has no resource, got '${resource}'` : `resource must be one resource for ${action}, got '${resource}'`,
      );
    }
    if (arn !== '*' && /[*?]/.test(arn)) {
      throw new UnscopedValidationError(lit`MicrovmAssertionsResource`, `resource must be one resource, without wildcards, got '${resource}'`);
    }
    return arn;
  }

  private names(pick: (reading: AppAccess) => Array<{ readonly name: string }>): string[] {
    return [...new Set(this.readings.flatMap((reading) => pick(reading).map(({ name }) => name)))];
  }

  private check(holds: boolean, problem: string, ...details: string[]): void {
    if (!holds) {
      throw new UnscopedValidationError(lit`MicrovmAssertionsFailed`, [problem, ...details].join('\n'));
    }
  }
}

/** Conditions of the template decide. */
function undecided(decisions: Decision[]): Decision {
  return {
    outcome: 'conditional',
    reasons: decisions.flatMap(({ reasons }) => reasons),
    unknowns: [...new Set([...decisions.flatMap(({ unknowns }) => unknowns), 'the conditions of the template'])],
  };
}
