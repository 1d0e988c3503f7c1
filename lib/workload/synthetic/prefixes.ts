import type { Random } from '../../random/random';
import type { SyntheticSharing } from '../../spec/kinds/workload-synthetic';
import { zipfSampler } from '../zipf';
import { type BlockNames, EMPTY_STREAM, type TokenStream } from './streams';

/**
 * Draws what a program begins with in common with others.
 * @throws RangeError where more chunks are asked for than there are, or an id would stand for several
 */
export function prefixSampler(
  sharing: SyntheticSharing,
  names: BlockNames,
  blockTokens: number,
  random: Random,
): () => TokenStream {
  switch (sharing.type) {
    case 'none':
      return () => EMPTY_STREAM;
    case 'groups': {
      const nextGroup = zipfSampler(sharing.groups, sharing.popularitySkew, random.fork('groups'));
      const known = new Map<number, TokenStream>();
      const share = random.fork('share');
      return () => {
        if (share.uniform() >= sharing.sharedShare) return EMPTY_STREAM;
        const group = nextGroup();
        const before = known.get(group);
        if (before !== undefined) return before;
        const stream = names.append(EMPTY_STREAM, group, sharing.prefixTokens);
        known.set(group, stream);
        return stream;
      };
    }
    case 'chunks': {
      const { documents, chunkTokens, chunksPerProgram, systemTokens } = sharing;
      if (chunksPerProgram > documents)
        throw new RangeError(
          `invalid chunksPerProgram: ${chunksPerProgram} (expected at most the ${documents} documents)`,
        );
      if (chunkTokens < blockTokens)
        throw new RangeError(
          `invalid tokensPerId: ${blockTokens} (expected at most the ${chunkTokens} tokens of a chunk)`,
        );
      const nextDocument = zipfSampler(documents, sharing.popularitySkew, random.fork('chunks'));
      const system = names.append(EMPTY_STREAM, documents, systemTokens);
      return () => {
        const drawn = distinct(chunksPerProgram, documents, nextDocument);
        return drawn.reduce((stream, each) => names.append(stream, each, chunkTokens), system);
      };
    }
  }
}

/** A strong skew rarely draws what is left: from there on the most popular ones not drawn yet. */
function distinct(count: number, of: number, next: () => number): readonly number[] {
  const drawn = new Set<number>();
  for (let tries = 0; drawn.size < count && tries < 100 * count; tries++) drawn.add(next());
  for (let i = 0; i < of && drawn.size < count; i++) drawn.add(i);
  return [...drawn];
}
