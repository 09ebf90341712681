import { MicrovmPolicySeverity } from '../../microvm-policy-rule';
import { secretIn, secretInName } from '../environment-secrets';
import { Finding, Rule } from './rule';

export const environmentSecret: Rule = {
  id: 'environment-secret',
  severity: MicrovmPolicySeverity.ERROR,
  why: 'whoever can read the template, the image or its snapshot reads its environment, and every MicroVM has it, also those of other tenants',
  fix: 'give the image the name or ARN of a secret, and let the code read it with the execution role',
  check: ({ images, launches }) => [
    ...images.flatMap(({ resource, environment }) => environment.flatMap(({ key, raw, value, location }): Finding[] => {
      const named = secretInName(key);
      if (named !== undefined) {
        return [{ resource, location: 'Properties.EnvironmentVariables', message: `the name of an environment variable looks like ${named}` }];
      }
      const kind = secretIn(key, raw, value, resource.template);
      return kind === undefined ? [] : [{ resource, location, message: `the environment variable '${key}' seems to hold ${kind}` }];
    })),
    ...launches.flatMap(({ resource, location, runHookPayload }): Finding[] => {
      const kind = runHookPayload === undefined ? undefined : secretIn('', runHookPayload, runHookPayload, resource.template);
      return kind === undefined ? [] : [{ resource, location, message: `the payload of the run hook seems to hold ${kind}` }];
    }),
  ],
};
