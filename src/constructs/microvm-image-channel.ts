import { CfnResource, Lazy } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { propertyInjectable } from './private/cdk-internals';
import { SERVICE_TIMEOUT_SECONDS } from './private/custom-image-resource';
import { ImageEvents } from './private/image-events';
import { validateImageVersion } from './private/image-validation';
import { claimChannel, formatParameterArn, publicationRoot, recordAtDeployment, validateName } from './private/publication-parameters';
import { acknowledgeWildcards } from './private/rule-acknowledgments';
import { EventType } from '../custom-resources/microvm-events';
import { CHANNEL_RESOURCE_TYPE, channelName, encodeChannel, recordName } from '../custom-resources/microvm-image-publication/contract';
import { MicrovmImagePublicationProvider } from '../custom-resources/microvm-image-publication-provider';

/**
 * Properties of a `MicrovmImageChannel`.
 */
export interface MicrovmImageChannelProps {
  /** The name of the publication: 1 to 64 letters, digits, `_`, `.` and `-`. */
  readonly publicationName: string;

  /** The channel, such as `stable`: 1 to 64 letters, digits, `_`, `.` and `-`. It must be none that the publication moves itself. */
  readonly channel: string;

  /**
   * The published version the channel names, such as `3.0`. Changing it moves the channel: forward to promote, back to roll
   * back.
   */
  readonly version: string;

  /**
   * The path under which the SSM parameters are.
   *
   * @default '/microvm-images'
   */
  readonly parameterPrefix?: string;

  /**
   * The event bus that events about the channel are put on. Changing it moves nothing.
   *
   * Giving one turns the events on, and lets the stack's handler call `events:PutEvents` on the bus. A bus of another account or region must
   * let it do so too, and takes its own rules there.
   *
   * @default - the default bus, once `onPromoted()` was called; until then there are no events
   */
  readonly eventBus?: events.IEventBusRef;
}

/**
 * A channel of a publication that names the version you say: a promotion is a deployment that moves one pointer, and builds
 * nothing. One step back is the same. A rollback by CloudFormation puts the pointer back.
 *
 * The version must have been published in the account and region, its record must be kept, and it must be ACTIVE. Otherwise the
 * deployment fails, and the channel stays where it was. Put it into a stack of its own, which a pipeline can deploy after an
 * approval: the record must be there before the deployment begins. Removing it deletes the channel, unless somebody else has
 * moved it.
 *
 * Throws when a publication of the same stage of the app, or another construct like this, moves the channel too.
 *
 * Adds a policy to the stack, and once a stack the functions that publish.
 *
 * @see https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-parameter-store.html
 *
 * @example
 * new MicrovmImageChannel(this, 'Stable', { publicationName: 'agents', channel: 'stable', version: '3.0' });
 */
@propertyInjectable
export class MicrovmImageChannel extends Construct {
  /** Uniquely identifies this class. */
  public static readonly PROPERTY_INJECTION_ID: string = 'cdk-lambda-microvms.MicrovmImageChannel';

  /** The channel. */
  public readonly channel: string;

  /** The ARN of the image, as the record of the version tells it. */
  public readonly imageArn: string;

  /** The version the channel names. */
  public readonly imageVersion: string;

  private readonly events: ImageEvents;

  private readonly parameterName: string;

  constructor(scope: Construct, id: string, props: MicrovmImageChannelProps) {
    super(scope, id);
    const { channel, version } = props;
    const root = publicationRoot(this, props.publicationName, props.parameterPrefix);
    validateName(this, 'channel', channel);
    validateImageVersion(this, version);
    claimChannel(this, root, channel);
    const { imageArn } = recordAtDeployment(this, root, version);
    const provider = MicrovmImagePublicationProvider.getOrCreate(this);
    this.parameterName = channelName(root, channel);
    this.events = new ImageEvents(this, (eventBusArn) => provider.allowEvents(eventBusArn), props.eventBus);
    const eventBusArn = Lazy.string({ produce: () => this.events.busArn });
    const resource = new CfnResource(this, 'Resource', {
      type: CHANNEL_RESOURCE_TYPE,
      properties: {
        ServiceToken: provider.serviceToken,
        ServiceTimeout: SERVICE_TIMEOUT_SECONDS,
        ...encodeChannel({ imageArn, imageVersion: version, root, channel, eventBusArn }),
      },
    });
    resource.node.addDependency(this.handlerPolicy(provider, root, imageArn));
    this.channel = channel;
    this.imageArn = imageArn;
    this.imageVersion = resource.getAtt('ImageVersion').toString();
    if (props.eventBus) {
      this.events.enable();
    }
  }

  /**
   * Calls a target when the channel was moved to another version: the event `MicroVM Image Promoted`. `detail.imageVersion` is where it is,
   * `detail.previousVersion` where it was.
   *
   * Turns the events of the channel on: the stack's handler may then call `events:PutEvents` on the bus; nothing is moved. An event that cannot
   * be put fails no deployment. It may come twice, with the same `detail.id`.
   *
   * @param id of the rule, in the scope of the channel
   * @param options of the rule: its target, and a pattern to narrow it
   *
   * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rules.html
   *
   * @example
   * declare const stable: MicrovmImageChannel;
   * declare const topic: sns.ITopic;
   * stable.onPromoted('TellTheTeams', { target: new targets.SnsTopic(topic) });
   */
  public onPromoted(id: string, options: events.OnEventOptions = {}): events.Rule {
    return this.events.rule(id, { type: EventType.PROMOTED, detail: { parameterName: [this.parameterName] } }, options);
  }

  /**
   * It says the same for every version: a policy that changed with it would have to reach all of IAM before the channel can move.
   * Only the template is another, as the image's ARN comes from the record of the version. Each record is a parameter of its own
   * there, since a deployment keeps the value of a parameter that stays, which is the name of the record.
   */
  private handlerPolicy(provider: MicrovmImagePublicationProvider, root: string, imageArn: string): iam.Policy {
    const records = formatParameterArn(this, recordName(root, '*'));
    const pointer = formatParameterArn(this, this.parameterName);
    const policy = provider.allow(this, [
      new iam.PolicyStatement({ actions: ['ssm:GetParameters'], resources: [records, pointer] }),
      new iam.PolicyStatement({ actions: ['ssm:DeleteParameters', 'ssm:PutParameter'], resources: [pointer] }),
      new iam.PolicyStatement({ actions: ['lambda:GetMicrovmImageVersion'], resources: [imageArn] }),
    ]);
    acknowledgeWildcards(policy, 'The records of one publication', [records]);
    return policy;
  }
}
