const AsyncFunction = (async () => {}).constructor as FunctionConstructor;

/** Just enough of a browser for the script of the terminal's page, which remembers what is done to it. */
export class PageBrowser {
  public readonly left: URL[] = [];
  public readonly requests: Array<{ url: string; options: any }> = [];
  public readonly sockets: any[] = [];
  public readonly written: string[] = [];
  public readonly button: any = { disabled: true };
  public readonly status: any = {};
  public type!: (keys: string) => void;
  private readonly storage = new Map<string, string>();

  /**
   * @param script the script, a module without imports
   * @param replies what the URLs answer
   * @param connects which of the attempts to open a WebSocket succeed
   */
  constructor(private readonly script: string, private readonly replies: Record<string, unknown>, private readonly connects: boolean[] = [true]) {}

  /** Resolves when the page is ready or has been left. */
  public async visit(href: string): Promise<void> {
    const { button, status, requests, sockets, written, storage, left, connects, replies } = this;
    const typing = (type: (keys: string) => void) => { this.type = type; };
    const elements: Record<string, unknown> = { open: button, status, screen: { replaceChildren() {} } };
    await new Promise<void>((resolve, reject) => {
      const globals = {
        location: { origin: 'https://page.example.com', href, assign: (url: string) => { left.push(new URL(url)); resolve(); } },
        history: { replaceState() {} },
        sessionStorage: {
          getItem: (key: string) => storage.get(key) ?? null,
          setItem: (key: string, value: string) => storage.set(key, value),
          removeItem: (key: string) => storage.delete(key),
        },
        document: { getElementById: (id: string) => elements[id] },
        fetch: async (url: string, options: any) => {
          requests.push({ url, options });
          return { ok: true, json: async () => replies[url] };
        },
        setTimeout: (next: () => void) => queueMicrotask(next),
        WebSocket: class {
          public sent: string[] = [];
          constructor(public url: string, public protocols: string[]) {
            const opens = connects[sockets.push(this) - 1];
            queueMicrotask(() => opens ? (this as any).onopen() : (this as any).onerror());
          }
          public send(bytes: Uint8Array) {
            this.sent.push(Buffer.from(bytes).toString());
          }
        },
        globalThis: {
          Terminal: class {
            public onData = typing;
            public open() {}
            public focus() {}
            public write(data: string | Uint8Array) {
              written.push(Buffer.from(data as Uint8Array).toString());
            }
          },
        },
      };
      new AsyncFunction(...Object.keys(globals), this.script)(...Object.values(globals)).then(resolve, reject);
    });
  }
}
