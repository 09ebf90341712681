import { existsSync } from 'fs';
import {
  IPolicyValidationContext, IPolicyValidationPlugin, PolicyValidationPluginReport, PolicyViolatingResource, PolicyViolation, Token,
} from 'aws-cdk-lib';
import { IMicrovmPolicyRule, MicrovmPolicySeverity } from './microvm-policy-rule';
import { readImages } from './private/image-settings';
import { readLaunches } from './private/launches';
import { Identities } from './private/policy-documents';
import { lit, UnscopedValidationError } from '../constructs/private/cdk-internals';
import { withoutSecrets } from '../constructs/private/secret-patterns';
import { RULES } from './private/rules/all';
import { Finding, Policy, Rule, Subjects } from './private/rules/rule';
import { SubjectsForRules } from './private/subjects-for-rules';
import { StackFile, SynthesizedApp } from './private/synthesized-app';

/** The namespace of the rules: a rule is acknowledged as `cdk-lambda-microvms::<rule>`. */
const NAMESPACE = 'cdk-lambda-microvms';

/** The oldest version of AWS's base image that has not been replaced. */
const OLDEST_BASE_IMAGE_VERSION = 1;

/**
 * Properties of `MicrovmPolicyChecks`: what your organisation decides.
 */
export interface MicrovmPolicyChecksProps {
  /**
   * Whether what the library leaves to the service by default is reported too: internet egress, a base image that is not pinned, an image
   * without the hooks `ready` and `validate`. Each can be set by itself.
   *
   * @default false
   */
  readonly strict?: boolean;

  /**
   * Whether images and MicroVMs may reach the internet (`INTERNET_EGRESS`, also by naming no connector). False: each that does is an
   * error, and each policy that lets the connector be passed.
   *
   * @default - false with `strict`; otherwise reported only for images that CloudFormation builds, whose templates always decide it
   */
  readonly allowInternetEgress?: boolean;

  /**
   * Whether MicroVMs may have a public endpoint (`HTTP_INGRESS`, `ALL_INGRESS`, or a launch that names no ingress connector).
   *
   * @default false
   */
  readonly allowPublicIngress?: boolean;

  /**
   * Whether MicroVMs may be launched with a shell (`SHELL_INGRESS`).
   *
   * @default false
   */
  readonly allowShellIngress?: boolean;

  /**
   * Whether every image must have both hooks `ready` and `validate`.
   *
   * @default - true with `strict`; otherwise one of them will do, and a `MicrovmImage` of the default engine may have no hook at all
   */
  readonly requireBuildHooks?: boolean;

  /**
   * Whether every image must pin the version of its base image.
   *
   * @default - true with `strict`; otherwise only images that CloudFormation builds: the default engine resolves the newest version once
   * and stays with it
   */
  readonly requirePinnedBaseImage?: boolean;

  /**
   * Base images that may be built on, by name (`al2023-1`) or ARN. `*` stands for any text. An empty list is an error.
   *
   * @default - those managed by AWS and those of the same account
   */
  readonly allowedBaseImages?: string[];

  /**
   * The oldest version of a base image that may be pinned. At least 0.
   *
   * @default 1
   */
  readonly minimumBaseImageVersion?: number;

  /**
   * How much memory an image may have, in MiB. At least 512.
   *
   * @default - any
   */
  readonly maximumMemoryMiB?: number;

  /**
   * Keys of tags that every image must have.
   *
   * @default - none
   */
  readonly requiredTags?: string[];

  /**
   * Whether warnings fail the synth as errors do.
   *
   * @default false
   */
  readonly failOnWarnings?: boolean;

  /**
   * Rules of your own.
   *
   * @default - none
   */
  readonly additionalRules?: IMicrovmPolicyRule[];
}

/**
 * Checks, when an app is synthesized, how it uses MicroVMs: trust, permissions, secrets, networks, hooks, logs, versions.
 *
 * It reads templates, so it covers this library's constructs, a bare `CfnMicrovmImage`, included templates and roles written by hand
 * alike. A finding of severity `error` fails the synth. To accept one, acknowledge it with a reason on its construct or on one above.
 *
 * Throws, when it is made, on a parameter out of its range and on two rules of the same id.
 *
 * @see https://docs.aws.amazon.com/cdk/v2/guide/policy-validation-synthesis.html
 *
 * @example
 * declare const app: App;
 * declare const image: MicrovmImage;
 * Validations.of(app).addPlugins(new MicrovmPolicyChecks({ requiredTags: ['team'], maximumMemoryMiB: 4096 }));
 *
 * Validations.of(image).acknowledge({
 *   id: 'cdk-lambda-microvms::os-capabilities',
 *   reason: 'builds container images inside of the MicroVM',
 * });
 */
export class MicrovmPolicyChecks implements IPolicyValidationPlugin {
  /** The name of the plugin: what the ids of its rules begin with when they are acknowledged. */
  public readonly name: string = NAMESPACE;

  /** The ids of all rules, those of your own too. */
  public readonly ruleIds?: string[];

  private readonly policy: Policy;
  private readonly additionalRules: IMicrovmPolicyRule[];
  private readonly failOnWarnings: boolean;

  constructor(props: MicrovmPolicyChecksProps = {}) {
    validate(props);
    const strict = props.strict ?? false;
    this.policy = {
      allowInternetEgress: props.allowInternetEgress ?? (strict ? false : undefined),
      allowPublicIngress: props.allowPublicIngress ?? false,
      allowShellIngress: props.allowShellIngress ?? false,
      requireBuildHooks: props.requireBuildHooks ?? strict,
      requirePinnedBaseImage: props.requirePinnedBaseImage ?? strict,
      allowedBaseImages: props.allowedBaseImages && [...props.allowedBaseImages],
      minimumBaseImageVersion: props.minimumBaseImageVersion ?? OLDEST_BASE_IMAGE_VERSION,
      maximumMemoryMiB: props.maximumMemoryMiB,
      requiredTags: [...props.requiredTags ?? []],
    };
    this.additionalRules = [...props.additionalRules ?? []];
    this.failOnWarnings = props.failOnWarnings ?? false;
    this.ruleIds = [...RULES.map(({ id }) => id), ...this.additionalRules.map(({ ruleId }) => ruleId)];
  }

  /**
   * Checks the templates of an app. CDK calls it when it has synthesized them.
   */
  public validate(context: IPolicyValidationContext): PolicyValidationPluginReport {
    const violations = new Map<string, Violation>();
    for (const subjects of this.variants(stackFiles(context))) {
      for (const rule of this.rules(subjects)) {
        for (const finding of rule.check(subjects, this.policy)) {
          collect(violations, rule, finding, this.failOnWarnings ? MicrovmPolicySeverity.ERROR : finding.severity ?? rule.severity);
        }
      }
    }
    const found = [...violations.values()]
      .map((violation): PolicyViolation => ({ ...violation, violatingResources: [...violation.violatingResources.values()] }));
    return { success: found.every(({ severity }) => severity !== MicrovmPolicySeverity.ERROR), violations: found };
  }

  /** What the templates hold, once, or several times where conditions decide what they hold. */
  private variants(files: StackFile[]): Subjects[] {
    return SynthesizedApp.read(files).map((app) => {
      const identities = new Identities(app);
      return { app, identities, images: readImages(app), launches: readLaunches(app, identities) };
    });
  }

  private rules(subjects: Subjects): Rule[] {
    const own = this.additionalRules.length > 0 ? new SubjectsForRules(subjects) : undefined;
    return [...RULES, ...this.additionalRules.map((rule): Rule => ({
      id: rule.ruleId,
      severity: rule.severity,
      why: rule.why,
      fix: rule.fix,
      check: () => rule.check(own!).map(({ resource, location, message }) => ({ resource, location: location ?? 'Properties', message })),
    }))];
  }
}

type Violation = Omit<PolicyViolation, 'violatingResources'> & { readonly violatingResources: Map<string, PolicyViolatingResource> };

/** The same thing said of several resources is said once. */
function collect(violations: Map<string, Violation>, rule: Rule, { resource, location, message }: Finding, severity: MicrovmPolicySeverity) {
  const key = `${rule.id}|${message}`;
  const violation = violations.get(key) ?? {
    ruleName: rule.id,
    // Messages name keys and numbers only; should one name more, a secret in it is still not shown.
    description: withoutSecrets(`${capitalized(message)}. ${capitalized(rule.why)}.`),
    fix: `${capitalized(rule.fix)}.`,
    severity,
    violatingResources: new Map(),
  };
  violations.set(key, violation);
  violation.violatingResources.set(
    `${resource.templatePath}|${resource.logicalId}|${location}`,
    { resourceLogicalId: resource.logicalId, templatePath: resource.templatePath, locations: [location] },
  );
}

function stackFiles(context: IPolicyValidationContext): StackFile[] {
  const known = context.stackTemplates?.map(({ stackConstructPath, templatePath, accountId, region }) => ({
    name: stackConstructPath, templatePath, account: accountId, region,
  }));
  return (known ?? context.templatePaths.map((templatePath) => ({ name: templatePath.replace(/^.*[/\\]|\.template\.json$|\.json$/g, ''), templatePath })))
    .filter(({ templatePath }) => existsSync(templatePath));
}

function validate({ allowedBaseImages, maximumMemoryMiB, minimumBaseImageVersion, additionalRules = [] }: MicrovmPolicyChecksProps) {
  if (allowedBaseImages?.length === 0) {
    throw new UnscopedValidationError(
      lit`MicrovmPolicyBaseImages`,
      'allowedBaseImages must have at least 1 base image, got []; leave it out for those managed by AWS',
    );
  }
  atLeast('maximumMemoryMiB', maximumMemoryMiB, 512);
  atLeast('minimumBaseImageVersion', minimumBaseImageVersion, 0);
  const ids = RULES.map(({ id }) => id);
  for (const { ruleId } of additionalRules) {
    if (!/^[A-Za-z0-9-]+$/.test(ruleId)) {
      throw new UnscopedValidationError(lit`MicrovmPolicyRuleId`, `ruleId must be made of letters, digits and '-', got '${ruleId}'`);
    }
    if (ids.includes(ruleId)) {
      throw new UnscopedValidationError(lit`MicrovmPolicyRuleIdTaken`, `ruleId must be unique, got '${ruleId}', which another rule has`);
    }
    ids.push(ruleId);
  }
}

function atLeast(name: string, value: number | undefined, least: number) {
  if (value !== undefined && !Token.isUnresolved(value) && !(Number.isInteger(value) && value >= least)) {
    throw new UnscopedValidationError(lit`MicrovmPolicyNumber`, `${name} must be a whole number of at least ${least}, got ${value}`);
  }
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
