// Signs in (authorization code with PKCE), asks the broker for a MicroVM, and connects the screen to its shell.
const CLIENT_ID = '{{CLIENT_ID}}';
const LOGIN_URL = '{{LOGIN_URL}}';
const PAGE = `${location.origin}/`;
const COLUMNS = 120;
const ROWS = 36;
const ATTEMPTS = 60;

const button = document.getElementById('open');
const status = document.getElementById('status');

// In memory only: a token in the browser's storage is there for every script of this origin, for as long as it is good.
const accessToken = await signIn();
status.textContent = '';
button.disabled = false;
button.onclick = () => openTerminal().catch((error) => {
  status.textContent = String(error);
  button.disabled = false;
});

async function openTerminal() {
  button.disabled = true;
  status.textContent = 'Launching ...';
  const response = await fetch('/terminals', { method: 'POST', headers: { authorization: `Bearer ${accessToken}` } });
  if (!response.ok) {
    throw new Error(`no MicroVM: HTTP ${response.status}`);
  }
  const { url, protocols } = await response.json();
  const socket = await connected(url, protocols);
  status.textContent = 'Connected';

  const terminal = new globalThis.Terminal({ cols: COLUMNS, rows: ROWS, cursorBlink: true });
  document.getElementById('screen').replaceChildren();
  terminal.open(document.getElementById('screen'));
  terminal.focus();
  const encoder = new TextEncoder();
  terminal.onData((keys) => socket.send(encoder.encode(keys)));
  socket.onmessage = ({ data }) => {
    // The first frame is about the session, the others are what the shell prints.
    if (typeof data === 'string' && data.startsWith('{') && data.includes('session_init')) {
      return;
    }
    terminal.write(typeof data === 'string' ? data : new Uint8Array(data));
  };
  socket.onclose = () => {
    status.textContent = 'Closed. The MicroVM ends when nobody has used it for 15 minutes.';
    button.disabled = false;
  };
  // The size is fixed. The shell has to be told.
  socket.send(encoder.encode(`stty cols ${COLUMNS} rows ${ROWS}; clear\r`));
}

/** A MicroVM that starts answers 502 for a second or two. Trying is the way to find out. */
async function connected(url, protocols) {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const socket = new WebSocket(url, protocols);
    socket.binaryType = 'arraybuffer';
    if (await new Promise((resolve) => {
      socket.onopen = () => resolve(true);
      socket.onerror = () => resolve(false);
    })) {
      return socket;
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error('the MicroVM does not answer');
}

async function signIn() {
  const answer = new URL(location.href).searchParams;
  const { state, verifier } = JSON.parse(sessionStorage.getItem('signIn') ?? '{}');
  if (!answer.has('code') || answer.get('state') !== state) {
    return leaveToSignIn();
  }
  sessionStorage.removeItem('signIn');
  history.replaceState(null, '', PAGE);
  const response = await fetch(`${LOGIN_URL}/oauth2/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code', client_id: CLIENT_ID, code: answer.get('code'), redirect_uri: PAGE, code_verifier: verifier,
    }),
  });
  return response.ok ? (await response.json()).access_token : leaveToSignIn();
}

async function leaveToSignIn() {
  const verifier = base64Url(crypto.getRandomValues(new Uint8Array(48)));
  const state = base64Url(crypto.getRandomValues(new Uint8Array(16)));
  sessionStorage.setItem('signIn', JSON.stringify({ state, verifier }));
  const challenge = base64Url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))));
  location.assign(`${LOGIN_URL}/oauth2/authorize?${new URLSearchParams({
    response_type: 'code',
    client_id: CLIENT_ID,
    redirect_uri: PAGE,
    scope: 'openid',
    state,
    code_challenge: challenge,
    code_challenge_method: 'S256',
  })}`);
  return new Promise(() => {});
}

function base64Url(bytes) {
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
