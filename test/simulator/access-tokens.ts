import { randomBytes } from 'node:crypto';
import { validationError } from './service-error';

type PortSpecification = { port?: number; range?: { startPort: number; endPort: number }; allPorts?: object };

interface Grant { readonly microvmId: string; readonly ports: readonly PortSpecification[]; readonly expiresAt: number }

/** The longest life of a token (3.2). */
const MAX_MINUTES = 60;
/** Looks like a JWE of the recorded length (11.1): five parts, the second one empty. */
const PART_BYTES = [60, 0, 12, 510, 16];

/** Tokens for the endpoints of MicroVMs: bound to one MicroVM, its ports and a time. */
export class AccessTokens {
  private readonly grants = new Map<string, Grant>();

  public create(microvmId: string, minutes: number, ports: readonly PortSpecification[], now: number): Record<string, string> {
    if (minutes > MAX_MINUTES) {
      throw validationError(`ExpirationMinutes ${minutes} exceeded max allowed of ${MAX_MINUTES}.`);
    }
    const token = PART_BYTES.map((size) => randomBytes(size).toString('base64url')).join('.');
    this.grants.set(token, { microvmId, ports, expiresAt: now + minutes * 60_000 });
    return { 'X-aws-proxy-auth': token };
  }

  public check(token: string, microvmId: string, port: number, now: number): 'ok' | 'bad-token' | 'bad-port' {
    const grant = this.grants.get(token);
    if (!grant || grant.microvmId !== microvmId || now >= grant.expiresAt) {
      return 'bad-token';
    }
    return grant.ports.some((allowed) => covers(allowed, port)) ? 'ok' : 'bad-port';
  }
}

function covers(allowed: PortSpecification, port: number): boolean {
  if (allowed.range) {
    return allowed.range.startPort <= port && port <= allowed.range.endPort;
  }
  return allowed.allPorts ? true : allowed.port === port;
}
