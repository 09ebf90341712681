import { App } from 'aws-cdk-lib';
import { ChannelStack } from './channel-stack';
import { FollowingStack, PinnedStack } from './consumer-stacks';
import { PublisherStack } from './publisher-stack';

/** The version that was promoted to `stable`. A change of this line is a promotion, or a roll-back. */
const STABLE = '1.0';

const app = new App();
// What is published here is read while the others are deployed.
const publisher = new PublisherStack(app, 'GoldenImage');
const channel = new ChannelStack(app, 'GoldenImageStable', { version: STABLE });
channel.addStackDependency(publisher, 'promotes what it published');
new FollowingStack(app, 'FollowingTeam').addStackDependency(channel, 'follows the channel');
new PinnedStack(app, 'PinnedTeam', { version: '1.0' }).addStackDependency(publisher, 'names what it published');
