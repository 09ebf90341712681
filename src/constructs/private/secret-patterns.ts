/** A secret in a text: what it is and where. Never its value, which nobody who reads a message should learn. */
export interface FoundSecret {
  /** As a person would name it, such as `GitHub token`. */
  readonly kind: string;
  readonly start: number;
  readonly end: number;
}

/** Secrets that can be told by their form. */
interface SecretFormat {
  readonly kind: string;
  /** What every text with such a secret holds. A plain search for it is much faster than the pattern. */
  readonly hint: string | RegExp;
  readonly pattern: RegExp;
  /** Whether a match is one, by the first group of the pattern. */
  readonly accept?: (value: string, match: RegExpExecArray) => boolean;
}

/** Tokens that their issuers made easy to recognise: a kind, the prefix, the rest. */
const PREFIXED_TOKENS: Array<[kind: string, prefix: string, rest: string]> = [
  ['AWS access key', 'AKIA', '[A-Z0-9]{16}'],
  ['AWS access key', 'ASIA', '[A-Z0-9]{16}'],
  ['AWS session token', 'IQoJb3JpZ2lu', '[A-Za-z0-9/+=]{60,}'],
  ['AWS session token', 'FwoGZXIvYXdz', '[A-Za-z0-9/+=]{60,}'],
  ...['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'].map((prefix): [string, string, string] => ['GitHub token', prefix, '[A-Za-z0-9]{36,255}']),
  ['GitHub token', 'github_pat_', '[A-Za-z0-9_]{22,255}'],
  ...['glpat-', 'gldt-', 'glrt-', 'glptt-', 'glcbt-'].map((prefix): [string, string, string] => ['GitLab token', prefix, '[\\w-]{20,}']),
  ['Slack token', 'xox', '[abeoprs]-[A-Za-z0-9-]{10,}'],
  ['Slack token', 'xapp-', '\\d-[A-Za-z0-9-]{10,}'],
  ['Slack webhook', 'hooks.slack.com/services/', 'T\\w+/B\\w+/\\w{16,}'],
  ['Discord webhook', 'discord.com/api/webhooks/', '\\d+/[\\w-]{40,}'],
  ['Stripe key', 'sk_', '(?:live|test)_[A-Za-z0-9]{16,}'],
  ['Stripe key', 'rk_', '(?:live|test)_[A-Za-z0-9]{16,}'],
  ['Stripe key', 'whsec_', '[A-Za-z0-9+/=]{24,}'],
  ['npm token', 'npm_', '[A-Za-z0-9]{36}'],
  ['PyPI token', 'pypi-', '[\\w-]{50,}'],
  ['RubyGems token', 'rubygems_', '[0-9a-f]{48}'],
  ['Docker token', 'dckr_', '[po]at_[\\w-]{20,}'],
  ['Google API key', 'AIza', '[\\w-]{35}'],
  ['Google client secret', 'GOCSPX-', '[\\w-]{28}'],
  ['Anthropic key', 'sk-ant-', '[\\w-]{20,}'],
  ['OpenAI key', 'sk-', '(?:(?:proj|svcacct|admin)-[\\w-]{20,}|[A-Za-z0-9]{32,})'],
  ['Hugging Face token', 'hf_', '[A-Za-z0-9]{34,}'],
  ['SendGrid key', 'SG.', '[\\w-]{22}\\.[\\w-]{43}'],
  ['DigitalOcean token', 'dop_v1_', '[0-9a-f]{64}'],
  ['Databricks token', 'dapi', '[0-9a-f]{32}'],
  ['Vault token', 'hvs.', '[\\w-]{24,}'],
  ['Shopify token', 'shpat_', '[0-9a-fA-F]{32}'],
  ['Grafana token', 'glsa_', '[A-Za-z0-9_]{32,}'],
  ['New Relic key', 'NRAK-', '[A-Z0-9]{27}'],
  ['Atlassian token', 'ATATT3', '[\\w=-]{60,}'],
  ['age key', 'AGE-SECRET-KEY-1', '[A-Z0-9]{58}'],
];

/** The words a name ends in when its value is a secret. */
const PASSWORD_WORD = '(?:passw(?:or)?d|passphrase|pwd)';
const SECRET_WORD = '(?:secret|passw(?:or)?d|passphrase|(?<!publickey)token|(?:api|access|private|secret|signing|encryption)[_-]?key(?:_base)?|credentials?)';

/** What is between a name and its value in code, as a member, a variable or the first of two arguments. */
const IS = '(?:["\']?\\s{0,4}(?::=|=>|[:=])|["\']\\s{0,4},)\\s{0,4}';

/** What is behind a name that its line begins with, as in .env, YAML and .properties. */
const IS_OF_LINE = '(?<=^[ \\t]*(?:#+[ \\t]*)?(?:(?:export|ENV|ARG)[ \\t]+)?[\\w.-]{0,80})(?:=|:[ \\t]+|[ \\t]=[ \\t])';

/** Specific before general: what an earlier format found, a later one does not report again. */
const FORMATS: SecretFormat[] = [
  {
    // With the beginning of the key itself: code that handles keys names the header alone.
    kind: 'private key',
    hint: 'PRIVATE KEY',
    pattern: /-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:[\s"'+,]|\\[nr]){0,40}(?:[\w-]+: [^\n]{0,200}\s+){0,5}[A-Za-z0-9+/]{16,}(?:[^-]{0,16384}-----END[A-Z0-9 ]{0,40}-----|[A-Za-z0-9+/=\r\n]*)/g,
  },
  { kind: 'private key', hint: 'PuTTY-User-Key-File-', pattern: /PuTTY-User-Key-File-\d/g },
  ...PREFIXED_TOKENS.map(([kind, prefix, rest]) => ({
    kind,
    hint: prefix,
    pattern: new RegExp(`(?<![A-Za-z0-9])${prefix.replace(/\./g, '\\.')}${rest}(?![A-Za-z0-9])`, 'g'),
    accept: (_value: string, match: RegExpExecArray) => !/x{6}|your[-_]|place[-_]?holder|change[-_]?me|[-_]here$/i.test(match[0]),
  })),
  {
    // "-----BEGIN " in base64, as in a Secret of Kubernetes.
    kind: 'private key',
    hint: 'LS0tLS1CRUdJTi',
    pattern: /LS0tLS1CRUdJTi[A-Za-z0-9+/]{40,}={0,2}/g,
    accept: (_value, match) => decodedText(match[0])?.includes('PRIVATE KEY-----') ?? false,
  },
  {
    kind: 'JSON Web Token',
    hint: 'eyJ',
    pattern: /(?<![A-Za-z0-9])eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}/g,
  },
  {
    kind: 'AWS secret access key',
    hint: /secret/i,
    pattern: /secret[_-]?(?:access[_-]?)?key["']?\s{0,4}(?:=>|[:=]|\s)\s{0,4}["']?([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])/gi,
    accept: (value) => entropy(value) >= 3,
  },
  {
    kind: 'password in a URL',
    hint: '://',
    pattern: /(?<=[a-z0-9]):\/\/([^\s/:@"'`<>]{0,128}):([^\s/@"'`<>]{3,256})@(?=[\w[])/gi,
    accept: (user, match) => !isPlaceholder(match[2]) && match[2] !== user,
  },
  {
    kind: 'password in a connection string',
    hint: /(?:password|pwd|key)=/i,
    pattern: /(?:password|pwd|accountkey|sharedaccesskey)=(?<=(?:server|data source|host|endpoint|accountname)=[^\n"']{1,400})([^;"'\s]{4,256})/gi,
    accept: (value) => !isPlaceholder(value),
  },
  {
    kind: 'password in a connection string',
    hint: 'jdbc:',
    pattern: /jdbc:[^\s"']{4,200}?[?&;]password=([^&;\s"']{4,256})/gi,
    accept: (value) => !isPlaceholder(value),
  },
  {
    kind: 'npm token',
    hint: /_auth|_password/,
    pattern: /:_(?:authToken|auth|password)\s{0,4}=\s{0,4}["']?([^\s"']{8,})/g,
    accept: (value) => !isPlaceholder(value),
  },
  {
    kind: 'password of a .netrc',
    hint: 'machine',
    pattern: /(?:machine\s+\S{1,256}|default)\s+login\s+\S{1,256}\s+password\s+(\S{3,256})/g,
    accept: (value) => !isPlaceholder(value),
  },
  {
    kind: 'password in a header',
    hint: /authorization/i,
    pattern: /authorization["']?\s{0,4}[:=,]\s{0,4}["'`]?Basic\s+([A-Za-z0-9+/]{8,}={0,2})/gi,
    accept: (value) => /^[^:]+:./.test(decoded(value)) && !isPlaceholder(decoded(value).replace(/^[^:]+:/, '')),
  },
  {
    kind: 'token in a header',
    hint: /authorization/i,
    pattern: /authorization["']?\s{0,4}[:=,]\s{0,4}["'`]?(?:Bearer|token)\s+([\w.~+/-]{20,})/gi,
    accept: (value) => !isPlaceholder(value) && looksRandom(value),
  },
  {
    // "auth" holds user:password in base64.
    kind: 'registry password',
    hint: '"auth"',
    pattern: /"auth"\s*:\s*"([A-Za-z0-9+/]{8,}={0,2})"/g,
    accept: (value) => /^[\x20-\x7e]+:[\x20-\x7e]+$/.test(decoded(value)),
  },
  { kind: 'registry password', hint: '"identitytoken"', pattern: /"identitytoken"\s*:\s*"[^"\s]{16,}"/g },
  {
    kind: 'random value of a secret name',
    hint: new RegExp(SECRET_WORD, 'i'),
    pattern: new RegExp(`${SECRET_WORD}${IS}(["'\`])([^\\s"'\`]{16,256})\\1`, 'gi'),
    accept: (_quote, match) => !isPlaceholder(match[2]) && looksRandom(match[2]),
  },
  {
    // Unquoted only as the rest of a line, as in .env, YAML and .properties: in code, it would be an expression.
    kind: 'random value of a secret name',
    hint: new RegExp(SECRET_WORD, 'i'),
    pattern: new RegExp(`${SECRET_WORD}${IS_OF_LINE}([^\\s"'\`(){}<>;,]{16,256})[ \\t\\r]*$`, 'gim'),
    accept: (value) => !isPlaceholder(value) && looksRandom(value),
  },
  {
    kind: 'password',
    hint: new RegExp(PASSWORD_WORD, 'i'),
    pattern: new RegExp(`${PASSWORD_WORD}${IS}(["'\`])([^\\s"'\`]{8,64})\\1`, 'gi'),
    accept: (_quote, match) => !isPlaceholder(match[2]) && looksChosen(match[2]),
  },
  {
    kind: 'password',
    hint: new RegExp(PASSWORD_WORD, 'i'),
    pattern: new RegExp(`${PASSWORD_WORD}${IS_OF_LINE}([^\\s"'\`]{8,64})[ \\t\\r]*$`, 'gim'),
    accept: (value) => !isPlaceholder(value) && looksChosen(value),
  },
  {
    kind: 'password',
    hint: new RegExp(`${PASSWORD_WORD}>`, 'i'),
    pattern: new RegExp(`<[\\w.:-]{0,40}${PASSWORD_WORD}>([^\\s<>]{8,64})</`, 'gi'),
    accept: (value) => !isPlaceholder(value) && (looksChosen(value) || looksRandom(value)),
  },
];

/** The secrets of known formats in a text, in the order of the text. */
export function findSecrets(text: string): FoundSecret[] {
  const found: FoundSecret[] = [];
  for (const { kind, hint, pattern, accept } of FORMATS) {
    if (typeof hint === 'string' ? !text.includes(hint) : !hint.test(text)) {
      continue;
    }
    const earlier = [...found];
    for (const match of text.matchAll(pattern) as IterableIterator<RegExpExecArray>) {
      const start = match.index;
      const end = start + match[0].length;
      if ((accept?.(match[1] ?? '', match) ?? true) && !earlier.some((other) => start < other.end && other.start < end)) {
        found.push({ kind, start, end });
      }
    }
  }
  return found.sort((a, b) => a.start - b.start);
}

/** A text that may be shown: secrets of known formats are replaced. */
export function withoutSecrets(text: string): string {
  return findSecrets(text).reverse().reduce((shown, { start, end }) => `${shown.slice(0, start)}***${shown.slice(end)}`, text);
}

/**
 * Whether a value was drawn at random, as keys are: it has a long run of letters and digits, mixed, few of them repeated.
 * Names of secrets, paths and sentences have separators instead.
 */
export function looksRandom(value: string): boolean {
  return isUuid(value) || (value.match(/[A-Za-z0-9]{12,}/g) ?? [])
    .some((run) => /\d/.test(run) && /[A-Za-z]/.test(run) && entropy(run) >= 3);
}

export function isUuid(value: string): boolean {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value);
}

/**
 * Whether a person chose a value as a password: of letters, digits, and marks or letters of both cases, as rules for passwords ask for.
 * Syntax is none, nor are the words that tests and examples have.
 */
function looksChosen(value: string): boolean {
  const isMixed = /[A-Z]/.test(value) && /[a-z]/.test(value) && /^[A-Za-z0-9_-]+$/.test(value) && !/passw|pwd|test|example|sample|fake|mock|demo/i.test(value);
  return /[A-Za-z]/.test(value) && /\d/.test(value) && !/[|:,(){}<>\[\]/\\$]/.test(value) && (isMixed || /[!@#%^&*?~+]/.test(value));
}

/** What a value says in base64. Undefined: it is none, or no text. */
export function decodedText(value: string): string | undefined {
  if (!/^[A-Za-z0-9+/_-]{20,}={0,2}$/.test(value)) {
    return undefined;
  }
  const text = decoded(value);
  return /^[\t\n\r\x20-\x7e]+$/.test(text) ? text : undefined;
}

function decoded(base64: string): string {
  return Buffer.from(base64, 'base64').toString('latin1');
}

/** Whether a value only stands where a secret will be: a variable, a word such as `changeme`, dots. */
export function isPlaceholder(value: string): boolean {
  return /^(?:[$<{[%]|\*+$|(.)\1*$)|\$[{(]|\{\{/.test(value) || PLACEHOLDER_WORD.test(value);
}

const PLACEHOLDER_WORD = new RegExp([
  '^(?:true|false|yes|no|on|off|none|null|nil|undefined|test|testing|todo|secret|password|passwd|pass|pwd|token|key|postgres|root|user|admin|guest|\\d{1,5})$',
  '^(?:your|my|the|some|insert|enter|use)[-_ ]',
  'change[-_ ]?me|change[-_ ]?it|place[-_ ]?holder|dummy|redacted|replace[-_ ]?(?:me|with)|not[-_ ]?(?:a[-_ ]?|used|needed|set|real|so)|build[-_ ]?(?:time|only)',
].join('|'), 'i');

/** Shannon's, in bits per character. */
function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) {
    counts.set(character, (counts.get(character) ?? 0) + 1);
  }
  return [...counts.values()].reduce((sum, count) => sum - (count / text.length) * Math.log2(count / text.length), 0);
}
