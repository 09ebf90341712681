import * as path from 'node:path';
import type { ScriptedRequest, ScriptedResponse } from '../../test/simulator';
import { claimPort, LOOPBACK } from '../processes/loopback';
import { SupervisedProcess } from '../processes/supervised-process';

const POLLS = 50;
const POLL_INTERVAL_MS = 100;

/**
 * Plays the inside of one running MicroVM: the app of the image, started on this machine instead of from a snapshot.
 *
 * The app takes its addresses from HOST, PORT and HOOK_PORT, and answers `ready` and `run` as the service asks it to.
 */
export class LocalGuest {
  public static async start(imageFolder: string, microvmId: string): Promise<LocalGuest> {
    const [port, hookPort] = [await claimPort(), await claimPort()];
    const guest = new LocalGuest(imageFolder, port, hookPort);
    await guest.hook('ready');
    await guest.hook('run', JSON.stringify({ microvmId, runHookPayload: '' }));
    return guest;
  }

  private readonly process: SupervisedProcess;

  private constructor(imageFolder: string, private readonly port: number, private readonly hookPort: number) {
    this.process = new SupervisedProcess(process.execPath, [path.join(imageFolder, 'server.mjs')], {
      cwd: imageFolder,
      env: { PATH: process.env.PATH, HOST: LOOPBACK, PORT: String(port), HOOK_PORT: String(hookPort) },
    });
  }

  public async answer(request: ScriptedRequest): Promise<ScriptedResponse> {
    const response = await fetch(`http://${LOOPBACK}:${this.port}${request.path}`, {
      method: request.method,
      body: request.body || undefined,
      headers: { 'content-type': 'application/json' },
    });
    return { status: response.status, headers: { 'content-type': 'application/json' }, body: await response.text() };
  }

  public async stop(): Promise<void> {
    await this.process.stop();
  }

  private async hook(name: string, body = ''): Promise<void> {
    const url = `http://${LOOPBACK}:${this.hookPort}/aws/lambda-microvms/runtime/v1/${name}`;
    for (let poll = 0; poll < POLLS && this.process.isRunning; poll++) {
      if (await fetch(url, { method: 'POST', body }).then((response) => response.ok, () => false)) {
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
    }
    throw new Error(`the app did not answer the ${name} hook:\n${this.process.lines.join('\n')}`);
  }
}
