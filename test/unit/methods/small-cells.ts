import { makeInputs } from '../../../lib/attention/inputs';
import { mapBaseSteps } from '../../../lib/attention/map';
import { runSteps } from '../../../lib/attention/steps';
import type { MapBase } from '../../../lib/attention/types';
import type { WeightCall } from '../../../lib/attention/weights/call';
import { decodeOnWasm } from '../../../lib/gpu/decode-on-wasm';
import { runDecode } from '../../../lib/gpu/run-decode';
import { runOnWasm } from '../../../lib/gpu/run-on-wasm';
import { runRecurrentOnCpu } from '../../../lib/gpu/run-recurrent-on-cpu';
import { runRecurrentOnWasm } from '../../../lib/gpu/run-recurrent-on-wasm';
import { selectKeys } from '../../../lib/gpu/select-keys';
import { createWeightMaps } from '../../../lib/gpu/weight-maps';
import { methodNotebook } from '../../../lib/methods/methods';
import type { Method } from '../../../lib/methods/types';
import type { KernelCall } from '../../../lib/run/worker-api';
import { attentionParams } from '../../../lib/spec/kinds/attention';
import { composeParams } from '../../../lib/spec/kinds/compose';
import { decodeParams } from '../../../lib/spec/kinds/decode';
import { recurrentParams } from '../../../lib/spec/kinds/recurrent';
import type { Cell } from '../../../lib/spec/notebook';
import { composeHere } from '../attention/compose-run';

/** Long enough for every selection to leave something out, short enough for f64. */
const TOKENS = 256;
const HEADS = { batch: 1, queryHeads: 2, kvHeads: 1, headSize: 32 };

/** A kernel cell's call on small tensors, in WebAssembly or where it has no kernel in f64; undefined for other kinds. */
export function smallCall({ kind, params }: Cell): KernelCall | undefined {
  switch (kind) {
    case 'attention': {
      const { queries, keys } = params.shape;
      const shape = { ...HEADS, queries: Math.ceil((TOKENS * queries) / keys), keys: TOKENS };
      return {
        kind,
        params: attentionParams.parse({ ...params, shape, engine: 'wasm', timedRuns: 1 }),
      };
    }
    case 'compose': {
      const { queries } = params.shape;
      const shape = { ...HEADS, queries: Math.min(queries, TOKENS), keys: TOKENS };
      return {
        kind,
        params: composeParams.parse({ ...params, shape, engine: 'wasm', timedRuns: 1 }),
      };
    }
    case 'decode': {
      const shape = { ...HEADS, keys: TOKENS };
      return {
        kind,
        params: decodeParams.parse({ ...params, shape, engine: 'wasm', timedRuns: 1 }),
      };
    }
    case 'recurrent': {
      const { rule } = params;
      const hasWasm = !['lmu', 'lact', 'temporal-lora'].includes(rule.type);
      const shape = { ...params.shape, batch: 1, heads: 1, tokens: 96, valueSize: 16 };
      return {
        kind,
        params: recurrentParams.parse({
          ...params,
          shape: params.featureMap === 'taylor' ? shape : { ...shape, keySize: 16 },
          rule: rule.type === 'lact' ? { ...rule, chunkTokens: 32 } : rule,
          engine: hasWasm ? 'wasm' : 'cpu',
          timedRuns: 1,
        }),
      };
    }
    default:
      return undefined;
  }
}

const signal = new AbortController().signal;
const report = () => undefined;

/** Every kernel cell of a method on small tensors, with its result and, where a map reads it, the map. */
export async function runSmall(method: Method) {
  const { cells } = methodNotebook(method);
  const mapped = new Set(cells.flatMap(({ kind, inputs }) => (kind === 'map' ? inputs : [])));
  const runs: { readonly value: object; readonly map: MapBase | undefined }[] = [];
  for (const cell of cells) {
    const call = smallCall(cell);
    if (call !== undefined) runs.push(await runCall(call, mapped.has(cell.id)));
  }
  return runs;
}

async function runCall(call: KernelCall, isMapped: boolean) {
  switch (call.kind) {
    case 'attention': {
      const { params } = call;
      const inputs = makeInputs(params);
      const selected = await selectKeys(params, inputs, signal, report);
      const run = await runOnWasm(
        { params, ...selected, signal, report, isTimed: true },
        undefined,
        undefined,
      );
      const { lse } = run.resident;
      const map = isMapped ? runSteps(mapBaseSteps(selected.inputs, lse, 0, 0)) : undefined;
      return { value: run.result, map };
    }
    case 'compose': {
      const { result } = await composeHere(call.params);
      const { kvHeads } = call.params.shape;
      const gates = result.heads.map(({ gate }) => gate ?? 1).slice(0, kvHeads);
      return { value: result, map: await weightsOf({ ...call, gates }, isMapped) };
    }
    case 'decode': {
      const runner = decodeOnWasm(undefined, undefined, undefined);
      const value = await runDecode(call.params, runner, signal, report);
      return { value, map: await weightsOf({ ...call, storage: 1 }, isMapped) };
    }
    case 'recurrent': {
      const { params } = call;
      const value = await (params.engine === 'wasm'
        ? runRecurrentOnWasm(params, undefined, undefined, signal, report)
        : runRecurrentOnCpu(params, undefined, signal, report));
      return { value, map: await weightsOf(call, isMapped) };
    }
  }
}

async function weightsOf(call: WeightCall, isMapped: boolean): Promise<MapBase | undefined> {
  return isMapped ? createWeightMaps().base(call, 0, 0, signal, report) : undefined;
}
