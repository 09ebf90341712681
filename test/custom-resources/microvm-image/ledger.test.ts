import * as fc from 'fast-check';
import { Tag } from '../../../src/custom-resources/microvm-image/contract';
import {
  Attempt, hashToken, LedgerEntry, readLedger, writeAttempt, writeEntry,
} from '../../../src/custom-resources/microvm-image/handler/ledger';

const TAG_VALUE = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u;

const version = fc.tuple(fc.nat(), fc.nat({ max: 99 })).map(([major, minor]) => `${major}.${minor}`);
const hexadecimal = (length: number) => fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });
const token = fc.option(fc.string(), { nil: undefined });

const anyEntry: fc.Arbitrary<LedgerEntry> = fc.record({
  version,
  digest: hexadecimal(32),
  tokenHash: token.map(hashToken),
  baseVersion: fc.option(fc.nat().map(String), { nil: '' }),
});
const anyAttempt: fc.Arbitrary<Attempt> = fc.record(
  { requestId: fc.uuid(), since: version, tokenHash: token.map(hashToken), pruned: fc.integer({ min: 1, max: 999 }) },
  { requiredKeys: ['requestId', 'since', 'tokenHash'] },
);

describe('the ledger', () => {
  test('reads what it wrote', () => {
    fc.assert(fc.property(anyEntry, anyEntry, anyAttempt, (served, previous, attempt) => {
      expect(readLedger({
        [Tag.SERVED]: writeEntry(served), [Tag.PREVIOUS]: writeEntry(previous), [Tag.ATTEMPT]: writeAttempt(attempt),
      })).toEqual({ served, previous, attempt });
    }));
  });

  test('still reads what the first release wrote', () => {
    expect(readLedger({
      [Tag.SERVED]: '12.0/0123456789abcdef0123456789abcdef/fedcba9876543210/1',
      [Tag.PREVIOUS]: '9.0/0123456789abcdef0123456789abcdef/-/-',
      [Tag.ATTEMPT]: '7a6b5c4d-0000-4000-8000-000000000001/11.0/-',
    })).toEqual({
      served: { version: '12.0', digest: '0123456789abcdef0123456789abcdef', tokenHash: 'fedcba9876543210', baseVersion: '1' },
      previous: { version: '9.0', digest: '0123456789abcdef0123456789abcdef', tokenHash: '', baseVersion: '' },
      attempt: { requestId: '7a6b5c4d-0000-4000-8000-000000000001', since: '11.0', tokenHash: '' },
    });
  });

  test('of an image without tags is empty', () => {
    expect(readLedger({})).toEqual({ served: undefined, previous: undefined, attempt: undefined });
  });

  test.each([
    [''], ['-'], ['12.0'], ['12/0123456789abcdef0123456789abcdef/-/1'], ['12.0/short/-/1'], ['12.0/0123456789ABCDEF0123456789ABCDEF/-/1'],
    ['12.0/0123456789abcdef0123456789abcdef/-/1/more'], ['12.0/0123456789abcdef0123456789abcdef//1'], ['/11.0/-'], ['request/eleven/-'], ['request/11.0/-/0'], ['request/11.0/-/many'],
  ])('takes %p for nothing', (garbage) => {
    expect(readLedger({ [Tag.SERVED]: garbage, [Tag.PREVIOUS]: garbage, [Tag.ATTEMPT]: garbage }))
      .toEqual({ served: undefined, previous: undefined, attempt: undefined });
  });

  test('survives whatever somebody wrote into its tags', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (garbage) => {
      expect(() => readLedger({ [Tag.SERVED]: garbage, [Tag.PREVIOUS]: garbage, [Tag.ATTEMPT]: garbage })).not.toThrow();
    }));
  });

  test('one unreadable note does not hide the others', () => {
    fc.assert(fc.property(anyEntry, (served) => {
      expect(readLedger({ [Tag.SERVED]: writeEntry(served), [Tag.PREVIOUS]: 'garbage' })).toMatchObject({ served, previous: undefined });
    }));
  });

  test('fits into tag values', () => {
    fc.assert(fc.property(anyEntry, anyAttempt, (entry, attempt) => {
      expect(writeEntry(entry)).toMatch(TAG_VALUE);
      expect(writeAttempt(attempt)).toMatch(TAG_VALUE);
    }));
  });
});

describe('a refresh token', () => {
  test('is hashed: tags are readable by many', () => {
    fc.assert(fc.property(fc.string(), (text) => {
      expect(hashToken(text)).toMatch(/^[0-9a-f]{16}$/);
    }));
    expect(hashToken('2026-08')).not.toBe(hashToken('2026-09'));
    expect(hashToken('2026-08')).toBe('bba7f87bbe02fc24');
  });

  test('that is absent differs from one that is empty', () => {
    expect(hashToken(undefined)).toBe('');
    expect(hashToken('')).not.toBe('');
  });
});
