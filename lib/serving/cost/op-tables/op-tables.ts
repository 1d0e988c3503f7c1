import type { BatchFeatures, CostModel } from '../../types';
import { paddedTokens } from '../cuda-graphs';
import { type Curve, sumAt, sumAtEverySize } from './curve';
import type { OpTables } from './files';
import { type MemoryFloor, raiseToFloor } from './memory-floor';
import { type Experts, expectedExperts } from './moe';
import { groupTokens, type SharedExperts, sharedExpertsMicroseconds } from './shared-experts';
import { yamlAt } from './yaml-subset';

/** A ring all-reduce over one link: latency + 2 (p - 1) / p bytes / bandwidth. */
export interface LinkSpec {
  readonly bytesPerSecond: number;
  readonly latencySeconds: number;
  readonly source: string;
  /**
   * All-gather and reduce-scatter, where measured apart: each takes latency + (p - 1) / p bytes /
   * bandwidth, of the bytes of all ranks together.
   */
  readonly exchange?: Omit<LinkSpec, 'exchange'> | undefined;
}

export interface OpTablesOptions {
  readonly layers: number;
  /** Elements of the hidden state: what an all-reduce carries for one token. */
  readonly hiddenSize: number;
  readonly bytesPerElement: number;
  /** Needed where the profile has experts. */
  readonly experts?: Experts | undefined;
  readonly link: LinkSpec;
  /** How the ranks of a data-parallel group share the experts; needed for `groupIterationSeconds`. */
  readonly sharedExperts?: SharedExperts | undefined;
  /** Where the accelerator and the model are known: no operator reads its weights faster than that. */
  readonly memoryFloor?: MemoryFloor | undefined;
  /** Largest batch that runs as a recorded CUDA graph, which pads it; 0 for none. */
  readonly largestGraphTokens: number;
}

/** How often each operator runs in one iteration: once, or so many times in each layer. */
const ONCE = ['embedding', 'final_layernorm'] as const;
const PER_LAYER: Readonly<Record<string, number>> = {
  layernorm: 2,
  qkv_proj: 1,
  qk_norm: 1,
  rotary_emb: 1,
  o_proj: 1,
  gate_up_proj: 1,
  act_fn: 1,
  down_proj: 1,
};
const FFN = ['gate_up_proj', 'act_fn', 'down_proj'];
const NEEDED = ['embedding', 'layernorm', 'qkv_proj', 'o_proj', 'final_layernorm'];
const PER_SEQUENCE = ['lm_head', 'sampler'];

const lastSize = ({ sizes }: Curve): number => sizes[sizes.length - 1] as number;

function checkLayers(tables: OpTables): void {
  const { dense, perSequence, moe } = tables;
  const folder = `tensorParallel ${tables.tensorParallel}`;
  const needed = [...NEEDED, ...(moe === undefined ? FFN : [])];
  const missing = needed.filter((name) => !dense.has(name));
  if (missing.length > 0) {
    const hint = FFN.some((name) => missing.includes(name)) ? ', or a moe.csv' : '';
    throw new Error(`dense.csv (${folder}): missing layer ${missing.join(', ')}${hint}`);
  }
  const unknown = [...dense.keys()].find(
    (name) => !ONCE.includes(name as 'embedding') && PER_LAYER[name] === undefined,
  );
  if (unknown !== undefined) {
    throw new Error(
      `dense.csv (${folder}): unknown layer "${unknown}" (expected ${[...ONCE, ...Object.keys(PER_LAYER)].join(', ')})`,
    );
  }
  const absent = PER_SEQUENCE.filter((name) => !perSequence.has(name));
  if (absent.length > 0) {
    throw new Error(`per_sequence.csv (${folder}): missing layer ${absent.join(', ')}`);
  }
}

/** What an operator-table model adds to the common interface: its parts, for a breakdown. */
export interface OpTablesCostModel extends CostModel {
  /** Microseconds of one layer's attention, the skew term included. */
  attentionMicroseconds(features: BatchFeatures): number;
  /** Microseconds of the dense operators and the all-reduces, which depend on the token count alone. */
  denseMicroseconds(tokens: number): number;
}

/**
 * Iteration time from measured operators, as LLMServingSim sums them: embedding + layers x
 * (2 layernorm + qkv + qk_norm + rotary + attention + o + gate_up + activation + down) + final
 * layernorm + lm_head + sampler. What depends on the token count alone is one curve; attention is
 * looked up for the whole mixed batch, which costs more than its prefills and its decodes apart.
 * Several prefills in one batch are looked up as one of the same tokens and the same query-key
 * pairs; where no chunk of so many tokens has so few pairs, as one of the same pairs.
 *
 * @throws Error naming the layer that is missing or unknown
 */
export function opTablesCostModel(tables: OpTables, options: OpTablesOptions): OpTablesCostModel {
  checkLayers(tables);
  const { attention, skew, moe, dense, perSequence, tensorParallel: tp } = tables;
  const { layers, link, experts, largestGraphTokens } = options;
  if (moe !== undefined && experts === undefined) {
    throw new Error(
      'moe.csv: the model has no experts (expected their number and experts per token)',
    );
  }
  if (moe === undefined && options.sharedExperts !== undefined) {
    throw new Error(
      'sharedExperts: the profile has no moe.csv (expected one, or sharedExperts none)',
    );
  }
  const raised: string[] = [];
  const atLeast = (name: string, curve: Curve): Curve => {
    const higher = raiseToFloor(name, curve, options.memoryFloor);
    if (higher !== curve) raised.push(name);
    return higher;
  };
  const once: [Curve, number][] = ONCE.map((name) => [dense.get(name) as Curve, 1]);
  const perLayer = Object.entries(PER_LAYER).flatMap(([name, times]): [Curve, number][] => {
    const curve = dense.get(name);
    const isReplaced = moe !== undefined && FFN.includes(name);
    return curve === undefined || isReplaced ? [] : [[atLeast(name, curve), times * layers]];
  });
  const parts = [...once, ...perLayer];
  const sampled = Math.min(
    ...parts.map(([curve]) => lastSize(curve)),
    moe?.reach.tokens ?? Infinity,
  );
  const denseSums = sumAtEverySize(parts, sampled);
  if (tp > 1) addAllReduce(denseSums, options, tp);
  const moeSums = new Float64Array(moe === undefined ? 2 : sampled + 1);
  if (moe !== undefined && experts !== undefined) {
    // One rank of several holds a slice of every expert, so a whole expert's time is shared out.
    const share = tables.isMoeOfOneRank ? 1 / tp : 1;
    for (let tokens = 1; tokens <= sampled; tokens++) {
      // What pads a recorded graph is computed too, and asks for no expert of its own.
      const padded = paddedTokens(tokens, largestGraphTokens);
      const activated = expectedExperts(experts, tokens);
      moeSums[tokens] = layers * share * moe.microseconds(padded, activated);
    }
  }
  const heads = PER_SEQUENCE.map((name) => atLeast(name, perSequence.get(name) as Curve));
  const sampledSequences = Math.min(...heads.map(lastSize));
  const headSums = sumAtEverySize(
    heads.map((curve) => [curve, 1]),
    sampledSequences,
  );
  const { reach } = attention;
  let iterations = 0;
  let extrapolated = 0;
  const beyond = new Map<string, number>();

  function flag(name: string, value: number, last: number): boolean {
    if (value <= last) return false;
    if (value > (beyond.get(name) ?? 0)) beyond.set(name, value);
    return true;
  }

  function prefillPoint(f: BatchFeatures): void {
    const pairs = f.prefillAttentionPairs;
    chunk = f.prefillTokens;
    if (attention.isKeyLength) {
      context = chunk === 0 ? 0 : pairs / chunk;
      return;
    }
    if (f.prefillCount <= 1) {
      context = f.prefillContextTokens;
      return;
    }
    context = pairs / chunk - chunk / 2;
    if (context < 0) {
      chunk = Math.sqrt(2 * pairs);
      context = 0;
    }
  }

  let chunk = 0;
  let context = 0;
  function attentionMicroseconds(f: BatchFeatures): number {
    prefillPoint(f);
    const n = f.decodeCount;
    const mean = n === 0 ? 0 : f.decodeContextTokens / n;
    const atMean = attention.microseconds(chunk, context, n, mean);
    if (skew === undefined || n < 2 || f.decodeContextMax <= mean) return atMean;
    const share = (mean - f.decodeContextMin) / (f.decodeContextMax - f.decodeContextMin);
    const alpha = skew.alpha(chunk, n, share, f.decodeContextMax, context);
    if (alpha === 0) return atMean;
    const atLongest = attention.microseconds(chunk, context, n, f.decodeContextMax);
    return atLongest <= atMean ? atMean : atMean + alpha * (atLongest - atMean);
  }

  const denseMicroseconds = (tokens: number): number =>
    sumAt(denseSums, paddedTokens(tokens, largestGraphTokens));

  /** What a rank computes by itself, the experts aside, with `tokens` as its forward pass runs them. */
  function ownMicroseconds(f: BatchFeatures, padded: number): number {
    const sequences = f.decodeCount + f.prefillCount;
    const us = sumAt(denseSums, padded) + sumAt(headSums, sequences);
    const total = us + layers * attentionMicroseconds(f);
    iterations++;
    let isBeyond = flag('tokens', padded, sampled);
    isBeyond = flag('sequences', sequences, sampledSequences) || isBeyond;
    isBeyond = flag('prefill_chunk', chunk, reach.chunk) || isBeyond;
    isBeyond = flag('kv_prefill', context, reach.prefillContext) || isBeyond;
    isBeyond = flag('n_decode', f.decodeCount, reach.decodes) || isBeyond;
    isBeyond = flag('kv_decode', f.decodeContextMax, reach.decodeContext) || isBeyond;
    if (isBeyond) extrapolated++;
    return total;
  }

  const { sharedExperts } = options;
  function groupIterationSeconds(ranks: readonly BatchFeatures[]): number {
    const tokens = groupTokens(ranks, largestGraphTokens);
    let slowest = 0;
    for (const [i, f] of ranks.entries()) {
      slowest = Math.max(slowest, ownMicroseconds(f, tokens.padded[i] as number));
    }
    if (moe === undefined || experts === undefined || sharedExperts === undefined)
      return Number.NaN;
    const shared = sharedExpertsMicroseconds(tokens, sharedExperts, {
      moe,
      experts,
      exchange: link.exchange ?? link,
      bytesPerToken: options.hiddenSize * options.bytesPerElement,
      routerBytesPerToken: experts.count * options.bytesPerElement,
      ranksOfEach: tables.isMoeOfOneRank ? tp : 1,
    });
    return (slowest + layers * shared) * 1e-6;
  }

  const model = yamlAt(tables.meta, 'model');
  const hardware = yamlAt(tables.meta, 'gpu') ?? yamlAt(tables.meta, 'hardware');
  const what = [model, hardware].filter((part) => typeof part === 'string').join(' on ');
  const label = `operator tables${what === '' ? '' : `, ${what}`}, tensor parallel ${tp}`;
  return {
    kind: 'op-tables',
    label,
    source: `measured operator times in microseconds from the bound files${
      tp > 1 ? `; all-reduce: ${link.source}` : ''
    }${
      sharedExperts === undefined
        ? ''
        : `; all-gather and reduce-scatter: ${(link.exchange ?? link).source}`
    }${tables.leftOut.map((part) => `; ${part}`).join('')}${
      raised.length > 0
        ? `; ${raised.join(', ')} raised to the time of reading the weights from memory`
        : ''
    }`,
    attentionMicroseconds,
    denseMicroseconds,
    readsDecodeRange: true,
    iterationSeconds(f) {
      const tokens = f.decodeCount + f.prefillTokens;
      const padded = paddedTokens(tokens, largestGraphTokens);
      return (ownMicroseconds(f, padded) + sumAt(moeSums, tokens)) * 1e-6;
    },
    ...(sharedExperts === undefined ? {} : { groupIterationSeconds }),
    extrapolation() {
      if (extrapolated === 0) return undefined;
      const where = Array.from(beyond, ([name, value]) => `${name} up to ${Math.round(value)}`);
      return `extrapolated beyond the tables in ${extrapolated} of ${iterations} iterations (${where.join(', ')})`;
    },
  };
}

/** Two all-reduces of the hidden state in each layer and one after the embedding, at every token count. */
function addAllReduce(sums: Float64Array, options: OpTablesOptions, tp: number): void {
  const { layers, hiddenSize, bytesPerElement, link } = options;
  for (let tokens = 1; tokens < sums.length; tokens++) {
    const bytes = ((2 * (tp - 1)) / tp) * tokens * hiddenSize * bytesPerElement;
    const seconds = link.latencySeconds + bytes / link.bytesPerSecond;
    sums[tokens] = (sums[tokens] as number) + (2 * layers + 1) * seconds * 1e6;
  }
}
