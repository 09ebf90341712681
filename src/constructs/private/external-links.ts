import * as fs from 'fs';
import * as path from 'path';
import { Annotations, IgnoreStrategy, SymlinkFollowMode } from 'aws-cdk-lib';
import { Construct } from 'constructs';

const REPORTED = 5;

/** Whether what a link stands for is in another place than the directory. A link that leads nowhere does not. */
export function leadsOut(directory: string, link: string): boolean {
  if (!fs.existsSync(link)) {
    return false;
  }
  const way = path.relative(fs.realpathSync(directory), fs.realpathSync(link));
  // On Windows there is no way from one drive to another.
  return way.split(path.sep)[0] === '..' || path.isAbsolute(way);
}

/**
 * Warns about links by which files of other places get into the code, unless the user has asked for them.
 *
 * Not to follow links when the directory is copied does not keep them out: the CDK CLI follows those of the copy when it makes
 * the zip.
 */
export function warnAboutExternalLinks(scope: Construct, directory: string, exclude: string[], follow?: SymlinkFollowMode) {
  if (follow !== undefined && follow !== SymlinkFollowMode.NEVER) {
    return;
  }
  const links = externalLinks(directory, exclude);
  if (links.length > 0) {
    Annotations.of(scope).addWarningV2(
      'cdk-lambda-microvms:externalLinks',
      `links lead out of the code: ${links.slice(0, REPORTED).join(', ')}${links.length > REPORTED ? ` and ${links.length - REPORTED} more` : ''}; ` +
      'what they lead to is uploaded and becomes part of the image. Set followSymlinks to EXTERNAL when that is meant, or to BLOCK_EXTERNAL to have it refused',
    );
  }
}

function externalLinks(directory: string, exclude: string[]): string[] {
  const ignore = IgnoreStrategy.docker(directory, exclude);
  const found: string[] = [];
  const visit = (folder: string) => {
    for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
      const file = path.join(folder, entry.name);
      if (entry.isDirectory() && !ignore.completelyIgnores(file)) {
        visit(file);
      } else if (entry.isSymbolicLink() && leadsOut(directory, file)
        && !(fs.statSync(file).isDirectory() ? ignore.completelyIgnores(file) : ignore.ignores(file))) {
        found.push(path.relative(directory, file));
      }
    }
  };
  visit(directory);
  return found;
}
