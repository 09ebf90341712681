import { Resource, Stack } from 'aws-cdk-lib';
import * as ecr from 'aws-cdk-lib/aws-ecr';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { acknowledgeWildcards } from './rule-acknowledgments';

export interface ServiceRoleProps {
  readonly description: string;
  readonly path?: string;
  readonly sourceAccountCondition?: boolean;
  /** The images on whose behalf the service may assume the role. Undefined: any of the account. */
  sourceImageArns(role: Construct): string[] | undefined;
}

/**
 * A role that Lambda MicroVMs assumes.
 *
 * @internal
 */
export abstract class ServiceRole extends Resource implements iam.IRoleRef, iam.IGrantable {
  /** The role itself. */
  public readonly role: iam.Role;

  /** The principal that grants to this role go to. */
  public readonly grantPrincipal: iam.IPrincipal;

  constructor(scope: Construct, id: string, props: ServiceRoleProps) {
    super(scope, id);
    this.role = new iam.Role(this, 'Resource', { path: props.path, description: props.description, assumedBy: this.trusted(props) });
    this.node.defaultChild = this.role.node.defaultChild;
    this.grantPrincipal = this.role.grantPrincipal;
  }

  /** A reference to the role. */
  public get roleRef(): iam.RoleReference {
    return this.role.roleRef;
  }

  /** The ARN of the role. */
  public get roleArn(): string {
    return this.role.roleArn;
  }

  /** The name of the role. */
  public get roleName(): string {
    return this.role.roleName;
  }

  /** The service, which also tags its sessions, and by default only on behalf of this account. */
  private trusted(props: ServiceRoleProps): iam.IPrincipal {
    const conditions: Record<string, Record<string, unknown>> = {};
    if (props.sourceAccountCondition ?? true) {
      conditions.StringEquals = { 'aws:SourceAccount': Stack.of(this).account };
    }
    const images = props.sourceImageArns(this);
    if (images) {
      conditions.ArnLike = { 'aws:SourceArn': images };
    }
    return new iam.ServicePrincipal('lambda.amazonaws.com', { conditions }).withSessionTags();
  }
}

/**
 * Lets a role write to one log group.
 *
 * Never `logs:CreateLogGroup`: a MicroVM that writes late would bring a deleted group back, and the next deployment of
 * the stack would fail because the group exists.
 */
export function grantLogDelivery(grantee: iam.IGrantable, logStreamsArn: string): iam.Grant {
  return iam.Grant.addToPrincipal({
    grantee,
    actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
    resourceArns: [logStreamsArn],
  });
}

/** Lets a role pull from one ECR repository. What else a role that is not ours may do is for its owner to acknowledge. */
export function grantPull(role: iam.IGrantable, repository: ecr.IRepository): iam.Grant {
  if (role instanceof ServiceRole) {
    acknowledgeWildcards(role, 'ecr:GetAuthorizationToken is for the whole registry: the service offers no less', ['*']);
  }
  return repository.grantPull(role);
}

/**
 * Whether a role of this app takes no policies, such as one of `withoutPolicyUpdates()`. Its grants succeed and change
 * nothing; what shows is that it stands for a resource that is elsewhere in the tree.
 */
export function dropsGrants({ grantPrincipal }: iam.IGrantable): boolean {
  const resource = Construct.isConstruct(grantPrincipal) ? grantPrincipal.node.defaultChild : undefined;
  return resource !== undefined && !resource.node.scopes.includes(grantPrincipal as unknown as Construct);
}
