import { Container } from './container';

/** The six hooks the service calls (8.1). */
export type BuildHook = 'ready' | 'validate';
export type RuntimeHook = 'run' | 'resume' | 'suspend' | 'terminate';

/** How a hook ended: the status the app answered, or no answer in time. */
export type HookOutcome = number | 'timed-out';

/** How the hooks of an image are to be called. */
export interface HookCalls {
  readonly port: number;
  isEnabled(hook: BuildHook | RuntimeHook): boolean;
  timeoutSeconds(hook: BuildHook | RuntimeHook): number;
}

/** Default timeouts: guidance by AWS outside the developer guide (8.2). */
const BUILD_TIMEOUT_SECONDS = 30;
const RUNTIME_TIMEOUT_SECONDS = 1;

export function hookCallsOf(hooks: Record<string, any> | null): HookCalls {
  const settings: Record<string, any> = { ...hooks?.microvmImageHooks, ...hooks?.microvmHooks };
  const isBuildHook = (hook: string) => hook === 'ready' || hook === 'validate';
  return {
    port: hooks?.port ?? 0,
    isEnabled: (hook) => settings[hook] === 'ENABLED',
    timeoutSeconds: (hook) => settings[`${hook}TimeoutInSeconds`] ?? (isBuildHook(hook) ? BUILD_TIMEOUT_SECONDS : RUNTIME_TIMEOUT_SECONDS),
  };
}

/** What one guest runs: the container of its image, with the variables of the image and those the service injects. */
export interface GuestSpec {
  readonly container: Container;
  readonly environment: Readonly<Record<string, string>>;
  readonly hooks: HookCalls;
}

/** The inside of one MicroVM or build: what really runs there. */
export interface Guest {
  /** Undefined while the app runs. */
  readonly exitCode: number | undefined;
  /** Asks whether it is ready, or without that hook lets it start; `undefined` when there is nothing to say against it. */
  start(): Promise<HookOutcome | undefined>;
  /** Calls a hook; `undefined` when the image has it disabled. 503 is asked again, of build hooks only. */
  call(hook: BuildHook | RuntimeHook, body?: string): Promise<HookOutcome | undefined>;
  /** The port of this machine where a port of the guest answers. */
  localPort(port: number): number | undefined;
  freeze(): void;
  thaw(): void;
  /** What the app has printed since the last time. */
  takeLines(): string[];
  /** Ends it, and resolves when nothing of it is left. */
  end(): Promise<void>;
}
