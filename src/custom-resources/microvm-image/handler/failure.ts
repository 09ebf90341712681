import { BuildStage, BuildView } from './service-port';

/** What is known about a build that failed. */
export interface BuildFailure {
  readonly imageName: string;
  readonly version: string;
  readonly builds: Array<BuildView & { readonly stage: BuildStage }>;
  /** Undefined when logging is disabled. */
  readonly logGroup?: string;
  readonly logLines: string[];
  /** Values that must not appear in an error, such as those of environment variables. */
  readonly secrets: string[];
  readonly hookPort?: number;
  /** The group disappears with the stack when the first deployment fails. */
  readonly isNew: boolean;
}

/** CloudFormation allows 4,096 bytes for a whole response; ours shares it with ids, attributes and the framework's hint. */
const MAX_BYTES = 1_500;
const MAX_REASON = 300;
const MAX_LOG = 600;

/** Why a build failed, where to look, what to do: one line. */
export function describeBuildFailure(failure: BuildFailure): string {
  const failed = failure.builds.filter((build) => build.state === 'FAILED');
  const where = failure.logGroup === undefined
    ? 'Logging is disabled.'
    : failure.logLines.length === 0
      ? `Log group ${failure.logGroup} has no line of this build.`
      : `Log group ${failure.logGroup} ends: ${cut(failure.logLines.join(' | '), MAX_LOG, 'start')}.`;
  return oneLine(redact([
    `MicroVM image '${failure.imageName}' version ${failure.version} failed to build: ${reasons(failed)}.`,
    stage(failed),
    where,
    `Hint: ${buildHint(failed, failure)}.`,
  ].filter(Boolean).join(' '), failure.secrets));
}

/** Any other verdict. */
export function describeFailure(what: string, hint: string): string {
  return oneLine(`${capital(what)}. Hint: ${hint}.`);
}

/** Each version is built once per Graviton generation; when both say the same it is said once. */
function reasons(failed: BuildView[]): string {
  const texts = new Map<string, string[]>();
  for (const build of failed) {
    const reason = cut((build.reason ?? 'the service gave no reason').trim().replace(/\.$/, ''), MAX_REASON, 'end');
    texts.set(reason, [...(texts.get(reason) ?? []), build.chip]);
  }
  if (texts.size === 0) {
    return 'the service gave no reason';
  }
  return [...texts].map(([reason, chips]) => `${reason} (${chips.sort().join(', ')})`).join('; ');
}

function stage(failed: Array<{ readonly stage: BuildStage }>): string {
  const stages = new Set(failed.map((build) => build.stage));
  return stages.size !== 1 || stages.has('unknown') ? ''
    : stages.has('container') ? 'It failed before a snapshot: in the artifact or the Dockerfile.'
      : 'The container was built; its hook failed.';
}

function buildHint(failed: Array<BuildView & { readonly stage: BuildStage }>, failure: BuildFailure): string {
  const text = failed.map((build) => build.reason ?? '').join(' ');
  const port = failure.hookPort === undefined ? 'the hook port' : `port ${failure.hookPort}`;
  const lost = failure.isNew && failure.logGroup !== undefined
    ? '; the log group is removed when a first deployment rolls back, deploy with --no-rollback to keep it' : '';
  if (/S3_ACCESS_DENIED/.test(text)) {
    return "the build role cannot read the artifact: it needs s3:GetObject on the object, kms:Decrypt on the bucket's key, and a trust policy the service satisfies (try sourceAccountCondition: false)";
  }
  if (/S3_CROSS_REGION/.test(text)) {
    return "the artifact's bucket must be in the image's region";
  }
  if (/S3_/.test(text)) {
    return 'the artifact is not in S3 any more, or not readable as it is stored: deploy again to upload it, and check the lifecycle rules of the bucket';
  }
  if (/ARCHIVE_/.test(text)) {
    return 'the artifact must be a zip with a file named Dockerfile at its root';
  }
  if (/DISK_STORAGE_FULL/.test(text)) {
    return 'the build disk is 8, 8, 8, 16 or 32 GB by memory size: choose a larger memory or make the image smaller';
  }
  if (/unable to assume/i.test(text)) {
    return 'the build role must trust lambda.amazonaws.com; if its trust policy has an aws:SourceAccount condition, try sourceAccountCondition: false';
  }
  if (/Ready hook.*timed out/i.test(text)) {
    return `nothing answered 200 to POST /aws/lambda-microvms/runtime/v1/ready on ${port} in time: check the port and raise the ready timeout (up to 3600 s)${lost}`;
  }
  if (/hook/i.test(text)) {
    return `the hook must answer 200 on ${port}, or 503 while it is not ready; any other status ends the build${lost}`;
  }
  if (/internal/i.test(text)) {
    return 'a fault of the service, or a network mount opened during the build: deploy again';
  }
  if (failed.some((build) => build.stage === 'container')) {
    return failure.logLines.length > 0
      ? `build the Dockerfile for linux/arm64 locally to see the same error${lost}`
      : `build the Dockerfile for linux/arm64 locally; without log lines the build role may lack logs:PutLogEvents on the log group, or the build has no way out to a registry${lost}`;
  }
  return `read the log group${lost}`;
}

function redact(text: string, secrets: string[]): string {
  return secrets.filter((secret) => secret.length >= 6).reduce((clean, secret) => clean.split(secret).join('***'), text);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function cut(text: string, length: number, keep: 'start' | 'end'): string {
  if (text.length <= length) {
    return text;
  }
  return keep === 'start' ? `...${text.slice(text.length - length)}` : `${text.slice(0, length)}...`;
}

function oneLine(text: string): string {
  // eslint-disable-next-line no-control-regex
  const line = text.replace(/\u001b\[[0-9;]*m/g, '').replace(/[\s\u0000-\u001f]+/g, ' ').trim();
  const bytes = Buffer.from(line, 'utf8');
  return bytes.length <= MAX_BYTES ? line : `${bytes.subarray(0, MAX_BYTES - 6).toString('utf8').replace(/\ufffd+$/, '')} [...]`;
}
