/** Leaves found by a tree search and what they cost. */
export interface TreeSearch {
  /** Ascending. */
  readonly leaves: Uint32Array;
  readonly scoredChunks: number;
}

interface Chunk {
  readonly start: number;
  readonly end: number;
  readonly probe: number;
  readonly score: number;
}

/**
 * Beam search for the best `keep` of `count` leaves, without scoring all of them (HiP, 2024): cut
 * the range into `keep` equal chunks; split every chunk in two, score each half by its
 * representative, keep the best `keep`, and repeat until all are single leaves. About
 * 2 keep log2(count / keep) scores. Exact where chunk scores order as their best leaves do, such as
 * scores monotone in position; a lone peak far from any representative is missed.
 *
 * @param probeOf representative of the leaves [start, end)
 * @param scoreOf score of a representative
 */
export function treeSearch(
  count: number,
  keep: number,
  probeOf: (start: number, end: number) => number,
  scoreOf: (probe: number) => number,
): TreeSearch {
  if (count <= keep) {
    return { leaves: Uint32Array.from({ length: count }, (_, i) => i), scoredChunks: 0 };
  }
  let scoredChunks = 0;
  // Scores of the first chunks are never compared: all of them are split.
  let beam: Chunk[] = Array.from({ length: keep }, (_, c) => ({
    start: Math.floor((c * count) / keep),
    end: Math.floor(((c + 1) * count) / keep),
    probe: -1,
    score: -Infinity,
  }));

  const score = (start: number, end: number, parent: Chunk): Chunk => {
    const probe = probeOf(start, end);
    if (probe === parent.probe) return { start, end, probe, score: parent.score };
    scoredChunks++;
    return { start, end, probe, score: scoreOf(probe) };
  };
  while (beam.some((chunk) => chunk.end - chunk.start > 1)) {
    const halves: Chunk[] = [];
    for (const chunk of beam) {
      const middle = (chunk.start + chunk.end) >>> 1;
      if (middle > chunk.start) halves.push(score(chunk.start, middle, chunk));
      halves.push(score(middle, chunk.end, chunk));
    }
    halves.sort((a, b) => b.score - a.score || a.start - b.start);
    beam = halves.slice(0, keep);
  }
  return { leaves: Uint32Array.from(beam, (chunk) => chunk.start).sort(), scoredChunks };
}
