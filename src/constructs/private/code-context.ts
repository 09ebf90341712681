import * as fs from 'fs';
import * as path from 'path';
import { IgnoreStrategy, SymlinkFollowMode } from 'aws-cdk-lib';
import { leadsOut } from './external-links';
import { readZip } from './zip-reader';

/** One file of the code. */
export interface ContextFile {
  /** From the root of the code, with `/`. */
  readonly path: string;
  readonly size: number;
  /** Its first bytes, or all of them when there are no more. */
  head(bytes: number): Buffer;
}

/** The files a build gets. */
export type CodeContext = (visit: (file: ContextFile) => void) => void;

/** A directory, but for what is left out of it. Like CDK's copy, it has what links to other places lead to, unless told otherwise. */
export function directoryContext(root: string, exclude: string[] = [], follow: SymlinkFollowMode = SymlinkFollowMode.EXTERNAL): CodeContext {
  return (visit) => {
    const ignore = exclude.length > 0 ? IgnoreStrategy.docker(root, exclude) : undefined;
    const walk = (folder: string) => {
      for (const entry of fs.readdirSync(folder, { withFileTypes: true }).sort(filesFirst)) {
        const file = path.join(folder, entry.name);
        const stat = entry.isSymbolicLink() ? linkTarget(root, file, follow) : entry;
        if (stat?.isDirectory()) {
          if (!ignore?.completelyIgnores(file)) {
            walk(file);
          }
        } else if (stat?.isFile() && !ignore?.ignores(file)) {
          visit({
            path: path.relative(root, file).split(path.sep).join('/'),
            size: fs.statSync(file).size,
            head: (bytes) => readHead(file, bytes),
          });
        }
      }
    };
    walk(root);
  };
}

/** A zip, as it is. */
export function zipContext(archive: string): CodeContext {
  return (visit) => readZip(archive, (entries) => entries.forEach(({ name, size, head }) => visit({ path: name, size, head })));
}

/** Files written in the app. */
export function inlineContext(files: Record<string, string>): CodeContext {
  return (visit) => Object.entries(files).forEach(([name, content]) => {
    const buffer = Buffer.from(content);
    visit({ path: path.posix.normalize(name), size: buffer.length, head: (bytes) => buffer.subarray(0, bytes) });
  });
}

/** The files of a folder before its folders: those nearest to the root matter most. */
function filesFirst(a: fs.Dirent, b: fs.Dirent): number {
  return Number(a.isDirectory()) - Number(b.isDirectory()) || (a.name < b.name ? -1 : 1);
}

/** What a link stands for in the asset: undefined when the link itself is copied. */
function linkTarget(root: string, link: string, follow: SymlinkFollowMode): fs.Stats | undefined {
  if (follow === SymlinkFollowMode.NEVER || !fs.existsSync(link)) {
    return undefined;
  }
  const followed = follow === SymlinkFollowMode.ALWAYS || (follow === SymlinkFollowMode.EXTERNAL) === leadsOut(root, link);
  return followed ? fs.statSync(link) : undefined;
}

function readHead(file: string, bytes: number): Buffer {
  const fd = fs.openSync(file, 'r');
  try {
    const buffer = Buffer.alloc(Math.min(bytes, fs.fstatSync(fd).size));
    return buffer.subarray(0, fs.readSync(fd, buffer, 0, buffer.length, 0));
  } finally {
    fs.closeSync(fd);
  }
}
