import { createHash } from 'crypto';
import { CfnResource, Fn, IResolvable, IResolveContext, Stack, Token } from 'aws-cdk-lib';

const SEPARATOR = '|';

/**
 * The version of an image, or of what it is built on, as an attribute that changes whenever the image is built anew.
 *
 * In another stack it reads `<version>|<digest of what the image is built from>` and takes the part before the bar. The
 * reference alone would read the same before and after a build: the CDK CLI skips a stack whose template has not
 * changed, and its consumers would stay on the version before.
 */
export class VersionReference implements IResolvable {
  public readonly creationStack = ['the version of a MicrovmImage'];

  /** @param content what a new version is built from, as it stands in the template */
  constructor(private readonly resource: CfnResource, private readonly attribute: string, private readonly content: () => unknown) {}

  public resolve(context: IResolveContext): unknown {
    const version = this.resource.getAtt(this.attribute);
    if (Stack.of(context.scope) === Stack.of(this.resource)) {
      return version;
    }
    const digest = contentDigest(this.resource, this.content());
    return Fn.select(0, Fn.split(SEPARATOR, Fn.join(SEPARATOR, [Token.asString(version), digest])));
  }

  public toString(): string {
    return Token.asString(this);
  }
}

/** Names what a version is built from, as it stands in the template. */
export function contentDigest(resource: CfnResource, content: unknown): string {
  return createHash('sha256').update(JSON.stringify(Stack.of(resource).resolve(content))).digest('hex').slice(0, 16);
}
