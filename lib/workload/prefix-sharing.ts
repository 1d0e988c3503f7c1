import { createChainSet } from './chain-set';
import { runSteps, type WorkloadPhase, type WorkloadSteps } from './steps';
import type { PromptContent, Workload } from './types';

/** What requests have in common with those before them, in the order of arrival. */
export interface PrefixSharing {
  /** Share of the prompt tokens in a prefix that an earlier request had in its prompt or output. */
  readonly seenShare: number;
  /** Tokens that are compared at once for `seenShare`: 1 for token ids, a block for hashes. */
  readonly seenGrainTokens: number;
  /**
   * Hit rate of a prefix cache without limit: tokens in whole blocks seen before, over all prompt
   * tokens; the last prompt token is always computed. A request's own blocks, its output's too, are
   * there for all that arrive after it.
   */
  readonly unlimitedHitRate: number;
  readonly blockTokens: number;
  /** Distinct blocks: what the cache without limit would hold. */
  readonly distinctBlocks: number;
  /** Share of the requests with at least one hit. */
  readonly requestsWithHits: number;
  /** The figures are those of so many requests, the first ones: all, unless they have very many ids. */
  readonly comparedRequests: number;
}

/** Block of a prefix cache over token ids. */
const BLOCK_TOKENS = 16;

/** So many ids are compared; of a larger workload, the requests at its beginning. */
const MOST_IDS = 2 ** 24;
/** Ids between two yields. */
const IDS_PER_STEP = 2 ** 15;

/**
 * Undefined where the tokens of the requests are unknown. Prefixes are compared by 64-bit hashes.
 *
 * @param mostIds bounds time and memory; the requests at the beginning that have so many are compared
 */
export function prefixSharing(workload: Workload, mostIds = MOST_IDS): PrefixSharing | undefined {
  return runSteps(prefixSharingSteps(workload, mostIds));
}

/** The same in steps. */
export function* prefixSharingSteps(
  workload: Workload,
  mostIds = MOST_IDS,
): WorkloadSteps<PrefixSharing | undefined> {
  const { content, promptTokens } = workload;
  if (content === undefined) return undefined;
  const idsPerBlock = content.tokensPerId === 1 ? BLOCK_TOKENS : 1;
  const blockTokens = idsPerBlock * content.tokensPerId;
  let compared = promptTokens.length;
  while (compared > 1 && (content.offsets[compared] as number) > mostIds) compared--;
  const prompts = promptTokens.subarray(0, compared);
  const blocks = yield* countSeen(content, prompts, idsPerBlock, 'comparing blocks');
  const grain =
    idsPerBlock > 1 ? yield* countSeen(content, prompts, 1, 'comparing tokens') : blocks;
  const total = prompts.reduce((sum, tokens) => sum + tokens, 0);
  return {
    seenShare: grain.seenTokens / total,
    seenGrainTokens: idsPerBlock > 1 ? 1 : blockTokens,
    unlimitedHitRate: blocks.hitTokens / total,
    blockTokens,
    distinctBlocks: blocks.distinct,
    requestsWithHits: blocks.withHits / compared,
    comparedRequests: compared,
  };
}

interface Seen {
  readonly seenTokens: number;
  readonly hitTokens: number;
  readonly withHits: number;
  readonly distinct: number;
}

function* countSeen(
  { tokensPerId, offsets, ids }: PromptContent,
  promptTokens: Int32Array,
  idsPerBlock: number,
  phase: WorkloadPhase,
): WorkloadSteps<Seen> {
  const blockTokens = tokensPerId * idsPerBlock;
  const set = createChainSet();
  let seenTokens = 0;
  let hitTokens = 0;
  let withHits = 0;
  let nextYield = 0;
  for (let i = 0; i < promptTokens.length; i++) {
    if ((offsets[i] as number) >= nextYield) {
      nextYield += IDS_PER_STEP;
      yield { phase, fraction: i / promptTokens.length };
    }
    const prompt = promptTokens[i] as number;
    const from = offsets[i] as number;
    const blocks = Math.floor(((offsets[i + 1] as number) - from) / idsPerBlock);
    let seen = 0;
    let isPrefix = true;
    set.begin();
    for (let block = 0; block < blocks; block++) {
      const at = from + block * idsPerBlock;
      for (let id = at; id < at + idsPerBlock; id++) set.chain(ids[id] as number);
      isPrefix = set.add() && isPrefix;
      if (isPrefix) seen++;
    }
    const known = Math.min(seen, Math.floor(prompt / blockTokens));
    const hits = Math.min(known, Math.floor((prompt - 1) / blockTokens));
    seenTokens += known * blockTokens;
    hitTokens += hits * blockTokens;
    if (hits > 0) withHits++;
  }
  return { seenTokens, hitTokens, withHits, distinct: set.size };
}
