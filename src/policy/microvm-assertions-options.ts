/**
 * What `MicrovmAssertions` cannot read in the templates.
 */
export interface MicrovmAssertionsOptions {
  /**
   * Condition keys of the requests that are asked about, with their values. An empty list says that a request does not
   * carry the key.
   *
   * These are known without: `aws:PrincipalArn`, `aws:PrincipalAccount`, `aws:PrincipalIsAWSService`, `aws:ResourceAccount`,
   * `aws:SecureTransport`, and the region of calls to Lambda in `aws:RequestedRegion`.
   *
   * @default - any other key is unknown, and an answer that depends on it is neither yes nor no
   */
  readonly context?: { [key: string]: string[] };

  /**
   * Documents of managed policies that are not in the templates, as JSON text, by their ARN.
   *
   * @default - a policy that is elsewhere could say anything, but for a few of AWS's that are known: those that CDK attaches
   * to functions, ECS tasks and connectors, `AdministratorAccess` and `PowerUserAccess`
   */
  readonly managedPolicies?: { [arn: string]: string };
}

/**
 * What `MicrovmAssertions` cannot read in a template that came from elsewhere.
 */
export interface MicrovmTemplateAssertionsOptions extends MicrovmAssertionsOptions {
  /**
   * The account the template is deployed to, 12 digits.
   *
   * @default - not known: an ARN with a literal account may or may not be of this one
   */
  readonly account?: string;

  /**
   * The region the template is deployed to.
   *
   * @default - not known: an ARN with a literal region may or may not be of this one
   */
  readonly region?: string;
}
