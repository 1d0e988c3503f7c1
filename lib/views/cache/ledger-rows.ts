import type { BufferRole, LayerBytes, Tier } from '../../cache/types';

/** Bytes of a row of the ledger, in the order of `LedgerRows.roles`. */
export interface LedgerRow {
  readonly layer: number;
  readonly tier: Tier;
  readonly bytes: readonly number[];
}

/** A byte ledger as a table. */
export interface LedgerRows {
  /** Roles that have bytes somewhere, and those that have none. */
  readonly roles: readonly BufferRole[];
  readonly unused: readonly BufferRole[];
  readonly rows: readonly LedgerRow[];
  /** Sums over layers, in the order in which tiers are first met. */
  readonly tiers: readonly Omit<LedgerRow, 'layer'>[];
  readonly total: readonly number[];
}

export function sumOf(bytes: readonly number[]): number {
  return bytes.reduce((sum, each) => sum + each, 0);
}

/** Rows of layers and tiers; whatever roles and tiers the ledger has are shown. */
export function ledgerRows(ledger: readonly LayerBytes[]): LedgerRows {
  const known = [...new Set(ledger.flatMap(({ bytes }) => Object.keys(bytes) as BufferRole[]))];
  const roles = known.filter((role) => ledger.some(({ bytes }) => bytes[role] > 0));
  const rows = ledger.map(
    ({ layer, tier, bytes }): LedgerRow => ({
      layer,
      tier,
      bytes: roles.map((role) => bytes[role]),
    }),
  );
  const summed = (of: readonly LedgerRow[]) =>
    roles.map((_, i) => sumOf(of.map(({ bytes }) => bytes[i] ?? 0)));
  const tiers = [...new Set(rows.map(({ tier }) => tier))];
  return {
    roles,
    unused: known.filter((role) => !roles.includes(role)),
    rows,
    tiers: tiers.map((tier) => ({ tier, bytes: summed(rows.filter((row) => row.tier === tier)) })),
    total: summed(rows),
  };
}
