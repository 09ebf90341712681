import * as fs from 'fs';
import * as path from 'path';
import { lit, UnscopedValidationError } from './private/cdk-internals';
import { decodeDocument, DefinitionDocument, definitionDigest } from './private/image-definition';

/**
 * What the versions of an image are built from, without anything of the account and region they are built in: the digest of the
 * code, the base image, memory, hooks, environment variables, Linux capabilities, the description, and which managed connector is
 * the way out.
 *
 * A `MicrovmImageSource` publishes it as a JSON file, and a `MicrovmImageReplica` builds from it elsewhere. Keep the file next to
 * the code of the app that builds: a new one is a change like any other, to review and to roll back.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/microvms-images.html
 *
 * @example
 * const definition = MicrovmImageDefinition.fromFile('agents.json');
 * const replica = new MicrovmImageReplica(this, 'Agents', { definition });
 * new CfnOutput(this, 'DefinitionDigest', { value: definition.definitionDigest });
 */
export class MicrovmImageDefinition {
  /**
   * The definition in a file, as its publisher wrote it.
   *
   * Throws when there is no such file, and as `fromJson()` does.
   *
   * @param file relative to the current directory
   */
  public static fromFile(file: string): MicrovmImageDefinition {
    const absolute = path.resolve(file);
    if (!fs.statSync(absolute, { throwIfNoEntry: false })?.isFile()) {
      throw new UnscopedValidationError(
        lit`MicrovmImageDefinitionFile`,
        `file must be the definition of an image, but '${absolute}' is no file; copy it from the definitionUrl of its MicrovmImageSource`,
      );
    }
    return MicrovmImageDefinition.parse(fs.readFileSync(absolute, 'utf8'), `'${absolute}'`);
  }

  /**
   * The definition in a text, as its publisher wrote it.
   *
   * Throws when it is no JSON, is of a format or has a field that this release does not know, lacks a field, or does not have the
   * digest it says.
   */
  public static fromJson(json: string): MicrovmImageDefinition {
    return MicrovmImageDefinition.parse(json, 'the text');
  }

  /** @internal */
  public static _of(document: DefinitionDocument): MicrovmImageDefinition {
    return new MicrovmImageDefinition(document);
  }

  private static parse(json: string, where: string): MicrovmImageDefinition {
    try {
      return new MicrovmImageDefinition(decodeDocument(json));
    } catch (error) {
      throw new UnscopedValidationError(lit`MicrovmImageDefinitionInvalid`, `${where} must be the definition of an image, but ${(error as Error).message}`);
    }
  }

  /** The name the image was published under. */
  public readonly publicationName: string;

  /** The content hash of the code: 64 hexadecimal digits, the same in the records of every publication of it. */
  public readonly codeDigest: string;

  /** Names the whole definition: 64 hexadecimal digits, the same in every account and region. */
  public readonly definitionDigest: string;

  private constructor(
    /** @internal */
    public readonly _document: DefinitionDocument,
  ) {
    this.publicationName = _document.publicationName;
    this.codeDigest = _document.definition.codeDigest;
    this.definitionDigest = definitionDigest(_document.definition);
  }
}
