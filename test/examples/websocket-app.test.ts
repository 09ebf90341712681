import { ChildProcessWithoutNullStreams, spawn, spawnSync } from 'child_process';
import { EventEmitter, once } from 'events';
import { cpSync, mkdtempSync, rmSync } from 'fs';
import { connect } from 'net';
import { tmpdir } from 'os';
import { join } from 'path';
import { createInterface } from 'readline';
import { App } from 'aws-cdk-lib';
import { testCleanTemplate } from './clean-template';
import { ImageProcess } from './image-process';
import { WebsocketAppStack } from '../../examples/websocket-app/websocket-app-stack';

const EXAMPLE = join(__dirname, '..', '..', 'examples', 'websocket-app');

describe('the template', () => {
  testCleanTemplate(() => new WebsocketAppStack(new App(), 'WebsocketApp'));
});

describe('the room', () => {
  let folder: string;
  let installed: boolean;
  /** As the Dockerfile does. */
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'room-'));
    cpSync(join(EXAMPLE, 'image'), folder, { recursive: true });
    const { status, stderr } = spawnSync('npm', ['ci', '--omit=dev', '--no-audit', '--no-fund'], { cwd: folder, encoding: 'utf8' });
    installed = status === 0;
    if (!installed) {
      process.stderr.write(`SKIPPED: the room of the WebSocket app: npm ci failed: ${stderr}\n`);
    }
  }, 120_000);
  afterAll(() => rmSync(folder, { recursive: true }));

  const participants: Participant[] = [];
  let room: ImageProcess;
  const testInRoom = (name: string, test_: () => Promise<void>) => test(name, async () => {
    if (!installed) {
      return;
    }
    room = await ImageProcess.start(process.execPath, ['server.mjs'], folder);
    try {
      await test_();
    } finally {
      await Promise.all(participants.splice(0).map(async (participant) => participant.leave()));
      await room.stop();
    }
  });
  const enter = (name: string) => {
    const participant = new Participant(name, `ws://${room.host('app')}/`);
    participants.push(participant);
    return participant;
  };

  testInRoom('passes on what is said, and tells who comes later what was said before', async () => {
    expect([await room.hook('ready'), await room.hook('run', '{"microvmId":"microvm-1"}')]).toEqual([200, 200]);
    const ann = enter('ann');
    ann.says('hello');
    await ann.hears('ann: hello');
    const bob = enter('bob');
    await bob.hears('ann: hello');
    bob.says('hello ann');
    await ann.hears('bob: hello ann');
    expect(ann.heard).toEqual(['ann: hello', 'bob: hello ann']);
  });

  testInRoom('sends everyone out before it sleeps, and remembers when it wakes up', async () => {
    await room.hook('run', '{"microvmId":"microvm-1"}');
    const ann = enter('ann');
    ann.says('remember');
    await ann.hears('ann: remember');
    expect(await room.hook('suspend')).toBe(200);
    await ann.hears('(closed) the room sleeps');
    expect(await room.hook('resume')).toBe(200);
    await enter('bob').hears('ann: remember');
  });

  testInRoom('lets nobody in before the run hook: it is a copy of the snapshot until then', async () => {
    const handshake = () => new Promise<string>((resolve) => {
      const [host, port] = room.host('app').split(':');
      const socket = connect(Number(port), host, () => socket.write([
        'GET / HTTP/1.1', 'Host: room', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', '', '',
      ].join('\r\n')));
      socket.once('data', (data) => {
        resolve(data.toString().split('\r\n')[0]);
        socket.destroy();
      });
    });
    expect(await handshake()).toBe('HTTP/1.1 503 Service Unavailable');
    await room.hook('run', '{"microvmId":"microvm-1"}');
    expect(await handshake()).toBe('HTTP/1.1 101 Switching Protocols');
  });

  testInRoom('survives a TLS greeting on the port of the hooks, and knows no other hook', async () => {
    const [host, port] = room.host('hooks').split(':');
    const socket = connect(Number(port), host, () => socket.write(Buffer.from([0x16, 0x03, 0x01, 0x00, 0x05, 0x01])));
    await once(socket, 'close');
    expect([await room.hook('ready'), await room.hook('constructor')]).toEqual([200, 404]);
  });
});

/** The client of the example, with a ticket for a room on this machine. */
class Participant {
  public readonly heard: string[] = [];
  private readonly process: ChildProcessWithoutNullStreams;
  private readonly lines = new EventEmitter();

  constructor(name: string, url: string) {
    // Node 20 has the WebSocket of later versions behind a flag.
    this.process = spawn(process.execPath, ['--no-warnings', '--experimental-websocket', 'client.mjs', name], { cwd: EXAMPLE });
    this.says(JSON.stringify({ url, protocols: ['lambda-microvms', 'lambda-microvms.authentication.t', 'lambda-microvms.port.8080'] }));
    createInterface({ input: this.process.stdout }).on('line', (line) => {
      this.heard.push(line);
      this.lines.emit('line');
    });
  }

  public says(text: string) {
    this.process.stdin.write(`${text}\n`);
  }

  public async hears(line: string): Promise<void> {
    while (!this.heard.includes(line)) {
      await once(this.lines, 'line');
    }
  }

  public async leave(): Promise<void> {
    if (this.process.exitCode === null) {
      const exited = once(this.process, 'exit');
      this.process.kill();
      await exited;
    }
  }
}
