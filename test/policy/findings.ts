import { mkdtempSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { App, IPolicyValidationContext, PolicyValidationPluginReport, Stack } from 'aws-cdk-lib';
import { MicrovmPolicyChecks, MicrovmPolicyChecksProps } from '../../src';

/** The report of the checks on an app, without the rest of CDK. */
export function reportOn(app: App, props?: MicrovmPolicyChecksProps): PolicyValidationPluginReport {
  const stacks = app.synth().stacksRecursively;
  return new MicrovmPolicyChecks(props).validate({
    appConstruct: app,
    templatePaths: stacks.map(({ templateFullPath }) => templateFullPath),
    stackTemplates: stacks.map((stack) => ({
      stackConstructPath: stack.hierarchicalId,
      templatePath: stack.templateFullPath,
      accountId: stack.environment.account === 'unknown-account' ? undefined : stack.environment.account,
      region: stack.environment.region === 'unknown-region' ? undefined : stack.environment.region,
    })),
  } as IPolicyValidationContext);
}

/** What the checks find in a stack: rule and logical id, or rule alone. */
export function findingsIn(define: (stack: Stack) => void, props?: MicrovmPolicyChecksProps): string[] {
  const app = new App();
  define(new Stack(app, 'Stack'));
  return rulesOf(reportOn(app, props));
}

/** What the checks find in a template written by hand. */
export function findingsInTemplate(template: Record<string, unknown>, props?: MicrovmPolicyChecksProps): string[] {
  return rulesOf(reportOnTemplate(template, props));
}

export function reportOnTemplate(template: Record<string, unknown>, props?: MicrovmPolicyChecksProps): PolicyValidationPluginReport {
  const templatePath = join(mkdtempSync(join(tmpdir(), 'policy-')), 'Hand.template.json');
  writeFileSync(templatePath, JSON.stringify(template));
  return new MicrovmPolicyChecks(props).validate({ templatePaths: [templatePath] } as unknown as IPolicyValidationContext);
}

function rulesOf({ violations }: PolicyValidationPluginReport): string[] {
  return [...new Set(violations.map(({ ruleName }) => ruleName))].sort();
}
