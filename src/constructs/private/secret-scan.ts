import { CodeContext, ContextFile } from './code-context';
import { isCredentialFile, isExample } from './secret-files';
import { findSecrets } from './secret-patterns';

/** A secret in a file of the code. */
export interface FileFinding {
  readonly file: string;
  readonly line: number;
  /** What it is, never its value. */
  readonly what: string;
}

/** What there is in a build context, as far as it was looked at. */
export interface ContextSummary {
  readonly files: number;
  readonly bytes: number;
  /** The files and bytes of the folders and files at the root. */
  readonly parts: Map<string, { files: number; bytes: number }>;
  readonly secrets: FileFinding[];
  /** Files that hold credentials by their name. */
  readonly credentialFiles: string[];
}

/** Secrets are in configuration and in sources, which are small. Of longer files, this much is read. */
const MAX_BYTES_OF_FILE = 512 * 1024;
/** And of all files together, so that looking takes a second at most. */
const MAX_BYTES = 16 * 1024 * 1024;
const MAX_FILES = 10_000;
/** A file with more is all secrets. */
const MAX_SECRETS_OF_FILE = 5;

/**
 * Code of others. It is most of a context, holds no secrets of ours, and is full of made-up ones in its tests and its
 * documentation.
 */
const OF_OTHERS = /(?:^|\/)(?:node_modules|bower_components|site-packages|dist-packages|vendor|__pycache__|\.git|\.hg|\.svn)\//;

/** Not text, by their name. All others are opened. */
const BINARY = new RegExp('\\.(?:' + [
  'png|jpe?g|gif|webp|avif|ico|bmp|tiff?|psd|svgz|woff2?|ttf|otf|eot|mp[34]|m4a|mov|avi|webm|ogg|wav|flac|pdf',
  'zip|gz|tgz|bz2|xz|zst|br|7z|rar|tar|jar|war|ear|whl|nupkg|deb|rpm|apk|iso|img',
  'so|dylib|dll|exe|a|o|lib|wasm|class|pyc|pyo|node|rlib|rmeta|bin|dat|db|sqlite3?|parquet|npy|npz|pt|pth|onnx|safetensors|gguf|h5|pkl',
].join('|') + ')$', 'i');

/** Looks at each file once. */
export function scanContext(context: CodeContext): ContextSummary {
  const parts = new Map<string, { files: number; bytes: number }>();
  const secrets: FileFinding[] = [];
  const credentialFiles: string[] = [];
  let [files, bytes, openedFiles, openedBytes] = [0, 0, 0, 0];
  context((file) => {
    files += 1;
    bytes += file.size;
    const [top] = file.path.split('/', 1);
    const part = parts.get(top) ?? { files: 0, bytes: 0 };
    parts.set(top, { files: part.files + 1, bytes: part.bytes + file.size });
    if (OF_OTHERS.test(file.path)) {
      return;
    }
    const isCredential = isCredentialFile(file.path);
    let text: string | undefined;
    if (!BINARY.test(file.path) && file.size > 0 && openedFiles < MAX_FILES && openedBytes < MAX_BYTES) {
      text = textOf(file);
      openedFiles += 1;
      openedBytes += text?.length ?? 0;
      secrets.push(...secretsIn(file.path, text ?? ''));
    }
    if (isCredential && !isHarmless(file.path, text)) {
      credentialFiles.push(file.path);
    }
  });
  return { files, bytes, parts, secrets, credentialFiles };
}

function secretsIn(file: string, text: string): FileFinding[] {
  return findSecrets(text).slice(0, MAX_SECRETS_OF_FILE).map(({ kind, start }) => ({ file, line: lineAt(text, start), what: kind }));
}

function lineAt(text: string, index: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < index; at = text.indexOf('\n', at + 1)) {
    line += 1;
  }
  return line;
}

/** Undefined for what is no text: like Git, by a zero byte near the start. */
function textOf(file: ContextFile): string | undefined {
  const start = file.head(8000);
  if (start.length >= 2 && start[0] === 0xff && start[1] === 0xfe) {
    return file.head(MAX_BYTES_OF_FILE).toString('utf16le');
  }
  if (start.includes(0)) {
    return undefined;
  }
  // Secrets are ASCII, and so is the end of a line: one byte is one character, which is faster.
  return (start.length < file.size ? file.head(MAX_BYTES_OF_FILE) : start).toString('latin1');
}

/** Certificates and public keys have the names of private ones, and examples those of what they are examples of. */
function isHarmless(file: string, text: string | undefined): boolean {
  return isExample(file) || file.endsWith('.pub')
    || (/\.(?:pem|key)$/.test(file) && text !== undefined && text.includes('-----BEGIN ') && !text.includes('PRIVATE KEY'));
}
