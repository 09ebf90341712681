import { Stack, StackProps, Stage } from 'aws-cdk-lib';
import { CodePipeline, CodePipelineSource, ManualApprovalStep, ShellStep } from 'aws-cdk-lib/pipelines';
import { Construct } from 'constructs';
import { ChannelStack } from './channel-stack';
import { PublisherStack } from './publisher-stack';

export interface PipelineStackProps extends StackProps {
  /** Such as `my-org/golden-image`. */
  readonly repository: string;
  readonly connectionArn: string;
  /** The version that `stable` is to name, from the same commit. */
  readonly stable: string;
}

/** Each commit builds, tests and publishes a candidate. What `stable` names moves when somebody has approved. */
export class PipelineStack extends Stack {
  constructor(scope: Construct, id: string, props: PipelineStackProps) {
    super(scope, id, props);

    const pipeline = new CodePipeline(this, 'Pipeline', {
      synth: new ShellStep('Synth', {
        input: CodePipelineSource.connection(props.repository, 'main', { connectionArn: props.connectionArn }),
        commands: ['npm ci', 'npx aws-cdk@2 synth'],
      }),
    });

    const publish = new Stage(this, 'Publish');
    new PublisherStack(publish, 'GoldenImage');
    pipeline.addStage(publish);

    const promote = new Stage(this, 'Promote');
    new ChannelStack(promote, 'GoldenImageStable', { version: props.stable });
    pipeline.addStage(promote, {
      pre: [new ManualApprovalStep('Approve', { comment: `Version ${props.stable} becomes stable` })],
    });
  }
}
