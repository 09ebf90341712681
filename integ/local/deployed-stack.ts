import * as path from 'node:path';
import {
  CloudFormationClient, CreateStackCommand, DeleteStackCommand, DescribeStackEventsCommand, DescribeStacksCommand,
  Stack, StackEvent, UpdateStackCommand,
} from '@aws-sdk/client-cloudformation';
import { AssetManifestArtifact } from 'aws-cdk-lib/cx-api';
import { EmulatedAws } from './emulated-aws';
import { imageApp, Scenario } from './image-app';

const POLLS = 600;
const POLL_INTERVAL_MS = 50;

export interface Outcome {
  readonly status: string;
  readonly outputs: Record<string, string>;
  /** Why resources failed, in order. */
  readonly reasons: readonly string[];
}

/** A stack driven through the CloudFormation API, as the CLI does it but without the CLI's waits. */
export class DeployedStack {
  private static assemblies = 0;
  /** Content hashes, by the emulator they were published to. */
  private static readonly publishedTo = new WeakMap<EmulatedAws, Set<string>>();

  private readonly published: Set<string>;
  private readonly client: CloudFormationClient;
  private id?: string;

  constructor(private readonly aws: EmulatedAws, public readonly name: string) {
    this.client = new CloudFormationClient(aws.emulator.clientConfig);
    this.published = DeployedStack.publishedTo.get(aws) ?? new Set();
    DeployedStack.publishedTo.set(aws, this.published);
  }

  /** Creates the stack, or updates it. */
  public async deploy(scenario: Omit<Scenario, 'stackName'>): Promise<Outcome> {
    const seen = await this.eventIds();
    const template = {
      StackName: this.name,
      TemplateBody: await this.publish({ ...scenario, stackName: this.name }),
      Capabilities: ['CAPABILITY_IAM' as const, 'CAPABILITY_NAMED_IAM' as const],
    };
    if (this.id) {
      await this.client.send(new UpdateStackCommand(template));
    } else {
      this.id = (await this.client.send(new CreateStackCommand(template))).StackId;
    }
    return this.settled(seen);
  }

  public async delete(): Promise<Outcome> {
    const seen = await this.eventIds();
    await this.client.send(new DeleteStackCommand({ StackName: this.id }));
    return this.settled(seen);
  }

  private async publish(scenario: Scenario): Promise<string> {
    const folder = path.join(this.aws.emulator.folder, `assembly-${DeployedStack.assemblies++}`);
    const { template, dependencies } = imageApp(scenario, folder).synth().getStackByName(this.name);
    const assets = dependencies.filter((artifact) => AssetManifestArtifact.isAssetManifestArtifact(artifact))
      .flatMap((manifest) => Object.entries(manifest.contents.files ?? {}))
      // Templates change with each scenario, and go with the call.
      .filter(([, { source }]) => !source.path?.endsWith('.template.json'))
      .map(([hash]) => hash);
    if (assets.every((hash) => this.published.has(hash))) {
      return JSON.stringify(template);
    }
    const published = await this.aws.emulator.cdk(['publish-assets', '--unstable=publish-assets', '--app', folder, '--all'], { cwd: folder });
    if (published.exitCode !== 0) {
      throw new Error(`the assets cannot be published:\n${published.lines.join('\n')}`);
    }
    assets.forEach((hash) => this.published.add(hash));
    return JSON.stringify(template);
  }

  private async settled(seen: Set<string>): Promise<Outcome> {
    for (let poll = 0; poll < POLLS; poll++) {
      const stack = (await this.client.send(new DescribeStacksCommand({ StackName: this.id }))).Stacks![0];
      if (!/_IN_PROGRESS$/.test(stack.StackStatus!)) {
        const events = (await this.events()).filter((event) => !seen.has(event.EventId!));
        return { status: stack.StackStatus!, outputs: outputsOf(stack), reasons: reasonsOf(events) };
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
    }
    throw new Error(`stack ${this.name} is still on its way after ${POLLS} polls`);
  }

  private async eventIds(): Promise<Set<string>> {
    return new Set((await this.events()).map((event) => event.EventId!));
  }

  private async events(): Promise<StackEvent[]> {
    return this.id ? (await this.client.send(new DescribeStackEventsCommand({ StackName: this.id }))).StackEvents! : [];
  }
}

function outputsOf(stack: Stack): Record<string, string> {
  return Object.fromEntries((stack.Outputs ?? []).map(({ OutputKey, OutputValue }) => [OutputKey!, OutputValue!]));
}

function reasonsOf(newestFirst: StackEvent[]): string[] {
  return [...newestFirst].reverse()
    .filter(({ ResourceStatus, ResourceType }) => /_FAILED$/.test(ResourceStatus!) && ResourceType !== 'AWS::CloudFormation::Stack')
    .map(({ ResourceStatusReason }) => ResourceStatusReason ?? '');
}
