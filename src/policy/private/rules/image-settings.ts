import { Finding, Rule } from './rule';
import { MicrovmPolicySeverity } from '../../microvm-policy-rule';

export const osCapabilities: Rule = {
  id: 'os-capabilities',
  severity: MicrovmPolicySeverity.ERROR,
  why: 'with every Linux capability the code owns the guest: it can mount, trace and reconfigure the network',
  fix: 'leave additionalOsCapabilities out; acknowledge it for images that run containers or mount file systems',
  check: ({ images }) => images
    .filter((image) => image.osCapabilities.includes('ALL'))
    .map(({ resource }) => ({ resource, location: 'Properties.AdditionalOsCapabilities', message: 'the image has the capabilities ALL' })),
};

export const buildHooks: Rule = {
  id: 'build-hooks',
  severity: MicrovmPolicySeverity.WARNING,
  why: 'without them the snapshot is taken at some time after the start, and nobody tells whether it can be restored',
  fix: 'implement the hooks ready and validate, and declare them with MicrovmHooks.onPort()',
  check: ({ images }, policy) => images.flatMap(({ resource, isNative, hooks }): Finding[] => {
    const missing = ['ready', 'validate'].filter((hook) => !hooks.includes(hook));
    const isReported = policy.requireBuildHooks ? missing.length > 0 : missing.length === 2 && (isNative || hooks.length > 0);
    return isReported ? [{ resource, location: 'Properties.Hooks', message: `the image has no hook '${missing.join("' and no hook '")}'` }] : [];
  }),
};

export const maximumMemory: Rule = {
  id: 'maximum-memory',
  severity: MicrovmPolicySeverity.ERROR,
  why: 'memory is what MicroVMs cost',
  fix: 'choose less memory, or ask those who set the limit',
  check: ({ images }, { maximumMemoryMiB }) => images
    .filter(({ memoryMiB }) => maximumMemoryMiB !== undefined && memoryMiB > maximumMemoryMiB)
    .map(({ resource, isNative, memoryMiB }) => ({
      resource,
      location: isNative ? 'Properties.Resources' : 'Properties.MinimumMemoryInMiB',
      message: `the image has ${memoryMiB} MiB of memory, and at most ${maximumMemoryMiB} MiB are allowed`,
    })),
};

export const requiredTags: Rule = {
  id: 'required-tags',
  severity: MicrovmPolicySeverity.ERROR,
  why: 'costs and owners are found by tags',
  fix: "add the tags with the prop tags or Tags.of(image).add(); 'cdk deploy --tags' does not reach images",
  check: ({ images }, policy) => images.flatMap(({ resource, tags }): Finding[] => {
    const missing = policy.requiredTags.filter((key) => tags[key] === undefined || tags[key] === '');
    return missing.length > 0 ? [{ resource, location: 'Properties.Tags', message: `the image lacks the tags '${missing.join("', '")}'` }] : [];
  }),
};

export const contentAddressed: Rule = {
  id: 'content-addressed-artifact',
  severity: MicrovmPolicySeverity.WARNING,
  why: 'new content under the same key changes nothing in the template, so it is not deployed, and a rollback builds what is there by then',
  fix: 'use MicrovmCode.fromAsset(), or put the hash of the content into the key',
  check: ({ images }) => images.flatMap(({ resource, isNative, artifactUri }): Finding[] => {
    const [, key] = /^s3:\/\/[^/]+\/(.+)$/s.exec(artifactUri ?? '') ?? [];
    // A hash of at least 128 bits, or something that only a deployment tells.
    return key === undefined || /[0-9a-f]{32}/i.test(key) || /\$\{|\{\{/.test(key)
      ? []
      : [{ resource, location: isNative ? 'Properties.CodeArtifact' : 'Properties.CodeArtifactUri', message: 'the key of the code is not made of its content' }];
  }),
};

const NATIVE_SETTINGS = [
  'Name', 'Description', 'BaseImageArn', 'BaseImageVersion', 'BuildRoleArn', 'CodeArtifact', 'Logging', 'EgressNetworkConnectors', 'CpuConfigurations',
  'Resources', 'AdditionalOsCapabilities', 'Hooks', 'EnvironmentVariables',
];

export const nativeSettings: Rule = {
  id: 'native-settings',
  severity: MicrovmPolicySeverity.ERROR,
  why: 'CloudFormation requires each of them, also those the service has defaults for, and refuses the stack',
  fix: 'set them, empty where there is nothing to say, or use MicrovmImage with MicrovmImageEngine.cloudFormation()',
  check: ({ images }) => images.filter(({ isNative }) => isNative).flatMap(({ resource }): Finding[] => {
    const missing = NATIVE_SETTINGS.filter((name) => resource.properties[name] === undefined);
    return missing.length > 0 ? [{ resource, location: 'Properties', message: `the image lacks the required settings ${missing.join(', ')}` }] : [];
  }),
};
