import { describe, expect, it } from 'vitest';
import { fitProfileNow, roundCosts } from '../../../lib/serving/calibrate/fit-profile';
import { profileFileText, readProfileFile } from '../../../lib/serving/calibrate/profile-file';
import { profileNotebook } from '../../../lib/serving/calibrate/profile-notebook';
import { simulate } from '../../../lib/serving/core/simulation';
import { makeCostModel } from '../../../lib/serving/cost/make-cost-model';
import { makeBundle } from '../../../lib/serving/cost/op-tables/bundle';
import { profileCostModel } from '../../../lib/serving/cost/profile';
import type { BatchFeatures } from '../../../lib/serving/types';
import { decodeLink, encodeLink } from '../../../lib/share/link';
import { serveParams } from '../../../lib/spec/kinds/serve';
import { workloadParams } from '../../../lib/spec/kinds/workload';
import { generateWorkload } from '../../../lib/workload/generate';
import { MADE_UP, madeUpProfile } from './made-up-profile';
import { madeUpSilicon } from './made-up-silicon';

const fitTables = (files = madeUpProfile(), choices = {}) =>
  fitProfileNow({ type: 'tables', files, choices });

const features = (
  prefillTokens: number,
  context: number,
  decodes: number,
  decodeContext: number,
): BatchFeatures => ({
  decodeCount: decodes,
  decodeContextTokens: decodes * decodeContext,
  decodeContextMin: decodeContext,
  decodeContextMax: decodeContext,
  prefillCount: prefillTokens > 0 ? 1 : 0,
  prefillTokens,
  prefillTokensSquared: prefillTokens ** 2,
  prefillContextTokens: context,
  prefillContextTokensRounded: context,
  prefillAttentionPairs: prefillTokens * (context + prefillTokens / 2),
});

describe('a profile of made-up operator tables', () => {
  const { profile, parts, notes } = fitTables();
  if (profile.law !== 'operators') throw new Error('expected the law of operators');

  it('recovers the costs that the tables were made with', () => {
    const [base, perToken] = MADE_UP.dense.gate_up_proj;
    expect(profile.gateUp.baseMicroseconds).toBeCloseTo(base, 3);
    expect(profile.gateUp.perTokenMicroseconds).toBeCloseTo(perToken, 5);
    // 2 x layernorm + rotary + activation
    expect(profile.elementwise.baseMicroseconds).toBeCloseTo(8, 3);
    expect(profile.elementwise.perTokenMicroseconds).toBeCloseTo(0.02, 5);
    expect(profile.head.baseMicroseconds).toBeCloseTo(920, 2);
    expect(profile.decodeAttention.baseMicroseconds).toBeCloseTo(8, 3);
    expect(profile.decodeAttention.perSequenceMicroseconds).toBeCloseTo(0.1, 5);
    expect(profile.decodeAttention.perContextTokenMicroseconds).toBeCloseTo(0.002, 6);
    // The made-up chunks have no causal pairs, so the law of mixed batches is near and not exact.
    expect(profile.mixedAttention.perDecodeContextTokenMicroseconds).toBeCloseTo(0.002, 3);
    expect(profile.skewWeight).toBe(0.125);
    expect(profile.model).toBe('llama-3.1-8b');
    expect(notes).toEqual([]);
  });

  it('has the errors of what it did not see, by operator and together', () => {
    expect(parts.map(({ part }) => part)).toContain('mixed attention');
    const of = (name: string) => parts.find(({ part }) => part === name);
    expect(of('gate and up projection')?.medianPct).toBe(0);
    expect(of('decode attention')).toMatchObject({ medianPct: 0 });
    expect(profile.medianErrorPct).toBe(of('all')?.medianPct);
    // 8 + 9 sizes of dense and head operators, and every row of attention.
    expect(profile.rows).toBe(9 * 8 + 2 * 4 + 4 * 4 + 16 + 4 * 4 * 16);
  });

  it('gives the iterations that the tables give, where attention has no term of its own', () => {
    const params = serveParams.parse({
      hardware: 'rtx-pro-6000',
      costModel: { type: 'profile', profile },
      strategy: { type: 'vllm-v1' },
    });
    const fitted = makeCostModel(params);
    const tables = makeCostModel(
      { ...params, costModel: serveParams.parse({ costModel: { type: 'op-tables' } }).costModel },
      makeBundle(madeUpProfile()),
    );
    for (const [n, kv] of [
      [1, 100],
      [16, 900],
      [100, 4000],
    ] as const) {
      const each = features(0, 0, n, kv);
      expect(fitted.iterationSeconds(each) / tables.iterationSeconds(each)).toBeCloseTo(1, 3);
    }
    expect(fitted.label).toMatch(/^fitted profile, Llama 3.1 8B on 1 x .*\d+ rows, median error/);
  });

  it('is as long by a run as iteration by iteration', () => {
    const model = profileCostModel(profile, 0);
    const run = model.decodeRun;
    if (run === undefined) throw new Error('expected runs');
    const first = features(0, 0, 8, 500);
    const next = features(0, 0, 8, 501);
    expect(model.iterationSeconds(next) - model.iterationSeconds(first)).toBeCloseTo(
      run.slopeSeconds(first),
      12,
    );
  });

  it.each(['vllm', 'vllm-v1', 'sarathi'])('serves %s alike by runs and by iterations', (type) => {
    const params = serveParams.parse({
      hardware: 'rtx-pro-6000',
      costModel: { type: 'profile', profile },
      strategy: { type },
    });
    const { source, ...rest } = workloadParams.parse({
      source: { type: 'generator', requests: 60 },
    });
    if (source.type !== 'generator') throw new Error('expected a generator');
    const load = generateWorkload({ source, ...rest }, source);
    const { decodeRun: _, ...stepwise } = makeCostModel(params);
    const runs = simulate(params, load, makeCostModel(params)).requests.completedSeconds;
    const steps = simulate(params, load, stepwise).requests.completedSeconds;
    runs.forEach((at, i) => {
      expect(Math.abs(at - (steps[i] as number))).toBeLessThan(1e-6);
    });
  });

  it('says what lies beyond the measurements', () => {
    const model = profileCostModel(profile, 0);
    model.iterationSeconds(features(512, 0, 1, 100));
    expect(model.extrapolation?.()).toBeUndefined();
    model.iterationSeconds(features(4096, 0, 1, 9000));
    expect(model.extrapolation?.()).toBe(
      'extrapolated beyond what was measured: batches of 4097 tokens (measured to 1024), contexts of 9000 tokens (measured to 8192)',
    );
  });

  it('comes back whole from a link and from a file, and is small', async () => {
    const link = await encodeLink(profileNotebook(profile));
    expect(link.length).toBeLessThan(2500);
    const decoded = await decodeLink(link);
    if (decoded.kind !== 'ok') throw new Error(decoded.kind);
    const serve = decoded.notebook.cells.find((cell) => cell.kind === 'serve');
    expect(serve?.kind === 'serve' && serve.params.costModel).toEqual({ type: 'profile', profile });
    expect(serve?.kind === 'serve' && serve.params.hardware).toBe('rtx-pro-6000');
    expect(readProfileFile('p.json', JSON.parse(profileFileText(profile)))).toEqual(profile);
    expect(roundCosts(profile)).toEqual(profile);
  });

  it('belongs to its model and degree', () => {
    const cell = (params: object) =>
      makeCostModel(serveParams.parse({ costModel: { type: 'profile', profile }, ...params }));
    expect(() => cell({ model: 'qwen3-32b' })).toThrow(
      'the profile was fitted for llama-3.1-8b (the cell has qwen3-32b)',
    );
    expect(() => cell({ tensorParallel: 2 })).toThrow('tensorParallel 1 (the cell has 2)');
  });
});

describe('tables that cannot be fitted', () => {
  const files = madeUpProfile();
  const without = (name: string) =>
    Object.fromEntries(Object.entries(files).filter(([path]) => path !== name));
  const changed = (name: string, change: (text: string) => string) => ({
    ...files,
    [name]: change(files[name] as string),
  });
  it.each([
    ['a file less', without('attention.csv'), 'missing attention.csv'],
    [
      'another column',
      changed('dense.csv', (text) => text.replace('time_us', 'ms')),
      'dense.csv: line 1: missing column "time_us"',
    ],
    [
      'a word for a number',
      changed('attention.csv', (text) => text.replace(/,[^,\n]*\n$/, ',fast\n')),
      'invalid time_us: "fast"',
    ],
    ['no rows', changed('per_sequence.csv', (text) => text.split('\n')[0] ?? ''), 'no rows'],
    [
      'few rows',
      changed('dense.csv', (text) =>
        text
          .split('\n')
          .filter((line) => !/^qkv_proj,(1|2|4|8|16)\b/.test(line))
          .join('\n'),
      ),
      'query, key and value projection: 3 rows are too few to fit (expected at least 4)',
    ],
    ['no model', without('meta.yaml'), 'unknown model: ""'],
    ['experts', madeUpProfile({ hasMoe: true }), 'dense models only'],
  ])('%s', (_, given, message) => {
    expect(() => fitTables(given)).toThrow(message);
  });

  it('tables of another degree, and what there is', () => {
    const inDegree = madeUpProfile({ folder: 'tp2/' });
    expect(() => fitTables(inDegree, { tensorParallel: 1 })).toThrow('there is tensorParallel 2');
    const { profile } = fitTables(inDegree);
    expect(profile.law === 'operators' && profile.tensorParallel).toBe(2);
    expect(profile.law === 'operators' && profile.allReduce.baseMicroseconds).toBeGreaterThan(0);
  });
});

describe("AIConfigurator's columns", () => {
  it('give the shapes of a model, with its assumptions in words', () => {
    const { profile, notes, parts } = fitProfileNow({
      type: 'silicon',
      texts: madeUpSilicon(),
      choices: { tensorParallel: 1, gemm: 'bfloat16', ...madeUpSilicon.choices },
    });
    if (profile.law !== 'operators') throw new Error('expected the law of operators');
    expect(profile.attentionOutput.baseMicroseconds).toBeCloseTo(20, 1);
    expect(profile.decodeAttention.perContextTokenMicroseconds).toBeCloseTo(0.001, 5);
    expect(profile.mixedAttention.perDecodeContextTokenMicroseconds).toBeCloseTo(0.001 / 0.7, 5);
    expect(notes.join(' ')).toMatch(/not measured.*0.70 of both together/);
    expect(parts.map(({ part }) => part)).not.toContain('norms, rotation and activation');
  });

  it('name the table that is missing and the model that is not chosen', () => {
    const { gemm_perf } = madeUpSilicon();
    const of = (choices: object) =>
      fitProfileNow({
        type: 'silicon',
        texts: { gemm_perf: gemm_perf ?? '' },
        choices: { model: undefined, tensorParallel: 1, gemm: 'bfloat16', ...choices },
      });
    expect(() => of({})).toThrow('unknown model');
    expect(() => of(madeUpSilicon.choices)).toThrow('missing context_attention_perf.csv');
  });
});
