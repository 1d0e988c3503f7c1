import fc from 'fast-check';
import { PLOT_CHARTS } from '../../../lib/spec/kinds/views';
import { type Notebook, notebookSchema } from '../../../lib/spec/notebook';
import { int, text } from './arbitrary-basics';
import { kernelParams } from './arbitrary-kernels';
import { modelParams } from './arbitrary-models';
import { servingParams } from './arbitrary-serving';

const params = {
  ...kernelParams,
  ...modelParams,
  ...servingParams,
  text: fc.record({ markdown: text }, { requiredKeys: [] }),
  map: fc.record(
    {
      scale: fc.constantFrom('log', 'linear'),
      mass: fc.constantFrom('kept', 'all'),
      layer: int(0, 3),
      show: fc.constantFrom('first', 'second', 'difference'),
      window: fc.record({
        queryStart: int(0, 9),
        queryEnd: int(10, 99),
        keyStart: int(0, 9),
        keyEnd: int(10, 99),
      }),
    },
    { requiredKeys: [] },
  ),
  timeline: fc.record(
    { startSeconds: fc.double({ min: 0, max: 100, noNaN: true }), endSeconds: int(100, 999) },
    { requiredKeys: [] },
  ),
  plot: fc.record(
    { chart: fc.constantFrom(...PLOT_CHARTS), logX: fc.boolean() },
    { requiredKeys: [] },
  ),
  compare: fc.record(
    {
      measure: fc.constantFrom('ttft', 'tpot', 'e2e', 'stall'),
      order: fc.constantFrom('lost', 'gained', 'request'),
      startSeconds: fc.double({ min: 0, max: 100, noNaN: true }),
      endSeconds: int(100, 999),
    },
    { requiredKeys: [] },
  ),
  table: fc.record({ percentile: fc.constantFrom('p50', 'p99') }, { requiredKeys: [] }),
};

/** Some of them; a plot takes eight at most. */
const pick = <T>(ids: readonly T[], n: number): T[] =>
  ids.slice(0, Math.min(8, Math.max(1, n % (ids.length + 1))));

/** Any valid notebook: producers, then serve cells and views over them, with prose anywhere. */
export const notebooks: fc.Arbitrary<Notebook> = fc
  .record({
    title: fc.string({ unit: 'grapheme', maxLength: 40 }),
    texts: fc.array(params.text, { maxLength: 4 }),
    attention: fc.array(params.attention, { maxLength: 2 }),
    recurrent: fc.array(params.recurrent, { maxLength: 1 }),
    decode: fc.array(params.decode, { maxLength: 2 }),
    compose: fc.array(params.compose, { maxLength: 2 }),
    model: fc.array(params.model, { maxLength: 2 }),
    cache: fc.array(params.cache, { maxLength: 2 }),
    recallGap: fc.array(params['recall-gap'], { maxLength: 1 }),
    speculate: fc.array(params.speculate, { maxLength: 2 }),
    workload: fc.array(params.workload, { maxLength: 2 }),
    serve: fc.array(params.serve, { maxLength: 3 }),
    sweep: fc.array(params.sweep, { maxLength: 2 }),
    check: fc.array(params.check, { maxLength: 2 }),
    plan: fc.array(params.plan, { maxLength: 1 }),
    map: fc.array(params.map, { maxLength: 3 }),
    timeline: fc.array(params.timeline, { maxLength: 1 }),
    plot: fc.array(params.plot, { maxLength: 2 }),
    compare: fc.array(params.compare, { maxLength: 1 }),
    table: fc.array(params.table, { maxLength: 1 }),
    n: int(0, 99),
  })
  .map((parts) => {
    const cells: unknown[] = [];
    const add = (kind: string, list: readonly unknown[], inputs: readonly string[]) =>
      list.map((p, i) => {
        const id = `${kind}-${i}`;
        cells.push({ id, kind, inputs, params: p });
        return id;
      });
    const attention = add('attention', parts.attention, []);
    const recurrent = add('recurrent', parts.recurrent, []);
    const decode = add('decode', parts.decode, []);
    const compose = add('compose', parts.compose, []);
    const model = add('model', parts.model, []);
    const cache = add('cache', parts.cache, model.slice(0, 1));
    add('recall-gap', parts.recallGap, []);
    add('speculate', parts.speculate, model.slice(0, 1));
    const workload = add('workload', parts.workload, []);
    const serve = workload[0] === undefined ? [] : add('serve', parts.serve, [workload[0]]);
    const sweep = serve[0] === undefined ? [] : add('sweep', parts.sweep, [serve[0]]);
    add('check', parts.check, []);
    if (serve[0] !== undefined) add('plan', parts.plan, [serve[0]]);
    const kernels = [...attention, ...compose, ...recurrent, ...decode];
    // No difference is shown of caches: each is mapped alone.
    const mapped = [
      ...kernels.map((_, i) => kernels.slice(i, i + 1 + (parts.n % 2))),
      ...cache.map((id) => [id]),
    ];
    parts.map.forEach((each, i) => {
      const inputs = mapped[(parts.n + i) % Math.max(1, mapped.length)];
      if (inputs === undefined) return;
      // Every storage of a decode cell is there; other inputs have none.
      const storage = inputs.some((id) => id.startsWith('decode')) ? { storage: parts.n % 2 } : {};
      cells.push({ id: `map-${i}`, kind: 'map', inputs, params: { ...each, ...storage } });
    });
    if (serve.length > 0) add('timeline', parts.timeline, pick(serve, parts.n));
    if (serve.length > 1) add('compare', parts.compare, serve.slice(0, 2));
    const shown = [...serve, ...kernels];
    const drawn = [...shown, ...sweep];
    if (drawn.length > 0) add('plot', parts.plot, pick(drawn, parts.n));
    if (shown.length > 0) add('table', parts.table, pick(shown, parts.n));
    parts.texts.forEach((p, i) => {
      cells.splice((parts.n * (i + 1)) % (cells.length + 1), 0, {
        id: `text-${i}`,
        kind: 'text',
        params: p,
      });
    });
    return notebookSchema.parse({ title: parts.title, cells });
  });
