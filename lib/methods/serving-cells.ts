import { STRATEGY_PRESETS } from '../serving/compose/presets';
import type { Method, MethodCell } from './types';

/** The cell that holds a method against the figures it is known by. */
export const checkCell = (check: string): MethodCell => ({
  id: 'check',
  kind: 'check',
  params: { check },
});

/** A load, a strategy that serves it, and what every replica did when. */
export function servedCells(strategy: object, source: object = {}): readonly MethodCell[] {
  return [
    {
      id: 'load',
      kind: 'workload',
      params: { source: { type: 'generator', requests: 300, ...source } },
    },
    { id: 'serve', kind: 'serve', inputs: ['load'], params: { strategy } },
    { id: 'timeline', kind: 'timeline', inputs: ['serve'], params: {} },
  ];
}

/**
 * The same for a published strategy.
 *
 * @throws Error for an unknown id
 */
export function presetServed(id: string, source?: object): readonly MethodCell[] {
  const preset = STRATEGY_PRESETS.find((each) => each.id === id);
  if (preset === undefined) throw new Error(`unknown preset: ${id}`);
  return servedCells(preset.strategy, source);
}

/** A load, and the same served by the plain model and by the changed one, side by side. */
export function comparedCells(
  changed: object,
  shared: object = {},
  load: object = {},
): readonly MethodCell[] {
  const source = { type: 'generator', requests: 300, ...load };
  return [
    { id: 'load', kind: 'workload', params: { source } },
    { id: 'plain', kind: 'serve', inputs: ['load'], params: shared },
    { id: 'changed', kind: 'serve', inputs: ['load'], params: { ...shared, ...changed } },
    { id: 'table', kind: 'table', inputs: ['plain', 'changed'], params: {} },
  ];
}

/** Methods that have entries in other parts, and a check of how they serve. */
export const CHECKED_ELSEWHERE = [
  'cache-craft',
  'cacheblend',
  'cachegen',
  'comet',
  'dfloat11',
  'fastdraft',
  'finequant',
  'kvcomm',
  'lserve',
  'mllm-npu',
  'nanoflow',
  'prepacking',
  'swiftkv',
  'tokenweave',
] as const;
/** Those of them that are a strategy as well. */
const SERVED_ELSEWHERE: readonly string[] = ['cache-craft', 'cacheblend', 'cachegen'];

/** What the generator's load does not show of a strategy that reuses KV. */
export const NOTHING_SHARED =
  'tokens that requests have in common: those of this load have none, bind a trace with token ids or hashes to see reuse';

/** A method of another part with its check, and its strategy where it is one. */
export function withServing(method: Method): Method {
  if (!(CHECKED_ELSEWHERE as readonly string[]).includes(method.id)) return method;
  const isServed = SERVED_ELSEWHERE.includes(method.id);
  const cells = [
    ...method.cells,
    checkCell(method.id),
    ...(isServed ? presetServed(method.id) : []),
  ];
  if (!isServed) return { ...method, cells };
  const leavesOut = [method.leavesOut, NOTHING_SHARED].filter((each) => each !== undefined);
  return { ...method, cells, leavesOut: leavesOut.join('; ') };
}
