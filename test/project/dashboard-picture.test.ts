import { readFileSync } from 'fs';
import { join } from 'path';
import { evaluate } from '../../tools/dashboard-picture/metric-math';
import { drawDashboard } from '../../tools/dashboard-picture/picture';
import { sampleDashboard } from '../../tools/dashboard-picture/sample-dashboard';

const DAY = 86_400;

test('the picture in the documentation shows the dashboard as it is', () => {
  // `npx tsx tools/dashboard-picture/run.ts` draws it anew.
  expect(drawDashboard(sampleDashboard())).toBe(readFileSync(join(__dirname, '..', '..', 'docs', 'dashboard.svg'), 'utf8'));
});

describe('the metric math of the dashboard', () => {
  const { properties: { metrics } } = sampleDashboard().find(({ properties: { title } }) => /base image/.test(title))!;
  const [{ expression }] = metrics[0] as [{ expression: string }];
  const epochs = Array.from({ length: 6 }, (_, index) => 1_790_000_000 + index * DAY);

  test('has a base image grow older by a day a day, and younger when a build takes a newer one', () => {
    expect(evaluate(expression, { age0: [undefined, 10, undefined, undefined, 2, undefined] }, epochs)).toEqual([undefined, 10, 11, 12, 2, 3]);
  });

  test('is refused when it is not understood', () => {
    expect(() => evaluate('RATE(age0)', { age0: [] }, epochs)).toThrow('RATE');
    expect(() => evaluate('age1', { age0: [] }, epochs)).toThrow('age1');
  });
});
