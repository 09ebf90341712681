import { Duration, Token } from 'aws-cdk-lib';
import { lit, UnscopedValidationError } from './private/cdk-internals';
import { secondsWithin } from './private/duration';
import { HookProperties } from '../custom-resources/microvm-image/contract';

const MAX_IMAGE_HOOK_SECONDS = 3600;
const MAX_MICROVM_HOOK_SECONDS = 60;

/**
 * Which lifecycle hooks the service calls, and how long each may take. Giving a timeout turns the hook on.
 */
export interface MicrovmHookTimeouts {
  /**
   * `POST /aws/lambda-microvms/runtime/v1/ready` during the build, before the snapshot is taken. Answer 503 until the
   * app is warm, then 200.
   *
   * 1 second to 1 hour. Required when `run`, `resume`, `suspend` or `terminate` is on: the service refuses them without.
   *
   * @default - not called: the snapshot is taken some time after the container started
   */
  readonly ready?: Duration;

  /**
   * `POST /aws/lambda-microvms/runtime/v1/validate` during the build, in a MicroVM restored from the new snapshot.
   * Use what the app uses, so that the service learns what to load first.
   *
   * 1 second to 1 hour.
   *
   * @default - not called
   */
  readonly validate?: Duration;

  /**
   * `POST /aws/lambda-microvms/runtime/v1/run` once in each new MicroVM, with its id and the payload of the launch.
   * Anything but 200 terminates the MicroVM.
   *
   * 1 second to 1 minute.
   *
   * @default - not called, and a launch with a payload is refused
   */
  readonly run?: Duration;

  /**
   * `POST /aws/lambda-microvms/runtime/v1/resume` when a suspended MicroVM comes back.
   *
   * 1 second to 1 minute.
   *
   * @default - not called
   */
  readonly resume?: Duration;

  /**
   * `POST /aws/lambda-microvms/runtime/v1/suspend` before a MicroVM is suspended. An error terminates it.
   *
   * 1 second to 1 minute.
   *
   * @default - not called
   */
  readonly suspend?: Duration;

  /**
   * `POST /aws/lambda-microvms/runtime/v1/terminate` before a MicroVM goes away.
   *
   * 1 second to 1 minute.
   *
   * @default - not called
   */
  readonly terminate?: Duration;
}

/**
 * The HTTP calls by which the service tells the app about its life: while the image is built, and in each MicroVM.
 *
 * All hooks are answered on one port, which the app may share. Changing the hooks builds a new version of the image.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/microvms-launching.html
 *
 * @example
 * declare const code: MicrovmCode;
 * new MicrovmImage(this, 'Image', {
 *   code,
 *   hooks: MicrovmHooks.onPort(9000, {
 *     ready: Duration.minutes(5),
 *     run: Duration.seconds(10),
 *   }),
 * });
 */
export class MicrovmHooks {
  /**
   * Hooks answered on `port`.
   *
   * An error when no hook is on, when a timeout is out of range, or when a hook of running MicroVMs is on without
   * `ready`.
   *
   * @param port 1 to 65535. EXPOSE it in the Dockerfile.
   * @param timeouts the hooks to call, each with its timeout.
   */
  public static onPort(port: number, timeouts: MicrovmHookTimeouts): MicrovmHooks {
    return new MicrovmHooks(port, timeouts);
  }

  /** The port the hooks are answered on. */
  public readonly port: number;

  private readonly seconds: Omit<HookProperties, 'port'>;

  private constructor(port: number, timeouts: MicrovmHookTimeouts) {
    if (!Token.isUnresolved(port) && (!Number.isInteger(port) || port < 1 || port > 65535)) {
      throw new UnscopedValidationError(lit`MicrovmHooksPort`, `hook port must be a whole number from 1 to 65535, got ${port}`);
    }
    this.port = port;
    this.seconds = {
      readySeconds: inSeconds('ready', timeouts.ready, MAX_IMAGE_HOOK_SECONDS),
      validateSeconds: inSeconds('validate', timeouts.validate, MAX_IMAGE_HOOK_SECONDS),
      runSeconds: inSeconds('run', timeouts.run, MAX_MICROVM_HOOK_SECONDS),
      resumeSeconds: inSeconds('resume', timeouts.resume, MAX_MICROVM_HOOK_SECONDS),
      suspendSeconds: inSeconds('suspend', timeouts.suspend, MAX_MICROVM_HOOK_SECONDS),
      terminateSeconds: inSeconds('terminate', timeouts.terminate, MAX_MICROVM_HOOK_SECONDS),
    };
    const given = Object.entries(timeouts).filter(([, timeout]) => timeout !== undefined).map(([hook]) => hook);
    if (given.length === 0) {
      throw new UnscopedValidationError(
        lit`MicrovmHooksNone`,
        'hooks must have at least 1 timeout, got none; give one for each hook to call, or leave hooks out',
      );
    }
    const atRunTime = given.filter((hook) => hook !== 'ready' && hook !== 'validate');
    if (atRunTime.length > 0 && timeouts.ready === undefined) {
      throw new UnscopedValidationError(
        lit`MicrovmHooksReady`,
        `hooks must have a timeout for 'ready' when any of run, resume, suspend, terminate is on, got only ${given.join(', ')}; add ready`,
      );
    }
  }

  /** @internal */
  public _properties(): HookProperties {
    return { port: this.port, ...this.seconds };
  }
}

function inSeconds(hook: string, timeout: Duration | undefined, maximum: number): number | undefined {
  if (timeout === undefined) {
    return undefined;
  }
  const seconds = secondsWithin(timeout, 1, maximum);
  if (seconds === undefined) {
    throw new UnscopedValidationError(
      lit`MicrovmHooksTimeout`,
      `hook timeout '${hook}' must be a whole number of seconds from 1 to ${maximum}, got ${timeout.toHumanString()}`,
    );
  }
  return seconds;
}
