import { Duration, Stack, Token } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';
import { connectorForPeople } from './arn';
import { lit, ValidationError } from './cdk-internals';
import { secondsWithin } from './duration';

const MAX_PAYLOAD = 4096;

/** What is known of a connector that a launch names. */
interface NamedConnector {
  readonly arn: string;
  readonly isIngress: boolean;
  readonly isEgress: boolean;
}

/** Whether the managed connector `name` is named together with another one. */
export function isNamedWithOthers(connectorArns: string[], name: string): boolean {
  return connectorArns.some((arn) => arn.endsWith(`:${name}`)) && new Set(connectorArns).size > 1;
}

export function validateIngress(scope: IConstruct, connectors: NamedConnector[]) {
  if (connectors.length === 0) {
    throw new ValidationError(
      lit`MicrovmLaunchIngressNone`,
      'ingressConnectors must have at least 1 connector, got []: the service takes that as HTTP_INGRESS, which is public; ' +
      'leave it out for NO_INGRESS',
      scope,
    );
  }
  const wrong = connectors.find(({ isEgress }) => isEgress);
  if (wrong) {
    throw new ValidationError(
      lit`MicrovmLaunchIngress`,
      `ingressConnectors must be ingress connectors, got '${connectorForPeople(wrong.arn)}'; give it as egressConnector`,
      scope,
    );
  }
  const arns = connectors.map(({ arn }) => arn);
  const alone = ['ALL_INGRESS', 'NO_INGRESS'].find((name) => isNamedWithOthers(arns, name));
  if (alone) {
    throw new ValidationError(
      lit`MicrovmLaunchIngressAlone`,
      `ingressConnectors must have no other connector next to ${alone}, got ${connectors.length}; remove ${alone} or the others` +
      (alone === 'ALL_INGRESS' ? ', and name HTTP_INGRESS and SHELL_INGRESS for requests and a shell' : ''),
      scope,
    );
  }
  connectors.forEach(({ arn }) => validatePlace(scope, 'ingressConnectors', placeOf(arn)));
}

export function validateEgress(scope: IConstruct, connector: NamedConnector) {
  if (connector.isIngress) {
    throw new ValidationError(
      lit`MicrovmLaunchEgress`,
      `egressConnector must be an egress connector, got '${connectorForPeople(connector.arn)}'; give it in ingressConnectors`,
      scope,
    );
  }
  validatePlace(scope, 'egressConnector', placeOf(connector.arn));
}

/** A launch and everything it names are in one account and region, those of the profile's stack. */
export function validatePlace(scope: IConstruct, prop: string, place: { readonly region?: string; readonly account?: string }) {
  const here = Stack.of(scope);
  for (const [part, there, wanted] of [['region', place.region, here.region], ['account', place.account, here.account]]) {
    if (there !== undefined && there !== wanted && !Token.isUnresolved(there) && !Token.isUnresolved(wanted)) {
      throw new ValidationError(
        lit`MicrovmLaunchPlace`,
        `${prop} must be in the ${part} of the profile's stack '${wanted}', got one in '${there}'; a launch reaches no other ${part}`,
        scope,
      );
    }
  }
}

/** Connectors managed by AWS are in no account. */
function placeOf(connectorArn: string) {
  const [,,, region, account] = Token.isUnresolved(connectorArn) ? [] : connectorArn.split(':');
  return { region, account: account === 'aws' ? undefined : account };
}

/** A duration that a launch names, in seconds. */
export function launchSeconds(scope: IConstruct, prop: string, duration: Duration | undefined, minimum: number, maximum?: number): number {
  const seconds = duration && secondsWithin(duration, minimum, maximum ?? Number.MAX_SAFE_INTEGER);
  if (seconds === undefined) {
    const limits = maximum === undefined ? `at least ${minimum}` : `from ${minimum} to ${maximum}`;
    throw new ValidationError(
      lit`MicrovmLaunchDuration`,
      `${prop} must be a whole number of seconds, ${limits}, got ${duration?.toHumanString() ?? 'undefined'}`,
      scope,
    );
  }
  return seconds;
}

/** @param hasRunHook whether the version that is launched has one. Undefined when it is not known. */
export function validateRunHookPayload(scope: IConstruct, payload: string, hasRunHook: boolean | undefined) {
  if (hasRunHook === false) {
    throw new ValidationError(
      lit`MicrovmLaunchPayloadHook`,
      "runHookPayload must not be given for an image without a run hook: the service refuses such a launch; turn on 'run' in the hooks of the image",
      scope,
    );
  }
  if (!Token.isUnresolved(payload) && payload.length > MAX_PAYLOAD) {
    throw new ValidationError(
      lit`MicrovmLaunchPayload`,
      `runHookPayload must have at most ${MAX_PAYLOAD} characters, got ${payload.length}; pass the place of the data instead, such as a key in S3`,
      scope,
    );
  }
}
