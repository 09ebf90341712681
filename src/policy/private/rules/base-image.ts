import { MicrovmPolicySeverity } from '../../microvm-policy-rule';
import { colonParts } from '../iam-text';
import { ImageSettings } from '../image-settings';
import { covers } from '../statements';
import { Finding, Rule } from './rule';

export const allowedBaseImage: Rule = {
  id: 'allowed-base-image',
  severity: MicrovmPolicySeverity.ERROR,
  why: 'everything in an image trusts its base: the kernel, the init process, the agent of the service',
  fix: 'build on a base image that is managed by AWS, such as MicrovmBaseImage.AL2023_1, or on one that the checks allow',
  check: ({ images }, { allowedBaseImages }) => images
    .filter((image) => baseName(image) !== undefined && !isAllowed(image, allowedBaseImages))
    .map(({ resource }) => ({
      resource,
      location: 'Properties.BaseImageArn',
      message: allowedBaseImages === undefined ? 'the base image is not managed by AWS, and not of this account' : `the base image is none of '${allowedBaseImages.join("', '")}'`,
    })),
};

export const pinnedBaseImage: Rule = {
  id: 'pinned-base-image',
  severity: MicrovmPolicySeverity.ERROR,
  why: 'a build of the same code would come out different when the base image moves',
  fix: "name a version: MicrovmBaseImage.AL2023_1.pinned('1')",
  check: ({ images }, { requirePinnedBaseImage }) => images
    .filter((image) => image.isNative || requirePinnedBaseImage)
    .filter(({ baseImageVersion }) => baseImageVersion === undefined || (!/^\d+(\.\d+)?$/.test(baseImageVersion) && !/\$\{|\{\{/.test(baseImageVersion)))
    .map(({ resource }) => ({ resource, location: 'Properties.BaseImageVersion', message: 'the version of the base image is not pinned' })),
};

export const oldBaseImage: Rule = {
  id: 'old-base-image',
  severity: MicrovmPolicySeverity.ERROR,
  why: 'old versions lack security fixes; 60 days after they are deprecated nothing can be built on them, and 30 days later nothing runs',
  fix: 'pin a newer version, and build',
  check: ({ images }, { minimumBaseImageVersion }) => images.flatMap(({ resource, baseImageVersion }): Finding[] => {
    const version = /^\d+(\.\d+)?$/.test(baseImageVersion ?? '') ? Number.parseInt(baseImageVersion!, 10) : undefined;
    return version !== undefined && version < minimumBaseImageVersion
      ? [{ resource, location: 'Properties.BaseImageVersion', message: `the base image has version ${version}, and at least ${minimumBaseImageVersion} is wanted` }]
      : [];
  }),
};

/** Undefined when there is none, or only a deployment tells. Any other text is a name that nobody knows. */
function baseName({ baseImageArn }: ImageSettings): string | undefined {
  const [, name] = /:microvm-image:([^:${}]+)$/.exec(baseImageArn) ?? [];
  return name ?? (baseImageArn === '' || /[${}]/.test(baseImageArn) ? undefined : baseImageArn);
}

function isAllowed(image: ImageSettings, allowed?: string[]): boolean {
  const [, , , , account = ''] = colonParts(image.baseImageArn, 6);
  return allowed === undefined
    ? account === 'aws' || account === image.resource.template.place.account || account.startsWith('${')
    : allowed.some((pattern) => covers(pattern, pattern.startsWith('arn:') ? image.baseImageArn : baseName(image)!));
}
