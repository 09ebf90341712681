import { MicrovmPolicySeverity } from '../../microvm-policy-rule';
import { allows, coversAnything, resourcePatterns } from '../statements';
import { Finding, Rule, Subjects } from './rule';

const PUBLIC = ['HTTP_INGRESS', 'ALL_INGRESS'];
const SHELL = ['SHELL_INGRESS'];
const INTERNET = ['INTERNET_EGRESS'];

export const publicIngress: Rule = {
  id: 'public-ingress',
  severity: MicrovmPolicySeverity.ERROR,
  why: 'everybody on the internet reaches the endpoint of the MicroVM, and whoever has a token reaches the code in it',
  fix: 'launch with MicrovmConnector.NO_INGRESS where nobody connects; acknowledge it where the endpoint is meant to be public',
  check: (subjects, policy) => policy.allowPublicIngress ? [] : [
    ...subjects.launches.flatMap(({ resource, location, ingressConnectorArns, decidedLater }): Finding[] => {
      if (ingressConnectorArns === undefined) {
        return decidedLater.has('ingressNetworkConnectors')
          ? []
          : [{ resource, location, message: 'MicroVMs are launched without an ingress connector, which gives them a public endpoint' }];
      }
      return managed(ingressConnectorArns, PUBLIC).map((name) => ({ resource, location, message: `MicroVMs are launched with ${name}` }));
    }),
    ...passable(subjects, PUBLIC),
  ],
};

export const shellIngress: Rule = {
  id: 'shell-ingress',
  severity: MicrovmPolicySeverity.ERROR,
  why: 'a shell in a MicroVM can do all that the code in it can, with the credentials of its execution role',
  fix: 'leave SHELL_INGRESS out of what production launches; acknowledge it where people work in the MicroVM',
  check: (subjects, policy) => policy.allowShellIngress ? [] : [
    ...subjects.launches.flatMap(({ resource, location, ingressConnectorArns = [] }) => managed(ingressConnectorArns, SHELL)
      .map((name) => ({ resource, location, message: `MicroVMs are launched with ${name}` }))),
    ...passable(subjects, SHELL),
  ],
};

export const internetEgress: Rule = {
  id: 'internet-egress',
  severity: MicrovmPolicySeverity.ERROR,
  why: 'code that should not be trusted can send what it finds anywhere, and fetch anything',
  fix: 'give image and launch a lambda.NetworkConnector into a VPC whose security group allows only what is needed',
  check: (subjects, policy) => {
    const isForbidden = policy.allowInternetEgress === false;
    return [
      ...subjects.images
        .filter(({ isNative }) => isForbidden || (isNative && policy.allowInternetEgress === undefined))
        .filter(({ egressConnectorArns }) => egressConnectorArns.length === 0 || managed(egressConnectorArns, INTERNET).length > 0)
        .map(({ resource, egressConnectorArns }) => ({
          resource,
          location: 'Properties.EgressNetworkConnectors',
          severity: isForbidden ? undefined : MicrovmPolicySeverity.WARNING,
          message: egressConnectorArns.length === 0
            ? 'the image names no egress connector, which gives it the internet'
            : 'the image reaches the internet (INTERNET_EGRESS)',
        })),
      ...isForbidden ? launchesAndPolicies(subjects) : [],
    ];
  },
};

function launchesAndPolicies(subjects: Subjects): Finding[] {
  return [
    ...subjects.launches.flatMap(({ resource, location, egressConnectorArns = [] }) => managed(egressConnectorArns, INTERNET)
      .map((name) => ({ resource, location, message: `MicroVMs are launched with ${name}` }))),
    ...passable(subjects, INTERNET),
  ];
}

/** The managed connectors of these names among ARNs. */
function managed(arns: string[], names: string[]): string[] {
  return names.filter((name) => arns.some((arn) => arn.endsWith(`:${name}`)));
}

/** Policies that let these connectors be passed. Those that let every connector be passed are another rule's. */
function passable({ identities }: Subjects, names: string[]): Finding[] {
  return identities.documents.flatMap(({ resource, location, statements }) => {
    const arns = statements.filter((statement) => allows(statement, 'lambda:PassNetworkConnector')).flatMap(resourcePatterns);
    return names.filter((name) => arns.some((arn) => arn.endsWith(`:${name}`) || isPatternOf(arn, name)))
      .map((name) => ({ resource, location, message: `the policy lets MicroVMs be launched with ${name}` }));
  });
}

/** Whether a pattern such as `*_INGRESS` covers a managed connector, and not all of them. */
function isPatternOf(pattern: string, name: string): boolean {
  const isCovered = (connector: string) => coversAnything(pattern, 'lambda', `network-connector:aws-network-connector:${connector}`);
  return isCovered(name) && !isCovered('QZ7_UNHEARD_OF');
}
