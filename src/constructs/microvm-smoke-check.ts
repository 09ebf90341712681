import { Token } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { lit, UnscopedValidationError } from './private/cdk-internals';
import { validateKind } from './private/kinds';
import { HttpCheckProperties } from '../custom-resources/microvm-smoke-test/contract';

/**
 * The call a smoke test makes, and what its answer must be.
 */
export interface MicrovmHttpCheckOptions {
  /**
   * The path that is called, with its query: it begins with `/`, and has no whitespace.
   *
   * @default '/'
   */
  readonly path?: string;

  /**
   * The port the app listens on, from 1 to 65535.
   *
   * @default 8080
   */
  readonly port?: number;

  /**
   * The HTTP status the app must answer, from 200 to 599. While the app answers 429, 502, 503 or 504 it is waited for, up to the
   * timeout of the test; any other status is a failure at once.
   *
   * @default 200
   */
  readonly status?: number;

  /**
   * A text the body of the answer must contain, within its first 64 KiB.
   *
   * @default - any body will do
   */
  readonly bodyContains?: string;
}

/**
 * What a function needs to begin.
 */
export interface MicrovmFunctionCheckOptions {
  /**
   * The port the function gets a token for, from 1 to 65535. The function is called once the app answers anything on it.
   *
   * @default 8080
   */
  readonly port?: number;
}

interface BoundCheck {
  readonly port: number;
  readonly http?: HttpCheckProperties;
  readonly checkFunctionArn?: string;
}

/** Answers that stand for "not yet". */
const NOT_YET = [429, 502, 503, 504];

/**
 * How a smoke test tells whether a MicroVM works.
 *
 * @example
 * declare const image: MicrovmImage;
 * new MicrovmSmokeTest(this, 'SmokeTest', {
 *   image,
 *   check: MicrovmSmokeCheck.http({ port: 8080, path: '/health', bodyContains: '"database":"ok"' }),
 * });
 */
export abstract class MicrovmSmokeCheck {
  /** One GET, with a token for the one port. Its status and body must be as said. */
  public static http(options: MicrovmHttpCheckOptions = {}): MicrovmSmokeCheck {
    const { path = '/', status = 200 } = options;
    if (!Token.isUnresolved(path) && !/^\/[^\s#]{0,1023}$/.test(path)) {
      throw new UnscopedValidationError(
        lit`MicrovmSmokeCheckPath`,
        `path must begin with '/' and have at most 1024 characters without whitespace and '#', got '${path}'`,
      );
    }
    if (!Token.isUnresolved(status) && (!Number.isInteger(status) || status < 200 || status > 599 || NOT_YET.includes(status))) {
      throw new UnscopedValidationError(
        lit`MicrovmSmokeCheckStatus`,
        `status must be from 200 to 599, and none of ${NOT_YET.join(', ')}, which are waited out, got ${status}`,
      );
    }
    return new Check({ port: validPort(options.port), http: { path, status, bodyContains: options.bodyContains || undefined } });
  }

  /**
   * A function of yours looks at the MicroVM, and throws when it is not as it should be. Its error becomes the error of the
   * deployment.
   *
   * It is called with `{ microvmId, endpoint, port, authToken, imageArn, imageVersion }`: the endpoint is a host, and the token, for
   * the header `X-aws-proxy-auth`, opens the one port for 10 minutes. It must end within 4 minutes, and bear being called twice. The
   * MicroVM is terminated afterwards.
   *
   * The handler of the stack's smoke tests may invoke it (`lambda:InvokeFunction`). The function needs no permission.
   */
  public static fromFunction(fn: lambda.IFunctionRef, options: MicrovmFunctionCheckOptions = {}): MicrovmSmokeCheck {
    validateKind(undefined, 'fn', fn, ['functionRef', 'a Lambda function']);
    return new Check({ port: validPort(options.port), checkFunctionArn: fn.functionRef.functionArn });
  }

  /** @internal */
  public abstract readonly _bound: BoundCheck;
}

class Check extends MicrovmSmokeCheck {
  constructor(public readonly _bound: BoundCheck) {
    super();
  }
}

function validPort(port = 8080): number {
  if (!Token.isUnresolved(port) && (!Number.isInteger(port) || port < 1 || port > 65535)) {
    throw new UnscopedValidationError(lit`MicrovmSmokeCheckPort`, `port must be a whole number from 1 to 65535, got ${port}`);
  }
  return port;
}
