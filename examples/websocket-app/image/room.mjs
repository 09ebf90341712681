// Everybody in the room sees what everybody says, and who comes later sees what was said before.
const KEPT_MESSAGES = 1000;
const HEARTBEAT_MS = 30_000;

export class Room {
  #history = [];
  #participants = new Map();

  constructor() {
    // Idle is a MicroVM without traffic, and an open but silent connection is none: pings keep a room with people in it awake.
    setInterval(() => this.#heartbeat(), HEARTBEAT_MS).unref();
  }

  join(socket, name) {
    this.#participants.set(socket, { name, answered: true });
    socket.on('pong', () => {
      this.#participants.get(socket).answered = true;
    });
    socket.on('error', () => socket.terminate());
    socket.on('close', () => this.#participants.delete(socket));
    socket.on('message', (data, isBinary) => {
      if (isBinary) {
        socket.close(1003, 'text only');
        return;
      }
      this.#say({ from: name, text: data.toString(), at: new Date().toISOString() });
    });
    for (const message of this.#history) {
      socket.send(JSON.stringify(message));
    }
  }

  /** No connection can be relied on after a suspension. What was said can: it is in the memory that is kept. */
  sendEveryoneOut() {
    for (const socket of this.#participants.keys()) {
      socket.close(1001, 'the room sleeps');
    }
  }

  #say(message) {
    this.#history.push(message);
    this.#history.splice(0, this.#history.length - KEPT_MESSAGES);
    for (const socket of this.#participants.keys()) {
      socket.send(JSON.stringify(message));
    }
  }

  #heartbeat() {
    for (const [socket, participant] of this.#participants) {
      if (!participant.answered) {
        socket.terminate();
        continue;
      }
      participant.answered = false;
      socket.ping();
    }
  }
}
