import { IMicrovmPolicyResource, IMicrovmPolicySubjects } from './microvm-policy-subjects';

/**
 * How bad it is when a rule of `MicrovmPolicyChecks` is broken.
 */
export enum MicrovmPolicySeverity {
  /** Fails the synth until it is mended, or acknowledged with a reason. */
  ERROR = 'error',
  /** Is in the report, and fails nothing. */
  WARNING = 'warning',
}

/**
 * A resource that breaks a rule.
 */
export interface MicrovmPolicyFinding {
  /** The resource. Its construct, or one above it, is where the finding is acknowledged. */
  readonly resource: IMicrovmPolicyResource;

  /**
   * What is wrong with it: the value, the limit. It is printed, so it must not hold a secret.
   */
  readonly message: string;

  /**
   * Where in the resource, such as `Properties.Tags`.
   *
   * @default 'Properties'
   */
  readonly location?: string;
}

/**
 * A rule of your own for `MicrovmPolicyChecks`.
 *
 * @example
 * class NamesBeginWithTheTeam implements IMicrovmPolicyRule {
 *   public readonly ruleId = 'team-name';
 *   public readonly severity = MicrovmPolicySeverity.ERROR;
 *   public readonly why = 'costs are assigned by the name of an image';
 *   public readonly fix = "begin 'imageName' with the name of the team";
 *
 *   public check(subjects: IMicrovmPolicySubjects): MicrovmPolicyFinding[] {
 *     const findings: MicrovmPolicyFinding[] = [];
 *     for (const image of subjects.images) {
 *       if (!image.imageName.startsWith('payments-')) {
 *         findings.push({ resource: image, message: `the image is named '${image.imageName}'` });
 *       }
 *     }
 *     return findings;
 *   }
 * }
 */
export interface IMicrovmPolicyRule {
  /**
   * Identifies the rule: letters, digits and dashes. It is acknowledged as `cdk-lambda-microvms::<ruleId>`.
   */
  readonly ruleId: string;

  /** How bad it is. */
  readonly severity: MicrovmPolicySeverity;

  /** Why the rule exists. Printed with each finding. */
  readonly why: string;

  /** How to mend it. Printed with each finding. */
  readonly fix: string;

  /**
   * Finds what breaks the rule.
   *
   * @param subjects what the templates of the app hold
   */
  check(subjects: IMicrovmPolicySubjects): MicrovmPolicyFinding[];
}
