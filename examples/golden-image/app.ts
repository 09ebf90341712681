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
channel.addDependency(publisher, 'promotes what it published');
new FollowingStack(app, 'FollowingTeam').addDependency(channel, 'follows the channel');
new PinnedStack(app, 'PinnedTeam', { version: STABLE }).addDependency(publisher, 'names what it published');
