import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { composeSteps } from '../../../lib/attention/compose/compose-heads';
import { rawTensors } from '../../../lib/attention/compose/encode-heads';
import { keptKeysShare } from '../../../lib/attention/compose/head-classes';
import { COMPOSE_PRESETS, presetOf, presetParams } from '../../../lib/attention/compose/presets';
import { rowReference } from '../../../lib/attention/compose/row-reference';
import { composeParams } from '../../../lib/spec/kinds/compose';
import { composeHere, SMALL, sum } from './compose-run';

const causal = { name: 'all', variant: { type: 'causal' } };
const ENCODINGS = [
  { type: 'none' },
  { type: 'rope' },
  { type: 'rope', pairing: 'interleaved', scaling: { type: 'linear', factor: 3 } },
  { type: 'rope', scaling: { type: 'ntk', factor: 3 } },
  { type: 'rope', scaling: { type: 'dynamic-ntk', factor: 3, originalTokens: 32 } },
  { type: 'rope', scaling: { type: 'yarn', factor: 4, originalTokens: 32 } },
  { type: 'rope', scaling: { type: 'llama3', factor: 4, originalTokens: 32 } },
  { type: 'xpos', scaleBase: 64 },
  { type: 'alibi' },
] as const;

/** Whole outputs of two params by the kernels' way on the CPU. */
async function outputOf(params: unknown) {
  const parsed = composeParams.parse(params);
  const { result, runs } = await composeHere(params);
  const pieces = result.calls.length / parsed.parts.length;
  const outputs = parsed.parts.map((_, p) =>
    runs.slice(p * pieces, (p + 1) * pieces).map(({ output }) => output),
  );
  const { kvHeads } = parsed.shape;
  const perKvHead = parsed.shape.queryHeads / kvHeads;
  const gates = Array.from({ length: kvHeads }, (_, i) => result.heads[i * perKvHead]?.gate ?? 1);
  const steps = composeSteps(parsed, outputs, gates);
  for (;;) {
    const step = steps.next();
    if (step.done) return { result, output: step.value };
  }
}

const worst = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.max(...Array.from(a, (each, i) => Math.abs(each - b[i]!)));

describe('presets', () => {
  test.each(COMPOSE_PRESETS)('$id is valid and finds itself again', (preset) => {
    const cell = { engine: 'wasm', timedRuns: 3, seed: 9 } as const;
    const params = presetParams(preset, cell);
    expect(params).toMatchObject(cell);
    expect(presetOf(params)).toBe(preset);
    expect(presetOf({ ...params, shape: { ...params.shape, batch: 2 } })).toBeUndefined();
    expect(preset.note).toMatch(/\.$/);
  });

  test.each(COMPOSE_PRESETS)('$id runs in WebAssembly within tolerance', async (preset) => {
    const { result } = await composeHere(
      presetParams(preset, { engine: 'wasm', timedRuns: 1, seed: 3 }),
    );
    expect(result.error).toMatchObject({ withinTolerance: true });
    expect(result.error.maxAbs).toBeGreaterThan(0);
    expect(result.calls.every(({ error }) => error?.withinTolerance)).toBe(true);
    expect(result.laws.every(({ holds }) => holds)).toBe(true);
  });
});

describe('the kernels compute the definition', () => {
  const cases = [
    ...ENCODINGS.map((encoding) => ({ encoding, positions: { type: 'absolute' } })),
    { encoding: { type: 'rope' }, positions: { type: 'restart', meanDocumentTokens: 12 } },
    {
      encoding: { type: 'rope' },
      positions: { type: 'shared-start', prefixKeys: 5, suffixKeys: 9, meanDocumentTokens: 12 },
    },
    { encoding: { type: 'rope' }, positions: { type: 'decoupled', meanRunTokens: 6 } },
    ...(['half-split', 'interleaved'] as const).map((pairing) => ({
      encoding: { type: 'rope', pairing },
      positions: {
        type: 'multimodal',
        textTokens: 9,
        frames: 2,
        rows: 3,
        columns: 4,
        stepsPerFrame: 3,
      },
    })),
    {
      encoding: { type: 'alibi' },
      positions: { type: 'decoupled', output: 'gap', gapTokens: 40, meanRunTokens: 6 },
    },
    ...ENCODINGS.map((encoding) => ({
      encoding,
      positions: { type: 'clamped-far', windowTokens: 11 },
    })),
    ...ENCODINGS.map((encoding) => ({
      encoding,
      positions: { type: 'slot-index', sinkTokens: 3, recentTokens: 10 },
    })),
  ];
  test.each(cases)('$encoding.type $encoding.scaling.type, $positions.type', async (each) => {
    const parts = [{ ...causal, temperature: 0.7, channels: 'second-half' }];
    const shape = { ...SMALL.shape, batch: 2, queries: 40 };
    const { result } = await composeHere({ ...SMALL, ...each, shape, parts });
    expect(result.error).toMatchObject({ withinTolerance: true, checkedRows: 2 * 4 * 40 });
    // The encoding matters: the definition without it is far from the output.
    if (each.encoding.type === 'none') return;
    const plain = await composeHere({ ...SMALL, shape, parts });
    expect(result.distances[0]!.perHead).not.toEqual(plain.result.distances[0]!.perHead);
  });
});

describe('merge', () => {
  it('of any partition is one call over its keys', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 2, max: 4 }),
        fc.constantFrom(...ENCODINGS),
        fc.integer({ min: 0, max: 99 }),
        async (window, classes, encoding, seed) => {
          const number = (name: string, value: number) => ({ name, value, min: 0, max: 99 });
          const tag = { name: 'tag', source: 'classes', classes, meanTokens: 5 };
          // The window, and the keys before it by class: no two see the same, all see every key.
          const parts = [
            { name: 'recent', variant: { type: 'sliding-window', windowTokens: window } },
            ...Array.from({ length: classes }, (_, c) => ({
              name: `class ${c}`,
              variant: {
                type: 'formula',
                mask: ['q', 'k', '-', 'window', '>=', 'k', 'tag', 'c', '==', 'and'],
                numbers: [number('window', window), number('c', c)],
                tables: [tag],
              },
            })),
          ].slice(0, 4);
          const { result } = await composeHere({ ...SMALL, parts, encoding, seed });
          expect(result.laws[0]).toMatchObject({ holds: true });
          expect(result.laws[0]!.maxAbs).toBeLessThan(1e-12);
          expect(result.oneCallSeconds).toBeGreaterThan(0);
          if (classes === 4) return;
          expect(result.missingShare).toBeCloseTo(0, 10);
          expect(Math.max(...result.distances[0]!.perHead)).toBeLessThan(1e-5);
          expect(sum(result.calls.map(({ meanMass }) => meanMass!))).toBeCloseTo(1, 10);
        },
      ),
      { numRuns: 15 },
    );
  });

  it('refuses parts that overlap, with the first query and key that two see', async () => {
    const parts = [
      { name: 'near', variant: { type: 'sliding-window', windowTokens: 8 } },
      {
        name: 'far',
        variant: { type: 'formula', mask: ['q', 'k', '-', 7, '>=', 'q', 20, '>', 'and'] },
      },
    ];
    await expect(composeHere({ ...SMALL, parts })).rejects.toThrow(
      'overlapping parts: "near" and "far" both see key 14 of query 21 at batch 0, head 0',
    );
    const gated = { ...SMALL, parts, rule: { type: 'gate', gates: { type: 'values' } } };
    await expect(composeHere(gated)).resolves.toBeDefined();
  });

  it('reports keys that no part sees as a share of full attention', async () => {
    const parts = [{ name: 'near', variant: { type: 'sliding-window', windowTokens: 10 } }];
    const { result } = await composeHere({ ...SMALL, parts });
    const pairs = (70 * 71) / 2;
    expect(result.missingShare).toBeCloseTo(1 - (45 + 61 * 10) / pairs, 10);
    expect(Math.min(...result.distances[0]!.perHead)).toBeGreaterThan(1e-2);
  });
});

describe('APE', () => {
  const ape = (temperature: number, lseScale: number, meanDocumentTokens: number) => ({
    ...SMALL,
    shape: { ...SMALL.shape, queries: 10 },
    encoding: { type: 'rope' },
    positions: { type: 'shared-start', prefixKeys: 6, suffixKeys: 10, meanDocumentTokens },
    parts: [
      {
        name: 'contexts',
        variant: { type: 'formula', mask: ['k', 6, '>=', 'k', 60, '<', 'and'] },
        temperature,
        lseScale,
      },
      {
        name: 'other',
        variant: {
          type: 'formula',
          mask: ['k', 'q', '<=', 'k', 6, '<', 'k', 60, '>=', 'or', 'and'],
        },
      },
    ],
  });

  it('with T = S = 1 and one context is causal attention', async () => {
    const { result } = await composeHere(ape(1, 1, 16_384));
    expect(Math.max(...result.distances[0]!.perHead)).toBeLessThan(1e-6);
    expect(result.laws[0]).toMatchObject({ holds: true });
  });

  it('differs with its temperature, its scale, or several contexts', async () => {
    for (const params of [ape(0.9, 1, 16_384), ape(1, 0.9, 16_384), ape(1, 1, 8)]) {
      const { result } = await composeHere(params);
      expect(Math.max(...result.distances[0]!.perHead)).toBeGreaterThan(1e-3);
      expect(result.error.withinTolerance).toBe(true);
    }
  });
});

describe('gates', () => {
  const parts = [
    causal,
    { name: 'streaming', variant: { type: 'window-sinks', windowTokens: 9, sinkTokens: 2 } },
  ];
  const gated = (gates: unknown) => ({ ...SMALL, parts, rule: { type: 'gate', gates } });

  it('of 1 and 0 are the first and the second part', async () => {
    const { result, output } = await outputOf(gated({ type: 'values', values: [1, 0] }));
    const full = await outputOf({ ...SMALL, parts: parts.slice(0, 1) });
    const streaming = await outputOf({ ...SMALL, parts: parts.slice(1) });
    const half = output.length / 2;
    expect(worst(output.subarray(0, half), full.output)).toBe(0);
    expect(worst(output.subarray(half), streaming.output.subarray(half))).toBe(0);
    expect(result.heads.map(({ keptKeysShare }) => keptKeysShare)).toEqual([
      1,
      1,
      11 / 70,
      11 / 70,
    ]);
    expect(result.missingShare).toBeUndefined();
  });

  it('by class keep the share of keys that the classes say', async () => {
    for (const retrievalShare of [0, 0.5, 1]) {
      const { result } = await composeHere(gated({ type: 'classes', retrievalShare }));
      const classes = result.heads.map(({ headClass }) => headClass!);
      expect(classes.filter((each) => each === 'retrieval')).toHaveLength(4 * retrievalShare);
      const kept = sum(result.heads.map((head) => head.keptKeysShare)) / 4;
      const window = { sinkTokens: 2, recentTokens: 9 };
      expect(kept).toBeCloseTo(keptKeysShare(classes, window, 70), 12);
      const [first, last] = [result.heads[0]!, result.heads[3]!];
      if (retrievalShare === 0.5) {
        const isFirst = first.massOutside! > last.massOutside!;
        expect(first.headClass).toBe(isFirst ? 'retrieval' : 'streaming');
      }
      // Inside and outside the window are shares of one softmax.
      const { shares, positions } = result.mass!;
      for (let bin = 0; bin < positions.length; bin++) {
        expect(shares[bin]! + shares[positions.length + bin]!).toBeCloseTo(1, 10);
      }
    }
  });
});

describe('differences and sinks', () => {
  const halves = [
    { name: 'first', channels: 'first-half' },
    { name: 'second', channels: 'second-half' },
  ];

  it('lambda 0 is the first part', async () => {
    const rule = { type: 'difference', lambda: 0 };
    const { output } = await outputOf({ ...SMALL, parts: halves, rule });
    const first = await outputOf({ ...SMALL, parts: halves.slice(0, 1) });
    expect(worst(output, first.output)).toBe(0);
    const { output: other } = await outputOf({
      ...SMALL,
      parts: halves,
      rule: { ...rule, lambda: 0.5 },
    });
    expect(worst(other, first.output)).toBeGreaterThan(0.01);
  });

  it('off by one is exp(s) / (1 + sum of exp(s))', async () => {
    const params = composeParams.parse({ ...SMALL, parts: [causal], sink: { type: 'off-by-one' } });
    const { output } = await outputOf(params);
    const raw = rawTensors(params);
    const { keys, headSize } = params.shape;
    for (const [head, query] of [
      [0, 0],
      [3, 69],
    ] as const) {
      const at = (head * keys + query) * headSize;
      const kv = Math.floor(head / 2) * keys * headSize;
      const weights = Array.from({ length: query + 1 }, (_, k) => {
        let dot = 0;
        for (let d = 0; d < headSize; d++)
          dot += raw.query[at + d]! * raw.key[kv + k * headSize + d]!;
        return Math.exp(dot / Math.sqrt(headSize));
      });
      for (let d = 0; d < headSize; d++) {
        const top = sum(weights.map((w, k) => w * raw.value[kv + k * headSize + d]!));
        expect(output[at + d]).toBeCloseTo(top / (1 + sum(weights)), 10);
      }
    }
  });

  it('counts the sink once, however many parts are merged', async () => {
    const sink = { type: 'logit', logit: 2 };
    const one = await outputOf({ ...SMALL, parts: [causal], sink });
    const two = await outputOf({ ...SMALL, sink });
    expect(worst(one.output, two.output)).toBeLessThan(1e-12);
    expect(two.result.mass!.names).toEqual(['recent', 'older', 'sink logit']);
    const { shares, positions } = two.result.mass!;
    const bins = positions.length;
    for (let bin = 0; bin < bins; bin++) {
      expect(shares[bin]! + shares[bins + bin]! + shares[2 * bins + bin]!).toBeCloseTo(1, 10);
      expect(shares[2 * bins + bin]).toBeGreaterThan(0);
    }
  });
});

describe('positions', () => {
  it('restart: documents are as if alone', async () => {
    const meanDocumentTokens = 12;
    const params = composeParams.parse({
      ...SMALL,
      encoding: { type: 'rope' },
      positions: { type: 'restart', meanDocumentTokens },
      parts: [{ name: 'documents', variant: { type: 'documents', meanDocumentTokens } }],
    });
    const { output, result } = await outputOf(params);
    // Distances within a document are those of the text.
    expect(Math.max(...result.distances[1]!.perHead)).toBeLessThan(1e-6);
    const raw = rawTensors(params);
    const { keys, headSize } = params.shape;
    const { slotContext } = await import('../../../lib/attention/compose/pieces');
    const documentOf = Array.from(slotContext(params, 0).documentOf!);
    const last = documentOf[keys - 1]!;
    const start = documentOf.indexOf(last);
    const rows = keys - start;
    const cut = (values: Float32Array, heads: number) =>
      Float32Array.from({ length: heads * rows * headSize }, (_, i) => {
        const head = Math.floor(i / (rows * headSize));
        return values[(head * keys + start) * headSize + (i % (rows * headSize))]!;
      });
    const alone = composeParams.parse({
      ...params,
      shape: { ...params.shape, queries: rows, keys: rows },
      positions: { type: 'absolute' },
      parts: [causal],
    });
    const row = rowReference(
      alone,
      { query: cut(raw.query, 4), key: cut(raw.key, 2), value: cut(raw.value, 2) },
      undefined,
    );
    expect(rows).toBeGreaterThan(1);
    for (let q = 0; q < rows; q++) {
      const at = (2 * keys + start + q) * headSize;
      expect(worst(row(0, 2, q), output.subarray(at, at + headSize))).toBeLessThan(1e-5);
    }
  });

  it('slot-index changes distances to the sinks only, and only once keys are evicted', async () => {
    const positions = { type: 'slot-index', sinkTokens: 4, recentTokens: 66 };
    const encoding = { type: 'rope' };
    const kept = await composeHere({ ...SMALL, encoding, positions, parts: [causal] });
    expect(Math.max(...kept.result.distances[1]!.perHead)).toBeLessThan(1e-6);
    expect(kept.result.missingShare).toBeCloseTo(0, 10);
    const small = { ...positions, recentTokens: 16 };
    const moved = await composeHere({ ...SMALL, encoding, positions: small, parts: [causal] });
    expect(Math.min(...moved.result.distances[1]!.perHead)).toBeGreaterThan(1e-3);
    const none = { ...small, sinkTokens: 0 };
    const same = await composeHere({ ...SMALL, encoding, positions: none, parts: [causal] });
    expect(Math.max(...same.result.distances[1]!.perHead)).toBeLessThan(1e-6);
    expect(same.result.calls.map(({ name }) => name)).toEqual(['all, recent']);
  });

  it('clamped-far with a window as long as the text changes nothing', async () => {
    const encoding = { type: 'rope' };
    const far = (windowTokens: number) =>
      composeHere({
        ...SMALL,
        encoding,
        positions: { type: 'clamped-far', windowTokens },
        parts: [causal],
      });
    const [long, short] = [await far(70), await far(10)];
    expect(Math.max(...long.result.distances[0]!.perHead)).toBeLessThan(1e-6);
    expect(Math.min(...short.result.distances[0]!.perHead)).toBeGreaterThan(1e-2);
  });
});
