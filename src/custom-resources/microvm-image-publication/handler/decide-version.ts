import { Decision, fail, Limit } from './decision';
import { VersionView } from './service-port';

/** Why a version cannot be named now, or never. Undefined: it can. */
export function obstacle(name: string, version: VersionView | undefined, waited: number): Decision | undefined {
  if (version?.state === 'SUCCESSFUL' && version.status === 'ACTIVE') {
    return undefined;
  }
  if (version?.state === 'PENDING' || version?.state === 'IN_PROGRESS') {
    return waited < Limit.DEADLINE ? { type: 'wait', why: `${name} is being built` }
      : fail(`${name} was not built in time`, 'deploy again when it is');
  }
  if (version?.state === 'FAILED' || version?.state === 'DELETING') {
    return fail(`${name} is ${version.state}: only a version that can be launched is published`, 'deploy the image again');
  }
  const state = version === undefined ? 'does not exist' : `is ${version.status}`;
  return waited < Limit.READ_LAG ? { type: 'wait', why: `${name} ${state}` }
    : fail(`${name} ${state}: only a version that can be launched is published`, 'name a version that is there and ACTIVE, or build it anew');
}
