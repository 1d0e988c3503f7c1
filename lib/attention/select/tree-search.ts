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
 * the range into `keep` equal chunks; split every chunk in `branch`, score each part by its
 * representative, keep the best `keep`, and repeat until all are single leaves. About
 * branch keep log(count / keep) / log(branch) scores. Exact where chunk scores order as their best
 * leaves do, such as scores monotone in position; a lone peak far from any representative is missed.
 *
 * @param probeOf representative of the leaves [start, end)
 * @param scoreOf score of a representative
 * @param branch parts of a chunk, at least 2; the paper's 2
 */
export function treeSearch(
  count: number,
  keep: number,
  probeOf: (start: number, end: number) => number,
  scoreOf: (probe: number) => number,
  branch = 2,
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
    const parts: Chunk[] = [];
    for (const chunk of beam) {
      const size = chunk.end - chunk.start;
      for (let b = 0; b < branch; b++) {
        const start = chunk.start + Math.floor((b * size) / branch);
        const end = chunk.start + Math.floor(((b + 1) * size) / branch);
        if (end > start) parts.push(score(start, end, chunk));
      }
    }
    parts.sort((a, b) => b.score - a.score || a.start - b.start);
    beam = parts.slice(0, keep);
  }
  return { leaves: Uint32Array.from(beam, (chunk) => chunk.start).sort(), scoredChunks };
}
