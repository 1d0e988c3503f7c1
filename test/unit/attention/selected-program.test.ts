import { describe, expect, it, test } from 'vitest';
import { makeInputs } from '../../../lib/attention/inputs';
import { selectionMask } from '../../../lib/attention/select/evaluate';
import { selectHead } from '../../../lib/attention/select/select-head';
import { packBlockList } from '../../../lib/gpu/packed-list';
import { runOnWasm } from '../../../lib/gpu/run-on-wasm';
import { selectKeys } from '../../../lib/gpu/select-keys';
import { attentionParams } from '../../../lib/spec/kinds/attention';
import { attentionSelection } from '../../../lib/spec/kinds/selection';

const METHODS = attentionSelection.options
  .map((option) => option.shape.type.value)
  .filter((type) => type !== 'none');

const structured = { bandStrength: 5, sinkStrength: 5, needleStrength: 6, inductionStrength: 4 };
const params = (select: object, shape: object, variant = 'causal') =>
  attentionParams.parse({
    shape: { batch: 2, queryHeads: 4, kvHeads: 2, headSize: 32, ...shape },
    structure: structured,
    variant: { type: variant },
    select,
    seed: 4,
  });
const { signal } = new AbortController();
const quiet = () => undefined;

describe('a selection in the mask', () => {
  test.each(METHODS)('%s keeps what the selector keeps, in every head', async (type) => {
    const each = params({ type }, { queries: 201, keys: 290 });
    const dense = makeInputs(each);
    const { inputs, selection } = await selectKeys(each, dense, signal, quiet);
    expect(selection?.heads).toHaveLength(4);
    const { queries, keys, headSize } = each.shape;
    for (const batchHead of [0, 3, 6]) {
      const [b, h] = [Math.floor(batchHead / 4), batchHead % 4];
      const kv = b * 2 + Math.floor(h / 2);
      const head = {
        query: dense.query.subarray(batchHead * queries * headSize).subarray(0, queries * headSize),
        key: dense.key.subarray(kv * keys * headSize).subarray(0, keys * headSize),
        value: dense.value.subarray(kv * keys * headSize).subarray(0, keys * headSize),
        queries,
        keys,
        headSize,
        causal: true,
      };
      const selected = selectHead(head, each.select)!;
      const keeps = selectionMask(head, selected);
      let kept = 0;
      for (let q = 0; q < queries; q++) {
        for (let k = 0; k < keys; k++) {
          const isKept = keeps(q, k);
          if (isKept) kept++;
          if (inputs.program.isVisible(b, h, q, k) !== isKept) expect.fail(`${q}, ${k}`);
        }
      }
      expect(kept).toBeGreaterThan(0);
    }
  });

  test.each(METHODS)('%s runs as attention over its block lists', async (type) => {
    for (const shape of [
      { queries: 201, keys: 290 },
      { queries: 3, keys: 290 },
    ]) {
      const each = { ...params({ type }, shape), timedRuns: 1 };
      const selected = await selectKeys(each, makeInputs(each), signal, quiet);
      const run = { params: each, ...selected, signal, report: quiet, isTimed: false };
      const { result, resident } = await runOnWasm(run, undefined, undefined);
      expect(result.error).toMatchObject({ withinTolerance: true });
      expect(result.selection?.method).toBe(type);
      expect(resident.lse).toHaveLength(2 * 4 * shape.queries);
    }
  });

  it('skips blocks, and keeps a head as it was under a full budget', async () => {
    const few = params({ type: 'moba', topBlocks: 2 }, { queries: 1024, keys: 1024 });
    const dense = makeInputs(few);
    const { inputs, selection } = await selectKeys(few, dense, signal, quiet);
    const list = packBlockList(inputs, 32, 32, 4);
    expect((list.full + list.partial) / list.total).toBeLessThan(0.2);
    expect(selection!.heads[0]!.density).toBeLessThan(0.4);
    const all = params({ type: 'moba', topBlocks: 99 }, { queries: 96, keys: 96 });
    const whole = await selectKeys(all, makeInputs(all), signal, quiet);
    expect(whole.selection!.heads.every(({ massRecall }) => massRecall > 0.9999)).toBe(true);
    expect(whole.selection!.heads.every(({ outputError }) => outputError < 1e-6)).toBe(true);
  });

  it('is refused where the variant has a mask of its own', () => {
    const parsed = attentionParams.safeParse({
      variant: { type: 'sliding-window' },
      select: { type: 'moba' },
    });
    expect(parsed.success).toBe(false);
  });
});
