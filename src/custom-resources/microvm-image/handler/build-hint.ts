import type { BuildFailure } from './failure';
import { cut } from '../../common/handler/failure-text';

type FailedBuilds = BuildFailure['builds'];

/** What a build says when the app is at fault. An app may speak of S3 and roles itself. */
const CONTAINER = /CONTAINER_BUILD_FAILED|container image build failed/i;
const HOOK = /(ready|validate) hook|hook (check|invocation)/i;
/** Codes are documented; the service has been seen to use prose instead, and S3, IAM and Lambda have words of their own. */
const ROLE_NOT_ASSUMED = /unable to assume|cannot be assumed|sts:AssumeRole/i;
const READ_DENIED = /S3_ACCESS_DENIED|access denied|s3:GetObject|kms:Decrypt/i;
const WRONG_REGION = /S3_CROSS_REGION/;
const NOT_THERE = /S3_|specified (key|bucket) does not exist|storage class/i;
const NO_ARCHIVE = /ARCHIVE_/;
const DISK_FULL = /DISK_STORAGE_FULL|no space left/i;
const PROCESS_ENDED = /stopped with exit code/i;
const FAULT_OF_THE_SERVICE = /internal/i;

/** A long ARN or URI tells more at its end. */
const nameOf = (name: string) => cut(name, 200, 'end');

/** A policy of the build role may not have reached all of IAM yet. */
export function mayBeLate(reason: string): boolean {
  return blames(reason, READ_DENIED) || blames(reason, ROLE_NOT_ASSUMED);
}

/** How far the builds got, when that tells where to look. */
export function stageSentence(failed: FailedBuilds, { artifactUri }: BuildFailure): string {
  const some = (cause: RegExp) => anyBlames(failed, cause);
  if ([READ_DENIED, NOT_THERE, NO_ARCHIVE].some(some)) {
    return `It failed before the Dockerfile was built: at the artifact ${nameOf(artifactUri)}.`;
  }
  const stages = new Set(failed.map((build) => build.stage));
  if (stages.size !== 1 || stages.has('unknown') || [ROLE_NOT_ASSUMED, PROCESS_ENDED, FAULT_OF_THE_SERVICE].some(some)) {
    return '';
  }
  return stages.has('container')
    ? 'It failed before a snapshot: in the artifact or the Dockerfile.'
    : 'The container was built; its hook failed.';
}

/** What to do. */
export function buildHint(failed: FailedBuilds, failure: BuildFailure): string {
  const some = (cause: RegExp) => anyBlames(failed, cause);
  const role = nameOf(failure.buildRoleArn);
  const lost = failure.isCreate && failure.logGroup !== undefined
    ? '; the log group is removed when a first deployment rolls back, deploy with --no-rollback to keep it' : '';
  if (some(WRONG_REGION)) {
    return "the artifact's bucket must be in the image's region";
  }
  if (some(READ_DENIED)) {
    return `the build role cannot read the artifact: ${role} needs s3:GetObject on the object, kms:Decrypt on the bucket's key, and a trust policy the service satisfies (try sourceAccountCondition: false)`;
  }
  if (some(NOT_THERE)) {
    return 'the artifact is not in S3 any more, or not readable as it is stored: deploy again to upload it, and check the lifecycle rules of the bucket';
  }
  if (some(NO_ARCHIVE)) {
    return 'the artifact must be a zip with a file named Dockerfile at its root';
  }
  if (some(DISK_FULL)) {
    return 'the build disk is 8, 8, 8, 16 or 32 GB by memory size: choose a larger memory or make the image smaller';
  }
  if (some(ROLE_NOT_ASSUMED)) {
    return `the build role ${role} must trust lambda.amazonaws.com; if its trust policy has an aws:SourceAccount condition, try sourceAccountCondition: false`;
  }
  const text = failed.map((build) => build.reason).join(' ');
  if (HOOK.test(text)) {
    return `${hookHint(text, failure)}${lost}`;
  }
  if (some(PROCESS_ENDED)) {
    return `the main process must go on: look at CMD and ENTRYPOINT of the Dockerfile, and run the container for linux/arm64 locally${lost}`;
  }
  if (some(FAULT_OF_THE_SERVICE)) {
    return 'a fault of the service, or a network mount opened during the build: deploy again';
  }
  // A build that broke before its snapshot is the Dockerfile's fault unless its reason says otherwise.
  if (CONTAINER.test(text) || failed.some((build) => build.stage === 'container')) {
    return `build the Dockerfile for linux/arm64 locally to see the same error${silence(failure)}${lost}`;
  }
  return failure.logGroup === undefined ? 'turn logging on and deploy again' : `read the log group${lost}`;
}

function anyBlames(failed: FailedBuilds, cause: RegExp): boolean {
  return failed.some(({ reason = '' }) => blames(reason, cause));
}

function blames(reason: string, cause: RegExp): boolean {
  return cause.test(reason) && !CONTAINER.test(reason) && !HOOK.test(reason);
}

function hookHint(text: string, { hookPort }: BuildFailure): string {
  const port = hookPort === undefined ? 'the hook port' : `port ${hookPort}`;
  const name = /(ready|validate) hook/i.exec(text)?.[1].toLowerCase();
  const call = name === undefined ? 'the hook' : `POST /aws/lambda-microvms/runtime/v1/${name}`;
  return name !== undefined && /timed out/i.test(text)
    ? `nothing answered 200 to ${call} on ${port} in time: check the port and raise the ${name} timeout (up to 3600 s)`
    : `${call} must be answered with 200 on ${port}, or with 503 while the app is not ready; any other status ends the build`;
}

/** A group without a line has a reason of its own. */
function silence(failure: BuildFailure): string {
  return failure.logGroup !== undefined && failure.logLines?.length === 0
    ? '; without log lines the build role may lack logs:PutLogEvents on the log group, or the build has no way out to a registry' : '';
}
