import { MicrovmPolicySeverity } from '../../microvm-policy-rule';
import { ImageSettings } from '../image-settings';
import { Launch } from '../launches';
import { Identities } from '../policy-documents';
import { SynthesizedApp } from '../synthesized-app';
import { SynthesizedResource } from '../synthesized-template';

/** What the rules look at. */
export interface Subjects {
  readonly app: SynthesizedApp;
  readonly identities: Identities;
  readonly images: ImageSettings[];
  readonly launches: Launch[];
}

/** What an organisation decides: the props of the checks, defaults filled in. */
export interface Policy {
  readonly allowInternetEgress?: boolean;
  readonly allowPublicIngress: boolean;
  readonly allowShellIngress: boolean;
  readonly requireBuildHooks: boolean;
  readonly requirePinnedBaseImage: boolean;
  readonly allowedBaseImages?: string[];
  readonly minimumBaseImageVersion: number;
  readonly maximumMemoryMiB?: number;
  readonly requiredTags: string[];
}

/** A resource that breaks a rule. */
export interface Finding {
  readonly resource: Pick<SynthesizedResource, 'logicalId' | 'templatePath'>;
  /** Below the resource, such as `Properties.Tags`. */
  readonly location: string;
  /** What is wrong with it: never a value that could be a secret. */
  readonly message: string;
  /** Where it is less bad than the rule says. */
  readonly severity?: MicrovmPolicySeverity;
}

/** A rule: a pure function of the templates and of what the organisation decided. */
export interface Rule {
  readonly id: string;
  readonly severity: MicrovmPolicySeverity;
  readonly why: string;
  readonly fix: string;
  check(subjects: Subjects, policy: Policy): Finding[];
}
