export interface BuildRoleRule {
  /** `s3://bucket/key` globs (`*`) the role may read. Default: every object. */
  readonly read?: readonly string[];
  /** Log groups (globs) the role may create streams in and write to. Default: every group. */
  readonly write?: readonly string[];
  /** Log groups (globs) the role may create. Default: none. */
  readonly createLogGroup?: readonly string[];
}

export type BuildRoleAction = 's3:GetObject' | 'logs:PutLogEvents' | 'logs:CreateLogGroup';

/** Decides in place of rules: `resource` is an `s3://bucket/key` or a log group name. */
export type BuildRoleDecision = (roleArn: string, action: BuildRoleAction, resource: string) => boolean;

/** What each build role may do. Without rules every role may do everything. */
export class BuildRoles {
  private readonly rules = new Map<string, BuildRoleRule>();
  private decision?: BuildRoleDecision;

  /** From now on this role may do what the rule says and nothing else; roles without a rule may do everything. */
  public allow(roleArn: string, rule: BuildRoleRule): void {
    this.rules.set(roleArn, rule);
  }

  /** Takes away everything. */
  public deny(roleArn: string): void {
    this.rules.set(roleArn, { read: [], write: [], createLogGroup: [] });
  }

  /** Asks this function instead of the rules, for example an IAM policy evaluator. */
  public decideBy(decision: BuildRoleDecision | undefined): void {
    this.decision = decision;
  }

  public clear(): void {
    this.rules.clear();
    this.decision = undefined;
  }

  /** @internal */
  public may(roleArn: string, action: BuildRoleAction, resource: string): boolean {
    if (this.decision) {
      return this.decision(roleArn, action, resource);
    }
    const rule = this.rules.get(roleArn);
    if (!rule) {
      return true;
    }
    const globs = {
      's3:GetObject': rule.read ?? ['*'],
      'logs:PutLogEvents': rule.write ?? ['*'],
      'logs:CreateLogGroup': rule.createLogGroup ?? [],
    }[action];
    return globs.some((glob) => matchesGlob(glob, resource));
  }
}

function matchesGlob(glob: string, text: string): boolean {
  const pattern = glob.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&')).join('.*');
  return new RegExp(`^${pattern}$`, 's').test(text);
}
