"""Logits of models in Hugging Face's layout by PyTorch in f64, straight from the formulas.

    python3 lib/tools/train/golden_logits.py FOLDER > golden-logits.json

FOLDER holds tokens.json and one folder per model, as write-golden-models.ts makes them. Prints the
logits after the last token by the model's name.
"""

import json
import math
import os
import struct
import sys

import numpy as np
import torch


def read_tensors(path):
    with open(path, "rb") as file:
        data = file.read()
    start = 8 + struct.unpack("<Q", data[:8])[0]
    tensors = {}
    for name, entry in json.loads(data[8:start]).items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        values = np.frombuffer(data[start + begin : start + end], dtype="<f4")
        tensors[name] = torch.tensor(values.astype("f8").reshape(entry["shape"]))
    return tensors


def rope(config, head_size):
    """Radians per position of every pair, and the factor of rotated vectors."""
    scaling = config.get("rope_scaling") or config.get("rope_parameters") or {}
    kind = scaling.get("rope_type")
    base = scaling.get("rope_theta", config["rope_theta"])
    pairs = torch.arange(0, head_size, 2, dtype=torch.float64)
    frequencies = base ** (-pairs / head_size)
    if kind is None:
        return frequencies, 1.0
    factor = scaling["factor"]
    if kind == "linear":
        return frequencies / factor, 1.0
    original = scaling["original_max_position_embeddings"]
    if kind == "llama3":
        low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
        turns = original * frequencies / (2 * math.pi)
        kept = ((turns - low) / (high - low)).clamp(0, 1)
        return kept * frequencies + (1 - kept) * frequencies / factor, 1.0
    if kind == "yarn":

        def pair_of(turns):
            return head_size * math.log(original / (turns * 2 * math.pi)) / (2 * math.log(base))

        first = max(math.floor(pair_of(32)), 0)
        last = min(math.ceil(pair_of(1)), head_size - 1)
        slow = ((pairs / 2 - first) / max(last - first, 1e-3)).clamp(0, 1)
        return frequencies * (1 - slow) + frequencies / factor * slow, 0.1 * math.log(factor) + 1
    raise ValueError(f"unknown rope_type: {kind}")


def norm(x, weight, epsilon):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + epsilon) * weight


def turn(x, cos, sin):
    half = x.shape[-1] // 2
    return x * cos + torch.cat([-x[..., half:], x[..., :half]], dim=-1) * sin


def linear(x, tensors, name):
    out = x @ tensors[name + ".weight"].T
    return out + tensors[name + ".bias"] if name + ".bias" in tensors else out


def attend(x, config, tensors, name):
    count = x.shape[0]
    heads, kv_heads = config["num_attention_heads"], config["num_key_value_heads"]
    size = config.get("head_dim") or config["hidden_size"] // heads
    q = linear(x, tensors, name + "q_proj").view(count, heads, size)
    k = linear(x, tensors, name + "k_proj").view(count, kv_heads, size)
    v = linear(x, tensors, name + "v_proj").view(count, kv_heads, size)
    if name + "q_norm.weight" in tensors:
        q = norm(q, tensors[name + "q_norm.weight"], config["rms_norm_eps"])
        k = norm(k, tensors[name + "k_norm.weight"], config["rms_norm_eps"])
    frequencies, factor = rope(config, size)
    angles = torch.outer(torch.arange(count, dtype=torch.float64), frequencies)
    angles = torch.cat([angles, angles], dim=-1)
    cos, sin = angles.cos() * factor, angles.sin() * factor
    q, k, v = (part.transpose(0, 1) for part in (q, k, v))
    q, k = turn(q, cos, sin), turn(k, cos, sin)
    k, v = (part.repeat_interleave(heads // kv_heads, dim=0) for part in (k, v))
    mask = torch.full((count, count), -math.inf, dtype=torch.float64).triu(1)
    weights = (q @ k.transpose(1, 2) / math.sqrt(size) + mask).softmax(-1)
    out = (weights @ v).transpose(0, 1).reshape(count, -1)
    return linear(out, tensors, name + "o_proj")


def last_logits(config, tensors, tokens):
    epsilon = config["rms_norm_eps"]
    x = tensors["model.embed_tokens.weight"][torch.tensor(tokens)]
    for layer in range(config["num_hidden_layers"]):
        name = f"model.layers.{layer}."
        y = norm(x, tensors[name + "input_layernorm.weight"], epsilon)
        x = x + attend(y, config, tensors, name + "self_attn.")
        y = norm(x, tensors[name + "post_attention_layernorm.weight"], epsilon)
        gate = torch.nn.functional.silu(linear(y, tensors, name + "mlp.gate_proj"))
        up = linear(y, tensors, name + "mlp.up_proj")
        x = x + linear(gate * up, tensors, name + "mlp.down_proj")
    x = norm(x[-1], tensors["model.norm.weight"], epsilon)
    tied = config["tie_word_embeddings"]
    return x @ tensors["model.embed_tokens.weight" if tied else "lm_head.weight"].T


def main(folder):
    torch.set_num_threads(1)
    with open(os.path.join(folder, "tokens.json")) as file:
        tokens = json.load(file)
    lines = []
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if not os.path.isdir(path):
            continue
        with open(os.path.join(path, "config.json")) as file:
            config = json.load(file)
        logits = last_logits(config, read_tensors(os.path.join(path, "model.safetensors")), tokens)
        values = ", ".join(f"{value:.6f}" for value in logits.tolist())
        lines.append(f"  {json.dumps(name)}: [{values}]")
    print("{\n" + ",\n".join(lines) + "\n}")


main(sys.argv[1])
