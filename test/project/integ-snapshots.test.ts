import { readdirSync, readFileSync } from 'node:fs';
import * as path from 'node:path';

const INTEG = path.join(__dirname, '..', '..', 'integ');
const files = readdirSync(INTEG, { recursive: true, encoding: 'utf8' }).filter((file) => file.includes('.snapshot') && file.endsWith('.json'));

test('there are snapshots', () => expect(files.length).toBeGreaterThan(10));

test.each(files)('%s says nothing of the machine it was made on', (file) => {
  const text = readFileSync(path.join(INTEG, file), 'utf8');
  expect(text).not.toMatch(/aws:cdk:creationStack|"trace"/);
  expect(text).not.toMatch(/"(?:file:\/\/)?(?:\/(?:home|root|tmp|work|Users|private|var\/folders)\/|[A-Z]:\\\\)/);
});
