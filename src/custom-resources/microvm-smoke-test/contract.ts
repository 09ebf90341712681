import { InvalidProperties, integer, optionalInteger, optionalText, Raw, text, texts, withoutAbsent } from '../property-codec';

/**
 * What the `MicrovmSmokeTest` construct and its deploy-time handler agree on. Persisted in deployed stacks: see the
 * contract of the image for the rules.
 */

/** The CloudFormation resource type. CloudFormation does not allow a change of type. */
export const SMOKE_TEST_RESOURCE_TYPE = 'Custom::LambdaMicrovmSmokeTest';

/** Before the id of a test, the key of an image's tag that tells which versions passed it. */
export const TESTED_TAG_PREFIX = 'microvm-cdk:tested-';

/** Attributes readable with `Fn::GetAtt`. Every response carries all of them, as strings. */
export interface SmokeTestAttributes {
  /** The version that passed. */
  readonly ImageVersion: string;
}

/** One HTTP call, and what its answer must be. */
export interface HttpCheckProperties {
  /** With a slash in front. */
  readonly path: string;
  readonly status: number;
  /** What the body must contain. Absent: anything. */
  readonly bodyContains?: string;
}

/** The decoded form of the resource properties. */
export interface SmokeTestProperties {
  readonly imageArn: string;
  readonly imageVersion: string;
  /** Only MicroVMs of this test run with it: that is how they are known. */
  readonly executionRoleArn: string;
  readonly ingressNetworkConnectors: string[];
  readonly egressNetworkConnectors: string[];
  readonly logGroup: string;
  readonly runHookPayload?: string;
  readonly port: number;
  /** Either this or `checkFunctionArn`. */
  readonly http?: HttpCheckProperties;
  /** Throws when the MicroVM is not as it should be. */
  readonly checkFunctionArn?: string;
  /** From the launch to the answer. */
  readonly timeoutSeconds: number;
}

/** Renders the properties for the template. */
export function encodeSmokeTest(test: SmokeTestProperties): Raw {
  return withoutAbsent({
    ImageArn: test.imageArn,
    ImageVersion: test.imageVersion,
    ExecutionRoleArn: test.executionRoleArn,
    IngressNetworkConnectors: test.ingressNetworkConnectors,
    EgressNetworkConnectors: test.egressNetworkConnectors,
    LogGroup: test.logGroup,
    RunHookPayload: test.runHookPayload,
    Port: test.port,
    Path: test.http?.path,
    ExpectedStatus: test.http?.status,
    ExpectedBody: test.http?.bodyContains,
    CheckFunctionArn: test.checkFunctionArn,
    TimeoutInSeconds: test.timeoutSeconds,
  });
}

/**
 * Reads the properties of a request.
 *
 * @throws InvalidProperties naming the property.
 */
export function decodeSmokeTest(raw: Raw): SmokeTestProperties {
  const path = optionalText(raw, 'Path');
  const checkFunctionArn = optionalText(raw, 'CheckFunctionArn');
  if (path === undefined && checkFunctionArn === undefined) {
    throw new InvalidProperties('Path is missing');
  }
  return {
    imageArn: text(raw, 'ImageArn'),
    imageVersion: text(raw, 'ImageVersion'),
    executionRoleArn: text(raw, 'ExecutionRoleArn'),
    ingressNetworkConnectors: texts(raw, 'IngressNetworkConnectors'),
    egressNetworkConnectors: texts(raw, 'EgressNetworkConnectors'),
    logGroup: text(raw, 'LogGroup'),
    runHookPayload: optionalText(raw, 'RunHookPayload'),
    port: integer(raw, 'Port'),
    http: path === undefined ? undefined : {
      path,
      status: optionalInteger(raw, 'ExpectedStatus') ?? 200,
      bodyContains: optionalText(raw, 'ExpectedBody'),
    },
    checkFunctionArn,
    timeoutSeconds: integer(raw, 'TimeoutInSeconds'),
  };
}
