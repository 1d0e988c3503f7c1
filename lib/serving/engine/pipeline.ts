import type { LinkSpec } from '../cost/op-tables/op-tables';
import { stageShare } from '../presets/kv-plan';
import type { ModelSpec } from '../types';

/** What a pipeline of stages adds to the time of an iteration. */
export interface PipelineRule {
  readonly stages: number;
  /** Time of the slowest stage over that of the whole model. */
  readonly share: number;
  /** Sends the hidden state of so many tokens to the next stage. */
  readonly transferSeconds: (tokens: number) => number;
  readonly label: string;
}

/** Stages of one replica, in turn: micro-batches pass them in the order in which they were formed. */
export interface Pipeline {
  /**
   * A micro-batch enters.
   * @param wholeSeconds its iteration on all layers
   * @returns when it leaves the last stage
   */
  enter(nowSeconds: number, wholeSeconds: number, tokens: number): number;
}

/** Layers are dealt out evenly, every stage as slow as the one with the most; the hidden state crosses the link. */
export function pipelineRule(model: ModelSpec, stages: number, link: LinkSpec): PipelineRule {
  const bytesPerToken = model.hiddenSize * model.bytesPerWeight;
  return {
    stages,
    share: stageShare(model.layers, stages),
    transferSeconds: (tokens) =>
      link.latencySeconds + (tokens * bytesPerToken) / link.bytesPerSecond,
    label: `${stages} pipeline stages, as many micro-batches in flight, each with its share of the requests and of the KV blocks; every stage takes ceil(layers / stages) / layers of the iteration; hidden states over ${link.source}`,
  };
}

/**
 * A tandem queue: a micro-batch starts on a stage when it has left the one before and the stage is
 * free. Bubbles come of themselves where micro-batches are unequal or too few.
 */
export function createPipeline(rule: PipelineRule): Pipeline {
  const free = new Float64Array(rule.stages).fill(-Infinity);
  return {
    enter(nowSeconds, wholeSeconds, tokens) {
      const stageSeconds = wholeSeconds * rule.share;
      const transfer = rule.transferSeconds(tokens);
      let at = nowSeconds;
      for (let s = 0; s < rule.stages; s++) {
        if (s > 0) at += transfer;
        at = Math.max(at, free[s] as number) + stageSeconds;
        free[s] = at;
      }
      return at;
    },
  };
}
