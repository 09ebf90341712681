import { Decision, fail, Limit } from './decision';
import { Request } from './request';
import { LAST_TICKS } from '../../common/handler/limits';
import { ServiceRefusal } from '../../common/handler/service-refusal';
import { lastPart } from '../contract';

/** What a refused call means for the request: a wait, up to the time such a thing takes at most, and then a verdict. */
export function afterRefusal(request: Request, refusal: ServiceRefusal, now: number): Decision {
  const within = (limit: number) => now - request.acceptedAt < limit - LAST_TICKS;
  const wait: Decision = { type: 'wait', why: refusal.summary };
  const give = (hint: string) => fail(`${refusal.operation} for publication '${lastPart(request.root)}' ${refusal.reason}`, hint);
  switch (refusal.refusal) {
    case 'quota':
      return give('SSM allows 10,000 standard parameters in an account and region: delete some, or lower keepRecords');
    case 'denied':
      return within(Limit.IAM_GRACE) ? wait : give('look for a permissions boundary, an SCP or a policy of the organisation that denies it');
    case 'invalid':
      return give('correct what it names and deploy again');
    case 'busy':
      return within(Limit.RECOVERY) ? wait : give('another change of this image did not end in time; deploy again when it has');
    // Somebody else wrote it meanwhile: the next look tells who.
    case 'nameTaken':
    case 'notFound':
    case 'transient':
    case 'runningMicrovms':
      return within(Limit.RECOVERY) ? wait : give('the service did not recover in time; deploy again');
  }
}
