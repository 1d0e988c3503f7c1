import { describe, expect, it } from 'vitest';
import { emptyFeatures } from '../../../lib/serving/core/features';
import { calibratedCostModel, calibrationOf } from '../../../lib/serving/cost/calibrated';
import { DECODE_TILE, decodeTileFlops } from '../../../lib/serving/cost/mixed-attention';
import { HARDWARE } from '../../../lib/serving/presets/hardware';
import { type HubModel, hubModel } from '../../../lib/serving/presets/hub-models';
import { linkOf } from '../../../lib/serving/presets/links';
import type { BatchFeatures, HardwareSpec } from '../../../lib/serving/types';

const LLAMA = hubModel('Llama-3.1-8B') as HubModel;
function modelOn(hardware: HardwareSpec, model: HubModel = LLAMA) {
  const link = linkOf(hardware);
  const options = { tensorParallel: 1, link, largestGraphTokens: 0 };
  return calibratedCostModel(model, hardware, calibrationOf(hardware), options);
}
function mixed(chunk: number, decodes: number, context: number): BatchFeatures {
  const f = emptyFeatures();
  f.decodeCount = decodes;
  f.decodeContextTokens = decodes * context;
  f.decodeContextMin = decodes === 0 ? 0 : context;
  f.decodeContextMax = decodes === 0 ? 0 : context;
  f.prefillCount = chunk === 0 ? 0 : 1;
  f.prefillTokens = chunk;
  f.prefillAttentionPairs = (chunk * chunk) / 2;
  return f;
}

describe('decodes beside a prompt', () => {
  it('take a tile of query rows of every query head', () => {
    expect(decodeTileFlops(2, 3000, 129, 4, 64)).toBe(
      4 * (2 * (DECODE_TILE.startFlops + 2 * DECODE_TILE.launchFlops)) +
        4 * (4 * 64 * DECODE_TILE.rows * 3000),
    );
    expect(decodeTileFlops(0, 0, 512, 32, 128)).toBe(0);
  });

  it('cost by query heads under FlashAttention 2, where decodes alone cost by KV heads', () => {
    const grouped: HubModel = { ...LLAMA, queryHeads: 64, headSize: 64 };
    const added = (model: HubModel, chunk: number): number => {
      const cost = modelOn(HARDWARE['rtx-4090'], model);
      const context = 4096;
      return (
        cost.iterationSeconds(mixed(chunk, 64, context)) -
        cost.iterationSeconds(mixed(chunk, 64, context / 2))
      );
    };
    // Twice the query heads of half the size: the same arithmetic beside a prompt, half the KV alone.
    expect(added(grouped, 512)).toBeCloseTo(added(LLAMA, 512), 6);
    expect(added(grouped, 0)).toBeCloseTo(added(LLAMA, 0) / 2, 6);
    expect(added(LLAMA, 512)).toBeGreaterThan(1.5 * added(LLAMA, 0));
  });

  it('are within a tenth of the measured launches that the law was fitted to', () => {
    // 128 decodes of 1,024 tokens beside 512 prompt tokens, 32 layers: LLMServingSim, RTX 4090.
    const cost = modelOn(HARDWARE['rtx-4090']);
    const tokens = 128 + 512;
    const beside = cost.iterationSeconds(mixed(512, 128, 1024));
    const prompts = cost.iterationSeconds(mixed(tokens, 0, 0));
    const perLayerMicroseconds = ((beside - prompts) / LLAMA.layers) * 1e6;
    expect(perLayerMicroseconds / 1504).toBeGreaterThan(0.9);
    expect(perLayerMicroseconds / 1504).toBeLessThan(1.1);
  });

  it('are a share of the parts on Hopper, whose kernel is another', () => {
    const { source } = modelOn(HARDWARE.h100);
    expect(source).toContain('0.70 of both together');
    expect(modelOn(HARDWARE['rtx-4090']).source).toContain('a tile of 99 query rows');
  });
});
