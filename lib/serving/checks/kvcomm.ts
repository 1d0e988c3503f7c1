import { serveParams } from '../../spec/kinds/serve';
import { makeCostModel } from '../cost/make-cost-model';
import { createEstimator } from '../general/estimator';
import type { CheckProgress, CheckResult, RowCheck } from './types';

const AGENTS = 5;
const INPUT_TOKENS = 1024;
const PREFIX_TOKENS = 512;
const OUTPUT_TOKENS = 512;

/** Tokens before the first answer of agent `k` (from 0) where everybody reads all answers so far. */
export const contextOf = (k: number): number => PREFIX_TOKENS + INPUT_TOKENS + k * OUTPUT_TOKENS;

/**
 * Whether the KV offsets of a new occurrence are made of those of the anchors: with at least two of
 * them, and weights exp(-distance) / sum whose entropy is at most `gamma` x log2 of their number.
 */
export function reusesAnchors(distances: readonly number[], gamma: number): boolean {
  if (distances.length < 2) return false;
  const nearest = Math.min(...distances);
  const raw = distances.map((distance) => Math.exp(nearest - distance));
  const sum = raw.reduce((a, b) => a + b, 0);
  const entropy = raw.reduce((bits, each) => {
    const p = each / sum;
    return p === 0 ? bits : bits - p * Math.log2(p);
  }, 0);
  return entropy <= gamma * Math.log2(distances.length);
}

// The figures have no chance in them: the seed is not looked at.
function* run(): Generator<CheckProgress, CheckResult> {
  yield { fraction: 0, phase: 'five agents' };
  const params = serveParams.parse({ model: 'llama-3.1-8b', hardware: 'h100' });
  const { prefillSeconds } = createEstimator(makeCostModel(params));
  const agents = Array.from({ length: AGENTS }, (_, k) => k);
  const dense = agents.map((k) => prefillSeconds(0, contextOf(k)));
  // The first has nothing to reuse; the others compute their own prefix alone.
  const reused = agents.map((k) =>
    k === 0 ? (dense[0] as number) : prefillSeconds(contextOf(k) - PREFIX_TOKENS, PREFIX_TOKENS),
  );
  const gain = (k: number) => (dense[k] as number) / (reused[k] as number);
  const rivals = [2, 5, 10, 20];
  const least = (anchors: number) => {
    for (let distance = 0; distance < 40; distance += 0.01)
      if (reusesAnchors([0, ...new Array<number>(anchors - 1).fill(distance)], 0.3))
        return distance;
    return 40;
  };
  return {
    figures: [
      {
        label: 'prefill, dense against reuse, first agent',
        value: gain(0),
        unit: 'x',
        expected: { low: 1, high: 1 },
        source: 'arithmetic: there is nothing to reuse yet',
      },
      {
        label: `prefill, dense against reuse, agent ${AGENTS}`,
        value: gain(AGENTS - 1),
        unit: 'x',
        expected: { low: 5, high: 8 },
        source: 'a claim of the abstract: up to 7.8 with five agents',
      },
      {
        label: `tokens reused of all that ${AGENTS} agents read`,
        value:
          100 *
          (agents.slice(1).reduce((sum, k) => sum + contextOf(k) - PREFIX_TOKENS, 0) /
            agents.reduce((sum, k) => sum + contextOf(k), 0)),
        unit: '%',
        expected: { low: 70 },
        source: 'a claim of the abstract: more than 70',
      },
    ],
    series: [
      {
        title: 'Prefill of each agent',
        xLabel: 'agent',
        yLabel: 'seconds',
        lines: [
          { name: 'dense', x: agents.map((k) => k + 1), y: dense },
          { name: 'reuse', x: agents.map((k) => k + 1), y: reused },
        ],
      },
      {
        title: 'How much nearer one anchor must be than all others to be reused',
        xLabel: 'anchors',
        yLabel: 'distance',
        lines: [{ name: 'entropy 0.3 log2 of their number', x: rivals, y: rivals.map(least) }],
      },
    ],
    notes: [
      `Llama 3.1 8B on an H100, roofline; ${AGENTS} agents one after another, each with ${PREFIX_TOKENS} tokens of its own, ${INPUT_TOKENS} of input and all answers of ${OUTPUT_TOKENS} so far; a first round, so the first agent has nothing to reuse.`,
      'That every segment is reused is assumed; which ones are depends on distances of values that a simulation does not have. The price of the offsets is not counted, nor is what they do to answers.',
    ],
  };
}

/** KVCOMM (2025): KV of shared text moved behind another prefix by offsets seen before. */
export const kvcomm: RowCheck = {
  id: 'kvcomm',
  title: 'KVCOMM: shared text behind other prefixes',
  asks: 'How much prefill is saved when agents reuse the KV of what the others have said?',
  rule: 'for each shared piece of text up to twenty anchors are kept: the offsets of its KV seen behind some prefix. a new occurrence weighs them by the likeness of values; where fewer than two are there, or the entropy of the weights is above 0.3 x log2 of their number, it is computed and becomes an anchor, else the weighted offsets are added and nothing is computed. when full, the least used of the five oldest goes.',
  evidence: 'code',
  run,
};
