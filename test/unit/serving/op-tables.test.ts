import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyFeatures } from '../../../lib/serving/core/features';
import { paddedTokens } from '../../../lib/serving/cost/cuda-graphs';
import { makeBundle, parseBundle } from '../../../lib/serving/cost/op-tables/bundle';
import {
  makeCurve,
  sumAt,
  sumAtEverySize,
  valueAt,
} from '../../../lib/serving/cost/op-tables/curve';
import { type OpTableFiles, readOpTables } from '../../../lib/serving/cost/op-tables/files';
import { expectedExperts } from '../../../lib/serving/cost/op-tables/moe';
import { opTablesCostModel } from '../../../lib/serving/cost/op-tables/op-tables';
import { parseYamlSubset } from '../../../lib/serving/cost/op-tables/yaml-subset';
import type { BatchFeatures } from '../../../lib/serving/types';
import { MADE_UP, madeUpMicroseconds, madeUpProfile } from './made-up-profile';

const LAYERS = 4;
const OPTIONS = {
  layers: LAYERS,
  hiddenSize: 1024,
  bytesPerElement: 2,
  link: { bytesPerSecond: 1e9, latencySeconds: 5e-6, source: 'test' },
  largestGraphTokens: 0,
} as const;
const modelOf = (files: OpTableFiles, tp = 1, more = {}) =>
  opTablesCostModel(readOpTables(files, tp), { ...OPTIONS, ...more });

function batch(
  prefills: readonly (readonly [chunk: number, context: number])[],
  decodes: readonly number[],
): BatchFeatures {
  const f = emptyFeatures();
  f.decodeCount = decodes.length;
  f.decodeContextTokens = decodes.reduce((a, b) => a + b, 0);
  f.decodeContextMin = decodes.length === 0 ? 0 : Math.min(...decodes);
  f.decodeContextMax = Math.max(0, ...decodes);
  f.prefillCount = prefills.length;
  for (const [chunk, context] of prefills) {
    f.prefillTokens += chunk;
    f.prefillTokensSquared += chunk * chunk;
    f.prefillContextTokens += context;
    f.prefillAttentionPairs += chunk * (context + chunk / 2);
  }
  return f;
}

describe('operator tables', () => {
  it('give a function back that is linear in every axis', () => {
    const model = modelOf(madeUpProfile());
    fc.assert(
      fc.property(
        fc.integer({ min: 16, max: 800 }),
        fc.integer({ min: 0, max: 4096 }),
        fc.integer({ min: 1, max: 120 }),
        fc.integer({ min: 16, max: 8000 }),
        (chunk, context, decodes, kv) => {
          const f = batch([[chunk, context]], new Array<number>(decodes).fill(kv));
          const attention = MADE_UP.attention(chunk, context, decodes, kv);
          const us = madeUpMicroseconds(LAYERS, chunk + decodes, decodes + 1, attention);
          expect(model.iterationSeconds(f) * 1e6).toBeCloseTo(us, 6);
        },
      ),
    );
    expect(model.extrapolation?.()).toBeUndefined();
  });

  it('charge a mixed batch for more than its prefill and its decodes', () => {
    const model = modelOf(madeUpProfile());
    const prefill = model.attentionMicroseconds(batch([[256, 128]], []));
    const decodes = model.attentionMicroseconds(batch([], [256, 256, 256]));
    const mixed = model.attentionMicroseconds(batch([[256, 128]], [256, 256, 256]));
    // The fixed 8 us once, and what neither part has.
    expect(mixed).toBeCloseTo(prefill + decodes - 8 + 0.003 * 256, 9);
  });

  it('look several prefills up as one of the same tokens and query-key pairs', () => {
    const model = modelOf(madeUpProfile());
    const two = batch(
      [
        [256, 1024],
        [256, 512],
      ],
      [],
    );
    // 256 x (1024 + 128) + 256 x (512 + 128) pairs over 512 tokens: a mean key of 896, so a context of 640.
    expect(model.attentionMicroseconds(two)).toBeCloseTo(MADE_UP.attention(512, 640, 0, 0), 6);
    const apart = batch(
      [
        [256, 0],
        [256, 0],
      ],
      [],
    );
    // No chunk of 512 has so few pairs: one of the same pairs is shorter.
    const shorter = Math.sqrt(2 * 256 * 256);
    expect(model.attentionMicroseconds(apart)).toBeCloseTo(MADE_UP.attention(shorter, 0, 0, 0), 6);
  });

  it('weigh the longest context in by the bucket, else by the pooled weight', () => {
    const model = modelOf(madeUpProfile({ hasSkew: true }));
    const t = (n: number, kv: number) => MADE_UP.attention(0, 0, n, kv);
    const bucket = [256, 256, 256, 256, 256, 256, 256, 2048];
    const mean = bucket.reduce((a, b) => a + b, 0) / 8;
    // (480 - 256) / (2048 - 256) = 0.125: not sampled, so pooled.
    expect(model.attentionMicroseconds(batch([], bucket))).toBeCloseTo(
      t(8, mean) + 0.125 * (t(8, 2048) - t(8, mean)),
      9,
    );
    const quarter = [256, 256, 256, 256, 256, 256, 2048, 2048];
    const other = quarter.reduce((a, b) => a + b, 0) / 8;
    expect(model.attentionMicroseconds(batch([], quarter))).toBeCloseTo(
      t(8, other) + 0.25 * (t(8, 2048) - t(8, other)),
      9,
    );
    const plain = modelOf({ ...madeUpProfile(), 'meta.yaml': 'model: none' });
    expect(plain.attentionMicroseconds(batch([], bucket))).toBeCloseTo(t(8, mean), 9);
  });

  it('say what lay beyond the tables', () => {
    const model = modelOf(madeUpProfile());
    model.iterationSeconds(batch([[64, 0]], [300]));
    expect(model.extrapolation?.()).toBeUndefined();
    const us = model.iterationSeconds(batch([[64, 8192]], [300])) * 1e6;
    expect(us).toBeCloseTo(
      madeUpMicroseconds(LAYERS, 65, 2, MADE_UP.attention(64, 8192, 1, 300)),
      6,
    );
    model.iterationSeconds(batch([[1500, 0]], []));
    expect(model.extrapolation?.()).toBe(
      'extrapolated beyond the tables in 2 of 3 iterations (kv_prefill up to 8192, tokens up to 1500, prefill_chunk up to 1500)',
    );
  });

  it('add two all-reduces a layer and one for the embedding', () => {
    const files = { ...madeUpProfile({ folder: 'tp1/' }), ...madeUpProfile({ folder: 'tp2/' }) };
    const f = batch([[256, 0]], []);
    const one = 5 + ((2 * 1) / 2) * 256 * 1024 * 2 * 1e-3;
    const difference =
      modelOf(files, 2).iterationSeconds(f) - modelOf(files, 1).iterationSeconds(f);
    expect(difference * 1e6).toBeCloseTo((2 * LAYERS + 1) * one, 6);
    expect(() => modelOf(files, 4)).toThrow(
      /tensorParallel 4: missing dense.csv, per_sequence.csv, attention.csv \(there is tensorParallel 1, 2\)/,
    );
  });

  it('take the experts that a step is expected to reach', () => {
    const files = madeUpProfile({ hasMoe: true });
    const experts = { count: 8, perToken: 2 };
    expect(expectedExperts(experts, 1)).toBeCloseTo(2, 12);
    expect(expectedExperts(experts, 1000)).toBeCloseTo(8, 9);
    const f = batch([[256, 0]], []);
    const activated = expectedExperts(experts, 256);
    const dense = modelOf(madeUpProfile()).iterationSeconds(f) * 1e6;
    const ffn = 200 + 2 + 100 + (0.4 + 0.01 + 0.2) * 256;
    const expected = dense + LAYERS * (MADE_UP.moe(256, activated) - ffn);
    expect(modelOf(files, 1, { experts }).iterationSeconds(f) * 1e6).toBeCloseTo(expected, 6);
    // Two tokens run as two, three as four; the padding reaches no expert of its own.
    const graphs = modelOf(files, 1, { experts, largestGraphTokens: 256 });
    const plain = modelOf(madeUpProfile(), 1, { largestGraphTokens: 256 });
    const three = batch([[3, 0]], []);
    const ffnOfFour = 200 + 2 + 100 + (0.4 + 0.01 + 0.2) * 4;
    const moe = MADE_UP.moe(4, expectedExperts(experts, 3));
    expect((graphs.iterationSeconds(three) - plain.iterationSeconds(three)) * 1e6).toBeCloseTo(
      LAYERS * (moe - ffnOfFour),
      6,
    );
    expect(() => modelOf(files)).toThrow(/moe.csv: the model has no experts/);
  });

  it('run a batch at the size of its recorded graph', () => {
    expect(
      [1, 2, 3, 5, 8, 9, 248, 249, 257, 272, 500, 513].map((n) => paddedTokens(n, 512)),
    ).toEqual([1, 2, 4, 8, 8, 16, 248, 256, 272, 272, 512, 513]);
    const model = modelOf(madeUpProfile(), 1, { largestGraphTokens: 256 });
    expect(model.denseMicroseconds(9)).toBe(model.denseMicroseconds(16));
    expect(model.denseMicroseconds(300)).toBeGreaterThan(model.denseMicroseconds(299));
  });

  it('read no weights faster than memory gives them', () => {
    const bytesPerSecond = 1e12;
    // 50 us of reading, above the samples of 40 + 0.1 tokens up to 100 of them.
    const memoryFloor = { bytesPerSecond, weightBytes: { qkv_proj: 50e6, down_proj: 1 } };
    const plain = modelOf(madeUpProfile());
    const raised = modelOf(madeUpProfile(), 1, { memoryFloor });
    expect(raised.denseMicroseconds(16) - plain.denseMicroseconds(16)).toBeCloseTo(
      LAYERS * (50 - 41.6),
      9,
    );
    expect(raised.denseMicroseconds(256)).toBe(plain.denseMicroseconds(256));
    expect(raised.source).toContain('; qkv_proj raised to the time of reading the weights');
    expect(plain.source).not.toContain('raised');
  });

  it('may name prefills by their tokens and mean key length', () => {
    const files = madeUpProfile();
    const header = 'prefill_tokens,prefill_key,n_decode,kv_decode,time_us';
    const attention = (files['attention.csv'] as string).replace(/^.*\n/, `${header}\n`);
    const model = modelOf({ ...files, 'attention.csv': attention });
    // A chunk of 256 after 512 tokens has a mean key of 640.
    expect(model.attentionMicroseconds(batch([[256, 512]], []))).toBeCloseTo(
      MADE_UP.attention(256, 640, 0, 0),
      9,
    );
  });

  it('travel as one file', () => {
    const files = madeUpProfile();
    expect(parseBundle(JSON.parse(JSON.stringify(makeBundle(files))))).toEqual(files);
    expect(() => parseBundle({ files })).toThrow(/invalid operator tables: expected the CSV files/);
  });
});

describe('wrong operator tables', () => {
  const change = (name: string, from: string | RegExp, to: string): OpTableFiles => {
    const files = madeUpProfile();
    return { ...files, [name]: (files[name] as string).replace(from, to) };
  };
  const cases: readonly (readonly [string, OpTableFiles, string])[] = [
    [
      'a file is missing',
      Object.fromEntries(Object.entries(madeUpProfile()).filter(([n]) => n !== 'attention.csv')),
      'operator tables for tensorParallel 1: missing attention.csv (found dense.csv, per_sequence.csv, meta.yaml)',
    ],
    [
      'a column is missing',
      change('dense.csv', 'tokens', 'size'),
      'dense.csv: line 1: missing column "tokens" (found "layer", "size", "time_us")',
    ],
    [
      'times are in another unit by name',
      change('attention.csv', 'time_us', 'time_ms'),
      'attention.csv: line 1: missing column "time_us": the times are in "time_ms", and the table needs microseconds in "time_us"',
    ],
    [
      'times are in milliseconds by size',
      change('dense.csv', 'embedding,1,3.001', 'embedding,1,0.003'),
      'dense.csv: line 2: invalid time_us: "0.003" (expected microseconds of at least 0.05; is it in milliseconds?)',
    ],
    [
      'times are in nanoseconds by size',
      change('per_sequence.csv', 'lm_head,1,900.5', 'lm_head,1,900500'),
      'per_sequence.csv: line 2: invalid time_us: 900500 for lm_head at sequences 1 (expected microseconds up to 10000; is it in nanoseconds?)',
    ],
    [
      'a value is no number',
      change('dense.csv', 'embedding,2,3.002', 'embedding,2,fast'),
      'dense.csv: line 3: invalid time_us: "fast" (expected a number)',
    ],
    [
      'a field is missing',
      change('dense.csv', 'embedding,2,3.002', 'embedding,2'),
      'dense.csv: line 3: 2 fields (expected 3)',
    ],
    [
      'an operator is missing',
      change('dense.csv', /o_proj/g, 'qk_norm'),
      'dense.csv (tensorParallel 1): missing layer o_proj',
    ],
    [
      'an operator is unknown',
      change('dense.csv', /rotary_emb/g, 'teleport'),
      'dense.csv (tensorParallel 1): unknown layer "teleport"',
    ],
    [
      'a size is there twice',
      change('dense.csv', 'embedding,2,', 'embedding,1,'),
      'dense.csv: embedding: size 1 is there twice',
    ],
    [
      'a point is there twice',
      change('attention.csv', '0,0,1,256,', '0,0,1,16,'),
      'attention.csv: line 3: the point of line 2 is there again',
    ],
  ];
  it.each(cases)('%s', (_, files, message) => {
    expect(() => modelOf(files)).toThrow(message);
  });

  it('a skew label is unknown', () => {
    const files = madeUpProfile({ hasSkew: true });
    const skew = (files['skew_fit.csv'] as string).replace('n<=8', 'n<=9');
    expect(() => modelOf({ ...files, 'skew_fit.csv': skew })).toThrow(
      'skew_fit.csv: line 2: invalid n_label: "n<=9" (expected n<=2, n<=4',
    );
  });
});

describe('curves', () => {
  it('are linear between samples, flat before and straight on behind them', () => {
    const curve = makeCurve('test', [8, 2, 4], [16, 10, 12]);
    expect([1, 2, 3, 4, 6, 8, 10].map((size) => valueAt(curve, size))).toEqual([
      10, 10, 11, 12, 14, 16, 18,
    ]);
    const sums = sumAtEverySize([[curve, 2]], 8);
    expect([0, 3, 8, 10].map((size) => sumAt(sums, size))).toEqual([0, 22, 32, 36]);
  });
});

describe('metadata', () => {
  it('reads the YAML that profilers write', () => {
    const text = [
      '# a comment',
      "cuda: '13.0'",
      'degrees: [1, 2]',
      'long: two words',
      '  and more',
      'list:',
      '- -0.01',
      '- name: a',
      '  size: 2',
      'nested:',
      '  deep:',
      "    '1': {}".replace('{}', 'null'),
      '  flag: true',
    ].join('\n');
    expect(parseYamlSubset('meta.yaml', text)).toEqual({
      cuda: '13.0',
      degrees: [1, 2],
      long: 'two words and more',
      list: [-0.01, { name: 'a', size: 2 }],
      nested: { deep: { '1': null }, flag: true },
    });
    expect(() => parseYamlSubset('meta.yaml', 'a: 1\nrubbish')).toThrow(
      'meta.yaml: line 2: cannot read "rubbish"',
    );
  });
});
