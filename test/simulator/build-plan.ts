/** Ways a build fails, each with the text the service gives on the build. */
export type BuildFailureKind =
  | 'container'
  | 'ready-timeout' | 'ready-client-error' | 'ready-server-error'
  | 'validate-timeout' | 'validate-client-error' | 'validate-server-error'
  | 's3-access-denied' | 's3-no-such-key' | 's3-no-such-bucket' | 's3-invalid-object' | 's3-cross-region'
  | 'archive-invalid' | 'dockerfile-not-found'
  | 'disk-full' | 'platform-error';

export interface BuildFailure {
  readonly kind: BuildFailureKind;
  /** Replaces the text of the kind. */
  readonly reason?: string | null;
  /** Only this Graviton generation fails; the version fails all the same. */
  readonly generation?: '3' | '4';
}

/** How coming builds go. Without a plan a build does what its artifact says. */
export interface BuildPlan {
  /** Image name; omitted: any image. */
  readonly image?: string;
  /** How many versions it applies to. Default 1. */
  readonly times?: number;
  /** Reads until the build ends. */
  readonly reads?: number;
  /** Virtual ms until the build ends. */
  readonly durationMs?: number;
  readonly failure?: BuildFailure;
  /** Builds stay PENDING until the service gives up on them, 15 virtual hours later. */
  readonly wedged?: boolean;
  /** Lines the build prints before its end, in place of those of the Dockerfile. */
  readonly logLines?: readonly string[];
}

/** How coming deletions of images or versions go. */
export interface DeletionPlan {
  readonly image?: string;
  /** The deletion of this version (`*`: of any); omitted: the deletion of the image. */
  readonly version?: string;
  readonly times?: number;
  readonly reads?: number;
  readonly durationMs?: number;
  /** Ends in DELETE_FAILED. */
  readonly fails?: boolean;
}

interface Counted { left: number }

/** Plans in the order they were made; each serves as many versions as it says. */
export class Plans<T extends { readonly image?: string; readonly times?: number; readonly version?: string }> {
  private plans: (T & Counted)[] = [];

  public plan(plan: T): void {
    this.plans.push({ ...plan, left: plan.times ?? 1 });
  }

  public clear(): void {
    this.plans = [];
  }

  /** @internal */
  public take(image: string, version?: string): T | undefined {
    const found = this.plans.find((plan) =>
      plan.left > 0 && (plan.image === undefined || plan.image === image)
      && (plan.version === version || (plan.version === '*' && version !== undefined)));
    if (found) {
      found.left -= 1;
    }
    return found;
  }
}
