import { asList, asText } from './intrinsic-functions';
import { parseJson } from './json-text';
import { Identities, Identity } from './policy-documents';
import { runTasks } from './state-machines';
import { allows } from './statements';
import { SynthesizedApp } from './synthesized-app';
import { SynthesizedResource } from './synthesized-template';

/** A place in a template that says how MicroVMs are launched. */
export interface Launch {
  /** What launches them, or holds the settings. */
  readonly resource: SynthesizedResource;
  readonly location: string;
  readonly imageArn?: string;
  /** Undefined: the newest active version. */
  readonly imageVersion?: string;
  readonly executionRoleArn?: string;
  /** Undefined: left out, which makes the MicroVM public. */
  readonly ingressConnectorArns?: string[];
  /** Undefined: what the image has. */
  readonly egressConnectorArns?: string[];
  readonly runHookPayload?: string;
  readonly logGroupName?: string;
  readonly loggingDisabled: boolean;
  /** Settings that are decided when it is launched. */
  readonly decidedLater: Set<LaunchSetting>;
}

const SETTINGS = ['imageVersion', 'ingressNetworkConnectors', 'egressNetworkConnectors', 'executionRoleArn'] as const;
export type LaunchSetting = typeof SETTINGS[number];

const IMAGE_ARN = /^arn:[^:]+:lambda:[^:]+:[^:]+:microvm-image:[^:/]+$/;
const CONNECTOR_ARN = /:network-connector:/;

/** All launches of an app: settings handed over as JSON or as single variables, tasks of state machines and schedules. */
export function readLaunches(app: SynthesizedApp, identities: Identities): Launch[] {
  return app.resources.flatMap((resource): Launch[] => {
    const { properties } = resource;
    switch (resource.type) {
      case 'AWS::Lambda::Function': case 'AWS::Serverless::Function':
        return fromEnvironment(resource, 'Properties.Environment.Variables', properties.Environment?.Variables, identities.withArn(asText(properties.Role)));
      case 'AWS::ECS::TaskDefinition':
        return asList(properties.ContainerDefinitions).flatMap((container: any, index) => fromEnvironment(
          resource, `Properties.ContainerDefinitions.${index}.Environment`, named(container?.Environment), identities.withArn(asText(properties.TaskRoleArn)),
        ));
      case 'AWS::Batch::JobDefinition': {
        const { Environment, JobRoleArn } = properties.ContainerProperties ?? {};
        return fromEnvironment(resource, 'Properties.ContainerProperties.Environment', named(Environment), identities.withArn(asText(JobRoleArn)));
      }
      case 'AWS::CodeBuild::Project':
        return fromEnvironment(
          resource, 'Properties.Environment.EnvironmentVariables', named(properties.Environment?.EnvironmentVariables), identities.withArn(asText(properties.ServiceRole)),
        );
      case 'AWS::SSM::Parameter':
        return fromJson(resource, 'Properties.Value', properties.Value);
      case 'AWS::StepFunctions::StateMachine': case 'AWS::Serverless::StateMachine':
        return runTasks(resource).map(({ location, input }) => fromInput(resource, location, input));
      case 'AWS::Scheduler::Schedule':
        return /:lambdamicrovms:runMicrovm$/i.test(asText(properties.Target?.Arn)) ? fromJson(resource, 'Properties.Target.Input', properties.Target?.Input) : [];
      default:
        return [];
    }
  });
}

/** A list of names and values as an object. */
function named(variables: unknown): Record<string, unknown> {
  return Object.fromEntries(asList(variables).map((entry: any) => [asText(entry?.Name), entry?.Value]));
}

/** One variable with the input of `RunMicrovm`, or one variable a setting. */
function fromEnvironment(resource: SynthesizedResource, location: string, variables: unknown, role?: Identity): Launch[] {
  const entries = Object.entries((variables ?? {}) as Record<string, unknown>).map(([key, value]): [string, string] => [key, asText(value)]);
  const whole = entries.flatMap(([key, value]) => fromJson(resource, `${location}.${key}`, value));
  if (whole.length > 0) {
    return whole;
  }
  const connectors = entries.map(([, value]) => value).filter((value) => CONNECTOR_ARN.test(value)).flatMap((value) => value.split(/[\s,]+/));
  const [, imageArn] = entries.find(([, value]) => IMAGE_ARN.test(value)) ?? [];
  const version = entries.find(([key]) => /version/i.test(key) && /image|microvm/i.test(key)) ?? entries.find(([key]) => /^version$/i.test(key));
  const launches = role?.policies.some(({ statements }) => statements.some((statement) => allows(statement, 'lambda:RunMicrovm'))) ?? false;
  if (connectors.length === 0 && (imageArn === undefined || (!launches && version === undefined))) {
    return [];
  }
  const ingress = connectors.filter((arn) => /_INGRESS$/.test(arn));
  const egress = connectors.filter((arn) => !/_INGRESS$/.test(arn));
  return [{
    resource,
    location,
    imageArn,
    imageVersion: version?.[1],
    executionRoleArn: entries.find(([key, value]) => /:role\//.test(value) && !/build/i.test(key))?.[1],
    ingressConnectorArns: ingress,
    egressConnectorArns: egress.length > 0 ? egress : undefined,
    loggingDisabled: false,
    // What the variables do not say, the code may.
    decidedLater: new Set<LaunchSetting>(['ingressNetworkConnectors', ...(imageArn === undefined ? ['imageVersion' as const] : [])]),
  }];
}

function fromJson(resource: SynthesizedResource, location: string, text: unknown): Launch[] {
  const value = asText(text);
  return /"imageIdentifier/i.test(value) ? inputsIn(parseJson(value)).map((input) => fromInput(resource, location, input)) : [];
}

/** One input, or several in an object or a list. */
function inputsIn(value: unknown): object[] {
  if (typeof value !== 'object' || value === null) {
    return [];
  }
  return Object.keys(value).some((key) => /^imageIdentifier(\.\$)?$/i.test(key)) ? [value] : Object.values(value).flatMap(inputsIn);
}

/** The input of `RunMicrovm`; Step Functions begins the names with a capital, and ends those of paths in `.$`. */
function fromInput(resource: SynthesizedResource, location: string, given: unknown): Launch {
  const input = (typeof given === 'object' ? withSmallNames(given) ?? {} : {}) as Record<string, any>;
  const text = (value: unknown) => (value === undefined || value === null ? undefined : asText(value));
  // To the service an empty list is none.
  const list = (value: unknown) => (asList(value).length > 0 ? asList(value).map(asText) : undefined);
  return {
    resource,
    location,
    imageArn: text(input.imageIdentifier),
    imageVersion: text(input.imageVersion),
    executionRoleArn: text(input.executionRoleArn),
    ingressConnectorArns: list(input.ingressNetworkConnectors),
    egressConnectorArns: list(input.egressNetworkConnectors),
    runHookPayload: text(input.runHookPayload),
    logGroupName: text(input.logging?.cloudWatch?.logGroup ?? input.logging?.logGroup),
    loggingDisabled: input.logging?.disabled !== undefined,
    decidedLater: new Set(SETTINGS.filter((setting) => typeof given !== 'object' || `${setting}.$` in input || isExpression(input[setting]))),
  };
}

/** JSONata. */
function isExpression(value: unknown): boolean {
  return typeof value === 'string' && /^\{%.*%\}$/s.test(value);
}

function withSmallNames(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(withSmallNames);
  }
  return typeof value === 'object' && value !== null
    ? Object.fromEntries(Object.entries(value).map(([key, entry]) => [key.charAt(0).toLowerCase() + key.slice(1), withSmallNames(entry)]))
    : value;
}
