import { openAsBlob } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readTensorHeader } from '../../../lib/tensors/header';
import { readTensor } from '../../../lib/tensors/read-tensor';
import { referenceTransformer } from '../../../lib/transformer/reference';
import type { Transformer, TransformerConfig } from '../../../lib/transformer/types';

/** A Llama-shaped checkpoint of a folder (config.json, model.safetensors) on the plain reference. */
export async function loadReference(folder: string): Promise<Transformer> {
  const json = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'));
  const config: TransformerConfig = {
    architecture: 'llama',
    layers: json.num_hidden_layers,
    hiddenSize: json.hidden_size,
    intermediateSize: json.intermediate_size,
    heads: json.num_attention_heads,
    kvHeads: json.num_key_value_heads,
    headSize: json.head_dim,
    vocabularySize: json.vocab_size,
    normEpsilon: json.rms_norm_eps,
    ropeTheta: json.rope_theta,
    ropeScaling: { type: 'none' },
    tiedHead: json.tie_word_embeddings,
    qkvBias: false,
    qkNorm: false,
    maxPositions: json.max_position_embeddings,
    eosTokens: [json.eos_token_id],
  };
  const file = await openAsBlob(join(folder, 'model.safetensors'));
  const { tensors } = await readTensorHeader(file);
  const read = async (name: string) => {
    const entry = tensors.get(name);
    if (!entry) throw new Error(`no tensor ${name} in ${folder}`);
    return readTensor(file, entry);
  };
  const layers = [];
  for (let i = 0; i < config.layers; i++) {
    const part = (name: string) => read(`model.layers.${i}.${name}.weight`);
    layers.push({
      attentionNorm: await part('input_layernorm'),
      q: await part('self_attn.q_proj'),
      k: await part('self_attn.k_proj'),
      v: await part('self_attn.v_proj'),
      o: await part('self_attn.o_proj'),
      mlpNorm: await part('post_attention_layernorm'),
      gate: await part('mlp.gate_proj'),
      up: await part('mlp.up_proj'),
      down: await part('mlp.down_proj'),
    });
  }
  return referenceTransformer(config, {
    embedding: await read('model.embed_tokens.weight'),
    layers,
    finalNorm: await read('model.norm.weight'),
    ...(config.tiedHead ? {} : { head: await read('lm_head.weight') }),
  });
}
