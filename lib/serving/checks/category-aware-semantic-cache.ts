import { createRandom, type Random } from '../../random/random';
import type { CheckProgress, CheckResult, RowCheck } from './types';

/** A kind of question: how often it comes, how it repeats, and how soon an answer is out of date. */
interface Category {
  readonly name: string;
  readonly share: number;
  /** Different questions. */
  readonly intents: number;
  /** The i-th question comes in proportion to i^-skew; 0 for all alike. */
  readonly skew: number;
  readonly llmSeconds: number;
  /** Answers older than this are wrong. */
  readonly freshSeconds: number;
}

const CATEGORIES: readonly Category[] = [
  { name: 'code', share: 0.35, intents: 400, skew: 1.1, llmSeconds: 0.5, freshSeconds: 1e6 },
  {
    name: 'documentation',
    share: 0.25,
    intents: 800,
    skew: 0.9,
    llmSeconds: 0.2,
    freshSeconds: 1e5,
  },
  {
    name: 'conversation',
    share: 0.3,
    intents: 40_000,
    skew: 0.2,
    llmSeconds: 0.2,
    freshSeconds: 1e5,
  },
  { name: 'prices', share: 0.1, intents: 300, skew: 0.8, llmSeconds: 0.2, freshSeconds: 30 },
];
const QUERIES = 60_000;
const QUERIES_PER_SECOND = 10;
const CACHE_ENTRIES = 4000;

/** Where the search for a like question runs, and what a hit costs on top of it. */
interface Search {
  readonly searchSeconds: number;
  readonly fetchSeconds: number;
}
/** The store answers with the document itself. */
const REMOTE: Search = { searchSeconds: 0.03, fetchSeconds: 0 };
const LOCAL: Search = { searchSeconds: 0.002, fetchSeconds: 0.005 };

interface Policy {
  readonly search: Search;
  readonly ttlOf: (category: Category) => number;
  readonly isCached: (at: number) => boolean;
  /** Entries that each category may have. */
  readonly quotaOf: (at: number) => number;
}

interface Outcome {
  readonly meanSeconds: number;
  /** Share of the queries of each category that were answered from the cache. */
  readonly hitShares: readonly number[];
  readonly staleShare: number;
}

/** Draws i in proportion to (i + 1)^-skew, by inversion of the running sum. */
function zipf(intents: number, skew: number): (random: Random) => number {
  const sums = new Float64Array(intents);
  let sum = 0;
  for (let i = 0; i < intents; i++) {
    sum += (i + 1) ** -skew;
    sums[i] = sum;
  }
  return (random) => {
    const drawn = random.uniform() * sum;
    let low = 0;
    let high = intents - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] as number) < drawn) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

const DRAWS = CATEGORIES.map(({ intents, skew }) => zipf(intents, skew));

/** One stream of questions through a cache with TTL and quotas; least recently used goes first. */
function replay(seed: number, policy: Policy): Outcome {
  const random = createRandom(seed);
  const caches = CATEGORIES.map(() => new Map<number, number>());
  const asked = CATEGORIES.map(() => 0);
  const hits = CATEGORIES.map(() => 0);
  let seconds = 0;
  let stale = 0;
  for (let i = 0; i < QUERIES; i++) {
    const now = i / QUERIES_PER_SECOND;
    let drawn = random.uniform();
    let at = 0;
    while (at < CATEGORIES.length - 1 && drawn >= (CATEGORIES[at] as Category).share) {
      drawn -= (CATEGORIES[at] as Category).share;
      at++;
    }
    const category = CATEGORIES[at] as Category;
    const intent = (DRAWS[at] as (random: Random) => number)(random);
    asked[at] = (asked[at] as number) + 1;
    if (!policy.isCached(at)) {
      seconds += category.llmSeconds;
      continue;
    }
    seconds += policy.search.searchSeconds;
    const cache = caches[at] as Map<number, number>;
    const writtenAt = cache.get(intent);
    if (writtenAt !== undefined && now - writtenAt <= policy.ttlOf(category)) {
      seconds += policy.search.fetchSeconds;
      hits[at] = (hits[at] as number) + 1;
      if (now - writtenAt > category.freshSeconds) stale++;
      cache.delete(intent);
      cache.set(intent, writtenAt);
      continue;
    }
    seconds += category.llmSeconds;
    cache.delete(intent);
    cache.set(intent, now);
    if (cache.size > policy.quotaOf(at)) cache.delete(cache.keys().next().value as number);
  }
  return {
    meanSeconds: seconds / QUERIES,
    hitShares: hits.map((count, at) => count / Math.max(1, asked[at] as number)),
    staleShare: stale / QUERIES,
  };
}

/** Least share of hits at which a search pays: hits save the model and cost a fetch, all cost the search. */
export function breakEvenShare(
  { searchSeconds, fetchSeconds }: Search,
  llmSeconds: number,
): number {
  return searchSeconds / (llmSeconds - fetchSeconds);
}

function* run(seed: number): Generator<CheckProgress, CheckResult> {
  const even = Math.floor(CACHE_ENTRIES / CATEGORIES.length);
  const uniform = (search: Search): Policy => ({
    search,
    ttlOf: () => 3600,
    isCached: () => true,
    quotaOf: () => even,
  });
  yield { fraction: 0, phase: 'one rule for all, remote search' };
  const remote = replay(seed, uniform(REMOTE));
  yield { fraction: 0.25, phase: 'one rule for all, local search' };
  const local = replay(seed, uniform(LOCAL));
  yield { fraction: 0.5, phase: 'by category' };
  const isWorth = CATEGORIES.map(
    ({ llmSeconds }, at) => (local.hitShares[at] as number) > breakEvenShare(LOCAL, llmSeconds),
  );
  const share = CACHE_ENTRIES / isWorth.filter(Boolean).length;
  const aware: Policy = {
    search: LOCAL,
    ttlOf: ({ freshSeconds }) => freshSeconds,
    isCached: (at) => isWorth[at] as boolean,
    quotaOf: () => Math.floor(share),
  };
  const byCategory = replay(seed, aware);
  yield { fraction: 0.75, phase: 'without a cache' };
  const none = CATEGORIES.reduce((sum, { share: part, llmSeconds }) => sum + part * llmSeconds, 0);
  const milliseconds = [150, 200, 300, 500, 1000];
  const claim = 'claim of the paper';
  return {
    figures: [
      {
        label: 'break-even share of hits, remote search of 30 ms, model answers in 200 ms',
        value: 100 * breakEvenShare(REMOTE, 0.2),
        unit: '%',
        expected: { low: 15, high: 20 },
        source: claim,
      },
      {
        label: 'break-even share of hits, remote search of 30 ms, model answers in 150 ms',
        value: 100 * breakEvenShare(REMOTE, 0.15),
        unit: '%',
        expected: { low: 15, high: 20 },
        source: claim,
      },
      {
        label: 'break-even share of hits, local search of 2 ms, model answers in 200 ms',
        value: 100 * breakEvenShare(LOCAL, 0.2),
        unit: '%',
        expected: { low: 3, high: 5 },
        source: claim,
      },
      ...CATEGORIES.map(({ name }, at) => ({
        label: `hits, ${name}, one rule for all`,
        value: 100 * (local.hitShares[at] as number),
        unit: '%',
      })),
      {
        label: 'mean latency, remote search for all, against no cache',
        value: remote.meanSeconds / none,
        unit: 'x',
      },
      {
        label: 'mean latency, local search for all, against no cache',
        value: local.meanSeconds / none,
        unit: 'x',
      },
      {
        label: 'mean latency, by category, against no cache',
        value: byCategory.meanSeconds / none,
        unit: 'x',
        expected: { high: 1 },
        source: 'the rule itself: a category is cached only where that pays',
      },
      { label: 'answers out of date, one rule for all', value: 100 * local.staleShare, unit: '%' },
      {
        label: 'answers out of date, by category',
        value: 100 * byCategory.staleShare,
        unit: '%',
        expected: { high: 0 },
        source: 'the rule itself: the TTL of a category is how long its answers hold',
      },
    ],
    series: [
      {
        title: 'Break-even share of hits',
        xLabel: 'time of the model (ms)',
        yLabel: 'hits needed (%)',
        lines: [
          { name: 'remote search, 30 ms', search: REMOTE },
          { name: 'local search, 2 ms, and a fetch', search: LOCAL },
        ].map(({ name, search }) => ({
          name,
          x: milliseconds,
          y: milliseconds.map((ms) => 100 * breakEvenShare(search, ms / 1000)),
        })),
      },
    ],
    notes: [
      `${QUERIES} questions at ${QUERIES_PER_SECOND} /s in four categories of our own making (${CATEGORIES.map(({ name, share: part }) => `${name} ${100 * part} %`).join(', ')}), ${CACHE_ENTRIES} cached answers in all; two questions are alike or they are not, so thresholds of similarity and their mistakes are left out.`,
      "Latency alone puts the break-even of a local search near 1 %; the paper's 3 to 5 % must count more than that, and its abstract does not say what.",
      'Not here: thresholds that loosen when the model behind is loaded, and their effect on its traffic.',
    ],
  };
}

/** Category-aware semantic caching (2025): the economics of a cache before the model. */
export const categoryAwareSemanticCache: RowCheck = {
  id: 'category-aware-semantic-cache',
  title: 'category-aware semantic cache',
  asks: 'How many questions must repeat before a cache of answers pays?',
  rule: 'A question is put into a category, and the category decides: how similar an earlier question must be, how long its answer holds (TTL), and how many answers may be kept (quota). The search runs in memory beside the service, and the answer is fetched from the store only on a hit, so a miss costs little. A category is cached at all only if hits x (model time - hit time) exceeds what its misses cost.',
  evidence: 'abstract',
  run,
};
