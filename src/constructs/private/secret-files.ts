import * as fs from 'fs';
import * as path from 'path';
import { IgnoreStrategy } from 'aws-cdk-lib';

/** Files that hold credentials by convention. An image's build context is readable to everyone who can read the image. */
const CREDENTIAL_FILES = [
  '.env', '.env.*', '*.pem', '*.key', '*.p12', '*.pfx', 'id_rsa*', 'id_dsa*', 'id_ecdsa*', 'id_ed25519*',
  '.npmrc', '.netrc', '.pypirc', '.git-credentials', '.aws', '.ssh', '.docker', '.kube', '*.jks', '*.keystore', 'credentials.json',
  '.terraform', '*.tfstate*',
].map((name) => `**/${name}`);

/** Version control: not secret by name, but its history and its remotes often are. Nobody copies it into an image. */
const HISTORY = ['**/.git', '**/.hg', '**/.svn'];

/** Patterns, in `.dockerignore` syntax, of what is left out of an asset unless asked for. */
export const SECRET_FILE_PATTERNS = [...CREDENTIAL_FILES, ...HISTORY];

/** The same patterns for the path of one file, which is much faster than to ask an `IgnoreStrategy`. */
const CREDENTIAL_FILE = new RegExp(`(?:^|/)(?:${CREDENTIAL_FILES
  .map((pattern) => pattern.slice('**/'.length).replace(/\./g, '\\.').replace(/\*/g, '[^/]*')).join('|')})(?:/|$)`);

/** Whether a file of the code holds credentials by its name, or by that of a folder. */
export function isCredentialFile(file: string): boolean {
  return CREDENTIAL_FILE.test(file);
}

/** Whether a file with the name of one that holds credentials only shows what such a file looks like. */
export function isExample(file: string): boolean {
  return /\.(?:example|sample|template|dist|defaults?)$/.test(file);
}

/** The first few credential-looking files in a directory that `exclude` leaves out. Examples count when the Dockerfile wants them. */
export function leftOutSecretFiles(directory: string, exclude: string[], limit: number, dockerfile: string): string[] {
  const secret = IgnoreStrategy.docker(directory, CREDENTIAL_FILES);
  const all = IgnoreStrategy.docker(directory, exclude);
  const found: string[] = [];
  const visit = (folder: string) => {
    for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
      const file = path.join(folder, entry.name);
      if (found.length >= limit || HISTORY.includes(`**/${entry.name}`)) {
        continue;
      }
      if (secret.ignores(file) && all.ignores(file)) {
        found.push(...isExample(entry.name) && !dockerfile.includes(entry.name) ? [] : [path.relative(directory, file)]);
      } else if (entry.isDirectory() && !all.completelyIgnores(file)) {
        visit(file);
      }
    }
  };
  visit(directory);
  return found;
}
