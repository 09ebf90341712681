import { IncomingHttpHeaders } from 'node:http';
import { Caller } from './call-log';
import { ServiceError } from './service-error';

/** Reads the caller from the signature. Nobody here knows secrets, so only presence, service and region are checked. */
export function readCaller(headers: IncomingHttpHeaders): Caller {
  const match = /^AWS4-HMAC-SHA256 .*Credential=([^/,\s]+)\/([^,\s]+)/.exec(headers.authorization ?? '');
  const scope = match?.[2] ?? null;
  const text = (value: string | string[] | undefined) => value === undefined ? null : String(value);
  return {
    accessKeyId: match?.[1] ?? null,
    scope,
    signingService: scope?.split('/')[2] ?? null,
    userAgent: text(headers['user-agent']),
    sessionToken: text(headers['x-amz-security-token']),
  };
}

export function assertSigned(caller: Caller, service: string, region: string): void {
  if (caller.scope === null) {
    throw new ServiceError('MissingAuthenticationTokenException', 'Missing Authentication Token');
  }
  const [, signedRegion, signedService] = caller.scope.split('/');
  if (signedService !== service) {
    throw new ServiceError('InvalidSignatureException', `Credential should be scoped to correct service: '${service}'.`);
  }
  if (signedRegion !== region) {
    throw new ServiceError('InvalidSignatureException', `Credential should be scoped to a valid region. ${signedRegion} is not ${region}.`);
  }
}
