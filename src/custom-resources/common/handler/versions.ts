/** Versions are `major.minor` and compare as numbers: `10.0` is after `9.0`. */
export function compareVersions(a: string, b: string): number {
  const [majorA, minorA = 0] = a.split('.').map(Number);
  const [majorB, minorB = 0] = b.split('.').map(Number);
  return majorA - majorB || minorA - minorB;
}
