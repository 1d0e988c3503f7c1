import { createRandom } from '../random/random';
import { drawDistinct } from '../tasks/place';
import { taskOf } from '../tasks/registry';
import type { Turn } from '../tasks/types';
import { BOS, NAME_TOKENS, NUMBER_TOKENS } from '../tasks/vocabulary';
import type { Transformer } from '../transformer/types';
import { type AttentionMaps, attentionMaps } from './attention-maps';
import {
  attentionEntropyNats,
  duplicateTokenMass,
  inductionMass,
  previousTokenMass,
  retrievalScore,
  sinkMass,
} from './probes';

/** What one query head does. */
export interface HeadProbe {
  readonly layer: number;
  readonly head: number;
  /** On contexts of facts in filler. */
  readonly sink: number;
  readonly previousToken: number;
  readonly entropyNats: number;
  readonly retrieval: number;
  /** On random sequences that are repeated. */
  readonly induction: number;
  readonly duplicateToken: number;
  /** Standard error of `induction` over the texts. */
  readonly inductionError: number;
}

export interface ProbeOptions {
  readonly seed: number;
  /** Texts of each kind. */
  readonly texts: number;
  /** Different tokens of a repeated sequence. */
  readonly period: number;
  readonly repeats: number;
  readonly contextTokens: number;
}

export const PROBE_DEFAULTS: ProbeOptions = {
  seed: 1,
  texts: 8,
  period: 32,
  repeats: 4,
  contextTokens: 256,
};

function repeatedText({ seed, period, repeats }: ProbeOptions, index: number): number[] {
  const random = createRandom(seed).fork(`probe ${index}`);
  const sequence = drawDistinct([...NAME_TOKENS, ...NUMBER_TOKENS], period, random);
  return [BOS, ...Array.from({ length: repeats }, () => sequence).flat()];
}

/** A context with a question and its answer, and the rows that predict the answer. */
function askedText({ seed, contextTokens }: ProbeOptions, index: number) {
  const { context, turns } = taskOf('niah-multi-key-1').sample({ contextTokens, seed, index });
  const { question, answer, evidence } = turns[0] as Turn;
  const text = [...context, ...question, ...answer];
  const queries = answer.map((_, i) => text.length - answer.length + i - 1);
  return { text, queries, evidence };
}

/** Probes of every query head, layer by layer; means over the texts. */
export function probeHeads(model: Transformer, given: Partial<ProbeOptions> = {}): HeadProbe[] {
  const steps = probeSteps(model, given);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** The same, yielding the share done after every text, so that a worker can look at its mailbox. */
export function* probeSteps(
  model: Transformer,
  given: Partial<ProbeOptions> = {},
): Generator<number, HeadProbe[]> {
  const options = { ...PROBE_DEFAULTS, ...given };
  const { layers, heads } = model.config;
  const sums = Array.from({ length: layers * heads }, () => ({
    sink: 0,
    previousToken: 0,
    entropyNats: 0,
    retrieval: 0,
    induction: 0,
    duplicateToken: 0,
    squares: 0,
  }));
  const each = (
    maps: AttentionMaps,
    add: (map: Float32Array, sum: (typeof sums)[number]) => void,
  ) => {
    sums.forEach((sum, i) => {
      add(maps.map(Math.floor(i / heads), i % heads), sum);
    });
  };
  for (let index = 0; index < options.texts; index++) {
    const { text, queries, evidence } = askedText(options, index);
    each(attentionMaps(model, text), (map, sum) => {
      sum.sink += sinkMass(map, text.length);
      sum.previousToken += previousTokenMass(map, text.length);
      sum.entropyNats += attentionEntropyNats(map, text.length);
      sum.retrieval += retrievalScore(map, text.length, queries, evidence);
    });
    const repeated = repeatedText(options, index);
    each(attentionMaps(model, repeated), (map, sum) => {
      const induction = inductionMass(map, repeated);
      sum.induction += induction;
      sum.squares += induction * induction;
      sum.duplicateToken += duplicateTokenMass(map, repeated);
    });
    yield (index + 1) / options.texts;
  }
  const { texts } = options;
  return sums.map(({ squares, ...sum }, i) => {
    const induction = sum.induction / texts;
    const variance =
      texts < 2 ? Number.NaN : Math.max(0, squares - texts * induction ** 2) / (texts - 1);
    return {
      layer: Math.floor(i / heads),
      head: i % heads,
      sink: sum.sink / texts,
      previousToken: sum.previousToken / texts,
      entropyNats: sum.entropyNats / texts,
      retrieval: sum.retrieval / texts,
      induction,
      duplicateToken: sum.duplicateToken / texts,
      inductionError: Math.sqrt(variance / texts),
    };
  });
}
