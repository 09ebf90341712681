import { Annotations, CfnResource, Lazy, Stack, Token } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { MicrovmImage } from './microvm-image';
import { MicrovmPublicationGrants } from './microvm-publication-grants';
import { MicrovmSmokeTest } from './microvm-smoke-test';
import { lit, propertyInjectable, ValidationError } from './private/cdk-internals';
import { SERVICE_TIMEOUT_SECONDS } from './private/custom-image-resource';
import { ImageEvents } from './private/image-events';
import { policyArnOf } from './private/image-reference';
import { validateImageVersion } from './private/image-validation';
import { KindOf, validateKind, validateKinds } from './private/kinds';
import { claimChannel, claimPublication, formatParameterArn, publicationRoot, validateName } from './private/publication-parameters';
import { VersionStep } from './private/refresh-workflow';
import { acknowledgeWildcards } from './private/rule-acknowledgments';
import { EventType } from '../custom-resources/microvm-events';
import { channelName, encodePublication, PUBLICATION_RESOURCE_TYPE, recordName } from '../custom-resources/microvm-image-publication/contract';
import { MicrovmImagePublicationProvider } from '../custom-resources/microvm-image-publication-provider';

/**
 * Properties of a `MicrovmImagePublication`.
 */
export interface MicrovmImagePublicationProps {
  /** The image of this stack whose versions are published. An image has one publication. */
  readonly image: MicrovmImage;

  /**
   * The name consumers know it by, unique in the account and region: 1 to 64 letters, digits, `_`, `.` and `-`. Changing it
   * publishes under the new name and takes everything under the old one away.
   */
  readonly publicationName: string;

  /**
   * What each version must pass before anybody sees it: smoke tests of the same image.
   *
   * @default - none, with a warning
   */
  readonly smokeTests?: MicrovmSmokeTest[];

  /**
   * The channels that follow this deployment, up to 8. Others, such as one that a version is promoted to, are moved by a
   * `MicrovmImageChannel`. A channel that leaves the list is deleted.
   *
   * @default ['candidate']
   */
  readonly channels?: string[];

  /**
   * How many versions stay published, from 1 to 20, beside those that a channel names. The records of older ones are deleted.
   * Versions that are published are not deleted by the image.
   *
   * @default 10
   */
  readonly keepRecords?: number;

  /**
   * What the image was built from, such as a commit. It is noted once, when the version is published: up to 256 characters.
   *
   * @default - not noted
   */
  readonly sourceRevision?: string;

  /**
   * The path under which the SSM parameters are.
   *
   * @default '/microvm-images'
   */
  readonly parameterPrefix?: string;

  /**
   * The event bus that events about what is published are put on. Changing it publishes nothing.
   *
   * Giving one turns the events on, and lets the handler call `events:PutEvents` on the bus, and `ssm:GetParameters` on the parameters. A bus
   * of another account or region must let it do so too, and takes its own rules there.
   *
   * @default - the default bus, once `onPublished()` or `onPromoted()` was called; until then there are no events
   */
  readonly eventBus?: events.IEventBusRef;
}

const DEFAULT_CHANNELS = ['candidate'];
const MAX_CHANNELS = 8;
const DEFAULT_KEEP_RECORDS = 10;
/** All versions that are named have to fit into one tag of the image. */
const MAX_KEEP_RECORDS = 20;
const MAX_REVISION = 256;

const PUBLISHED_IMAGES = new WeakSet<MicrovmImage>();

/**
 * Publishes the versions of an image in SSM parameters, for other stacks and teams of the account and region.
 *
 * A deployment writes a record of its version, which never changes, and moves the channels to it: only when the version is built,
 * ACTIVE and has passed the tests, and the channels last. A rollback moves them back. `MicrovmImage.fromPublication()` reads them,
 * `MicrovmImageChannel` moves another channel to a version that was published.
 *
 * Versions that a record or a channel names stay, whatever the image keeps. Removing the publication deletes its parameters.
 *
 * Throws when the image has a publication, and when another one of the same stage of the app, account and region has the name or a channel.
 *
 * Adds a policy to the stack, and once a stack the functions that publish.
 *
 * @see https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-parameter-store.html
 *
 * @example
 * declare const image: MicrovmImage;
 * declare const consumer: iam.Role;
 * const publication = new MicrovmImagePublication(this, 'Publication', {
 *   image,
 *   publicationName: 'agents',
 *   smokeTests: [new MicrovmSmokeTest(this, 'SmokeTest', { image })],
 *   sourceRevision: '3f2a9c1',
 * });
 * publication.grants.read(consumer);
 */
@propertyInjectable
export class MicrovmImagePublication extends Construct {
  /** Uniquely identifies this class. */
  public static readonly PROPERTY_INJECTION_ID: string = 'cdk-lambda-microvms.MicrovmImagePublication';

  /** The image whose versions are published. */
  public readonly image: MicrovmImage;

  /** The name consumers know it by. */
  public readonly publicationName: string;

  /** Gives principals permissions on the parameters. */
  public readonly grants: MicrovmPublicationGrants;

  /** @internal */
  public readonly _smokeTests: MicrovmSmokeTest[];

  /**
   * How a base image refresh publishes the version it built.
   *
   * @internal
   */
  public readonly _published: VersionStep;

  private readonly root: string;

  private readonly events: ImageEvents;

  /** What the handler may read of the parameters. */
  private readonly reading = new iam.PolicyStatement({ actions: ['ssm:GetParametersByPath'] });

  constructor(scope: Construct, id: string, props: MicrovmImagePublicationProps) {
    super(scope, id);
    const { image, publicationName } = props;
    this.root = publicationRoot(this, publicationName, props.parameterPrefix);
    this.validateImage(image);
    claimPublication(this, this.root);
    this.image = image;
    this.publicationName = publicationName;
    this.grants = MicrovmPublicationGrants.fromPublicationName(this, publicationName, props.parameterPrefix);

    this._smokeTests = this.testsOf(props);
    const provider = MicrovmImagePublicationProvider.getOrCreate(this);
    this.events = new ImageEvents(this, (eventBusArn) => {
      provider.allowEvents(eventBusArn);
      // Where a channel was before is what its parameter held before.
      this.reading.addActions('ssm:GetParameters');
    }, props.eventBus);
    const properties = encodePublication({
      imageArn: image.imageArn,
      imageVersion: image.imageVersion,
      root: this.root,
      channels: this.channelsOf(props),
      keepRecords: this.keepRecordsOf(props),
      sourceRevision: this.revisionOf(props),
      eventBusArn: Lazy.string({ produce: () => this.events.busArn }),
    });
    const resource = new CfnResource(this, 'Resource', {
      type: PUBLICATION_RESOURCE_TYPE,
      properties: { ServiceToken: provider.serviceToken, ServiceTimeout: SERVICE_TIMEOUT_SECONDS, ...properties },
    });
    resource.node.addDependency(this.handlerPolicy(provider), ...this._smokeTests);
    this._published = { handlers: provider.handlers, resource, properties };
    // Which versions are published, and under which name.
    image._keepTag();
    image._keepTag();
    if (props.eventBus) {
      this.events.enable();
    }
  }

  /**
   * Calls a target when a version was published: its record was written.
   *
   * The target gets the event `MicroVM Image Published`. Like `onPromoted()`, this turns the events of the publication on: the stack's handler
   * may then call `events:PutEvents` on the bus, and `ssm:GetParameters` on the parameters; nothing is published. An event that cannot be put
   * fails no deployment. It may come twice, with the same `detail.id`.
   *
   * @param id of the rule, in the scope of the publication
   * @param options of the rule: its target, and a pattern to narrow it
   *
   * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rules.html
   *
   * @example
   * declare const publication: MicrovmImagePublication;
   * declare const topic: sns.ITopic;
   * publication.onPublished('TellTheTeams', { target: new targets.SnsTopic(topic) });
   */
  public onPublished(id: string, options: events.OnEventOptions = {}): events.Rule {
    return this.events.rule(id, { type: EventType.PUBLISHED, imageArn: policyArnOf(this.image) }, options);
  }

  /**
   * Calls a target when a channel of the publication was moved to another version, by a deployment, a rollback or a base image refresh: the
   * event `MicroVM Image Promoted`. `detail.channel` says which channel.
   *
   * A channel that a `MicrovmImageChannel` moves is among them when the events of that one are on too, on the same bus.
   *
   * Turns events on as `onPublished()` does.
   *
   * @param id of the rule, in the scope of the publication
   * @param options of the rule: its target, and a pattern to narrow it
   *
   * @example
   * declare const publication: MicrovmImagePublication;
   * declare const deployTestTeam: lambda.Function;
   * publication.onPromoted('Candidate', {
   *   target: new targets.LambdaFunction(deployTestTeam),
   *   eventPattern: { detail: { channel: ['candidate'] } },
   * });
   */
  public onPromoted(id: string, options: events.OnEventOptions = {}): events.Rule {
    return this.events.rule(id, { type: EventType.PROMOTED, imageArn: policyArnOf(this.image) }, options);
  }

  /** The name of the SSM parameter that holds what a channel names: the list `<image ARN>,<version>,<base image>,<code digest>`. */
  public channelParameterName(channel: string): string {
    validateName(this, 'channel', channel);
    return channelName(this.root, channel);
  }

  /** The name of the SSM parameter that holds the record of a version, as JSON. */
  public recordParameterName(version: string): string {
    validateImageVersion(this, version);
    return recordName(this.root, version);
  }

  private handlerPolicy(provider: MicrovmImagePublicationProvider): iam.Policy {
    const path = formatParameterArn(this, this.root);
    const parameters = formatParameterArn(this, `${this.root}/*`);
    this.reading.addResources(path, parameters);
    const policy = provider.allow(this, [
      this.reading,
      new iam.PolicyStatement({ actions: ['ssm:DeleteParameters', 'ssm:PutParameter'], resources: [parameters] }),
      new iam.PolicyStatement({
        actions: [
          'lambda:GetMicrovmImage', 'lambda:GetMicrovmImageBuild', 'lambda:GetMicrovmImageVersion', 'lambda:ListMicrovmImageBuilds',
          'lambda:ListTags', 'lambda:TagResource', 'lambda:UntagResource',
        ],
        resources: [policyArnOf(this.image)],
      }),
    ]);
    acknowledgeWildcards(policy, 'The parameters of one publication', [parameters]);
    return policy;
  }

  private validateImage(image: MicrovmImage) {
    validateKind(this, 'image', image, KindOf.BUILT_IMAGE);
    if (Stack.of(image) !== Stack.of(this)) {
      throw new ValidationError(
        lit`MicrovmPublicationStack`,
        `image must be in the stack of its publication '${Stack.of(this).node.path}', got one of '${Stack.of(image).node.path}'; a version is published by the deployment that builds it`,
        this,
      );
    }
    if (PUBLISHED_IMAGES.has(image)) {
      throw new ValidationError(
        lit`MicrovmPublicationSecond`,
        `image must have one publication, got a second one for '${image.node.path}'; use one publication with several channels`,
        this,
      );
    }
    PUBLISHED_IMAGES.add(image);
  }

  private testsOf({ smokeTests = [], image }: MicrovmImagePublicationProps): MicrovmSmokeTest[] {
    validateKinds(this, 'smokeTests', smokeTests, KindOf.SMOKE_TEST);
    const other = smokeTests.find((test) => test.image !== image);
    if (other) {
      throw new ValidationError(
        lit`MicrovmPublicationSmokeTest`,
        `smokeTests must be of the image that is published, '${image.node.path}', got one of '${other.image.node.path}'`,
        this,
      );
    }
    if (smokeTests.length === 0) {
      Annotations.of(this).addWarningV2(
        'cdk-lambda-microvms:untestedPublication',
        'versions are published as soon as they are built: whether they work is not tested; give smokeTests',
      );
    }
    return smokeTests;
  }

  private channelsOf({ channels = DEFAULT_CHANNELS }: MicrovmImagePublicationProps): string[] {
    if (!Token.isUnresolved(channels)) {
      validateKind(this, 'channels', channels, ['forEach', "a list of names, such as ['candidate']"]);
      channels.forEach((channel) => validateName(this, 'channels', channel));
      if (channels.length > MAX_CHANNELS || new Set(channels).size < channels.length) {
        throw new ValidationError(
          lit`MicrovmPublicationChannels`,
          `channels must be up to ${MAX_CHANNELS} different names, got ${channels.length}: ${channels.join(', ')}`,
          this,
        );
      }
      channels.forEach((channel) => claimChannel(this, this.root, channel));
    }
    return channels;
  }

  private keepRecordsOf({ keepRecords = DEFAULT_KEEP_RECORDS }: MicrovmImagePublicationProps): number {
    if (!Token.isUnresolved(keepRecords) && (!Number.isInteger(keepRecords) || keepRecords < 1 || keepRecords > MAX_KEEP_RECORDS)) {
      throw new ValidationError(
        lit`MicrovmPublicationKeepRecords`,
        `keepRecords must be a whole number from 1 to ${MAX_KEEP_RECORDS}, got ${keepRecords}`,
        this,
      );
    }
    return keepRecords;
  }

  private revisionOf({ sourceRevision }: MicrovmImagePublicationProps): string | undefined {
    if (sourceRevision !== undefined && !Token.isUnresolved(sourceRevision) && sourceRevision.length > MAX_REVISION) {
      throw new ValidationError(
        lit`MicrovmPublicationSourceRevision`,
        `sourceRevision must have at most ${MAX_REVISION} characters, got ${sourceRevision.length}; give a commit, not a description`,
        this,
      );
    }
    return sourceRevision || undefined;
  }
}
