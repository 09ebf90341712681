import { Action, fail, Limit, Outcome } from './decision';
import { RequestIdentity } from './request';
import { ServiceRefusal } from './service-port';
import { LAST_TICKS } from '../../common/handler/limits';

/**
 * What a refused call means for the request.
 *
 * A throw in the handler is a verdict the framework passes on at once, so everything that may yet pass is a wait, up to
 * the time such a thing takes at most.
 */
export function afterRefusal(request: RequestIdentity, refusal: ServiceRefusal, now: number, action?: Action): Outcome {
  const waited = now - request.acceptedAt;
  const within = (limit: number): boolean => waited < Math.min(limit, request.timeAllowed - LAST_TICKS);
  const wait: Outcome = { type: 'wait', why: refusal.summary };
  const give = (hint: string): Outcome => fail(`${refusal.operation} for image '${request.imageName}' ${refusal.reason}`, hint).outcome;

  switch (refusal.refusal) {
    case 'transient':
    case 'notFound':
      return within(Limit.DEADLINE) ? wait : give('the service did not recover in time; deploy again');
    case 'runningMicrovms':
      return within(Limit.DEADLINE) ? wait : give('terminate the MicroVMs of the image and try again');
    case 'busy':
      return within(Limit.DEADLINE) ? wait : give('another change of this image did not end in time; deploy again when it has');
    case 'quota':
      if (action?.type === 'build' && action.inUse !== undefined && !/concurrent/i.test(refusal.message)) {
        return fail(
          `image '${request.imageName}' has as many versions as the service allows, and all that could be deleted are in use: ${action.inUse}`,
          'terminate these MicroVMs, publish fewer versions, or ask for a higher Service Quota of versions per image (L-F8BECE9C)',
        ).outcome;
      }
      return within(/concurrent/i.test(refusal.message) ? Limit.DEADLINE : Limit.RESERVED)
        ? wait
        : give('ask for a higher Service Quota of Lambda MicroVMs (concurrent image builds L-72E0D058, images L-942E56BE, versions per image L-F8BECE9C), or deploy fewer images at once');
    case 'nameTaken':
      return within(Limit.RESERVED) ? wait : give('choose another imageName, or leave it out to get a name of its own');
    case 'denied':
      return within(Limit.IAM_GRACE) ? wait : give(deniedHint(refusal, action));
    case 'invalid':
      return action?.type === 'deleteVersion' ? wait : give('correct what it names and deploy again');
  }
}

function deniedHint(refusal: ServiceRefusal, action?: Action): string {
  if (refusal.message.trim() === '') {
    return 'a denial without a text usually means that Lambda MicroVMs is not offered in this region';
  }
  if (/PassRole/.test(refusal.message)) {
    return 'the deploy-time handler may pass only this build role; look for a permissions boundary or SCP, and for an iam:PassedToService condition, which the service does not satisfy';
  }
  if (/assume/i.test(refusal.message)) {
    const role = action?.type === 'create' || action?.type === 'build' ? `build role ${action.config.buildRoleArn}` : 'role';
    return `the ${role} must trust lambda.amazonaws.com; if its trust policy has an aws:SourceAccount or aws:SourceArn condition, try without (sourceAccountCondition: false)`;
  }
  if (/PassNetworkConnector/.test(refusal.message)) {
    return 'the connector is not one this stack may pass; check the ARN of egressConnector';
  }
  return 'look for a permissions boundary, an SCP or a policy of the organisation that denies it';
}
