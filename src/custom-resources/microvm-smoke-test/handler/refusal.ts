import { nameOf } from './decide-test';
import { Limit, Step } from './decision';
import { Request } from './request';
import { LAST_TICKS } from '../../common/handler/limits';
import { ServiceRefusal } from '../../common/handler/service-refusal';

/** What a refused call means for the request: a wait, up to the time such a thing takes at most, and then a verdict. */
export function afterRefusal(request: Request, refusal: ServiceRefusal, now: number): Step {
  const wait: Step = { type: 'wait', why: refusal.summary };
  const waited = now - request.acceptedAt;
  if (request.kind === 'sweep') {
    // CloudFormation updates the handler's policy before it deletes a test that left the stack: the image may be out of reach.
    // Nothing is lost. A MicroVM of the test ends by itself soon, and what passed is of interest to nobody any more.
    return waited < Limit.SWEEP && refusal.refusal !== 'denied' ? wait : { type: 'done', why: `not swept: ${refusal.message}` };
  }
  const within = (limit: number) => waited < Math.min(limit, request.timeAllowed - LAST_TICKS);
  const fail = (hint: string): Step => ({
    type: 'fail',
    what: `${nameOf(request)} could not be tested: ${refusal.operation} ${refusal.reason}`,
    hint,
  });
  switch (refusal.refusal) {
    case 'quota':
      return within(Limit.BEFORE_LAUNCH) ? wait
        : fail('terminate MicroVMs, or ask for a higher Service Quota of memory for MicroVMs (L-CD1C0CC4)');
    case 'notFound':
      return within(Limit.READ_LAG) ? wait : fail('the version must be there and ACTIVE when it is tested; deploy again');
    case 'denied':
      return within(Limit.IAM_GRACE) ? wait
        : fail('look for a permissions boundary, an SCP or a policy of the organisation that denies it, and for a trust policy changed by hand');
    case 'invalid':
    case 'nameTaken':
      return fail('correct what it names and deploy again');
    case 'transient':
    case 'busy':
    case 'runningMicrovms':
      return within(Infinity) ? wait : fail('the service did not recover in time; deploy again');
  }
}
