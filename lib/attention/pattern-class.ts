import { cellMasses } from './cell-masses';
import type { MapBase } from './types';

/** What most of a head's probability lies on. */
export type PatternClass = 'local' | 'sink' | 'vertical' | 'diagonal' | 'diffuse';

export interface HeadPattern {
  readonly class: PatternClass;
  /** Shares of the probability, counted once each in this order; `rest` is what is left. */
  readonly shares: Readonly<Record<'sink' | 'local' | 'diagonal' | 'vertical' | 'rest', number>>;
  /** Mean over rows of the entropy over cells, relative to that of an even row: 1 is even. */
  readonly evenness: number;
}

/** The band reaches at least this far back, and at most an eighth of the keys. */
const BAND_TOKENS = 64;
const SINK_TOKENS = 4;
/** A line stands out when it gets this many times what the median line gets. */
const LINE_RATIO = 3;
/** Lines shorter than this share of the longest one are too few cells to judge. */
const LEAST_LENGTH = 1 / 8;
/** A pattern names the head when it holds this share of the probability, */
const LEAST_SHARE = 0.3;
/** and this many times what an even head would give it. */
const LEAST_EXCESS = 2;

/**
 * The pattern of one head, from the reduction of its map. Every cell's mass goes to the first that
 * takes it: sink columns (the first 4 keys, at least one cell), the local band (distances up to 64
 * tokens, and on from there as long as diagonals stand out), single off-diagonals and single columns
 * that get at least 3 times the mass per cell of the median one. The head is named after the largest
 * share that is at least 0.3 and at least twice what an even head under the same mask would give;
 * `diffuse` where there is none. The thresholds are ours; they separate the seeded structures.
 */
export function classifyPattern(base: MapBase): HeadPattern {
  const { rows, columns, queries, keys } = base;
  const masses = cellMasses(base);
  const perQuery = queries / rows;
  const perKey = keys / columns;
  const sinkColumns = Math.max(1, Math.ceil(Math.min(SINK_TOKENS, keys / 8) / perKey));
  // Distances in cells of keys, of cell centres; below 0 lies the future of a mask that shows it.
  const distanceOf = (r: number, c: number) =>
    Math.round((keys - queries + (r + 0.5) * perQuery - (c + 0.5) * perKey) / perKey);
  const offset = columns + Math.ceil(queries / perKey);
  const diagonals = makeLines(2 * offset + 1);
  forEachSeen(base, (r, c, at) => {
    if (c >= sinkColumns) addTo(diagonals, distanceOf(r, c) + offset, masses[at] as number);
  });
  const band = bandOf(diagonals, offset, Math.ceil(Math.min(BAND_TOKENS, keys / 8) / perKey));
  const isDiagonal = standingOut(diagonals, (i) => i < offset - band || i > offset + band);
  const verticals = makeLines(columns);
  const kindOfCell = (r: number, c: number) => {
    if (c < sinkColumns) return 'sink';
    const distance = distanceOf(r, c);
    if (Math.abs(distance) <= band) return 'local';
    return isDiagonal[distance + offset] === 1 ? 'diagonal' : undefined;
  };
  forEachSeen(base, (r, c, at) => {
    if (kindOfCell(r, c) === undefined) addTo(verticals, c, masses[at] as number);
  });
  const isVertical = standingOut(verticals, () => true);

  const shares = { sink: 0, local: 0, diagonal: 0, vertical: 0, rest: 0 };
  const even = { ...shares };
  const perRow = new Float64Array(rows);
  const seenPerRow = new Uint32Array(rows);
  forEachSeen(base, (r, _, at) => {
    perRow[r] = (perRow[r] as number) + (masses[at] as number);
    seenPerRow[r] = (seenPerRow[r] as number) + 1;
  });
  const total = perRow.reduce((sum, mass) => sum + mass, 0);
  const entropies = new Float64Array(rows);
  forEachSeen(base, (r, c, at) => {
    const mass = masses[at] as number;
    const kind = kindOfCell(r, c) ?? (isVertical[c] === 1 ? 'vertical' : 'rest');
    shares[kind] += mass / total;
    even[kind] += (perRow[r] as number) / total / (seenPerRow[r] as number);
    const p = mass / (perRow[r] as number);
    if (p > 0) entropies[r] = (entropies[r] as number) - p * Math.log(p);
  });
  return { class: nameOf(shares, even), shares, evenness: evennessOf(entropies, seenPerRow) };
}

function nameOf(shares: HeadPattern['shares'], even: HeadPattern['shares']): PatternClass {
  let best: PatternClass = 'diffuse';
  let most = LEAST_SHARE;
  for (const kind of ['sink', 'local', 'diagonal', 'vertical'] as const) {
    if (shares[kind] < most || shares[kind] < LEAST_EXCESS * even[kind]) continue;
    best = kind;
    most = shares[kind];
  }
  return best;
}

/** Rows with one visible cell are even by necessity and say nothing. */
function evennessOf(entropies: Float64Array, seenPerRow: Uint32Array): number {
  let sum = 0;
  let count = 0;
  entropies.forEach((entropy, r) => {
    if ((seenPerRow[r] as number) < 2) return;
    sum += entropy / Math.log(seenPerRow[r] as number);
    count++;
  });
  return count === 0 ? 1 : sum / count;
}

function forEachSeen(
  { rows, columns, mean }: MapBase,
  visit: (row: number, column: number, at: number) => void,
): void {
  for (let r = 0, at = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++, at++) if (!Number.isNaN(mean[at] as number)) visit(r, c, at);
  }
}

/** Mass and length of parallel lines of cells. */
interface Lines {
  readonly masses: Float64Array;
  readonly lengths: Uint32Array;
}

const makeLines = (count: number): Lines => ({
  masses: new Float64Array(count),
  lengths: new Uint32Array(count),
});

function addTo({ masses, lengths }: Lines, line: number, mass: number): void {
  masses[line] = (masses[line] as number) + mass;
  lengths[line] = (lengths[line] as number) + 1;
}

/** 1 for lines that get `LINE_RATIO` times the median mass per cell of the lines that count. */
function standingOut({ masses, lengths }: Lines, counts: (line: number) => boolean): Uint8Array {
  const least = LEAST_LENGTH * lengths.reduce((most, length) => Math.max(most, length), 0);
  const lines = [...lengths.keys()].filter(
    (i) => counts(i) && (lengths[i] as number) >= Math.max(1, least),
  );
  const rate = (i: number) => (masses[i] as number) / (lengths[i] as number);
  const sorted = Float64Array.from(lines, rate).sort();
  const median = sorted[sorted.length >> 1] ?? 0;
  const out = new Uint8Array(masses.length);
  for (const i of lines) if (rate(i) > 0 && rate(i) >= LINE_RATIO * median) out[i] = 1;
  return out;
}

/** Cells that the band reaches back: `least`, and on while the next diagonal stands out. */
function bandOf(diagonals: Lines, offset: number, least: number): number {
  const isOut = standingOut(diagonals, () => true);
  let band = least;
  while (isOut[offset + band + 1] === 1) band++;
  return band;
}
