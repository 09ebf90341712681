import { decide, nameOf } from './decide-test';
import { Limit, maximumDurationSeconds, Observation, Step } from './decision';
import { afterRefusal } from './refusal';
import { Request, TestRequest } from './request';
import { MicrovmView, ServicePort } from './service-port';
import { cut, describeFailure, redact } from '../../common/handler/failure-text';
import { ServiceRefusal } from '../../common/handler/service-refusal';
import { Log, Verdict } from '../../common/handler/verdict';

/** How many versions the tag of a test holds: a value has 256 characters. */
const VERSIONS_NOTED = 12;
const MAX_LOG_BYTES = 500;
/** A function as a check begins when the app answers anything at all. */
const KNOCK = { path: '/', status: 200 };

/**
 * One tick: observe, then step by step until there is something to wait for. Everything it learns comes from the service,
 * so a tick can be repeated or lost.
 */
export class Driver {
  constructor(private readonly service: ServicePort, private readonly clock: () => number, private readonly write: Log) {}

  /**
   * Whether the request is done.
   *
   * @throws Verdict when it has failed for good.
   */
  public async tick(request: Request): Promise<boolean> {
    const { step, seen } = await this.run(request);
    this.log(request, { outcome: step.type, why: 'why' in step ? step.why : step.type === 'fail' ? step.what : undefined });
    if (step.type !== 'fail') {
      return step.type === 'done';
    }
    const lines = await this.lastLines(request, step.microvm ?? seen?.launched);
    throw new Verdict(describeFailure(`${step.what}${lines}`, step.hint, secretsOf(request)));
  }

  private async run(request: Request): Promise<{ step: Step; seen?: Observation }> {
    let seen: Observation | undefined;
    try {
      seen = await this.observe(request);
      for (;;) {
        const step = decide(request, seen, this.clock());
        this.log(request, { step: step.type, microvms: seen.microvms.map(({ microvmId, state }) => `${microvmId} ${state}`) });
        const next = await this.take(request, seen, step);
        if (next === undefined) {
          return { step, seen };
        }
        if ('type' in next) {
          return { step: next, seen };
        }
        seen = next;
      }
    } catch (error) {
      return { step: this.afterError(request, error), seen };
    }
  }

  /** What is known after the step, or what it leads to. Undefined: the step was the last one. */
  private async take(request: Request, seen: Observation, step: Step): Promise<Observation | Step | undefined> {
    const { test } = request;
    switch (step.type) {
      case 'launch': {
        const launched = await this.service.launch(test, maximumDurationSeconds(test.timeoutSeconds), (request as TestRequest).clientToken);
        return { ...seen, launched };
      }
      case 'call':
        return { ...seen, launched: step.microvm, answer: await this.service.callApp(step.microvm, test.port, test.http ?? KNOCK) };
      case 'check':
        return { ...seen, check: await this.service.invokeCheck(test.checkFunctionArn!, step.microvm, test) };
      case 'terminate':
        for (const microvmId of step.microvmIds) {
          await this.service.terminate(microvmId);
        }
        return { type: 'wait', why: step.why };
      case 'pass': {
        const noted = await this.note(request as TestRequest, seen);
        await this.service.terminate(step.microvm.microvmId);
        // Without the note nobody would know at the next tick why the MicroVM has gone.
        return noted ? { type: 'wait', why: 'passed; the MicroVM is terminating' } : { type: 'done', why: 'passed' };
      }
      case 'fail':
        if (step.microvm !== undefined) {
          await this.service.terminate(step.microvm.microvmId);
        }
        return undefined;
      case 'wait':
      case 'done':
        if (step.type === 'done' && request.kind === 'sweep') {
          await this.forget(request);
        }
        return undefined;
    }
  }

  private async observe(request: Request): Promise<Observation> {
    const { imageArn, executionRoleArn, timeoutSeconds } = request.test;
    const tags = await this.service.getTags(imageArn);
    const since = this.clock() - maximumDurationSeconds(timeoutSeconds) * 1_000 - Limit.SWEEP;
    return {
      passed: (tags?.[request.tag] ?? '').split(' ').filter(Boolean),
      microvms: await this.service.listMicrovms(imageArn, executionRoleArn, since),
    };
  }

  /**
   * False when the image takes no tags now, because somebody else builds it. The version passed all the same; to roll back
   * to it would test it once more.
   */
  private async note(request: TestRequest, { passed }: Observation): Promise<boolean> {
    const entries = [request.entry, ...passed.filter((entry) => entry !== request.entry)].slice(0, VERSIONS_NOTED);
    return this.tolerating(request, ['busy', 'denied', 'invalid'], async () => this.service.tag(request.test.imageArn, { [request.tag]: entries.join(' ') }));
  }

  private async forget(request: Request): Promise<void> {
    await this.tolerating(request, ['busy', 'denied', 'invalid', 'notFound'], async () => this.service.untag(request.test.imageArn, [request.tag]));
  }

  private async tolerating(request: Request, refusals: string[], work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (error instanceof ServiceRefusal && refusals.includes(error.refusal)) {
        this.log(request, { warning: 'the tag of the test could not be written', refused: error.message });
        return false;
      }
      throw error;
    }
  }

  private afterError(request: Request, error: unknown): Step {
    if (error instanceof ServiceRefusal) {
      return afterRefusal(request, error, this.clock());
    }
    const message = error instanceof Error ? error.message : String(error);
    this.log(request, { error: message, stack: error instanceof Error ? error.stack : undefined });
    return afterRefusal(request, new ServiceRefusal('transient', 'The smoke test', message), this.clock());
  }

  /** Evidence decorates an error; without it the error must still get out. */
  private async lastLines(request: Request, microvm: MicrovmView | undefined): Promise<string> {
    if (microvm === undefined) {
      return '';
    }
    const { logGroup } = request.test;
    try {
      const lines = await this.service.tailLog(logGroup, microvm.microvmId, microvm.startedAt - Limit.SKEW);
      return lines.length === 0
        ? `. Log group ${logGroup} has no line of the MicroVM`
        : `. Log group ${logGroup} ends: ${cut(redact(lines.join(' | '), secretsOf(request)), MAX_LOG_BYTES, 'end')}`;
    } catch (error) {
      this.log(request, { warning: 'log not read', error: error instanceof Error ? error.message : String(error) });
      return `. Log group ${logGroup} could not be read`;
    }
  }

  private log(request: Request, entry: Record<string, unknown>): void {
    const clean = (value: unknown) => (typeof value === 'string' ? redact(value, secretsOf(request)) : value);
    this.write({
      requestId: request.requestId,
      test: nameOf(request),
      ...Object.fromEntries(Object.entries(entry).map(([key, value]) => [key, clean(value)])),
    });
  }
}

/** What the app is handed is the user's business. */
function secretsOf({ test }: Request): string[] {
  return test.runHookPayload === undefined ? [] : [test.runHookPayload];
}
