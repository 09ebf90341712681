import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { MUTATIONS } from '../../tools/mutations/mutations';

const ROOT = path.join(__dirname, '..', '..');

test.each(Object.values(MUTATIONS).flat().map((mutation) => [mutation.breaks, mutation] as const))(
  'the break of "%s" still fits the code', (_breaks, { file, find, replace }) => {
    expect(readFileSync(path.join(ROOT, file), 'utf8').split(find)).toHaveLength(2);
    expect(replace).not.toBe(find);
  });
