// Serves the page. It needs no permission, so it has a function of its own.
import { readFileSync } from 'node:fs';

const { CLIENT_ID, LOGIN_URL, AWS_REGION } = process.env;
const CDN = 'https://cdn.jsdelivr.net';

const read = (name) => readFileSync(new URL(name, import.meta.url), 'utf8')
  .replaceAll('{{CLIENT_ID}}', CLIENT_ID)
  .replaceAll('{{LOGIN_URL}}', LOGIN_URL);

const FILES = {
  '/': { type: 'text/html; charset=utf-8', body: read('terminal.html') },
  '/terminal.js': { type: 'text/javascript; charset=utf-8', body: read('terminal.js') },
};

const POLICY = [
  "default-src 'none'",
  `script-src 'self' ${CDN}`,
  `style-src 'unsafe-inline' ${CDN}`,
  `connect-src 'self' ${LOGIN_URL} wss://*.lambda-microvm.${AWS_REGION}.on.aws`,
  "frame-ancestors 'none'",
].join('; ');

export async function handler({ rawPath }) {
  const file = Object.hasOwn(FILES, rawPath) ? FILES[rawPath] : undefined;
  return file
    ? { statusCode: 200, headers: { 'content-type': file.type, 'content-security-policy': POLICY, 'referrer-policy': 'no-referrer' }, body: file.body }
    : { statusCode: 404, body: 'not found' };
}
