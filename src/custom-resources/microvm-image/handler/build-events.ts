import { bareVersion } from './config';
import { BuildReasons } from './failure';
import { EnsureRequest } from './request';
import { VersionView } from './service-port';
import { EventDetail, EventSubject, EventType, imageEvent, ImageEvent } from '../../microvm-events';

/** A version was built. */
export function buildSucceeded(request: EnsureRequest, version: VersionView): ImageEvent {
  return imageEvent(EventType.BUILD_SUCCEEDED, subject(request, version), aboutBuild(request, version));
}

/** A version was not. The end of its log may hold anything, so it stays where only few may read it. */
export function buildFailed(request: EnsureRequest, version: VersionView, why: BuildReasons): ImageEvent {
  const { logging } = request.desired;
  return imageEvent(EventType.BUILD_FAILED, subject(request, version), {
    ...aboutBuild(request, version),
    reason: why.reason,
    stage: why.stage,
    logGroup: logging.disabled ? undefined : logging.logGroup,
  });
}

/** A version was deleted: `FAILED` or `SUCCESSFUL` until then. */
export function versionPruned(request: EnsureRequest, version: VersionView): ImageEvent {
  return imageEvent(EventType.VERSION_PRUNED, subject(request, version), { stackName: request.stackName, state: version.state });
}

/** The service says when it took the order of a version, and says the same in every step. */
function subject({ imageArn }: EnsureRequest, { version, createdAt }: VersionView): EventSubject {
  return { imageArn, imageVersion: version, occasion: String(createdAt) };
}

function aboutBuild({ stackName }: EnsureRequest, { config, createdAt, updatedAt }: VersionView): EventDetail {
  return {
    stackName,
    baseImageVersion: config.baseImageVersion && bareVersion(config.baseImageVersion),
    durationSeconds: updatedAt === undefined ? undefined : (updatedAt - createdAt) / 1_000,
  };
}
