import {
  CreateMicrovmAuthTokenCommand, GetMicrovmCommand, LambdaMicrovmsClient, RunMicrovmCommand, TerminateMicrovmCommand,
} from '@aws-sdk/client-lambda-microvms';

const APP_PORT = 8080;

const client = new LambdaMicrovmsClient({});

export interface RoomRequest {
  readonly action: 'open' | 'join' | 'close';
  /** The room to join or to close. */
  readonly room?: string;
}

/** Lets somebody into a room: `new WebSocket(url + '?name=...', protocols)`. A secret, good for a few minutes. */
export interface Ticket {
  readonly room: string;
  readonly url: string;
  readonly protocols: string[];
}

/** Opens rooms, lets people in, closes rooms. A room is a MicroVM, and its id the name of the room. */
export async function handler(request: RoomRequest): Promise<Ticket | undefined> {
  switch (request.action) {
    case 'open': {
      const { microvmId, endpoint } = await client.send(new RunMicrovmCommand(JSON.parse(process.env.MICROVM_LAUNCH!)));
      return ticket(microvmId!, endpoint!);
    }
    case 'join': {
      const { microvmId, endpoint } = await client.send(new GetMicrovmCommand({ microvmIdentifier: roomOf(request) }));
      return ticket(microvmId!, endpoint!);
    }
    case 'close':
      await client.send(new TerminateMicrovmCommand({ microvmIdentifier: roomOf(request) }));
      return undefined;
    default:
      throw new Error(`action must be open, join or close, got ${JSON.stringify(request.action)}`);
  }
}

async function ticket(room: string, endpoint: string): Promise<Ticket> {
  const { authToken } = await client.send(new CreateMicrovmAuthTokenCommand({
    microvmIdentifier: room,
    // Checked when a connection is opened. One that is open outlives it.
    expirationInMinutes: 15,
    // Not the hook port: whoever reaches it can play the service.
    allowedPorts: [{ port: APP_PORT }],
  }));
  return {
    room,
    url: `wss://${endpoint}/`,
    // A browser cannot set the header X-aws-proxy-auth on a WebSocket. The service takes its value from here, and strips it.
    protocols: ['lambda-microvms', `lambda-microvms.authentication.${authToken!['X-aws-proxy-auth']}`, `lambda-microvms.port.${APP_PORT}`],
  };
}

function roomOf({ action, room }: RoomRequest): string {
  if (!room) {
    throw new Error(`room must be given to ${action} one`);
  }
  return room;
}
