import { CfnOutput, Stack, StackProps } from 'aws-cdk-lib';
import { MicrovmImageChannel } from 'cdk-lambda-microvms';
import { Construct } from 'constructs';
import { PUBLICATION_NAME } from './publisher-stack';

export interface ChannelStackProps extends StackProps {
  /** The published version that `stable` names. */
  readonly version: string;
}

/** A promotion: a deployment that moves one pointer, and builds nothing. So is the way back. */
export class ChannelStack extends Stack {
  constructor(scope: Construct, id: string, props: ChannelStackProps) {
    super(scope, id, props);

    const stable = new MicrovmImageChannel(this, 'Stable', { publicationName: PUBLICATION_NAME, channel: 'stable', version: props.version });
    new CfnOutput(this, 'Version', { value: stable.imageVersion });
  }
}
