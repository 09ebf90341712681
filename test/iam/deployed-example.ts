import { Stack } from 'aws-cdk-lib';
import { isAllowed } from './access';
import { buildImages } from './deployed-images';
import { ACCOUNT, DeployedTemplate, PolicyDocument, REGION } from './deployed-template';
import { MicrovmSimulator } from '../simulator';

/** An action on a resource, as IAM checks it. */
export interface Check {
  readonly action: string;
  readonly resource: string;
}

const MANAGED_CONNECTORS = ['HTTP_INGRESS', 'ALL_INGRESS', 'SHELL_INGRESS', 'NO_INGRESS', 'INTERNET_EGRESS']
  .map((name) => `arn:aws:lambda:${REGION}:aws:network-connector:aws-network-connector:${name}`);

const ON_MICROVMS = [
  'RunMicrovm', 'GetMicrovm', 'SuspendMicrovm', 'ResumeMicrovm', 'TerminateMicrovm', 'CreateMicrovmAuthToken', 'CreateMicrovmShellAuthToken',
];
const ON_IMAGES = ['UpdateMicrovmImage', 'UpdateMicrovmImageVersion', 'DeleteMicrovmImage', 'DeleteMicrovmImageVersion', 'TagResource'];

/** An example as deployed: its images built in a simulator to which the SDKs of this process and its children talk. */
export class DeployedExample {
  public static async of(stack: Stack): Promise<DeployedExample> {
    // A MicroVM is ready at the second call about it, and nothing waits.
    const simulator = await MicrovmSimulator.start({ advance: { mode: 'reads', reads: 1 } });
    Object.assign(process.env, { AWS_ENDPOINT_URL: simulator.endpoint, AWS_REGION: REGION, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' });
    const id = `arn:aws:cloudformation:${REGION}:${ACCOUNT}:stack/${stack.stackName}/11111111-2222-3333-4444-555555555555`;
    const template = DeployedTemplate.of(stack, id);
    return new DeployedExample(simulator, template, await buildImages(template, simulator));
  }

  private constructor(
    public readonly simulator: MicrovmSimulator,
    public readonly template: DeployedTemplate,
    public readonly imageArns: string[],
  ) {}

  public async stop(): Promise<void> {
    await this.simulator.stop();
  }

  /** The environment variables of the function whose logical id starts so. */
  public environmentOf(functionId: string): Record<string, string> {
    return this.template.properties(this.logicalId('AWS::Lambda::Function', functionId)).Environment.Variables;
  }

  /** The one resource of a type whose logical id starts so. */
  public logicalId(type: string, start: string): string {
    const [found, ...more] = this.template.logicalIds(type).filter((id) => id.startsWith(start));
    if (!found || more.length > 0) {
      throw new Error(`expected one ${type} '${start}', found: ${[found, ...more].join(', ')}`);
    }
    return found;
  }

  public policiesOf(role: string): PolicyDocument[] {
    return this.template.policiesOf(this.template.role(role));
  }

  public roleArn(role: string): string {
    return this.template.roleArn(this.template.role(role));
  }

  /** What IAM would have checked for the calls since the last time. */
  public takeChecks(): Check[] {
    const checks = this.simulator.calls.all.flatMap(({ requires }) => requires.map(({ action, resource }) => ({ action, resource })));
    this.simulator.calls.clear();
    return checks;
  }

  /** Everything next to what a launcher of this image needs: other images, roles and connectors, and the image itself. */
  public neighboursOf(imageArn: string, passed: Check[]): Check[] {
    const otherImages = [`${imageArn}2`, imageArn.replace(REGION, 'eu-west-1'), ...this.imageArns.filter((arn) => arn !== imageArn)];
    const otherRoles = [`arn:aws:iam::${ACCOUNT}:role/Admin`, ...this.template.logicalIds('AWS::IAM::Role').map((id) => this.template.roleArn(id))];
    const connectors = [...MANAGED_CONNECTORS, `arn:aws:lambda:${REGION}:${ACCOUNT}:network-connector:nc-neighbour`];
    return [
      ...otherImages.flatMap((resource) => ON_MICROVMS.map((name) => ({ action: `lambda:${name}`, resource }))),
      ...ON_IMAGES.map((name) => ({ action: `lambda:${name}`, resource: imageArn })),
      ...otherRoles.map((resource) => ({ action: 'iam:PassRole', resource })),
      ...connectors.map((resource) => ({ action: 'lambda:PassNetworkConnector', resource })),
    ].filter((check) => !passed.some(({ action, resource }) => action === check.action && resource === check.resource));
  }
}

export async function allowed(policies: PolicyDocument[], checks: Check[]): Promise<Check[]> {
  const decisions = await Promise.all(checks.map(({ action, resource }) => isAllowed(policies, action, resource)));
  return checks.filter((_check, index) => decisions[index]);
}
