/** How states move on: by the virtual clock, or by counting the reads a poller makes. */
export type Advance = { mode: 'clock' } | { mode: 'reads'; reads: number };

/**
 * What is inside MicroVMs and builds. `scripted`: a responder answers requests, and hooks are never called.
 * `process`: the CMD of the image, as a Node process of this machine. It is neither a container nor a VM.
 */
export type Guests = { readonly mode: 'scripted' } | {
  readonly mode: 'process';
  /** Wins over the variables of the image: for what is true in a container only. */
  readonly environment?: Readonly<Record<string, string>>;
};

/**
 * Where the evidence about the service is split or missing, the side the simulator plays.
 * Each default is the side the evidence leans to and, where there is none, the one that is harder on the caller.
 */
export interface Readings {
  /** 7.2: an image in UPDATE_FAILED (or CREATE_FAILED) still launches its older ACTIVE versions. Default false. */
  readonly updateFailedLaunches: boolean;
  /** Tag writes while the image is in a transitional state. Default 'conflict' (409). */
  readonly tagWritesWhileUpdating: 'accepted' | 'conflict';
  /** 4.3: GetMicrovmImage carries the tags. Default true; false answers `tags: null` and only ListTags tells. */
  readonly tagsOnGetImage: boolean;
  /** 7.3: `latestActiveImageVersion` falls back to the next older ACTIVE version when the newest turns INACTIVE or goes. Default true. */
  readonly latestActiveFallsBack: boolean;
  /** 4.6: deleting a version that a live MicroVM runs is refused. Default true. */
  readonly versionInUseDeleteRefused: boolean;
  /** 4.7: a failed version repeats, as the developer guide has it, the reason of its builds. Default false (null on the version). */
  readonly reasonOnVersion: boolean;
  /** 13: reasons are prose only, without the documented codes. Default false. */
  readonly proseReasonsOnly: boolean;
  /** 14: an empty `cloudWatch: {}` block counts as logging disabled. Default true. */
  readonly emptyLoggingIsDisabled: boolean;
  /** 19.24: how long (virtual ms) TERMINATED MicroVMs stay listed. Default for ever. */
  readonly terminatedRetentionMs: number;
  /** After a write, this many reads of that image still answer as before it (eventual consistency). Default 0. */
  readonly staleReadsAfterWrite: number;
  /** 7.5, 19.15: a suspend hook that fails ends the MicroVM. Default true; false: it goes on running, as the developer guide has it. */
  readonly suspendFailureTerminates: boolean;
  /** 11.1: the request that resumes a MicroVM is held until it runs. Default true; false: it gets a 502, and so do others until then. */
  readonly autoResumeHoldsRequest: boolean;
  /** 8.2, 19.16: requests reach the app before its run hook was called. Default false. */
  readonly trafficOvertakesRun: boolean;
  /** 4.6, 7.4: deleting the failed version of an UPDATE_FAILED image brings the image back to UPDATED. Default true. */
  readonly failedVersionDeleteHeals: boolean;
  /** 4.6: the order versions are listed in is not recorded. Default 'lexical' ("10.0" before "2.0"). */
  readonly versionOrder: 'lexical' | 'newest-first' | 'oldest-first';
}

export const DEFAULT_READINGS: Readings = {
  updateFailedLaunches: false,
  tagWritesWhileUpdating: 'conflict',
  tagsOnGetImage: true,
  latestActiveFallsBack: true,
  versionInUseDeleteRefused: true,
  reasonOnVersion: false,
  proseReasonsOnly: false,
  emptyLoggingIsDisabled: true,
  terminatedRetentionMs: Number.POSITIVE_INFINITY,
  staleReadsAfterWrite: 0,
  suspendFailureTerminates: true,
  autoResumeHoldsRequest: true,
  trafficOvertakesRun: false,
  failedVersionDeleteHeals: true,
  versionOrder: 'lexical',
};

/** Service quotas (12.2), at the values of the four big regions. */
export interface Quotas {
  readonly concurrentBuilds: number;
  readonly images: number;
  readonly versionsPerImage: number;
  /** Memory over RUNNING and SUSPENDED MicroVMs. */
  readonly memoryMiB: number;
}

export const DEFAULT_QUOTAS: Quotas = { concurrentBuilds: 10, images: 100, versionsPerImage: 50, memoryMiB: 1024 * 1024 };

export interface SimulatorOptions {
  /** Default 0: any free port. */
  readonly port?: number;
  readonly region?: string;
  readonly accountId?: string;
  readonly partition?: string;
  /** Where builds fetch artifacts from (path-style S3). Without it: `sim.artifacts`. */
  readonly s3Endpoint?: string;
  /** Where build logs are written (CloudWatch Logs API). Without it the simulator keeps them and serves that API itself. */
  readonly logsEndpoint?: string;
  readonly readings?: Partial<Readings>;
  readonly quotas?: Partial<Quotas>;
  /** Default `{ mode: 'clock' }` in process, `{ mode: 'reads', reads: 3 }` for the standalone server. */
  readonly advance?: Advance;
  /** Default `{ mode: 'scripted' }`. */
  readonly guests?: Guests;
  /** Virtual time at the start, epoch ms. Default the real time. */
  readonly startAt?: number;
}
