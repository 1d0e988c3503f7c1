import { expect, test } from 'vitest';
import type { BufferRole, LayerBytes } from '../../../lib/cache/types';
import { ledgerRows, sumOf } from '../../../lib/views/cache/ledger-rows';

const bytesOf = (change: Partial<Record<BufferRole, number>>) => ({
  payload: 0,
  scales: 0,
  indices: 0,
  factors: 0,
  summaries: 0,
  positions: 0,
  ...change,
});
const ledger: readonly LayerBytes[] = [
  { layer: 0, tier: 'device', bytes: bytesOf({ payload: 100, scales: 10 }) },
  { layer: 0, tier: 'host', bytes: bytesOf({ payload: 7 }) },
  { layer: 1, tier: 'device', bytes: bytesOf({ payload: 50, indices: 3 }) },
];

test('a ledger shows the roles that have bytes, and sums by tier and over all', () => {
  const { roles, unused, rows, tiers, total } = ledgerRows(ledger);
  expect(roles).toEqual(['payload', 'scales', 'indices']);
  expect(unused).toEqual(['factors', 'summaries', 'positions']);
  expect(rows.map(({ bytes }) => bytes)).toEqual([
    [100, 10, 0],
    [7, 0, 0],
    [50, 0, 3],
  ]);
  expect(tiers).toEqual([
    { tier: 'device', bytes: [150, 10, 3] },
    { tier: 'host', bytes: [7, 0, 0] },
  ]);
  expect(total).toEqual([157, 10, 3]);
  expect(sumOf(total)).toBe(170);
});

test('a tier that only a later layer has is shown, and an empty ledger is empty', () => {
  const later = [...ledger, { layer: 1, tier: 'host', bytes: bytesOf({ factors: 2 }) } as const];
  expect(ledgerRows(later).tiers.map(({ bytes }) => sumOf(bytes))).toEqual([163, 9]);
  expect(ledgerRows([])).toEqual({ roles: [], unused: [], rows: [], tiers: [], total: [] });
});
