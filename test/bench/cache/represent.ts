/**
 * Accuracy against bytes of every form that slots can be held in, on facts hidden at compression:
 * `npx tsx test/bench/cache/represent.ts FOLDER [samples] [contextTokens]`.
 */
import { createRandom } from '../../../lib/random/random';
import { generateFacts } from '../../../lib/tasks/generators/facts';
import { END } from '../../../lib/tasks/vocabulary';
import { decodeGreedy, prefill } from '../../../lib/transformer/generate';
import { act, type Method, prefilled } from './act';
import { loadReference } from './load';

const quantise = (form: object, rest: object = {}) => ({
  action: { type: 'quantise', slots: 'all', form, ...rest },
});
const project = (form: object) => ({ action: { type: 'project', form } });

const METHODS: readonly Method[] = [
  { id: 'full f16', action: { type: 'none' } },
  { id: 'int8', ...quantise({ type: 'per-token', bits: 8 }) },
  { id: 'int4', ...quantise({ type: 'per-token', bits: 4 }) },
  { id: 'int2', ...quantise({ type: 'per-token', bits: 2 }) },
  { id: 'kivi 4 bit', ...quantise({ type: 'kivi', bits: 4 }, { recentTokens: 32 }) },
  { id: 'kivi 2 bit', ...quantise({ type: 'kivi', bits: 2 }, { recentTokens: 32 }) },
  { id: 'gear 4 bit', ...quantise({ type: 'gear', bits: 4 }, { recentTokens: 20 }) },
  {
    id: 'gear 2 bit',
    ...quantise({ type: 'gear', bits: 2, groupTokens: 64 }, { recentTokens: 64 }),
  },
  { id: 'vidkv', ...quantise({ type: 'vidkv' }, { recentTokens: 32 }) },
  { id: 'vidkv without FFT', ...quantise({ type: 'vidkv', fourier: false }, { recentTokens: 32 }) },
  { id: 'cachegen (stream)', ...quantise({ type: 'cachegen' }) },
  { id: 'cachegen without anchors', ...quantise({ type: 'cachegen', anchorRows: 0 }) },
  { id: 'h2o evict 50 %', action: { type: 'evict' }, keptShare: 0.5 },
  { id: 'h2o evict 25 %', action: { type: 'evict' }, keptShare: 0.25 },
  {
    id: 'mikv 25 % f16, 2 bit',
    action: { type: 'quantise', form: { type: 'mikv' } },
    keptShare: 0.25,
  },
  {
    id: 'mikv 25 % f16, 4 bit',
    action: { type: 'quantise', form: { type: 'mikv', bits: 4 } },
    keptShare: 0.25,
  },
  {
    id: 'zipcache 60 % 4 bit, 2 bit',
    action: {
      type: 'quantise',
      form: { type: 'zipcache', bits: 2 },
      keptForm: { type: 'zipcache', bits: 4 },
    },
    keptShare: 0.6,
    score: 'per-visible',
  },
  {
    id: 'kvmerger 50 %',
    action: { type: 'merge', target: 'adjacent-sets', weights: 'gaussian' },
    keptShare: 0.5,
  },
  { id: 'look-m 50 %', action: { type: 'merge', weights: 'pivotal' }, keptShare: 0.5 },
  {
    id: 'look-m 50 %, no count',
    action: { type: 'merge', weights: 'pivotal', keepCount: false },
    keptShare: 0.5,
  },
  {
    id: 'elastic-cache 50 %',
    action: { type: 'merge', target: 'nearest-position' },
    keptShare: 0.5,
  },
  { id: 'think 40 %, pairs', action: { type: 'channel-prune' } },
  {
    id: 'think 40 %, after RoPE',
    action: { type: 'channel-prune', rope: 'after', keepPairs: false },
  },
  { id: 'xkv 1/8, 3/16', ...project({ type: 'cross-layer' }) },
  { id: 'xkv 1/4, 3/8', ...project({ type: 'cross-layer', keyShare: 0.25, valueShare: 0.375 }) },
  { id: 'xkv 1/2, 1/2', ...project({ type: 'cross-layer', keyShare: 0.5, valueShare: 0.5 }) },
  { id: 'shadowkv keys 5/32', ...project({ type: 'low-rank', keyShare: 0.15625 }) },
  { id: 'shadowkv keys 1/2', ...project({ type: 'low-rank', keyShare: 0.5 }) },
  { id: 'matryoshkakv 40 %', ...project({ type: 'principal', share: 0.4 }) },
  { id: 'matryoshkakv 60 %', ...project({ type: 'principal', share: 0.6 }) },
  { id: 'cskv weights 50 %', ...project({ type: 'projection', share: 0.5 }) },
  { id: 'cskv prompt 50 %', ...project({ type: 'projection', share: 0.5, fit: 'prompt' }) },
  { id: 'minicache', ...project({ type: 'spherical' }) },
];

const [folder, samplesText = '20', contextText = '512'] = process.argv.slice(2);
if (!folder) throw new Error('expected the folder of a checkpoint');
const samples = Number(samplesText);
const contextTokens = Number(contextText);
const model = await loadReference(folder);
const random = createRandom(7);
const results = METHODS.map(() => ({ right: 0, asked: 0, payload: 0, total: 0, milliseconds: 0 }));
for (let sample = 0; sample < samples; sample++) {
  const { context, turns } = generateFacts({ contextTokens, facts: 10, questions: 4 }, random);
  const state = prefilled(model, context);
  const start = state.cache.snapshot();
  METHODS.forEach((method, index) => {
    const result = results[index]!;
    state.cache.restore(start);
    const began = performance.now();
    act(model, state, method);
    result.milliseconds += performance.now() - began;
    for (const { bytes } of state.cache.ledger().layers) {
      result.payload += bytes.payload;
      for (const count of Object.values(bytes)) result.total += count;
    }
    const compressed = state.cache.snapshot();
    for (const { question, answer } of turns) {
      const logits = prefill(model, state.cache, question, context.length);
      const said = decodeGreedy(
        model,
        state.cache,
        logits,
        context.length + question.length,
        answer.length,
        new Set([END]),
      );
      result.asked++;
      if (said.join() === answer.join()) result.right++;
      state.cache.restore(compressed);
    }
  });
}

/** Wilson's 95 % interval of a share. */
function interval(right: number, asked: number): readonly [number, number] {
  const z = 1.959964;
  const p = right / asked;
  const centre = p + z ** 2 / (2 * asked);
  const spread = z * Math.sqrt((p * (1 - p)) / asked + z ** 2 / (4 * asked ** 2));
  const scale = 1 + z ** 2 / asked;
  return [(centre - spread) / scale, (centre + spread) / scale];
}

const tokens = samples * contextTokens;
const lines = METHODS.map(({ id }, index) => {
  const { right, asked, payload, total, milliseconds } = results[index]!;
  const [low, high] = interval(right, asked);
  const percent = (value: number) => (100 * value).toFixed(0);
  return `| ${id} | ${percent(right / asked)} (${percent(low)}..${percent(high)}) | ${(total / tokens).toFixed(0)} | ${(payload / tokens).toFixed(0)} | ${((total - payload) / tokens).toFixed(1)} | ${(milliseconds / samples).toFixed(0)} |`;
});
process.stdout.write(
  [
    `facts hidden at compression, ${samples} samples x 4 questions, context ${contextTokens}, seed 7`,
    '',
    '| form | accuracy, % (95 %) | bytes/token | payload | rest | ms |',
    '| --- | --- | --- | --- | --- | --- |',
    ...lines,
    '',
  ].join('\n'),
);
