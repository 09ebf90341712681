import { isLambda, trustsMicrovms } from './iam-trust';
import { asText } from './intrinsic-functions';
import { Identity } from './policy-documents';
import { Subjects } from './rules/rule';
import { allows, resourcePatterns } from './statements';

/** The roles of the app that images are built with. */
export function buildRoles({ images, identities }: Subjects): Identity[] {
  return distinct(images.map(({ buildRoleArn }) => buildRoleArn === undefined ? undefined : identities.withArn(buildRoleArn)));
}

/** The roles of the app that the service assumes to look after network connectors. */
export function operatorRoles({ app, identities }: Subjects): Identity[] {
  return distinct(app.ofType('AWS::Lambda::NetworkConnector').map(({ properties }) => identities.withArn(asText(properties.OperatorRole))));
}

/**
 * The roles of the app that are passed to MicroVMs: named by an image or a launch, passed by whoever launches, or trusting the service
 * with sessions that have tags, which nothing else in Lambda asks for.
 */
export function passedRoles(subjects: Subjects): Identity[] {
  const { launches, identities } = subjects;
  const named = launches.map(({ executionRoleArn }) => executionRoleArn === undefined ? undefined : identities.withArn(executionRoleArn));
  const tagged = identities.all.filter(({ trust }) => trust.some((statement) => allows(statement, 'sts:TagSession')
    && (statement.principals ?? []).some(({ type, value }) => type === 'Service' && isLambda(value))));
  const operators = operatorRoles(subjects);
  return distinct([...buildRoles(subjects), ...named, ...launchers(subjects).flatMap((launcher) => rolesPassedBy(launcher, subjects)), ...tagged])
    .filter((role) => !operators.includes(role));
}

/**
 * The roles of the app that MicroVMs and builds may have, for those who ask what is possible: beside those that are passed for
 * certain, all that trust the service, but the roles of functions and connectors that nobody passes.
 *
 * @param mayBePassed whether somebody who launches may pass a role to its MicroVMs
 */
export function possibleRoles(subjects: Subjects, mayBePassed: (role: Identity) => boolean): Identity[] {
  const { app, identities } = subjects;
  const ofFunctions = app.ofType('AWS::Lambda::Function').map(({ properties }) => identities.withArn(asText(properties.Role)));
  const passed = passedRoles(subjects);
  const operators = operatorRoles(subjects);
  return identities.all.filter((role) => passed.includes(role) || (
    trustsMicrovms(role.trust) && !operators.includes(role) && (!ofFunctions.includes(role) || mayBePassed(role))
  ));
}

/** Who may launch MicroVMs and does not build images: the roles it passes are execution roles. */
export function launchers({ identities }: Subjects): Identity[] {
  const may = ({ policies }: Identity, action: string) => policies
    .some(({ statements }) => statements.some((statement) => allows(statement, action)));
  return identities.all.filter((identity) => may(identity, 'lambda:RunMicrovm') && !may(identity, 'lambda:CreateMicrovmImage'));
}

/** The roles that a policy of an identity names to be passed, one by one. */
export function rolesPassedBy({ policies }: Identity, { identities }: Subjects): Identity[] {
  return distinct(policies.flatMap(({ statements }) => statements)
    .filter((statement) => allows(statement, 'iam:PassRole'))
    .flatMap(resourcePatterns)
    .map((arn) => identities.withArn(arn)));
}

function distinct(identities: Array<Identity | undefined>): Identity[] {
  return [...new Set(identities.filter((identity): identity is Identity => identity !== undefined))];
}
