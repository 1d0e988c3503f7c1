"""The siblings of the recall-gap lesson: one block, four token mixers.

softmax       full attention with RoPE: state grows with the context
window        attention over the last WINDOW tokens
linear        additive linear attention, feature map elu + 1 (Katharopoulos et al., 2020)
gated-delta   the gated delta rule (Yang et al., 2024)

The recurrent mixers see their inputs through a short causal convolution, as the published models do:
without it a state cannot pair a token with the one before it.
"""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F

from llama import Mlp, RMSNorm, rope_tables, rotate

CONVOLUTION_TAPS = 4
WINDOW = 16

SHAPE = {
    "model_type": "headroom-sibling",
    "vocab_size": 242,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_heads": 2,
    "head_dim": 32,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "convolution_taps": CONVOLUTION_TAPS,
    "window": WINDOW,
}

MIXERS = {
    "softmax": ["softmax", "softmax"],
    "linear": ["linear", "linear"],
    "gated-delta": ["gated-delta", "gated-delta"],
    "window-hybrid": ["window", "gated-delta"],
}


def heads_of(x, size):
    batch, tokens, width = x.shape
    return x.view(batch, tokens, width // size, size).transpose(1, 2)


class SoftmaxMixer(nn.Module):
    def __init__(self, config, window=None):
        super().__init__()
        width, self.size, self.window = config["hidden_size"], config["head_dim"], window
        self.theta = config["rope_theta"]
        self.q_proj = nn.Linear(width, width, bias=False)
        self.k_proj = nn.Linear(width, width, bias=False)
        self.v_proj = nn.Linear(width, width, bias=False)
        self.o_proj = nn.Linear(width, width, bias=False)

    def forward(self, x):
        batch, tokens, width = x.shape
        q, k, v = (heads_of(p(x), self.size) for p in (self.q_proj, self.k_proj, self.v_proj))
        cos, sin = rope_tables(tokens, self.size, self.theta)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        seen = torch.ones(tokens, tokens, dtype=torch.bool).tril()
        if self.window is not None:
            seen = seen.triu(1 - self.window)
        scores = (q @ k.transpose(-1, -2) / math.sqrt(self.size)).masked_fill(~seen, float("-inf"))
        out = scores.softmax(-1) @ v
        return self.o_proj(out.transpose(1, 2).reshape(batch, tokens, width))


class ShortConvolution(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(width, 1, CONVOLUTION_TAPS) / CONVOLUTION_TAPS)

    def forward(self, x):
        padded = F.pad(x.transpose(1, 2), (CONVOLUTION_TAPS - 1, 0))
        return F.silu(F.conv1d(padded, self.weight, groups=self.weight.shape[0])).transpose(1, 2)


class RecurrentMixer(nn.Module):
    def __init__(self, config, rule):
        super().__init__()
        width, self.size, self.rule = config["hidden_size"], config["head_dim"], rule
        self.q_proj = nn.Linear(width, width, bias=False)
        self.k_proj = nn.Linear(width, width, bias=False)
        self.v_proj = nn.Linear(width, width, bias=False)
        self.o_proj = nn.Linear(width, width, bias=False)
        self.q_conv = ShortConvolution(width)
        self.k_conv = ShortConvolution(width)
        self.v_conv = ShortConvolution(width)
        self.out_norm = RMSNorm(self.size, config["rms_norm_eps"])
        if rule == "gated-delta":
            heads = width // self.size
            self.beta_proj = nn.Linear(width, heads, bias=True)
            self.decay_proj = nn.Linear(width, heads, bias=True)
            nn.init.constant_(self.decay_proj.bias, -4.0)

    def forward(self, x):
        batch, tokens, width = x.shape
        q = heads_of(self.q_conv(self.q_proj(x)), self.size)
        k = heads_of(self.k_conv(self.k_proj(x)), self.size)
        v = heads_of(self.v_conv(self.v_proj(x)), self.size)
        out = self.additive(q, k, v) if self.rule == "linear" else self.delta(x, q, k, v)
        out = self.out_norm(out)
        return self.o_proj(out.transpose(1, 2).reshape(batch, tokens, width))

    def additive(self, q, k, v):
        q, k = F.elu(q) + 1, F.elu(k) + 1
        # The masked product is the sum over earlier tokens that the state holds.
        weights = (q @ k.transpose(-1, -2)).tril()
        return (weights @ v) / (weights.sum(-1, keepdim=True) + 1e-6)

    def delta(self, x, q, k, v):
        q = F.normalize(q, dim=-1) / math.sqrt(self.size)
        k = F.normalize(k, dim=-1)
        beta = torch.sigmoid(self.beta_proj(x)).transpose(1, 2)
        log_decay = -F.softplus(self.decay_proj(x)).transpose(1, 2)
        # One chunk in the WY form: corrections u solve (I + L) u = beta v, L strictly lower.
        total = log_decay.cumsum(-1)
        ratio = (total.unsqueeze(-1) - total.unsqueeze(-2)).tril().exp().tril()
        gram = (k @ k.transpose(-1, -2)) * ratio * beta.unsqueeze(-1)
        system = gram.tril(-1) + torch.eye(x.shape[1])
        u = torch.linalg.solve_triangular(system, beta.unsqueeze(-1) * v, upper=False)
        return ((q @ k.transpose(-1, -2)) * ratio) @ u


class Block(nn.Module):
    def __init__(self, config, mixer):
        super().__init__()
        self.input_layernorm = RMSNorm(config["hidden_size"], config["rms_norm_eps"])
        self.post_attention_layernorm = RMSNorm(config["hidden_size"], config["rms_norm_eps"])
        self.mlp = Mlp(config)
        if mixer in ("softmax", "window"):
            self.mixer = SoftmaxMixer(config, config["window"] if mixer == "window" else None)
        else:
            self.mixer = RecurrentMixer(config, mixer)

    def forward(self, x):
        x = x + self.mixer(self.input_layernorm(x))
        return x + self.mlp(self.post_attention_layernorm(x))


class Sibling(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.embed_tokens = nn.Embedding(config["vocab_size"], config["hidden_size"])
        self.layers = nn.ModuleList([Block(config, mixer) for mixer in config["mixers"]])
        self.norm = RMSNorm(config["hidden_size"], config["rms_norm_eps"])
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                nn.init.normal_(parameter, std=0.02 if "embed" in name else 0.05)

    def forward(self, tokens):
        x = self.embed_tokens(tokens)
        for layer in self.layers:
            x = layer(x)
        return F.linear(self.norm(x), self.embed_tokens.weight)
