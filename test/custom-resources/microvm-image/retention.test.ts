import * as fc from 'fast-check';
import { ACCEPTED_AT, DIGEST, MINUTE, versionView } from './builders';
import { Tag } from '../../../src/custom-resources/microvm-image/contract';
import { Ledger, LedgerEntry } from '../../../src/custom-resources/microvm-image/handler/ledger';
import { nextToPrune, Pruning, publishedVersions, Stock, VERSION_QUOTA } from '../../../src/custom-resources/microvm-image/handler/retention';
import { VersionView } from '../../../src/custom-resources/microvm-image/handler/service-port';

const NOW = ACCEPTED_AT;
const HOUR = 60 * MINUTE;

const entry = (version: string): LedgerEntry => ({ version, digest: DIGEST, tokenHash: '', baseVersion: '1' });
const ledger = (served?: string, previous?: string): Ledger => ({ served: served && entry(served), previous: previous && entry(previous) } as Ledger);
const numbers = (from: number, to: number): number[] => Array.from({ length: from - to + 1 }, (_, index) => from - index);

/** Versions `count`.0 to 1.0, one made every `every` milliseconds, the newest that long ago. */
function made(count: number, every: number): VersionView[] {
  return numbers(count, 1).map((number) => versionView(`${number}.0`, { createdAt: NOW - (count - number + 1) * every }));
}

function stock(overrides: Partial<Stock>): Stock {
  const newest = overrides.versions?.[0]?.version ?? '0.0';
  return { versions: [], keep: 2, ledger: {}, since: newest, published: [], microvmsOf: {}, ...overrides };
}

/** Everything that goes, in order, when nothing is in use but what is said to be. */
function pruned(start: Stock, inUse: string[] = []): string[] {
  const gone: string[] = [];
  const microvmsOf: Record<string, string[]> = {};
  for (;;) {
    const versions = start.versions.filter(({ version }) => !gone.includes(version));
    const next: Pruning = nextToPrune({ ...start, versions, microvmsOf }, NOW);
    if (next.type === 'none') {
      return gone;
    }
    if (next.type === 'ask') {
      expect(microvmsOf[next.version]).toBeUndefined();
      microvmsOf[next.version] = inUse.includes(next.version) ? ['microvm-1'] : [];
    } else {
      gone.push(next.version);
    }
  }
}

describe('what goes before a build', () => {
  test('is what exceeds the number to keep, the new version counted, oldest first and by number', () => {
    expect(pruned(stock({ versions: made(12, 24 * HOUR), keep: 5 }))).toEqual(['1.0', '2.0', '3.0', '4.0', '5.0', '6.0', '7.0', '8.0']);
  });

  test('is nothing while there are fewer', () => {
    expect(pruned(stock({ versions: made(4, 24 * HOUR), keep: 5 }))).toEqual([]);
    expect(pruned(stock({ versions: [], keep: 2 }))).toEqual([]);
  });

  test('is only asked about when it would go', () => {
    const versions = made(3, 24 * HOUR);
    expect(nextToPrune(stock({ versions }), NOW)).toEqual({ type: 'ask', version: '1.0' });
    expect(nextToPrune(stock({ versions, microvmsOf: { '1.0': [] } }), NOW)).toEqual({ type: 'delete', version: '1.0' });
  });

  test('is failed ones first, which need no age and nobody runs', () => {
    const versions = made(6, 24 * HOUR).map((version) => (['2.0', '5.0'].includes(version.version) ? { ...version, state: 'FAILED', createdAt: NOW - MINUTE } : version));
    expect(nextToPrune(stock({ versions }), NOW)).toEqual({ type: 'delete', version: '2.0' });
    expect(pruned(stock({ versions, keep: 4 }))).toEqual(['2.0', '5.0', '1.0']);
  });

  test('does not count failed ones among those kept', () => {
    const versions = [versionView('4.0', { state: 'FAILED' }), ...made(3, 24 * HOUR)];
    expect(pruned(stock({ versions, keep: 3 }))).toEqual(['1.0']);
  });
});

describe('what stays', () => {
  test('the version served and the one before it, however old', () => {
    expect(pruned(stock({ versions: made(6, 24 * HOUR), ledger: ledger('1.0', '3.0') }))).toEqual(['2.0', '4.0', '5.0']);
  });

  test('the one a refresh built, when a deployment has served another since', () => {
    expect(pruned(stock({ versions: made(6, 24 * HOUR), ledger: { ...ledger('4.0', '3.0'), refreshed: entry('2.0') } }))).toEqual(['1.0', '5.0']);
  });

  test('one that a MicroVM runs', () => {
    expect(pruned(stock({ versions: made(6, 24 * HOUR) }), ['1.0', '4.0'])).toEqual(['2.0', '3.0', '5.0']);
  });

  test('one that is published, however old, and whatever its state', () => {
    const versions = made(6, 24 * HOUR).map((version) => (version.version === '2.0' ? { ...version, state: 'FAILED' } : version));
    expect(pruned(stock({ versions, published: ['2.0', '4.0'] }))).toEqual(['1.0', '3.0', '5.0']);
  });

  test('one that was superseded less than eight hours ago, however old it is itself', () => {
    const versions = [
      versionView('4.0', { createdAt: NOW - MINUTE }),
      versionView('3.0', { createdAt: NOW - 8 * HOUR + 1 }),
      versionView('2.0', { createdAt: NOW - 8 * HOUR }),
      versionView('1.0', { createdAt: NOW - 900 * HOUR }),
    ];
    expect(pruned(stock({ versions }))).toEqual(['1.0']);
  });

  test('the highest number, although it failed: it might be handed out again', () => {
    expect(pruned(stock({ versions: [versionView('3.0', { state: 'FAILED' }), ...made(2, 24 * HOUR)] }))).toEqual(['1.0']);
  });

  test('the only one', () => {
    expect(pruned(stock({ versions: made(1, 24 * HOUR) }))).toEqual([]);
    expect(pruned(stock({ versions: [versionView('1.0', { state: 'FAILED' })] }))).toEqual([]);
  });

  test('what this request built itself: its failures count its builds', () => {
    const versions = [versionView('4.0'), versionView('3.0', { state: 'FAILED' }), ...made(2, 24 * HOUR)];
    expect(pruned(stock({ versions, since: '2.0' }))).toEqual(['1.0']);
  });

  test('what an adopted image had', () => {
    expect(pruned(stock({ versions: made(6, 24 * HOUR), adopted: '3.0' }))).toEqual(['4.0', '5.0']);
  });

  test.each(['PENDING', 'IN_PROGRESS', 'DELETING', 'NEW_STATE'])('one that is %s', (state) => {
    const [newest, second, oldest] = made(3, 24 * HOUR);
    expect(pruned(stock({ versions: [newest, second, { ...oldest, state }], keep: 3 }))).toEqual([]);
  });
});

describe('what is published', () => {
  test.each<[string, string | undefined, string[]]>([
    ['nothing without the tag', undefined, []],
    ['nothing when the tag is empty', '', []],
    ['one version', '3.0', ['3.0']],
    ['several', '3.0 12.0 7.0', ['3.0', '12.0', '7.0']],
    ['several, with room between them', ' 3.0  12.0 ', ['3.0', '12.0']],
  ])('is %s', (_what, value, versions) => {
    expect(publishedVersions(value === undefined ? {} : { [Tag.PUBLISHED]: value })).toEqual(versions);
  });
});

describe('near the quota', () => {
  test('young versions go too, oldest first, until two more builds have room again', () => {
    expect(pruned(stock({ versions: made(47, MINUTE) }))).toEqual([]);
    expect(pruned(stock({ versions: made(48, MINUTE) }))).toEqual(['1.0']);
    expect(pruned(stock({ versions: made(50, MINUTE) }))).toEqual(['1.0', '2.0', '3.0']);
  });

  test('what is kept, served or in use never does, and is named', () => {
    const all = made(VERSION_QUOTA, MINUTE);
    const microvmsOf = Object.fromEntries(all.map(({ version }) => [version, [`microvm-of-${version}`]]));
    const next = nextToPrune(stock({ versions: all, ledger: ledger('7.0', '9.0'), keep: 40, microvmsOf }), NOW);
    expect(next).toEqual({ type: 'none', inUse: ['1.0', '2.0', '3.0', '4.0', '5.0', '6.0', '8.0', '10.0', '11.0'], published: [] });
  });

  test('what is published never does either, and is named apart', () => {
    const microvmsOf = { '1.0': ['microvm-1'] };
    const next = nextToPrune(stock({ versions: made(VERSION_QUOTA, MINUTE), keep: 47, published: ['2.0', '3.0', '4.0', '50.0'], microvmsOf }), NOW);
    expect(next).toEqual({ type: 'none', inUse: ['1.0'], published: ['2.0', '3.0', '4.0'] });
  });
});

describe('over any history', () => {
  const history = fc.record({
    keep: fc.integer({ min: 2, max: 47 }),
    every: fc.constantFrom(MINUTE / 2, MINUTE, HOUR, 5 * HOUR, 24 * HOUR),
    events: fc.array(fc.record({
      fails: fc.boolean(),
      /** Whether somebody starts a MicroVM from the version then served. */
      launches: fc.boolean(),
      /** Whether somebody publishes it. */
      publishes: fc.boolean(),
      /** How many of this update's deletes the service refuses. */
      refused: fc.nat({ max: 1 }),
    }), { minLength: 1, maxLength: 90 }),
  });

  test('of builds one after the other, the served, the previous, the published and those in use stay, and only they can fill the quota', () => {
    fc.assert(fc.property(history, ({ keep, every, events }) => {
      let versions: VersionView[] = [];
      let known: Ledger = {};
      let now = NOW;
      let number = 0;
      const running = new Set<string>();
      const published: string[] = [];
      for (const { fails, launches, publishes, refused } of events) {
        now += every;
        const protectedNow = [known.served?.version, known.previous?.version, ...running, ...published];
        for (let deletes = 0; deletes < 3; deletes++) {
          const microvmsOf: Record<string, string[]> = {};
          let next = nextToPrune(stock({ versions, keep, ledger: known, since: `${number}.0`, published, microvmsOf }), now);
          while (next.type === 'ask') {
            microvmsOf[next.version] = running.has(next.version) ? ['microvm-1'] : [];
            next = nextToPrune(stock({ versions, keep, ledger: known, since: `${number}.0`, published, microvmsOf }), now);
          }
          if (next.type === 'delete' && deletes >= refused) {
            const { version } = next;
            expect(protectedNow).not.toContain(version);
            versions = versions.filter((each) => each.version !== version);
            expect(versions.length).toBeGreaterThan(0);
          }
        }
        // At the quota, whatever may still go at this moment is in use.
        if (versions.length >= VERSION_QUOTA) {
          expect(new Set([...running, ...published]).size).toBeGreaterThanOrEqual(VERSION_QUOTA - keep - 2);
          return;
        }
        number++;
        versions = [versionView(`${number}.0`, { state: fails ? 'FAILED' : 'SUCCESSFUL', createdAt: now }), ...versions];
        if (!fails) {
          known = ledger(`${number}.0`, known.served?.version);
        }
        if (launches && known.served) {
          running.add(known.served.version);
        }
        if (publishes && known.served && !published.includes(known.served.version)) {
          published.push(known.served.version);
        }
      }
    }), { numRuns: 300 });
  });

  test('of 60 updates within an hour, none meets a full image', () => {
    fc.assert(fc.property(fc.integer({ min: 2, max: 47 }), fc.array(fc.boolean(), { minLength: 60, maxLength: 60 }), (keep, failures) => {
      let versions: VersionView[] = [];
      let known: Ledger = {};
      failures.forEach((fails, index) => {
        const now = NOW + index * MINUTE;
        for (let deletes = 0; deletes < 3; deletes++) {
          const microvmsOf = Object.fromEntries(versions.map(({ version }) => [version, []]));
          const next = nextToPrune(stock({ versions, keep, ledger: known, since: `${index}.0`, microvmsOf }), now);
          versions = versions.filter(({ version }) => next.type !== 'delete' || version !== next.version);
        }
        expect(versions.length).toBeLessThan(VERSION_QUOTA - 2);
        versions = [versionView(`${index + 1}.0`, { state: fails ? 'FAILED' : 'SUCCESSFUL', createdAt: now }), ...versions];
        known = fails ? known : ledger(`${index + 1}.0`, known.served?.version);
        const needed = [known.served, known.previous].flatMap((each) => each?.version ?? []);
        expect(versions.map(({ version }) => version)).toEqual(expect.arrayContaining(needed));
      });
    }), { numRuns: 60 });
  });
});
