import { Decision, fail, Limit } from './decision';
import { Request } from './request';
import { ServiceRefusal } from '../../common/handler/service-refusal';
import { lastPart } from '../contract';

/** The service answers the last tick before the deadline too, so that the error can say what it kept answering. */
const LAST_TICKS = 10_000;

/** What a refused call means for the request: a wait, up to the time such a thing takes at most, and then a verdict. */
export function afterRefusal(request: Request, refusal: ServiceRefusal, now: number): Decision {
  const within = (limit: number) => now - request.acceptedAt < limit - LAST_TICKS;
  const wait: Decision = { type: 'wait', why: `${refusal.operation} refused (${refusal.refusal}): ${refusal.message}` };
  const give = (hint: string) => fail(
    `${refusal.operation} for publication '${lastPart(request.root)}' was refused: ${refusal.message || 'no reason given'}`, hint,
  );
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
