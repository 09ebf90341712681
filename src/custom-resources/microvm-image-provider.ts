import { ArnFormat, Aws, Fn, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { HandlerProvider } from './handler-provider';
import { Tag } from './microvm-image/contract';
import { formatBaseImageArn, formatImageArn, formatLogGroupArn, formatLogStreamsArn } from '../constructs/private/arn';
import { defaultLogGroupName, rolePath, stackPrefix } from '../constructs/private/naming';
import { acknowledgeWildcards } from '../constructs/private/rule-acknowledgments';

/** Never to change: CloudFormation refuses another service token for a deployed resource. */
const PROVIDER_ID = 'LambdaMicrovmImageProvider';

const READ_ACTIONS = [
  'lambda:GetMicrovmImageBuild',
  'lambda:ListMicrovmImageBuilds',
  'lambda:ListMicrovmImageVersions',
  'lambda:ListTags',
];
const CHANGE_ACTIONS = [
  'lambda:DeleteMicrovmImage',
  'lambda:DeleteMicrovmImageVersion',
  'lambda:TagResource',
  'lambda:UntagResource',
  'lambda:UpdateMicrovmImage',
  'lambda:UpdateMicrovmImageVersion',
];

/** What one image needs the handler to be allowed, beyond what every image with a generated name needs. */
export interface ImagePermissions {
  /** Of an image whose name the user chose. */
  readonly explicitImageArn?: string;
  /** Of a build role that is not under the stack's own path. */
  readonly foreignRoleArn?: string;
  readonly connectorArns: string[];
  /** Of a log group whose name does not follow from a generated image name. */
  readonly explicitLogGroupName?: string;
  readonly terminatesMicrovms: boolean;
}

/**
 * The Lambda functions behind the images of a stack: one set, whatever the number of images.
 *
 * CloudFormation updates the handler's policy before it cleans up images that were removed or renamed. So images are
 * reached by the stack's name prefix and by the stack's tag, which stay in the policy when the image has left it.
 */
export class MicrovmImageProvider extends HandlerProvider {
  public static getOrCreate(scope: Construct): MicrovmImageProvider {
    const stack = Stack.of(scope);
    return (stack.node.tryFindChild(PROVIDER_ID) as MicrovmImageProvider | undefined) ?? new MicrovmImageProvider(stack, PROVIDER_ID);
  }

  private readonly ownImages: iam.PolicyStatement[];
  private readonly passRole: iam.PolicyStatement;
  private readonly buildLogs: iam.PolicyStatement;
  private readonly explicitImages = new iam.PolicyStatement({ actions: [...READ_ACTIONS, 'lambda:TagResource'] });
  private readonly connectors = new iam.PolicyStatement({ actions: ['lambda:PassNetworkConnector'] });
  /** The tag leaves an image before its upkeep does, and the handler must see that. */
  private readonly upkeepTags = new iam.PolicyStatement({ actions: ['lambda:ListTags'] });
  private readonly upkeep = new iam.PolicyStatement({
    actions: [...READ_ACTIONS, 'lambda:DeleteMicrovmImageVersion'],
    conditions: carries(Tag.UPKEEP),
  });

  private constructor(scope: Construct, id: string) {
    const policy = new iam.PolicyDocument();
    super(scope, id, {
      resource: 'microvm-image',
      description: 'Lambda MicroVM images of this stack',
      policy: { name: 'Images', document: policy },
    });
    const prefix = stackPrefix(this);
    const generatedImages = formatImageArn(this, `${prefix}-*`);
    const everyImage = formatImageArn(this, '*');
    const baseImages = formatBaseImageArn(this, '*');
    const generatedLogGroups = formatLogGroupArn(this, defaultLogGroupName(`${prefix}-*`));
    const ownRoles = Stack.of(this).formatArn({
      service: 'iam',
      region: '',
      resource: 'role',
      resourceName: `${rolePath(this).slice(1)}*`,
      arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
    });

    this.ownImages = [
      new iam.PolicyStatement({ actions: [...READ_ACTIONS, ...CHANGE_ACTIONS], resources: [generatedImages] }),
      new iam.PolicyStatement({
        actions: [...READ_ACTIONS, ...CHANGE_ACTIONS],
        resources: [everyImage],
        conditions: carries(Tag.STACK),
      }),
    ];
    this.passRole = new iam.PolicyStatement({ actions: ['iam:PassRole'], resources: [ownRoles] });
    this.buildLogs = new iam.PolicyStatement({ actions: ['logs:FilterLogEvents'], resources: [generatedLogGroups] });
    policy.addStatements(
      ...this.ownImages,
      new iam.PolicyStatement({ actions: ['lambda:GetMicrovmImage'], resources: [everyImage] }),
      new iam.PolicyStatement({ actions: ['lambda:CreateMicrovmImage', 'lambda:ListMicrovms'], resources: ['*'] }),
      new iam.PolicyStatement({ actions: ['lambda:ListManagedMicrovmImageVersions'], resources: [baseImages] }),
      this.passRole,
      this.buildLogs,
    );

    acknowledgeWildcards(
      this,
      'CloudFormation updates this policy before it deletes images that left the stack, so they are reached by the stack\'s prefix or tag; ' +
      'CreateMicrovmImage and ListMicrovms have no resource',
      [generatedImages, everyImage, baseImages, generatedLogGroups, ownRoles, '*'],
    );
  }

  /** Lets the handler do what one more image needs. */
  public allow(image: ImagePermissions) {
    this.extend(this.connectors, image.connectorArns);
    if (image.foreignRoleArn) {
      this.passRole.addResources(image.foreignRoleArn);
    }
    if (image.explicitImageArn) {
      // Before the image carries the stack's tag, the condition on the tag does not let the handler look at it or tag it.
      this.extend(this.explicitImages, [image.explicitImageArn]);
    }
    if (image.explicitLogGroupName) {
      const streams = formatLogStreamsArn(this, image.explicitLogGroupName);
      this.buildLogs.addResources(formatLogGroupArn(this, image.explicitLogGroupName), streams);
      acknowledgeWildcards(this, 'The log streams of one log group', [streams]);
    }
    if (image.terminatesMicrovms) {
      this.ownImages.forEach((statement) => statement.addActions('lambda:TerminateMicrovm'));
    }
  }

  /** Lets the handler look after the images that CloudFormation builds for this stack. */
  public allowUpkeep(terminatesMicrovms: boolean) {
    const everyImage = formatImageArn(this, '*');
    this.extend(this.upkeepTags, [everyImage]);
    this.extend(this.upkeep, [everyImage]);
    if (terminatesMicrovms) {
      this.upkeep.addActions('lambda:TerminateMicrovm');
    }
  }
}

/** Images are tagged with this part of the id of their stack. */
function carries(tag: string) {
  return { StringEquals: { [`aws:ResourceTag/${tag}`]: Fn.select(2, Fn.split('/', Aws.STACK_ID)) } };
}
