import { Limit, Observation, Step } from './decision';
import { Request, TestRequest } from './request';
import { Answer, CheckResult, MicrovmView, Response } from './service-port';

/** Answers of the proxy in front of a MicroVM that is not there yet, and of an app that asks for patience. */
const NOT_YET = [429, 502, 503, 504];
/** How the service calls an end that somebody asked for. */
const ASKED_FOR = /^success\.?$/i;
const MAX_BODY = 300;

export function decide(request: Request, seen: Observation, now: number): Step {
  return request.kind === 'sweep' || seen.passed.includes(request.entry)
    ? decideSweep(request, seen, now)
    : decideTest(request, seen, now);
}

/** Leave no MicroVM of this test, whoever launched it. */
function decideSweep(request: Request, { microvms }: Observation, now: number): Step {
  const running = microvms.filter(({ state }) => state !== 'TERMINATING');
  if (running.length > 0) {
    return terminate(running, 'MicroVMs of this test still run');
  }
  // The service ends what is left by itself, when its time is over.
  return microvms.length > 0 && now - request.acceptedAt < Limit.SWEEP + (request.kind === 'test' ? request.timeAllowed : 0)
    ? { type: 'wait', why: `${microvms.length} MicroVMs are terminating` }
    : { type: 'done', why: request.kind === 'sweep' ? 'no MicroVM of this test runs' : `version ${request.test.imageVersion} passed` };
}

function decideTest(request: TestRequest, seen: Observation, now: number): Step {
  const leftovers = seen.microvms.filter((microvm) => microvm.state !== 'TERMINATING' && !isOf(request, microvm));
  if (leftovers.length > 0) {
    return terminate(leftovers, 'an earlier run was killed');
  }
  const microvm = seen.launched ?? seen.microvms.find((each) => isOf(request, each));
  if (microvm === undefined) {
    return { type: 'launch' };
  }
  if (microvm.state === 'TERMINATED' || microvm.state === 'TERMINATING') {
    return decideEnded(request, microvm, now);
  }
  if (seen.answer === undefined) {
    return { type: 'call', microvm };
  }
  return request.test.checkFunctionArn === undefined
    ? judgeAnswer(request, microvm, seen.answer, now)
    : judgeCheck(request, microvm, seen.answer, seen.check, now);
}

/** One that ended when somebody asked for it may have been ended by an earlier tick: its note may not show yet. */
function decideEnded(request: TestRequest, microvm: MicrovmView, now: number): Step {
  const reason = microvm.stateReason ?? '';
  if ((microvm.state === 'TERMINATING' || ASKED_FOR.test(reason)) && now - request.acceptedAt < request.timeAllowed) {
    return { type: 'wait', why: 'the MicroVM has ended' };
  }
  return {
    type: 'fail',
    what: `${nameOf(request)} failed its smoke test: MicroVM ${microvm.microvmId} ended before it answered: ${reason || 'the service gave no reason'}`,
    hint: 'its main process must not exit, and its run hook must answer 200',
  };
}

function judgeAnswer(request: TestRequest, microvm: MicrovmView, answer: Answer, now: number): Step {
  const { path, status, bodyContains } = request.test.http!;
  const call = `GET ${path} on port ${request.test.port}`;
  const response = responseOf(answer);
  if (response === undefined) {
    return awaitAnswer(request, microvm, answer, now);
  }
  const fail = (what: string): Step => ({
    type: 'fail',
    microvm,
    what: `${nameOf(request)} failed its smoke test: ${call} answered ${what}`,
    hint: 'correct the app, or what the smoke test expects of it',
  });
  if (response.status !== status) {
    return fail(`${response.status} instead of ${status}: ${quote(response.body)}`);
  }
  return bodyContains === undefined || response.body.includes(bodyContains)
    ? { type: 'pass', microvm }
    : fail(`${status} without ${quote(bodyContains)} in the body: ${quote(response.body)}`);
}

/** Any answer of the app shows that the function can begin. */
function judgeCheck(request: TestRequest, microvm: MicrovmView, answer: Answer, check: CheckResult | undefined, now: number): Step {
  if (responseOf(answer) === undefined) {
    return awaitAnswer(request, microvm, answer, now);
  }
  if (check === undefined) {
    return { type: 'check', microvm };
  }
  return check.error === undefined ? { type: 'pass', microvm } : {
    type: 'fail',
    microvm,
    what: `${nameOf(request)} failed its smoke test: function ${request.test.checkFunctionArn!.split(':function:').pop()} said: ${quote(check.error)}`,
    hint: 'correct the app, or what the function expects of it',
  };
}

/** Undefined: the MicroVM or the app is not there yet. */
function responseOf(answer: Answer): Response | undefined {
  return answer.type === 'silence' || NOT_YET.includes(answer.status) ? undefined : answer;
}

function awaitAnswer(request: TestRequest, microvm: MicrovmView, answer: Answer, now: number): Step {
  const got = answer.type === 'silence' ? answer.why : `HTTP ${answer.status} ${quote(answer.body)}`;
  if (now - microvm.startedAt < request.test.timeoutSeconds * 1_000) {
    return { type: 'wait', why: `no answer yet: ${got}` };
  }
  const call = `${request.test.http?.path ?? '/'} on port ${request.test.port}`;
  return {
    type: 'fail',
    microvm,
    what: `${nameOf(request)} failed its smoke test: it did not answer ${call} within ${request.test.timeoutSeconds} seconds; last: ${got}`,
    hint: 'the app must listen on this port; if it needs longer, raise the timeout of the smoke test',
  };
}

/** Any other was left by a run that was killed. */
function isOf(request: TestRequest, { imageVersion, startedAt }: MicrovmView): boolean {
  return imageVersion === request.test.imageVersion && startedAt >= request.acceptedAt - Limit.SKEW;
}

function terminate(microvms: MicrovmView[], why: string): Step {
  return { type: 'terminate', microvmIds: microvms.map(({ microvmId }) => microvmId), why };
}

export function nameOf({ test, imageName }: Request): string {
  return `version ${test.imageVersion} of MicroVM image '${imageName}'`;
}

function quote(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line === '' ? 'an empty body' : `'${line.slice(0, MAX_BODY)}${line.length > MAX_BODY ? '...' : ''}'`;
}
