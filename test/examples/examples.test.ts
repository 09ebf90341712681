import { existsSync, readdirSync, readFileSync } from 'fs';
import { join } from 'path';

const ROOT = join(__dirname, '..', '..');
/** An app of several stacks, for a team that builds images for others; test/iam/golden-images.test.ts judges its permissions. */
const OF_SEVERAL_STACKS = ['golden-image'];
const EXAMPLES = readdirSync(join(ROOT, 'examples'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !OF_SEVERAL_STACKS.includes(entry.name)).map(({ name }) => name);

describe.each(EXAMPLES)('examples/%s', (name) => {
  const folder = join(ROOT, 'examples', name);
  const text = (...file: string[]) => readFileSync(join(...file), 'utf8');

  test('is a whole app, with tests of its template and of its permissions', () => {
    for (const file of ['app.ts', 'cdk.json', `${name}-stack.ts`, 'image/Dockerfile', 'README.md']) {
      expect([file, existsSync(join(folder, file))]).toEqual([file, true]);
    }
    expect(existsSync(join(__dirname, `${name}.test.ts`))).toBe(true);
    expect(existsSync(join(ROOT, 'test', 'iam', `${name}-example.test.ts`))).toBe(true);
  });

  test('says what it costs, how to deploy it and how to get rid of it, and is found from the README', () => {
    const readme = text(folder, 'README.md');
    expect(readme).toMatch(/^## What it costs$/m);
    expect(readme).toMatch(/^    npx aws-cdk@2 deploy$/m);
    expect(readme).toMatch(/^    npx aws-cdk@2 destroy$/m);
    expect(text(ROOT, 'README.md')).toContain(`/examples/${name}): `);
  });

  test('its README names files that are there, and outputs that the stack has', () => {
    const readme = text(folder, 'README.md');
    const files = [...readme.matchAll(/`([\w-]+(?:\/|\.(?:ts|mjs|py)))`/g)].map(([, file]) => file);
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) {
      expect([file, existsSync(join(folder, file))]).toEqual([file, true]);
    }
    const outputs = text(folder, `${name}-stack.ts`).match(/new CfnOutput\(this, '\w+'/g)!.map((output) => output.split("'")[1]);
    for (const [, output] of readme.matchAll(/<([A-Z]\w+)>/g)) {
      expect(outputs).toContain(output);
    }
  });
});
