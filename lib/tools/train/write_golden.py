"""Writes the golden files of test/fixtures/golden: tiny random models and the logits that PyTorch gives.

    python3 lib/tools/train/write_golden.py [--out test/fixtures/golden] [--seed 1]

Needs PyTorch 1.13 or later (CPU). Per model a folder as Hugging Face lays it out (config.json,
model.safetensors) and golden.json: token ids and the logits after each. The Llama's logits are those
of the model that training uses; the families that it does not know (biases, norms of heads, a head of
its own) are computed by plain code below, which must agree with it on the Llama.
"""

import argparse
import json
import math
import os

import torch

from llama import Llama
from safetensors_file import write_safetensors

TOKENS = 24

SMALL = {
    "vocab_size": 32,
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "rms_norm_eps": 1e-6,
    "rope_theta": 10000.0,
    "max_position_embeddings": 64,
    "tie_word_embeddings": False,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "hidden_act": "silu",
    "torch_dtype": "float32",
}

CONFIGS = {
    "llama": {
        **SMALL,
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": 20,
        "intermediate_size": 28,
        "tie_word_embeddings": True,
    },
    "qwen2": {
        **SMALL,
        "architectures": ["Qwen2ForCausalLM"],
        "model_type": "qwen2",
        "hidden_size": 24,
        "num_attention_heads": 6,
        "head_dim": 4,
        "rope_theta": 1000000.0,
    },
    "qwen3": {
        **SMALL,
        "architectures": ["Qwen3ForCausalLM"],
        "model_type": "qwen3",
        "num_key_value_heads": 1,
    },
}


def random_weights(config):
    """Of the size that keeps activations near 1, so that attention is neither flat nor one-hot."""
    width, inner, size = config["hidden_size"], config["intermediate_size"], config["head_dim"]
    queries = config["num_attention_heads"] * size
    values = config["num_key_value_heads"] * size

    def matrix(outputs, inputs, gain=1.0):
        return torch.randn(outputs, inputs) * (gain / math.sqrt(inputs))

    def norm(count):
        return 1 + 0.2 * torch.randn(count)

    weights = {"model.embed_tokens.weight": matrix(config["vocab_size"], width, 3)}
    for layer in range(config["num_hidden_layers"]):
        name = f"model.layers.{layer}."
        weights[name + "input_layernorm.weight"] = norm(width)
        weights[name + "self_attn.q_proj.weight"] = matrix(queries, width, 1.5)
        weights[name + "self_attn.k_proj.weight"] = matrix(values, width, 1.5)
        weights[name + "self_attn.v_proj.weight"] = matrix(values, width)
        weights[name + "self_attn.o_proj.weight"] = matrix(width, queries)
        if config["model_type"] == "qwen2":
            weights[name + "self_attn.q_proj.bias"] = torch.randn(queries)
            weights[name + "self_attn.k_proj.bias"] = torch.randn(values)
            weights[name + "self_attn.v_proj.bias"] = torch.randn(values)
        if config["model_type"] == "qwen3":
            weights[name + "self_attn.q_norm.weight"] = norm(size)
            weights[name + "self_attn.k_norm.weight"] = norm(size)
        weights[name + "post_attention_layernorm.weight"] = norm(width)
        weights[name + "mlp.gate_proj.weight"] = matrix(inner, width)
        weights[name + "mlp.up_proj.weight"] = matrix(inner, width)
        weights[name + "mlp.down_proj.weight"] = matrix(width, inner)
    weights["model.norm.weight"] = norm(width)
    if not config["tie_word_embeddings"]:
        weights["lm_head.weight"] = matrix(config["vocab_size"], width)
    return weights


def plain_logits(config, weights, tokens):
    """One head and one token at a time: nothing is shared with llama.py."""
    heads, kv_heads = config["num_attention_heads"], config["num_key_value_heads"]
    size, epsilon = config["head_dim"], config["rms_norm_eps"]

    def norm(x, weight):
        return x / torch.sqrt((x * x).mean() + epsilon) * weight

    def project(name, x):
        y = weights[name + ".weight"] @ x
        return y + weights[name + ".bias"] if name + ".bias" in weights else y

    def turn(x, position):
        out = torch.empty_like(x)
        for i in range(size // 2):
            angle = position * config["rope_theta"] ** (-2 * i / size)
            a, b = x[i], x[i + size // 2]
            out[i] = a * math.cos(angle) - b * math.sin(angle)
            out[i + size // 2] = b * math.cos(angle) + a * math.sin(angle)
        return out

    rows = [weights["model.embed_tokens.weight"][token] for token in tokens]
    for layer in range(config["num_hidden_layers"]):
        name = f"model.layers.{layer}."
        attention = name + "self_attn."
        keys = [[] for _ in range(kv_heads)]
        values = [[] for _ in range(kv_heads)]
        after = []
        for position, x in enumerate(rows):
            normed = norm(x, weights[name + "input_layernorm.weight"])
            q = project(attention + "q_proj", normed).view(heads, size)
            k = project(attention + "k_proj", normed).view(kv_heads, size)
            v = project(attention + "v_proj", normed).view(kv_heads, size)
            for head in range(kv_heads):
                key = k[head]
                if attention + "k_norm.weight" in weights:
                    key = norm(key, weights[attention + "k_norm.weight"])
                keys[head].append(turn(key, position))
                values[head].append(v[head])
            results = []
            for head in range(heads):
                query = q[head]
                if attention + "q_norm.weight" in weights:
                    query = norm(query, weights[attention + "q_norm.weight"])
                shared = head // (heads // kv_heads)
                scores = torch.stack(keys[shared]) @ turn(query, position) / math.sqrt(size)
                results.append(scores.softmax(0) @ torch.stack(values[shared]))
            x = x + project(attention + "o_proj", torch.cat(results))
            normed = norm(x, weights[name + "post_attention_layernorm.weight"])
            gate = project(name + "mlp.gate_proj", normed)
            gated = gate / (1 + torch.exp(-gate)) * project(name + "mlp.up_proj", normed)
            after.append(x + project(name + "mlp.down_proj", gated))
        rows = after
    head = weights.get("lm_head.weight", weights["model.embed_tokens.weight"])
    return torch.stack([head @ norm(x, weights["model.norm.weight"]) for x in rows])


def trained_kind_logits(config, weights, tokens):
    model = Llama(config)
    model.load_state_dict(weights)
    return model(torch.tensor([tokens]))[0]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", default="test/fixtures/golden")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    for name, config in CONFIGS.items():
        weights = random_weights(config)
        tokens = torch.randint(0, config["vocab_size"], (TOKENS,)).tolist()
        with torch.no_grad():
            logits = plain_logits(config, weights, tokens)
            if config["model_type"] == "llama":
                plain, logits = logits, trained_kind_logits(config, weights, tokens)
                difference = (plain - logits).abs().max().item()
                assert difference < 1e-4, f"plain code differs from llama.py by {difference}"
        folder = os.path.join(options.out, name)
        os.makedirs(folder, exist_ok=True)
        write_safetensors(os.path.join(folder, "model.safetensors"), weights, {"format": "pt"})
        with open(os.path.join(folder, "config.json"), "w") as file:
            json.dump(config, file, indent=2)
            file.write("\n")
        with open(os.path.join(folder, "golden.json"), "w") as file:
            rows = [[round(value, 6) for value in row] for row in logits.tolist()]
            json.dump({"torch": torch.__version__, "tokens": tokens, "logits": rows}, file)
            file.write("\n")
        print(name, "largest logit", round(logits.abs().max().item(), 3))


if __name__ == "__main__":
    main()
