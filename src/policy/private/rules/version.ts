import { Rule } from './rule';
import { MicrovmPolicySeverity } from '../../microvm-policy-rule';

export const pinnedVersion: Rule = {
  id: 'pinned-version',
  severity: MicrovmPolicySeverity.ERROR,
  why: 'the newest version is launched the moment it is built: before the stack is updated, and also after it was rolled back',
  fix: 'hand over image.imageVersion, as a launch profile does',
  check: ({ launches }) => launches
    .filter(({ imageVersion, decidedLater }) => !decidedLater.has('imageVersion') && !isPinned(imageVersion))
    .map(({ resource, location, imageVersion }) => ({
      resource,
      location,
      message: imageVersion === undefined || imageVersion === ''
        ? 'MicroVMs are launched without naming a version of the image'
        : 'MicroVMs are launched from a version of the image that is none such as 3.0',
    })),
};

/** What only a deployment tells is a version of that deployment. */
function isPinned(version?: string): boolean {
  return version !== undefined && (/^\d+(\.\d+)?$/.test(version) || /\$\{|\{\{/.test(version));
}
