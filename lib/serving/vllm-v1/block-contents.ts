import type { PromptContent } from '../../workload/types';
import { createChain } from './chain';

/**
 * Names what stands in each full block of each request: equal numbers mean the same tokens from the
 * start of the sequence on (a chained hash, interned and so free of collisions). Blocks whose tokens
 * are unknown get a number of their own, which only the request itself can find again.
 */
export interface BlockContents {
  /** False where no request's content is known, so that none can be shared. */
  readonly canShare: boolean;
  /** Content of block `index` of request `id`. */
  contentOf(id: number, index: number): number;
  /** Blocks of request `id` whose content others may share; the rest is its own. */
  sharedBlocks(id: number): number;
  /** Blocks that a link stands for: content `i` is `links[i / blocksPerLink] x blocksPerLink + i mod blocksPerLink`. */
  readonly blocksPerLink: number;
  /** The links of request `id`, which name its shared blocks from the first on; mostly one number after the other. */
  linksOf(id: number): Int32Array;
}

const NO_LINKS = new Int32Array(0);

/**
 * @param content token ids (1 token each) or block hashes of the requests, where they are known
 * @param totalTokens prompt + output of each request
 * @throws RangeError when hashes stand for a number of tokens that blocks do not divide
 */
export function createBlockContents(
  content: PromptContent | undefined,
  totalTokens: Int32Array,
  blockTokens: number,
): BlockContents {
  // Numbers of unknown content are negative: one range for each request.
  const bases = new Float64Array(totalTokens.length);
  let base = 1;
  for (let id = 0; id < totalTokens.length; id++) {
    bases[id] = base;
    base += Math.ceil((totalTokens[id] as number) / blockTokens) + 1;
  }
  const own = (id: number, index: number): number => -((bases[id] as number) + index);
  if (content === undefined) {
    return {
      canShare: false,
      contentOf: own,
      sharedBlocks: () => 0,
      blocksPerLink: 1,
      linksOf: () => NO_LINKS,
    };
  }

  const { idsPerLink, blocksPerLink } = linkUnits(content, blockTokens);
  const links = linksFor(content, idsPerLink);

  return {
    canShare: true,
    contentOf(id, index) {
      const found = links.of(id);
      if (blocksPerLink === 1)
        return index < found.length ? (found[index] as number) : own(id, index);
      const link = Math.floor(index / blocksPerLink);
      if (link >= found.length) return own(id, index);
      return (found[link] as number) * blocksPerLink + (index % blocksPerLink);
    },
    sharedBlocks: (id) => links.of(id).length * blocksPerLink,
    blocksPerLink,
    linksOf: links.of,
  };
}

/**
 * What the links of chains are: blocks of token ids, or hashes that each stand for some blocks.
 * @throws RangeError when hashes stand for a number of tokens that blocks do not divide
 */
export function linkUnits(
  { tokensPerId }: PromptContent,
  blockTokens: number,
): { readonly idsPerLink: number; readonly blocksPerLink: number } {
  if (tokensPerId === 1) return { idsPerLink: blockTokens, blocksPerLink: 1 };
  if (tokensPerId % blockTokens !== 0) {
    throw new RangeError(
      `invalid blockTokens: ${blockTokens} (the workload's hashes stand for ${tokensPerId} tokens, which it must divide)`,
    );
  }
  return { idsPerLink: 1, blocksPerLink: tokensPerId / blockTokens };
}

/** The links of each request's chain. */
interface Links {
  of(id: number): Int32Array;
}

/** Links are the same in every run of a workload, and to find them is to hash every token. */
const known = new WeakMap<PromptContent, Map<number, Links>>();

function linksFor(content: PromptContent, idsPerLink: number): Links {
  const bySize = known.get(content) ?? new Map<number, Links>();
  known.set(content, bySize);
  const links = bySize.get(idsPerLink) ?? createLinks(content, idsPerLink);
  bySize.set(idsPerLink, links);
  return links;
}

/** Numbers of the links, found on first use: a link is a block of tokens, or one hash. */
function createLinks({ offsets, ids }: PromptContent, idsPerLink: number): Links {
  const chain = createChain(ids, idsPerLink);
  const links: (Int32Array | undefined)[] = new Array(offsets.length - 1).fill(undefined);

  function find(id: number): Int32Array {
    const from = offsets[id] as number;
    const found = new Int32Array(Math.floor(((offsets[id + 1] as number) - from) / idsPerLink));
    let parent = -1;
    for (let i = 0; i < found.length; i++) {
      parent = chain.linkAt(parent, from + i * idsPerLink);
      found[i] = parent;
    }
    links[id] = found;
    return found;
  }

  return { of: (id) => links[id] ?? find(id) };
}
