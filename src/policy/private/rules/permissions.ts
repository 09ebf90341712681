import { MicrovmPolicySeverity } from '../../microvm-policy-rule';
import { managedPolicyOfAws } from '../aws-managed-policies';
import { isLambda, SERVICE as LAMBDA } from '../iam-trust';
import { buildRoles, passedRoles } from '../microvm-roles';
import { Identity, PolicyStatement } from '../policy-documents';
import { allows, covers, coversAnything, needsResourceTag, resourcePatterns } from '../statements';
import { SynthesizedResource } from '../synthesized-template';
import { Finding, Rule, Subjects } from './rule';

/** Names that nobody gave to anything. */
const UNHEARD_OF = { image: 'microvm-image:qz7-unheard-of', role: 'role/qz7-unheard-of', connector: 'network-connector:nc-qz7-unheard-of' };
const MANAGED_CONNECTOR = 'network-connector:aws-network-connector:QZ7_UNHEARD_OF';
const OBJECT_KEY = 'qz7-unheard-of.zip';

const READ_OBJECT = ['s3:GetObject', 's3:GetObjectVersion'];

export const wildcardRun: Rule = {
  id: 'wildcard-run',
  severity: MicrovmPolicySeverity.ERROR,
  why: 'the principal can launch every image of the account, also those of other teams and those that are still to come',
  fix: 'name the images, with grants.launch() of a launch profile or grants.run() of an image',
  check: (subjects) => everyStatement(subjects)
    .filter(({ statement }) => allows(statement, 'lambda:RunMicrovm') && !needsResourceTag(statement)
      && resourcePatterns(statement).some((pattern) => coversAnything(pattern, 'lambda', UNHEARD_OF.image)))
    .map((found) => finding(found, 'lambda:RunMicrovm is allowed on every image')),
};

export const wildcardPassRole: Rule = {
  id: 'wildcard-pass-role',
  severity: MicrovmPolicySeverity.ERROR,
  why: 'the principal can give its MicroVMs any role of the account that trusts the service',
  fix: 'name the execution role, with grants.launch() of a launch profile',
  check: (subjects) => everyStatement(subjects)
    .filter(({ statement }) => allows(statement, 'iam:PassRole') && !needsResourceTag(statement) && canPassToLambda(statement)
      && resourcePatterns(statement).some((pattern) => coversAnything(pattern, 'iam', UNHEARD_OF.role)))
    .map((found) => finding(found, 'iam:PassRole is allowed on every role')),
};

export const wildcardPassConnector: Rule = {
  id: 'wildcard-pass-connector',
  severity: MicrovmPolicySeverity.ERROR,
  why: 'the principal can make its MicroVMs public, give them a shell, or place them in any connected network',
  fix: 'name the connectors, with NetworkConnectorPolicy or grants.launch() of a launch profile',
  check: (subjects) => everyStatement(subjects)
    .filter(({ statement }) => allows(statement, 'lambda:PassNetworkConnector') && !needsResourceTag(statement)
      && resourcePatterns(statement).some((pattern) => coversAnything(pattern, 'lambda', UNHEARD_OF.connector)
        || coversAnything(pattern, 'lambda', MANAGED_CONNECTOR)))
    .map((found) => finding(found, 'lambda:PassNetworkConnector is allowed on every connector')),
};

export const artifactRead: Rule = {
  id: 'artifact-read',
  severity: MicrovmPolicySeverity.ERROR,
  why: 'hooks and commands of a build run with this role, and could read all that is in the bucket',
  fix: "allow s3:GetObject on the object of the code alone, as MicrovmImage does; in a CDK app that is the asset's key",
  check: (subjects) => statementsOf(buildRoles(subjects))
    .filter(({ statement }) => READ_OBJECT.some((action) => allows(statement, action)) && resourcePatterns(statement).some(isWholeBucket))
    .map((found) => finding(found, 'the build role can read every object of a bucket')),
};

export const ecrAccess: Rule = {
  id: 'ecr-access',
  severity: MicrovmPolicySeverity.ERROR,
  why: 'the role could use the images of every repository, or change what others build on',
  fix: 'allow pulling from the repositories of the Dockerfile alone, with MicrovmBuildRole and its prop repositories',
  check: (subjects) => statementsOf(passedRoles(subjects)).flatMap((found) => {
    const { statement } = found;
    if (!allows(statement, 'ecr:BatchGetImage') && !(statement.actions ?? []).some(isRepositoryAction)) {
      return [];
    }
    if (allows(statement, 'ecr:DeleteRepository') && allows(statement, 'ecr:PutImage')) {
      return [finding(found, 'the role is allowed ecr:*')];
    }
    return statement.effect === 'Allow' && resourcePatterns(statement).some((pattern) => coversAnything(pattern, 'ecr', 'repository/qz7-unheard-of'))
      ? [finding(found, 'the role is allowed ECR actions on every repository')]
      : [];
  }),
};

interface FoundStatement {
  readonly resource: SynthesizedResource;
  readonly location: string;
  readonly statement: PolicyStatement;
}

/** Every statement of the app that says what identities may do. */
function everyStatement({ identities }: Subjects): FoundStatement[] {
  return [
    ...identities.documents.flatMap(({ resource, location, statements }) => statements.map((statement) => ({ resource, location, statement }))),
    ...identities.all.flatMap(managedByAws),
  ];
}

function statementsOf(identities: Identity[]): FoundStatement[] {
  return identities.flatMap((identity) => [
    ...identity.policies.flatMap(({ resource, location, statements }) => statements.map((statement) => ({ resource, location, statement }))),
    ...managedByAws(identity),
  ]);
}

function managedByAws({ resource, otherPolicyArns }: Identity): FoundStatement[] {
  return otherPolicyArns.flatMap((arn) => managedPolicyOfAws(arn) ?? [])
    .map((statement) => ({ resource, location: 'Properties.ManagedPolicyArns', statement }));
}

function finding({ resource, location }: FoundStatement, message: string): Finding {
  return { resource, location, message };
}

/** A bucket whose objects are all covered, or all that could be code, whatever their keys begin with. */
function isWholeBucket(pattern: string): boolean {
  const [, bucket, key] = /^arn:[^:]*:s3:[^:]*:[^:]*:([^/]*)(?:\/(.*))?$/s.exec(pattern) ?? [];
  if (bucket === undefined) {
    return /^[*?]+$|^arn:[^/]*\*$/.test(pattern);
  }
  return key === undefined ? /\*$/.test(bucket) : covers(key, OBJECT_KEY);
}

/** `ecr:GetAuthorizationToken` is for the whole registry: the service offers no less. */
function isRepositoryAction(action: string): boolean {
  return /^ecr:/i.test(action) && !/^ecr:GetAuthorizationToken$/i.test(action);
}

/** `iam:PassedToService` may say that roles are passed to other services only. A request need not carry it, so `...IfExists` says nothing. */
function canPassToLambda({ conditions }: PolicyStatement): boolean {
  const services = conditions.filter(({ operator, key }) => /^iam:PassedToService$/i.test(key) && /^(ForAnyValue:)?String(Equals|Like)(IgnoreCase)?$/i.test(operator));
  return services.every(({ values }) => values.some((value) => isLambda(value) || covers(value, LAMBDA) || value.includes('$')));
}
