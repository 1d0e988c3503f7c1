"""The shape of the shipped models: a small Llama (pre-norm, RoPE, grouped-query attention, SwiGLU)."""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F


# Queries whose scores are held at once: keys after the last of them are not computed, and the block
# stays in the processor's cache.
QUERY_BLOCK = 64


class RMSNorm(nn.Module):
    def __init__(self, width, epsilon=1e-5):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.epsilon = epsilon

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.epsilon) * self.weight


def rope_tables(tokens, head_size, theta):
    """cos and sin of [tokens, head_size], each frequency twice (the halves are rotated together)."""
    frequencies = theta ** (-torch.arange(0, head_size, 2).float() / head_size)
    angles = torch.outer(torch.arange(tokens).float(), frequencies)
    angles = torch.cat([angles, angles], dim=-1)
    return angles.cos(), angles.sin()


def rotate(x, cos, sin):
    half = x.shape[-1] // 2
    turned = torch.cat([-x[..., half:], x[..., :half]], dim=-1)
    return x * cos + turned * sin


class Attention(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.heads = config["num_attention_heads"]
        self.kv_heads = config["num_key_value_heads"]
        self.size = config["head_dim"]
        width = config["hidden_size"]
        self.q_proj = nn.Linear(width, self.heads * self.size, bias=False)
        self.k_proj = nn.Linear(width, self.kv_heads * self.size, bias=False)
        self.v_proj = nn.Linear(width, self.kv_heads * self.size, bias=False)
        self.o_proj = nn.Linear(self.heads * self.size, width, bias=False)

    def forward(self, x, cos, sin, mask):
        batch, tokens, _ = x.shape
        group = self.heads // self.kv_heads
        q = self.q_proj(x).view(batch, tokens, self.heads, self.size).transpose(1, 2)
        k = self.k_proj(x).view(batch, tokens, self.kv_heads, self.size).transpose(1, 2)
        v = self.v_proj(x).view(batch, tokens, self.kv_heads, self.size).transpose(1, 2)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        # The heads of one group attend to the same keys: fold them into the rows.
        q = (q * (1 / math.sqrt(self.size))).reshape(batch, self.kv_heads, group, tokens, self.size)
        blocks = []
        for start in range(0, tokens, QUERY_BLOCK):
            end = min(start + QUERY_BLOCK, tokens)
            rows = q[:, :, :, start:end].reshape(batch, self.kv_heads, -1, self.size)
            scores = rows @ k[:, :, :end].transpose(-1, -2)
            scores = scores.view(batch, self.kv_heads, group, end - start, end)
            scores = scores + mask[start:end, :end]
            weights = scores.softmax(-1).view(batch, self.kv_heads, -1, end)
            out = weights @ v[:, :, :end]
            blocks.append(out.view(batch, self.kv_heads, group, end - start, self.size))
        out = torch.cat(blocks, dim=3).view(batch, self.heads, tokens, self.size)
        return self.o_proj(out.transpose(1, 2).reshape(batch, tokens, -1))


class Mlp(nn.Module):
    def __init__(self, config):
        super().__init__()
        width, inner = config["hidden_size"], config["intermediate_size"]
        self.gate_proj = nn.Linear(width, inner, bias=False)
        self.up_proj = nn.Linear(width, inner, bias=False)
        self.down_proj = nn.Linear(inner, width, bias=False)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.input_layernorm = RMSNorm(config["hidden_size"], config["rms_norm_eps"])
        self.self_attn = Attention(config)
        self.post_attention_layernorm = RMSNorm(config["hidden_size"], config["rms_norm_eps"])
        self.mlp = Mlp(config)

    def forward(self, x, cos, sin, mask):
        x = x + self.self_attn(self.input_layernorm(x), cos, sin, mask)
        return x + self.mlp(self.post_attention_layernorm(x))


class Decoder(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.embed_tokens = nn.Embedding(config["vocab_size"], config["hidden_size"])
        self.layers = nn.ModuleList([Layer(config) for _ in range(config["num_hidden_layers"])])
        self.norm = RMSNorm(config["hidden_size"], config["rms_norm_eps"])


class Llama(nn.Module):
    """Names of parameters are those of Hugging Face's Llama, so the same loader reads both."""

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.model = Decoder(config)
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                nn.init.normal_(parameter, std=0.02)
        # Residual branches start smaller, the more of them there are (GPT-2's rule).
        for layer in self.model.layers:
            for linear in (layer.self_attn.o_proj, layer.mlp.down_proj):
                nn.init.normal_(linear.weight, std=0.02 / math.sqrt(2 * len(self.model.layers)))

    def forward(self, tokens):
        count = tokens.shape[1]
        cos, sin = rope_tables(count, self.config["head_dim"], self.config["rope_theta"])
        mask = torch.full((count, count), float("-inf")).triu(1)
        x = self.model.embed_tokens(tokens)
        for layer in self.model.layers:
            x = layer(x, cos, sin, mask)
        return F.linear(self.model.norm(x), self.model.embed_tokens.weight)
