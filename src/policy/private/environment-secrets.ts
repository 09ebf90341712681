import { asText, literalText } from './intrinsic-functions';
import { SynthesizedTemplate, TemplateDocument } from './synthesized-template';
import { decodedText, findSecrets, FoundSecret, isUuid, looksRandom } from '../../constructs/private/secret-patterns';

/** Names of variables that hold a secret themselves. */
const SECRET_NAME = /(^|[_.-])(pass(word|wd|phrase|code)?|pwd|secrets?|(auth|access|refresh|bearer|session|api|bot|deploy|id)?[_.-]?token|(api|access|secret|private|signing|encryption|master|account|service|ssh|client|shared|app|license|webhook|hmac|aes|fernet|deploy)[_.-]?(key|secret)([_.-]?base)?|credentials?|creds|connection[_.-]?string|conn[_.-]?str|basic[_.-]?auth|jwt|salt|pin)$/i;
const CAMEL_SECRET_NAME = /(password|passwd|passphrase|secret|token|api_?key|secret_?key|private_?key|access_?key|credentials?)$/i;

/** What is said of such a variable after its name: for which stage, which of several, how it is written. */
const SUFFIX = /([_.-]?(base64|b64|\d+)|[_.-](prod|production|live|staging|stage|dev|test|old|new|current|previous|primary|secondary|default|value|hex))+$/i;

/** Names of variables that only say where a secret is, or something about it. */
const POINTER_NAME = /(arn|name|id|ids|url|uri|path|file|dir|parameter|param|ttl|timeout|expiry|expiration|seconds|minutes|days|length|limit|max|count|size|type|format|header|algorithm|alg|issuer|audience|enabled|required|version|region|prefix|suffix|policy)$/i;

/** Names of variables whose values are long and mixed and no secret. */
const HARMLESS_NAME = /(^|[_.-])(id|ids|uuid|guid|sha|sha1|sha256|sha512|md5|hash|digest|checksum|commit|revision|rev|ref|git|version|etag|build|image|integrity|fingerprint|thumbprint|public|publishable|authorized|pub[_.-]?key|cert|certificate|arn|path|subnet|subnets|vpc|group|groups|bucket|endpoint|host|hostname|domain|pool)s?([_.-]|$)/i;

/** What a value looks like that only says where a secret is. */
const POINTER_VALUE = /^(arn:|s3:\/\/|https?:\/\/|ssm:|secretsmanager:|file:|vault:|\/[\w.-]+(\/[\w.-]+)*$)/;

/** What everybody may have: keys that identify, keys of an SSH server's clients, addresses of a ledger, images and archives. */
const PUBLIC_VALUE = /^(pk_(live|test)_|phc_|AAAA[A-Z0-9]3NzaC1|AAAAE2VjZHNh|0x[0-9a-fA-F]{40}$|iVBORw0KGgo|\/9j\/|R0lGOD|H4sI|UEsDB)/;

/** A name that CloudFormation made, of stack, logical id and some letters: `Shop-TableCD117FA1-1OQ3N7HKPL2ZW`. */
const GENERATED_NAME = /^[a-z][\w-]*-[a-z]\w*[0-9a-f]{8}-[a-z0-9]{8,16}$/i;

/** Attributes of resources that are secrets themselves. */
const SECRET_ATTRIBUTE = /\$\{[^}]*\.(SecretAccessKey|ClientSecret|ApiKey)\}/;

/** Nothing, a place for a value, or a word that switches something. */
const NO_SECRET = /^(<[^>]*>|\$\{[^}]*\}|\{\{.*\}\}|%\w+%|\*+|none|null|nil|undefined|true|false|yes|no|on|off|enabled|disabled|required|optional)?$/i;

/**
 * What kind of secret an environment variable seems to hold. Undefined: none. Never the value.
 *
 * @param raw as the template has it, functions unresolved
 * @param value with functions resolved
 */
export function secretIn(key: string, raw: unknown, value: unknown, template: SynthesizedTemplate): string | undefined {
  const resolved = asText(value);
  if (/\{\{resolve:(secretsmanager|ssm-secure):/.test(resolved) || SECRET_ATTRIBUTE.test(resolved)) {
    return 'a secret that is resolved at deployment';
  }
  const texts = [
    ...literalText(raw),
    ...argumentsIn(raw, 'Fn::FindInMap').flatMap(([map, first, second, otherwise]) => literalText([...template.mappedValues(map, first, second), otherwise])),
    ...parametersIn(raw).flatMap((name) => literalText(template.parameterDefault(name))),
  ].filter((text) => text !== '');
  const whole = texts.join('');
  for (const text of [whole, ...texts, ...tokensOf(whole).flatMap((token) => decodedText(token) ?? [])]) {
    const [found] = [...findSecrets(text), ...findSecrets(`${key}=${text}`)];
    if (found) {
      return named(found);
    }
  }
  if (parametersIn(raw).some((name) => template.isHidden(name)) || template.holdsHidden(resolved)) {
    return 'a parameter with NoEcho';
  }
  if (isSecretName(key)) {
    const isNone = whole === '' ? typeof raw !== 'object' : NO_SECRET.test(whole) || POINTER_VALUE.test(whole);
    return isNone || holdsPointer(raw, resolved, template) ? undefined : 'a value of a secret name';
  }
  if (/["']?(password|passwd|secret|token|api[_-]?key)["']?\s*[:=]\s*["'][^"'${}]{6,}["']/i.test(whole)) {
    return 'a value of a secret name';
  }
  return !HARMLESS_NAME.test(separated(key)) && tokensOf(whole).some(isRandom) ? 'a random value' : undefined;
}

/** What kind of secret the name of a variable is itself. */
export function secretInName(key: string): string | undefined {
  const [found] = findSecrets(key);
  return found ? named(found) : undefined;
}

function named({ kind }: FoundSecret): string {
  return `${/^(?:[AO]|age|npm)/.test(kind) ? 'an' : 'a'} ${kind}`;
}

function isSecretName(key: string): boolean {
  const name = key.replace(SUFFIX, '');
  return !POINTER_NAME.test(name) && !/public[_.-]?key$/i.test(name) && (SECRET_NAME.test(separated(name)) || CAMEL_SECRET_NAME.test(name));
}

/** `apiKey` as `api_Key`. */
function separated(key: string): string {
  return key.replace(/([a-z0-9])([A-Z])/g, '$1_$2');
}

/** A value that is computed: a name or an ARN of the app's own resources says where the secret is. */
function holdsPointer(raw: unknown, resolved: string, template: SynthesizedTemplate): boolean {
  if (typeof raw !== 'object' || raw === null) {
    return false;
  }
  const [[name, argument] = ['', undefined]] = Object.entries(raw as TemplateDocument);
  return POINTER_VALUE.test(resolved)
    || (name === 'Ref' && (template.resource(String(argument)) !== undefined || String(argument).startsWith('AWS::')))
    || (name === 'Fn::GetAtt' && /(Arn|Id|Name|Url)$/.test(asText(Array.isArray(argument) ? argument.join('.') : argument)));
}

function tokensOf(text: string): string[] {
  return text.split(/[\s,;|"'&?]+/);
}

/** Long, of letters and digits, and no words in it. */
function isRandom(text: string): boolean {
  const value = text.replace(/^[\w.-]{1,40}[:=]/, '');
  const decoded = decodedText(value);
  if (decoded !== undefined) {
    return tokensOf(decoded).some(isRandom);
  }
  if (value.length < 20 || [text, value].some((each) => POINTER_VALUE.test(each) || PUBLIC_VALUE.test(each)) || GENERATED_NAME.test(value) || isUuid(value) || /^(sha\d+[-:]|[a-z]{1,12}-[0-9a-f]{8,17}$|\d{4}-\d{2}-\d{2}T)/i.test(value) || /\.(com|net|org|io|dev|aws|internal|local)\b/.test(value)) {
    return false;
  }
  return runsOf(value).some((run) => !isWordy(run) && looksRandom(run.split(/[^A-Za-z0-9]/).filter((part) => !isPlain(part)).join('')));
}

function runsOf(value: string): string[] {
  return value.match(/[A-Za-z0-9+/_=-]{20,}/g) ?? [];
}

/** A word, a number, or one after the other, as in names of models and releases. */
function isPlain(part: string): boolean {
  return /^([A-Za-z]?[a-z]*|[A-Z]*)\d{0,4}$|^\d+[A-Za-z]{0,2}$/.test(part);
}

/** Most of its letters are in words: runs of one case, after a separator or a capital. */
function isWordy(run: string): boolean {
  const letters = run.replace(/[^A-Za-z]/g, '').length;
  const inWords = (run.match(/[A-Z]?[a-z]{4,}|[A-Z]{5,}/g) ?? []).join('').length;
  return letters === 0 || inWords / letters > 0.6;
}

/** The arguments of each call of an intrinsic function. */
function argumentsIn(raw: unknown, name: string): unknown[][] {
  if (typeof raw !== 'object' || raw === null) {
    return [];
  }
  return Object.entries(raw).flatMap(([key, value]) => (key === name && Array.isArray(value) ? [value] : argumentsIn(value, name)));
}

function parametersIn(raw: unknown): string[] {
  if (Array.isArray(raw)) {
    return raw.flatMap(parametersIn);
  }
  if (typeof raw !== 'object' || raw === null) {
    return [];
  }
  return Object.entries(raw).flatMap(([key, value]) => {
    switch (key) {
      case 'Ref': return [String(value)];
      case 'Fn::Sub': {
        const [text, variables] = Array.isArray(value) ? value : [value, {}];
        return [...[...String(text).matchAll(/\$\{([^!}][^}]*)\}/g)].map((match) => match[1]), ...parametersIn(variables)];
      }
      default: return parametersIn(value);
    }
  });
}
