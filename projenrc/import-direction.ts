import { awscdk } from 'projen';

interface Zone {
  readonly target: string;
  readonly from: string;
  readonly except?: string[];
  readonly message: string;
}

/**
 * The dependency direction of the source tree, as a lint rule:
 *
 *     index -> constructs -> constructs/private
 *     constructs -> custom-resources/*-provider -> contract, constructs/private
 *     policy -> constructs/private, contract
 *     *.lambda -> driver -> decide -> contract, driver -> service-port <- sdk-adapter
 */
export function enforceImportDirection(project: awscdk.AwsCdkConstructLibrary) {
  const zones: Zone[] = [
    {
      target: './src/constructs',
      from: './src/custom-resources/*/handler/**',
      message: 'Constructs never import handler code: it runs in Lambda. Share through contract.ts.',
    },
    {
      target: './src/constructs/private',
      from: './src/constructs',
      except: ['./private'],
      message: 'private/ is the bottom layer of the constructs.',
    },
    {
      target: './src/custom-resources',
      from: './src/constructs',
      except: ['./private'],
      message: 'Custom resources do not know the constructs that use them.',
    },
    {
      target: './src/policy',
      from: './src/constructs',
      except: ['./private'],
      message: 'Checks and assertions read templates, whoever wrote them: they know no construct.',
    },
    {
      target: './src/policy',
      from: './src/custom-resources/*/handler/**',
      message: 'Checks and assertions share contract.ts with the handler, no more.',
    },
    {
      target: './src/constructs',
      from: './src/policy',
      message: 'Constructs do not check themselves: share through private/.',
    },
    {
      target: './src/custom-resources',
      from: './src/policy',
      message: 'Custom resources know nothing of checks.',
    },
    {
      target: './src/custom-resources/*/contract.ts',
      from: './src',
      except: ['./custom-resources/property-codec.ts'],
      message: 'The contract depends on nothing but the codec of its properties.',
    },
  ];
  project.eslint?.addRules({
    'import/no-restricted-paths': ['error', { basePath: '.', zones }],
  });

  // Inside a handler: who may import whom.
  const handler = 'src/custom-resources/*/handler';
  const pure = ['base-images', 'build-events', 'build-metrics', 'metric-entry', 'publication-events', 'decide-*', 'decision', 'config', 'ledger', 'failure', 'match', 'notes', 'ownership', 'refusal', 'request', 'retention'].map((name) => `${handler}/${name}.ts`);
  const sdk = { group: ['@aws-sdk/*', '@smithy/*'], message: 'Only the SDK adapter talks to the SDK.' };
  const io = {
    group: ['fs', 'fs/*', 'net', 'http', 'https', 'child_process', 'node:fs', 'node:net', 'node:http', 'node:https', 'node:child_process', 'timers', 'node:timers'],
    message: 'decide is pure: no I/O.',
  };
  const pureOnly = { group: ['./driver', './is-complete', './sdk-adapter', './*.lambda'], message: 'Pure code imports pure code.' };
  const portOnly = { group: ['./sdk-adapter', './*.lambda'], message: 'The driver knows the port, not the adapter.' };
  const contractOnly = { group: ['./driver', './decide-*', './*.lambda'], message: 'The adapter only implements the port.' };
  const layers = [
    { files: pure, forbidden: [sdk, io, pureOnly] },
    { files: ['check-base', 'driver', 'is-complete', 'service-port'].map((name) => `${handler}/${name}.ts`), forbidden: [sdk, portOnly] },
    { files: [`${handler}/sdk-adapter.ts`], forbidden: [contractOnly] },
    { files: [`${handler}/*.lambda.ts`], forbidden: [sdk] },
  ];
  for (const layer of layers) {
    project.eslint?.addOverride({
      files: layer.files,
      rules: { 'no-restricted-imports': ['error', { patterns: layer.forbidden }] },
    });
  }
  // No clock and no randomness in pure code; the driver passes them in.
  project.eslint?.addOverride({
    files: pure,
    rules: {
      'no-restricted-properties': ['error',
        { object: 'Date', property: 'now', message: 'Pass the time in.' },
        { object: 'Math', property: 'random', message: 'Pass randomness in.' }],
    },
  });
}
