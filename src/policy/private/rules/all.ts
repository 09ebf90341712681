import { allowedBaseImage, oldBaseImage, pinnedBaseImage } from './base-image';
import { environmentSecret } from './environment';
import { buildHooks, contentAddressed, maximumMemory, nativeSettings, osCapabilities, requiredTags } from './image-settings';
import { logGroup } from './logging';
import { internetEgress, publicIngress, shellIngress } from './network';
import { artifactRead, ecrAccess, wildcardPassConnector, wildcardPassRole, wildcardRun } from './permissions';
import { Rule } from './rule';
import { operatorRoleTrust, roleTrust, sharedRole } from './trust';
import { pinnedVersion } from './version';

/** In the order of the table in docs/policy-checks.md. */
export const RULES: Rule[] = [
  roleTrust, operatorRoleTrust, sharedRole,
  wildcardRun, wildcardPassRole, wildcardPassConnector, artifactRead, ecrAccess,
  environmentSecret,
  publicIngress, shellIngress, internetEgress,
  osCapabilities, buildHooks, logGroup, pinnedVersion,
  allowedBaseImage, pinnedBaseImage, oldBaseImage,
  maximumMemory, requiredTags, contentAddressed, nativeSettings,
];
