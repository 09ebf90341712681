import { Duration, Lazy, Size } from 'aws-cdk-lib';
import * as fc from 'fast-check';
import { MicrovmCostEstimate, MicrovmCostEstimateProps, MicrovmMemory } from '../../src';

const amount = fc.double({ min: 0.001, max: 1_000, noNaN: true });
const count = fc.integer({ min: 1, max: 1_000 });
const anyProps = fc.record({
  prices: fc.record({ vcpuSecond: amount, gbSecond: amount, snapshotReadGb: amount, snapshotWriteGb: amount, snapshotStorageGbHour: amount }),
  snapshotSize: fc.integer({ min: 1, max: 65_536 }).map(Size.mebibytes),
  memory: fc.constantFrom(MicrovmMemory.MIB_512, MicrovmMemory.MIB_2048, MicrovmMemory.MIB_8192),
  keepVersions: count,
  buildsPerMonth: count,
  runsPerMonth: count,
  runDuration: count.map(Duration.seconds),
  suspendsPerRun: fc.integer({ min: 1, max: 20 }),
  suspendedDuration: count.map(Duration.seconds),
});

const PARTS = ['versionStorage', 'compute', 'snapshotReads', 'snapshotWrites', 'suspendedStorage'] as const;
type Part = typeof PARTS[number];
type Props = Required<MicrovmCostEstimateProps>;

const closeTo = (actual: number, expected: number) => expect(Math.abs(actual - expected)).toBeLessThanOrEqual(1e-9 * Math.abs(expected));
const twice = (duration: Duration) => Duration.seconds(2 * duration.toSeconds());

/** The formula of docs/cost.md: how often doubling an input doubles each part; what is not named does not move. */
const DOUBLED: Array<[input: string, double: (props: Props) => Partial<Props>, moves: Part[]]> = [
  ['snapshotSize', ({ snapshotSize }) => ({ snapshotSize: Size.mebibytes(2 * snapshotSize.toMebibytes()) }), ['versionStorage', 'snapshotReads', 'snapshotWrites', 'suspendedStorage']],
  ['runsPerMonth', ({ runsPerMonth }) => ({ runsPerMonth: 2 * runsPerMonth }), ['compute', 'snapshotReads', 'snapshotWrites', 'suspendedStorage']],
  ['runDuration', ({ runDuration }) => ({ runDuration: twice(runDuration) }), ['compute']],
  ['suspendedDuration', ({ suspendedDuration }) => ({ suspendedDuration: twice(suspendedDuration) }), ['suspendedStorage']],
  ['both version counts', ({ keepVersions, buildsPerMonth }) => ({ keepVersions: 2 * keepVersions, buildsPerMonth: 2 * buildsPerMonth }), ['versionStorage']],
  ['price of a read', ({ prices }) => ({ prices: { ...prices, snapshotReadGb: 2 * prices.snapshotReadGb } }), ['snapshotReads']],
  ['price of a write', ({ prices }) => ({ prices: { ...prices, snapshotWriteGb: 2 * prices.snapshotWriteGb } }), ['snapshotWrites']],
  ['price of storage', ({ prices }) => ({ prices: { ...prices, snapshotStorageGbHour: 2 * prices.snapshotStorageGbHour } }), ['versionStorage', 'suspendedStorage']],
  ['prices of vCPU and memory', ({ prices }) => ({ prices: { ...prices, vcpuSecond: 2 * prices.vcpuSecond, gbSecond: 2 * prices.gbSecond } }), ['compute']],
];

test.each(DOUBLED)('twice the %s doubles what depends on it, and nothing else', (_input, double, moves) => {
  fc.assert(fc.property(anyProps, (props) => {
    const [before, after] = [new MicrovmCostEstimate(props), new MicrovmCostEstimate({ ...props, ...double(props) })];
    for (const part of PARTS) {
      closeTo(after[part], (moves.includes(part) ? 2 : 1) * before[part]);
    }
  }));
});

test('versions are stored for a month each, or for a week each that was built, whichever is more', () => {
  fc.assert(fc.property(anyProps, (props) => {
    const { prices: { snapshotStorageGbHour }, snapshotSize, keepVersions, buildsPerMonth } = props;
    const hours = Math.max(730 * keepVersions, 168 * buildsPerMonth);
    closeTo(new MicrovmCostEstimate(props).versionStorage, hours * snapshotSize.toMebibytes() / 1024 * snapshotStorageGbHour);
  }));
});

test('each suspend writes a snapshot and, with the launch, each resume reads one', () => {
  fc.assert(fc.property(anyProps, (props) => {
    const { prices, snapshotSize, runsPerMonth, suspendsPerRun } = props;
    const { snapshotReads, snapshotWrites } = new MicrovmCostEstimate(props);
    const gb = snapshotSize.toMebibytes() / 1024;
    closeTo(snapshotReads, runsPerMonth * (1 + suspendsPerRun) * gb * prices.snapshotReadGb);
    closeTo(snapshotWrites, runsPerMonth * suspendsPerRun * gb * prices.snapshotWriteGb);
  }));
});

test('four times the memory costs four times the compute, with half a vCPU for each GB', () => {
  fc.assert(fc.property(anyProps, (props) => {
    const [small, large] = [MicrovmMemory.MIB_512, MicrovmMemory.MIB_2048].map((memory) => new MicrovmCostEstimate({ ...props, memory }));
    closeTo(large.compute, 4 * small.compute);
    closeTo(large.compute, props.runsPerMonth * props.runDuration.toSeconds() * (2 * props.prices.gbSecond + props.prices.vcpuSecond));
  }));
});

test('the month is the sum of its parts', () => {
  fc.assert(fc.property(anyProps, (props) => {
    const estimate = new MicrovmCostEstimate(props);
    closeTo(estimate.perMonth, PARTS.reduce((sum, part) => sum + estimate[part], 0));
  }));
});

// The prices of docs/cost.md.
const PRICES = {
  vcpuSecond: 0.0000276944, gbSecond: 0.0000036667, snapshotReadGb: 0.0015467699, snapshotWriteGb: 0.0037977138, snapshotStorageGbHour: 0.0001111111,
};

test('an image that nobody launches or builds costs the storage of the versions it keeps', () => {
  const { perMonth } = new MicrovmCostEstimate({ prices: PRICES, snapshotSize: Size.gibibytes(1) });
  expect(perMonth).toBeCloseTo(5 * 730 * 0.0001111111, 10);
});

test('a running MicroVM of 2 GB costs about 0.126 an hour, as the bill of one has shown', () => {
  const { compute } = new MicrovmCostEstimate({ prices: PRICES, snapshotSize: Size.gibibytes(1), runsPerMonth: 1, runDuration: Duration.hours(1) });
  expect(compute).toBeCloseTo(0.126, 3);
});

test('the example of the guide comes out as it says', () => {
  const estimate = new MicrovmCostEstimate({
    prices: PRICES,
    snapshotSize: Size.gibibytes(3),
    buildsPerMonth: 30,
    runsPerMonth: 10_000,
    runDuration: Duration.minutes(5),
    suspendsPerRun: 1,
    suspendedDuration: Duration.minutes(30),
  });
  const shown = PARTS.map((part) => `${part} ${estimate[part].toFixed(2)}`);
  expect([...shown, `perMonth ${estimate.perMonth.toFixed(2)}`]).toEqual([
    'versionStorage 1.68', 'compute 105.08', 'snapshotReads 92.81', 'snapshotWrites 113.93', 'suspendedStorage 1.67', 'perMonth 315.17',
  ]);
});

test.each<[string, Partial<MicrovmCostEstimateProps>]>([
  ['snapshotReadGb', { prices: { ...PRICES, snapshotReadGb: -1 } }],
  ['vcpuSecond', { prices: { ...PRICES, vcpuSecond: NaN } }],
  ['keepVersions', { keepVersions: -5 }],
  ['runsPerMonth', { runsPerMonth: Infinity }],
  ['buildsPerMonth', { buildsPerMonth: Lazy.number({ produce: () => 3 }) }],
])('%s must be an amount that is known now', (name, wrong) => {
  expect(() => new MicrovmCostEstimate({ prices: PRICES, snapshotSize: Size.gibibytes(1), ...wrong })).toThrow(`${name} must be a number from 0 on`);
});
