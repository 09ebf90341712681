/** CloudFormation allows 4,096 bytes for a whole response; ours shares it with ids, attributes and the framework's hint. */
export const MAX_BYTES = 1_500;
/** Shorter values, such as a port or a stage, are in every other line. */
const MIN_SECRET = 6;

/** A verdict: what is wrong, and what to do. One line. */
export function describeFailure(what: string, hint: string, secrets: string[] = []): string {
  const advice = `Hint: ${oneLine(hint)}.`;
  const sentence = redact(what, secrets).replace(/\.$/, '');
  return `${cut(sentence.charAt(0).toUpperCase() + sentence.slice(1), MAX_BYTES - Buffer.byteLength(`. ${advice}`))}. ${advice}`;
}

/** Replaces secrets, the longest first and those of several lines line by line, and folds the text into one line. */
export function redact(text: string, secrets: string[]): string {
  return secrets
    .flatMap((secret) => [secret, ...secret.split(/\r?\n/)])
    .map(oneLine)
    .filter((secret) => secret.length >= MIN_SECRET)
    .sort((a, b) => b.length - a.length)
    .reduce((clean, secret) => clean.split(secret).join('***'), oneLine(text));
}

/** At most so many bytes of the start or the end of a text, in whole characters. */
export function cut(text: string, bytes: number, keep: 'start' | 'end' = 'start'): string {
  if (Buffer.byteLength(text) <= bytes) {
    return text;
  }
  const characters = keep === 'start' ? [...text] : [...text].reverse();
  let room = bytes - Buffer.byteLength('...');
  const kept = characters.slice(0, characters.findIndex((character) => (room -= Buffer.byteLength(character)) < 0));
  return keep === 'start' ? `${kept.join('')}...` : `...${kept.reverse().join('')}`;
}

export function oneLine(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/\u001b\[[0-9;]*m/g, '').replace(/[\s\u0000-\u001f]+/g, ' ').trim();
}
