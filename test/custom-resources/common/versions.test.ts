import * as fc from 'fast-check';
import { compareVersions } from '../../../src/custom-resources/common/handler/versions';

describe('versions', () => {
  test.each([['9.0', '10.0'], ['1.0', '2.0'], ['1.9', '1.10'], ['0.0', '1.0'], ['99.9', '100.0']])('%s comes before %s', (earlier, later) => {
    expect(compareVersions(earlier, later)).toBeLessThan(0);
    expect(compareVersions(later, earlier)).toBeGreaterThan(0);
  });

  test('a bare number is its .0', () => {
    expect(compareVersions('2', '2.0')).toBe(0);
    expect(compareVersions('2', '1.5')).toBeGreaterThan(0);
  });

  test('sort as pairs of numbers', () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.nat({ max: 200 }), fc.nat({ max: 20 }))), (pairs) => {
      const sorted = [...pairs].sort(([a, b], [c, d]) => a - c || b - d).map(([major, minor]) => `${major}.${minor}`);
      expect(pairs.map(([major, minor]) => `${major}.${minor}`).sort(compareVersions)).toEqual(sorted);
    }));
  });
});
