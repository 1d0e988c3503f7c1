import type { ForwardResult, ForwardStep, ProjectedRows } from '../transformer/types';
import { addMlp, addProjections, projectedPlaces } from './transformer-block';
import { createHeldAttention, weightCounts } from './transformer-held-attention';
import { type DeviceModel, LOGIT_ROWS } from './transformer-model';
import { planStep, type StepPlan } from './transformer-tables';

/** Most that one wait brings back: logits, rows and weights. */
const MAX_COLLECTED_BYTES = 256 * 2 ** 20;
/** Rows of a grid's third dimension that every adapter takes. */
const MAX_ROWS = 65_535;
const NONE = new Float32Array(0);

/** Steps over slots that the device holds: waited for once each. */
export interface HeldRunner {
  /**
   * Runs a step; undefined, with nothing done, where it has to be waited for layer by layer: rows that
   * move other slots, or more weights than are brought back at once.
   */
  run(step: ForwardStep): Promise<ForwardResult | undefined>;
  destroy(): void;
}

/** Whether nothing between the layers depends on JavaScript. */
export function canHold({ cache, hooks }: ForwardStep): boolean {
  const onlyRead = hooks === undefined || hooks.onlyRead === true;
  return cache.copied !== undefined && !cache.perQuery && onlyRead;
}

export function createHeldRunner(model: DeviceModel): HeldRunner {
  const { gpu, config, weights } = model;
  const { hiddenSize, headSize, heads, kvHeads, vocabularySize } = config;
  const group = heads / kvHeads;
  const attention = createHeldAttention(model);

  function collectedFloats(step: ForwardStep, plan: StepPlan): number {
    const rows = plan.positions.length;
    const perRow = (2 * kvHeads + (step.hooks?.onProjected ? heads : 0)) * headSize;
    const observed = plan.layers.flatMap((_, index) =>
      step.cache.observe ? weightCounts({ plan }, group, index) : [],
    );
    return (
      rows * (hiddenSize + plan.layers.length * perRow) +
      (rows - firstLogits(step, rows)) * vocabularySize +
      observed.reduce((sum, count) => sum + count, 0)
    );
  }

  /** Runs all layers and waits once; arrays in the order of `deliver`. */
  async function compute(step: ForwardStep, plan: StepPlan, total: number) {
    const rows = plan.positions.length;
    const firstLayer = step.fromLayer ?? 0;
    const observes = step.cache.observe !== undefined;
    const at = await model.placesFor(rows);
    const steps = model.makeSteps();
    const collected = steps.collect(total);
    const { cache } = step;
    const attend = await attention.prepare({ cache, plan, firstLayer, observes, collected });
    const hidden = step.hidden ? Float32Array.from(step.hidden) : embedded(step.tokens);
    gpu.device.queue.writeBuffer(at.residual, 0, hidden);
    for (let index = 0; index < plan.layers.length; index++) {
      const layer = weights.layers[firstLayer + index]!;
      addProjections(steps, config, layer, at, rows);
      attend(steps, at, index);
      addMlp(steps, config, layer, at, rows);
      const { queries, keys } = projectedPlaces(layer, at);
      collected.take(keys, rows * kvHeads * headSize);
      collected.take(at.values, rows * kvHeads * headSize);
      collected.take(queries, step.hooks?.onProjected ? rows * heads * headSize : 0);
    }
    collected.take(at.residual, rows * hiddenSize);
    for (let row = firstLogits(step, rows); row < rows; row += LOGIT_ROWS) {
      const some = Math.min(LOGIT_ROWS, rows - row);
      steps.copyRows(at.residual, row, at.tail, some, hiddenSize);
      steps.norm(at.tail, weights.finalNorm, at.normed, some, hiddenSize);
      steps.linear(weights.head, at.normed, at.logits, some);
      collected.take(at.logits, some * vocabularySize);
    }
    return collected.read();
  }

  /** Hands rows and weights to the cache and the hooks as `forward` does between layers. */
  function deliver(
    { cache, hooks, tokens: given, fromLayer = 0 }: ForwardStep,
    plan: StepPlan,
    next: () => Float32Array,
  ): void {
    const { positions } = plan;
    const rows = positions.length;
    const tokens = Int32Array.from(given);
    const layers = plan.layers.map(({ counts }) => ({
      weights: cache.observe ? counts.map(next) : [],
      keys: next(),
      values: next(),
      queries: next(),
    }));
    layers.forEach(({ weights: seen, ...numbers }, index) => {
      const layer = fromLayer + index;
      const { counts, positions: held } = plan.layers[index]!;
      const projected: ProjectedRows = { rows, positions, tokens, ...numbers };
      hooks?.onProjected?.(layer, projected);
      cache.append(layer, projected);
      attention.slots.placed(cache, layer, counts);
      seen.forEach((values, kvHead) => {
        cache.observe?.({
          ...{ layer, kvHead, part: 0, rows, count: counts[kvHead]! },
          weights: values,
          positions: held[kvHead]!,
        });
      });
      hooks?.onLayerEnd?.(layer, NONE, rows);
    });
  }

  function embedded(tokens: ArrayLike<number>): Float32Array<ArrayBuffer> {
    const { embedding } = model;
    const out = new Float32Array(tokens.length * hiddenSize);
    for (let row = 0; row < tokens.length; row++) {
      const from = tokens[row]! * hiddenSize;
      out.set(embedding.subarray(from, from + hiddenSize), row * hiddenSize);
    }
    return out;
  }

  return {
    async run(step) {
      const { cache, fromLayer = 0, toLayer = config.layers } = step;
      const rows = step.tokens.length;
      if (cache.copied === undefined || rows === 0 || rows > MAX_ROWS) return undefined;
      const positions = Int32Array.from(step.positions);
      const plan = planStep(config, cache.copied, positions, fromLayer, toLayer);
      if (plan === undefined) return undefined;
      const total = collectedFloats(step, plan);
      const most = Math.min(MAX_COLLECTED_BYTES, gpu.info.maxBufferBytes);
      if (4 * total > most) return undefined;
      const arrays = await compute(step, plan, total).catch((error: unknown) => {
        attention.slots.forget();
        throw error;
      });
      let taken = 0;
      const next = () => arrays[taken++]!;
      deliver(step, plan, next);
      const hidden = next();
      const logits = new Float32Array((rows - firstLogits(step, rows)) * vocabularySize);
      for (let at = 0; taken < arrays.length; ) {
        const some = next();
        logits.set(some, at);
        at += some.length;
      }
      return { logits, hidden, rows: Int32Array.from({ length: rows }, (_, row) => row) };
    },
    destroy: () => attention.destroy(),
  };
}

/** First row whose logits are wanted. */
function firstLogits({ logits = 'last' }: ForwardStep, rows: number): number {
  return logits === 'all' ? 0 : logits === 'last' ? rows - 1 : rows;
}
