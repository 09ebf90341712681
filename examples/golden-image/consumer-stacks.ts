import { CfnOutput, Duration, Stack, StackProps } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { IMicrovmImage, MicrovmConnector, MicrovmImage, MicrovmLaunchProfile } from 'cdk-lambda-microvms';
import { Construct } from 'constructs';
import { PUBLICATION_NAME } from './publisher-stack';

/** A team that launches what `stable` names when it deploys. */
export class FollowingStack extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);
    launchable(this, MicrovmImage.fromPublication(this, 'Agents', { publicationName: PUBLICATION_NAME, channel: 'stable' }));
  }
}

export interface PinnedStackProps extends StackProps {
  /** The version it stays on, whatever is promoted. */
  readonly version: string;
}

/** A team that moves when it decides to. */
export class PinnedStack extends Stack {
  constructor(scope: Construct, id: string, props: PinnedStackProps) {
    super(scope, id, props);
    launchable(this, MicrovmImage.fromPublication(this, 'Agents', { publicationName: PUBLICATION_NAME, version: props.version }));
  }
}

/** A role that may launch MicroVMs of the image and call them, and the settings to do it with. */
function launchable(stack: Stack, image: IMicrovmImage) {
  const profile = new MicrovmLaunchProfile(stack, 'Launch', {
    image,
    ingressConnectors: [MicrovmConnector.HTTP_INGRESS],
    maximumDuration: Duration.minutes(30),
  });
  const launcher = new iam.Role(stack, 'Launcher', { assumedBy: new iam.AccountRootPrincipal() });
  profile.grants.launch(launcher);
  profile.grants.connect(launcher);
  profile.grants.control(launcher);
  new CfnOutput(stack, 'Settings', { value: profile.toJson() });
}
