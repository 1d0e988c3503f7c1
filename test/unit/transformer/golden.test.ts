import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createFullCache } from '../../../lib/transformer/full-cache';
import {
  weightsFromFile,
  weightsFromTensors,
} from '../../../lib/transformer/load/weights-from-tensors';
import { referenceTransformer } from '../../../lib/transformer/reference';
import type { Architecture, Transformer, TransformerConfig } from '../../../lib/transformer/types';
import { createWasmTransformer } from '../../../lib/wasm/transformer';

const FOLDER = new URL('../../fixtures/golden/', import.meta.url);
/** The largest difference of a logit that the models may have. */
const TOLERANCE = 1e-3;

interface Golden {
  readonly tokens: readonly number[];
  readonly logits: readonly (readonly number[])[];
}

function read<T>(path: string): T {
  return JSON.parse(readFileSync(new URL(path, FOLDER), 'utf8')) as T;
}

function configOf(family: Architecture): TransformerConfig {
  const json = read<Record<string, number>>(`${family}/config.json`);
  return {
    architecture: family,
    layers: json.num_hidden_layers!,
    hiddenSize: json.hidden_size!,
    intermediateSize: json.intermediate_size!,
    heads: json.num_attention_heads!,
    kvHeads: json.num_key_value_heads!,
    headSize: json.head_dim!,
    vocabularySize: json.vocab_size!,
    normEpsilon: json.rms_norm_eps!,
    ropeTheta: json.rope_theta!,
    ropeScaling: { type: 'none' },
    tiedHead: Boolean(json.tie_word_embeddings),
    qkvBias: family === 'qwen2',
    qkNorm: family === 'qwen3',
    maxPositions: json.max_position_embeddings!,
    eosTokens: [2],
  };
}

async function modelOf(family: Architecture, engine: 'reference' | 'wasm'): Promise<Transformer> {
  const config = configOf(family);
  const file = new Blob([readFileSync(new URL(`${family}/model.safetensors`, FOLDER))]);
  const weights = await weightsFromFile(config, file);
  const create = engine === 'wasm' ? createWasmTransformer : referenceTransformer;
  return create(config, weights);
}

/** Logits after every token, the tokens given to the model in chunks. */
function logitsOf(model: Transformer, tokens: readonly number[], chunks: readonly number[]) {
  const cache = createFullCache(model.config);
  let at = 0;
  return chunks.flatMap((rows) => {
    const positions = Array.from({ length: rows }, (_, i) => at + i);
    const chunk = tokens.slice(at, at + rows);
    at += rows;
    return [...model.forward({ tokens: chunk, positions, cache, logits: 'all' }).logits];
  });
}

describe.each(['reference', 'wasm'] as const)(
  'the %s engine gives the logits of PyTorch',
  (engine) => {
    it.each(['llama', 'qwen2', 'qwen3'] as const)('for a tiny %s', async (family) => {
      const golden = read<Golden>(`${family}/golden.json`);
      const model = await modelOf(family, engine);
      const expected = golden.logits.flat();
      const ones = Array.from({ length: 5 }, () => 1);
      for (const chunks of [[24], [16, 3, ...ones]]) {
        const logits = logitsOf(model, golden.tokens, chunks);
        expect(logits).toHaveLength(expected.length);
        const largest = Math.max(...logits.map((logit, i) => Math.abs(logit - expected[i]!)));
        expect(largest).toBeLessThan(TOLERANCE);
      }
    });
  },
);

describe('weightsFromTensors', () => {
  it('refuses a tensor of another length', async () => {
    const read = () => Promise.resolve(new Float32Array(3));
    await expect(weightsFromTensors(configOf('llama'), read)).rejects.toThrow(
      'invalid tensor "model.embed_tokens.weight": 3 values (expected 32 x 20)',
    );
  });

  it('names a tensor that a file lacks', async () => {
    const file = new Blob([readFileSync(new URL('llama/model.safetensors', FOLDER))]);
    const untied = { ...configOf('llama'), tiedHead: false };
    await expect(weightsFromFile(untied, file)).rejects.toThrow('missing tensor: "lm_head.weight"');
  });
});
