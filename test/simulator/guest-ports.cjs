// Loaded into every Node process of a guest before its own code. Guests listen on the ports their images know, and several run on
// one machine: each listener gets a free port of the loopback address instead, whatever address it asked for, and a file named
// after the port it wanted says which. Connections of the guest to itself find their way by the same files.
'use strict';
const { readFileSync, rmSync, writeFileSync } = require('node:fs');
const net = require('node:net');
const path = require('node:path');

const LOOPBACK = '127.0.0.1';
const ITSELF = new Set([undefined, null, '', 'localhost', LOOPBACK, '::1', '0.0.0.0', '::']);
const fileOf = (port) => path.join(process.env.MICROVM_PORTS, String(port));
const taken = new Set();

/** The options of a listen on a port; undefined for a socket file or a handle. */
function listenOptions([first, second]) {
  if (typeof first === 'object' && first !== null) {
    return 'port' in first ? { ...first, port: Number(first.port ?? 0) } : undefined;
  }
  const port = first === undefined || first === null || typeof first === 'function' ? 0 : Number(first);
  return Number.isInteger(port) ? { port, host: typeof second === 'string' ? second : undefined } : undefined;
}

const { listen } = net.Server.prototype;
net.Server.prototype.listen = function (...args) {
  const options = listenOptions(args);
  if (!options) {
    return listen.apply(this, args);
  }
  const { port: wanted, host } = options;
  if (taken.has(wanted)) {
    const error = new Error(`listen EADDRINUSE: address already in use ${host ?? '::'}:${wanted}`);
    process.nextTick(() => this.emit('error', Object.assign(error, { code: 'EADDRINUSE', syscall: 'listen', address: host ?? '::', port: wanted })));
    return this;
  }
  if (wanted !== 0) {
    taken.add(wanted);
  }
  this.prependOnceListener('listening', () => {
    const { port: given } = this.address();
    const file = fileOf(wanted || given);
    writeFileSync(file, String(given));
    this.once('close', () => {
      taken.delete(wanted);
      rmSync(file, { force: true });
    });
  });
  const callback = args.find((each) => typeof each === 'function');
  return listen.call(this, { ...options, port: 0, host: LOOPBACK }, ...(callback ? [callback] : []));
};

/** Where a connection really goes. */
function redirected(options) {
  if (options?.port === undefined || !ITSELF.has(options.host)) {
    return options;
  }
  try {
    return { ...options, host: LOOPBACK, port: Number(readFileSync(fileOf(options.port), 'utf8')) };
  } catch {
    return options;
  }
}

const { connect } = net.Socket.prototype;
net.Socket.prototype.connect = function (...args) {
  const [first] = args;
  if (Array.isArray(first)) {
    // What net.connect() makes of its arguments.
    first[0] = redirected(first[0]);
    return connect.apply(this, args);
  }
  if (typeof first === 'object' && first !== null) {
    return connect.call(this, redirected(first), ...args.slice(1));
  }
  const port = Number(first);
  if (!Number.isInteger(port)) {
    return connect.apply(this, args);
  }
  const rest = args.slice(typeof args[1] === 'string' ? 2 : 1);
  return connect.call(this, redirected({ port, host: typeof args[1] === 'string' ? args[1] : undefined }), ...rest);
};
