import { HttpAnswer, HttpRequest, json, parseJson } from './http-exchange';
import { ServiceError } from './service-error';
import type { MicrovmSimulator } from './simulator';

/** `/_simulator/*`: the in-process API for those who live in another process. Plain JSON, unsigned. */
export class ControlApi {
  public static readonly ROOT = '/_simulator/';

  private readonly routes: Record<string, (body: Record<string, any>) => unknown>;

  constructor(simulator: MicrovmSimulator) {
    this.routes = {
      'GET health': () => ({ status: 'ok', region: simulator.region, accountId: simulator.accountId, now: simulator.clock.now() }),
      'GET endpoint-ca': () => ({ pem: simulator.endpointCa }),
      'GET calls': () => simulator.calls.all,
      'POST calls/clear': () => simulator.calls.clear(),
      'GET images': () => simulator.images,
      'GET microvms': () => simulator.microvms,
      'POST builds/plan': (body) => simulator.builds.plan(body),
      'POST deletions/plan': (body) => simulator.deletions.plan(body),
      'POST faults': (body) => void simulator.faults.inject(body as any),
      'POST faults/clear': () => simulator.faults.clear(),
      'POST build-roles': ({ roleArn, ...rule }) => simulator.buildRoles.allow(roleArn, rule),
      'POST readings': (body) => Object.assign(simulator.readings, body),
      'POST quotas': (body) => Object.assign(simulator.quotas, body),
      'POST clock/advance': ({ ms }) => simulator.clock.advance(ms),
      'POST base-images/publish': ({ version }) => simulator.publishBaseImage(version),
      'POST artifacts': ({ uri, base64, ...options }) => simulator.artifacts.put(uri, Buffer.from(base64, 'base64'), options),
      'POST respond': ({ image, ...response }) => simulator.respond(image, () => response),
      'POST reset': () => simulator.reset(),
    };
  }

  public async handle(request: HttpRequest): Promise<HttpAnswer> {
    const route = this.routes[`${request.method} ${request.path.slice(ControlApi.ROOT.length)}`];
    if (!route) {
      return json(404, { message: `no such control: ${request.method} ${request.path}`, controls: Object.keys(this.routes) });
    }
    try {
      return json(200, (await route(parseJson(request.body))) ?? { status: 'ok' });
    } catch (error) {
      return json(400, { message: error instanceof ServiceError ? error.text : (error as Error).message });
    }
  }
}
