import { asText, literalText } from './intrinsic-functions';
import { SynthesizedTemplate, TemplateDocument } from './synthesized-template';
import { findSecrets, looksRandom } from '../../constructs/private/secret-patterns';

/** Names of variables that hold a secret themselves. */
const SECRET_NAME = /(^|[_.-])(pass(word|wd|phrase|code)?|pwd|secrets?|(auth|access|refresh|bearer|session|api|bot|deploy|id)?[_.-]?token|(api|access|secret|private|signing|encryption|master|account|service|ssh|client|shared|app|license|webhook)[_.-]?(key|secret)(base)?|credentials?|creds|connection[_.-]?string|conn[_.-]?str|jwt|salt|pin)(base64|b64|[_.-]?\d+)?$/i;
const CAMEL_SECRET_NAME = /(password|passwd|passphrase|secret|token|api_?key|secret_?key|private_?key|access_?key|credentials?)(base64|b64|[_.-]?\d+)?$/i;

/** Names of variables that only say where a secret is, or something about it. */
const POINTER_NAME = /(arn|name|id|ids|url|uri|path|file|dir|parameter|param|ttl|timeout|expiry|expiration|seconds|minutes|days|length|limit|max|count|size|type|format|header|algorithm|alg|issuer|audience|enabled|required|version|region|prefix|suffix|policy)$/i;

/** Names of variables whose values are long and mixed and no secret. */
const HARMLESS_NAME = /(^|[_.-])(id|ids|uuid|guid|sha|sha1|sha256|sha512|md5|hash|digest|checksum|commit|revision|rev|ref|git|version|etag|build|image|integrity|fingerprint|thumbprint|public[_.-]?key|pub[_.-]?key|cert|certificate|arn|path|subnet|subnets|vpc|group|groups|bucket|endpoint|host|hostname|domain|pool)s?([_.-]|$)/i;

/** What a value looks like that only says where a secret is. */
const POINTER_VALUE = /^(arn:|s3:\/\/|https?:\/\/|ssm:|secretsmanager:|file:|vault:|\/[\w.-]+(\/[\w.-]+)*$)/;

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
  if (/\{\{resolve:(secretsmanager|ssm-secure):/.test(resolved)) {
    return 'a secret that is resolved at deployment';
  }
  const texts = [...literalText(raw), ...parametersIn(raw).flatMap((name) => literalText(template.parameterDefault(name)))].filter((text) => text !== '');
  const whole = texts.join('');
  for (const text of [whole, ...texts]) {
    const [found] = [...findSecrets(text), ...findSecrets(`${key}=${text}`)];
    if (found) {
      return `a ${found.kind}`;
    }
  }
  if (parametersIn(raw).some((name) => template.isHidden(name))) {
    return 'a parameter with NoEcho';
  }
  if (isSecretName(key)) {
    const isNone = whole === '' ? typeof raw !== 'object' : NO_SECRET.test(whole) || POINTER_VALUE.test(whole);
    return isNone || holdsPointer(raw, resolved, template) ? undefined : 'a value of a secret name';
  }
  if (/["']?(password|passwd|secret|token|api[_-]?key)["']?\s*[:=]\s*["'][^"'${}]{6,}["']/i.test(whole)) {
    return 'a value of a secret name';
  }
  return !HARMLESS_NAME.test(separated(key)) && whole.split(/[\s,;|"'&?]+/).some(isRandom) ? 'a random value' : undefined;
}

/** What kind of secret the name of a variable is itself. */
export function secretInName(key: string): string | undefined {
  const [found] = findSecrets(key);
  return found ? `a ${found.kind}` : undefined;
}

function isSecretName(key: string): boolean {
  return !POINTER_NAME.test(key) && !/public[_.-]?key$/i.test(key) && (SECRET_NAME.test(separated(key)) || CAMEL_SECRET_NAME.test(key));
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

/** Long, of letters and digits, and no words in it. */
function isRandom(text: string): boolean {
  const value = text.replace(/^[\w.-]{1,40}[:=]/, '');
  if (value.length < 20 || POINTER_VALUE.test(value) || isUuid(value) || /^(sha\d+[-:]|[a-z]{1,12}-[0-9a-f]{8,17}$|\d{4}-\d{2}-\d{2}T)/i.test(value) || /\.(com|net|org|io|dev|aws|internal|local)\b/.test(value)) {
    return false;
  }
  return runsOf(value).some((run) => run.length >= 20 && !isWordy(run) && looksRandom(run.replace(/[^A-Za-z0-9]/g, '')));
}

function isUuid(value: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value);
}

function runsOf(value: string): string[] {
  return value.match(/[A-Za-z0-9+/_=-]{20,}/g) ?? [];
}

/** Most of its letters are in words: runs of one case, after a separator or a capital. */
function isWordy(run: string): boolean {
  const letters = run.replace(/[^A-Za-z]/g, '').length;
  const inWords = (run.match(/[A-Z]?[a-z]{4,}|[A-Z]{5,}/g) ?? []).join('').length;
  return letters === 0 || inWords / letters > 0.6;
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
