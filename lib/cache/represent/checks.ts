import { breakEvenRows, factorisationSaving } from './break-even';

/** A finding about a representation before it runs. */
export interface Finding {
  readonly level: 'error' | 'warning';
  readonly message: string;
}

/** What the checks look at; each is made where its numbers are given. */
export interface RepresentationShape {
  /** Channels of the matrix that is encoded: of a head, of a layer's heads, or of several layers. */
  readonly columns: number;
  /** Slots that will be encoded. */
  readonly slots: number;
  readonly groupChannels?: number;
  readonly groupTokens?: number;
  /** Of a factorisation that carries its basis in the cache. */
  readonly rank?: number;
  readonly merge?: { readonly keepsMultiplicity: boolean };
  readonly prunedChannels?: { readonly isPreRope: boolean; readonly inPairs: boolean };
  readonly outliers?: { readonly share: number; readonly vectorLength: number };
}

/** The catalogue's static checks of representations. */
export function checkRepresentation(shape: RepresentationShape): Finding[] {
  const { columns, slots, groupChannels, groupTokens, rank, merge, prunedChannels, outliers } =
    shape;
  const findings: Finding[] = [];
  const error = (message: string) => findings.push({ level: 'error', message });
  const warn = (message: string) => findings.push({ level: 'warning', message });
  if (groupChannels !== undefined && columns % groupChannels !== 0) {
    error(`invalid groupChannels: ${groupChannels} (expected a divisor of ${columns} channels)`);
  }
  if (groupTokens !== undefined && groupTokens > slots) {
    warn(`no group of ${groupTokens} tokens fills up at ${slots} slots: nothing is compressed`);
  }
  if (rank !== undefined && factorisationSaving(slots, rank, columns) <= 0) {
    const least = breakEvenRows(rank, columns);
    warn(
      Number.isFinite(least)
        ? `rank ${rank} of ${columns} channels saves nothing at ${slots} slots: it pays from ${Math.floor(least) + 1}`
        : `rank ${rank} of ${columns} channels never saves: factors take more than the rows`,
    );
  }
  if (merge && !merge.keepsMultiplicity) {
    warn('merging without multiplicity is biased: a merged slot gets the softmax weight of one');
  }
  if (prunedChannels?.isPreRope && !prunedChannels.inPairs) {
    error('channels of keys before RoPE must be pruned in pairs: rotation mixes the two');
  }
  if (outliers && Math.round((outliers.share / 2) * outliers.vectorLength) === 0) {
    warn(
      `no outliers: half of ${100 * outliers.share} % of ${outliers.vectorLength} entries rounds to 0`,
    );
  }
  return findings;
}
