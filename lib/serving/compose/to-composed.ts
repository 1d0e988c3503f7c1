import type { ServeStrategy } from '../../spec/kinds/serve';
import { type ComposedStrategy, composedStrategy } from '../../spec/kinds/serve-parts';

/** A named strategy as its parts; undefined where the primitives do not make it. */
export function toComposed(strategy: ServeStrategy): ComposedStrategy | undefined {
  switch (strategy.type) {
    case 'composed':
      return strategy;
    case 'vllm':
      return composedStrategy.parse({
        type: 'composed',
        name: 'vLLM',
        topology: { type: 'colocated', replicas: strategy.replicas },
        admission: { type: 'watermark', maxSequences: strategy.maxSequences },
        batchFormer: { type: 'prefill-first', maxBatchedTokens: strategy.maxBatchedTokens },
        chunker: { type: 'whole' },
        preemption: { type: 'recompute', victim: 'latest-arrival' },
      });
    case 'sarathi':
      return composedStrategy.parse({
        type: 'composed',
        name: 'Sarathi',
        topology: { type: 'colocated', replicas: strategy.replicas },
        admission: { type: 'watermark', maxSequences: strategy.maxSequences },
        batchFormer: { type: 'decode-first', tokenBudget: strategy.tokenBudget },
        chunker: { type: 'budget' },
        preemption: { type: 'recompute', victim: 'last-admitted' },
      });
    case 'distserve': {
      const { prefillTensorParallel, prefillPipelineParallel } = strategy;
      const { decodeTensorParallel, decodePipelineParallel } = strategy;
      return composedStrategy.parse({
        type: 'composed',
        name: 'DistServe',
        topology: {
          type: 'pools',
          prefillReplicas: strategy.prefillReplicas,
          decodeReplicas: strategy.decodeReplicas,
          linkGigabytesPerSecond: strategy.linkGigabytesPerSecond,
          linkLatencyMicroseconds: strategy.linkLatencyMicroseconds,
          pull: {
            type: 'threshold',
            share: strategy.pullThreshold,
            maxPrefillSequences: strategy.maxPrefillSequences,
          },
          prefillTensorParallel,
          prefillPipelineParallel,
          decodeTensorParallel,
          decodePipelineParallel,
        },
        router: { type: 'least-outstanding' },
        admission: { type: 'watermark', maxSequences: strategy.maxDecodeSequences },
        batchFormer: {
          type: 'prefill-first',
          maxBatchedTokens: strategy.maxPrefillTokens,
          counting: 'sum',
        },
        chunker: { type: 'whole' },
        preemption: { type: 'recompute', victim: 'latest-arrival' },
      });
    }
    case 'vllm-v1':
      return undefined;
  }
}
