import { Crash } from '../microvm-image/scripted-service';

export type Moment = 'before' | 'after';

/**
 * Ends a handler in one of the calls it makes, as Lambda does: nothing of it runs on, and the framework is told so. Calls
 * are counted over all ticks of all requests since it was armed.
 */
export class Killer {
  private calls = 0;
  private target?: { readonly call: number; readonly moment: Moment };
  private struck = false;

  /** To strike once, in the n-th call from now, counted from 0. */
  public arm(call: number, moment: Moment): void {
    this.calls = 0;
    this.struck = false;
    this.target = { call, moment };
  }

  /** Whether it struck. It does no more. */
  public disarm(): boolean {
    this.target = undefined;
    return this.struck;
  }

  /** Runs one tick. `watched` wraps the services whose calls count. */
  public async race<T>(tick: (watched: <S extends object>(service: S) => S) => Promise<T>): Promise<T> {
    let crash: () => void;
    const crashed = new Promise<never>((_resolve, reject) => { crash = () => reject(new Crash()); });
    crashed.catch(() => undefined);
    const dies = (moment: Moment, call: number) => {
      const hit = !this.struck && this.target?.call === call && this.target.moment === moment;
      if (hit) {
        this.struck = true;
        crash();
      }
      return hit;
    };
    const watched = <S extends object>(service: S): S => new Proxy(service, {
      get: (target, name) => async (...args: unknown[]) => {
        const call = this.calls++;
        if (dies('before', call)) {
          return new Promise(() => undefined);
        }
        try {
          return await (Reflect.get(target, name) as (...all: unknown[]) => unknown).apply(target, args);
        } finally {
          if (dies('after', call)) {
            await new Promise(() => undefined);
          }
        }
      },
    });
    return Promise.race([tick(watched), crashed]);
  }
}
