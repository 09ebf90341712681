import { readFileSync } from 'fs';
import { join } from 'path';

const ROOT = join(__dirname, '..', '..');

test('the guide shows the very test that runs in the example', () => {
  const [, shown] = /```ts\n(import [\s\S]*?)```/.exec(readFileSync(join(ROOT, 'docs', 'policy-tests.md'), 'utf8'))!;
  expect(shown).toBe(readFileSync(join(ROOT, 'examples', 'sandbox', 'policy.test.ts'), 'utf8'));
});
