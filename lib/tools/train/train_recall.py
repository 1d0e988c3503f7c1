"""Trains the recall model of public/models on the task generators of lib/tasks.

    python3 lib/tools/train/train_recall.py --out DIR [--seed 1] [--threads 1]

Needs PyTorch 1.13 or later (CPU) and Node. Rows come through a pipe from write-rows.ts, so training
and judging use the same generators. A stage of the curriculum ends when recall has broken through
or its steps are spent; a later stage does not train without the earlier ones.
"""

import argparse
import json
import math
import os
import subprocess
import time

import numpy as np
import torch
import torch.nn.functional as F

from llama import Llama
from safetensors_file import write_safetensors

CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "vocab_size": 242,
    "hidden_size": 128,
    "intermediate_size": 256,
    "num_hidden_layers": 4,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "head_dim": 16,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "max_position_embeddings": 1024,
    "tie_word_embeddings": True,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "torch_dtype": "float32",
}

# (stage of training-mix.ts, tokens of a row, rows of a batch, most steps, least steps)
STAGES = [
    (0, 18, 192, 2000, 150),
    (1, 30, 128, 2500, 150),
    (2, 42, 96, 2500, 150),
    (3, 37, 96, 2500, 150),
    (4, 73, 64, 2500, 200),
    (5, 109, 48, 2500, 300),
    (6, 144, 32, 1500, 300),
    (7, 128, 32, 1300, 1300),
    (8, 256, 16, 1300, 1300),
    (9, 576, 8, 600, 600),
]
BREAKTHROUGH = 0.985
PEAK_RATE = 2e-3
# From this stage on the rate falls on a cosine that would reach 5 % of its peak after so many steps;
# the last stage was stopped when the gates were passed.
FIRST_COSINE_STAGE = 7
COSINE_STEPS = 4500
WARM_UP_STEPS = 100
TEXT_WEIGHT = 0.2
ANSWER = 2


def row_stream(stage, row_tokens, rows, seed):
    command = ["npx", "tsx", "lib/tools/train/write-rows.ts", str(stage), str(seed)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    need = rows * 2 * row_tokens
    try:
        while True:
            data = process.stdout.read(need)
            if len(data) < need:
                raise RuntimeError(f"the row writer of stage {stage} ended early")
            block = np.frombuffer(data, np.uint8).reshape(rows, 2, row_tokens)
            yield (
                torch.from_numpy(block[:, 0].astype(np.int64)),
                torch.from_numpy(block[:, 1].astype(np.int64)),
            )
    finally:
        process.kill()
        process.wait()


def losses(model, tokens, loss_class):
    logits = model(tokens[:, :-1])
    target, kind = tokens[:, 1:], loss_class[:, 1:]
    used = kind > 0
    logits, target, answer = logits[used], target[used], kind[used] == ANSWER
    each = F.cross_entropy(logits, target, reduction="none")
    right = (logits.argmax(-1) == target)[answer].float().mean().item()
    return each[answer].mean() + TEXT_WEIGHT * each.mean(), right


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    os.makedirs(options.out, exist_ok=True)
    log = open(os.path.join(options.out, "training-log.jsonl"), "w", buffering=1)

    model = Llama(CONFIG)
    decayed = [p for p in model.parameters() if p.dim() == 2]
    plain = [p for p in model.parameters() if p.dim() != 2]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}],
        lr=PEAK_RATE,
        betas=(0.9, 0.95),
    )
    started, seen, step, cosine_step = time.time(), 0, 0, 0

    def save(last):
        metadata = {"tokens_seen": str(seen), "seed": str(options.seed), "stage": str(last)}
        weights = {k: v for k, v in model.state_dict().items()}
        write_safetensors(os.path.join(options.out, "model.safetensors"), weights, metadata)
        with open(os.path.join(options.out, "config.json"), "w") as file:
            json.dump(CONFIG, file, indent=2)
            file.write("\n")

    for stage, row_tokens, rows, most, least in STAGES:
        smooth_right, smooth_loss = 0.0, 0.0
        stream = row_stream(stage, row_tokens, rows, options.seed)
        for i in range(most):
            tokens, loss_class = next(stream)
            rate = PEAK_RATE * min(1.0, (step + 1) / WARM_UP_STEPS)
            if stage >= FIRST_COSINE_STAGE:
                done = cosine_step / COSINE_STEPS
                rate *= 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * done))
                cosine_step += 1
            for group in optimizer.param_groups:
                group["lr"] = rate
            loss, right = losses(model, tokens, loss_class)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            step += 1
            seen += tokens.numel()
            weight = 1 / min(i + 1, 50)
            smooth_right += weight * (right - smooth_right)
            smooth_loss += weight * (loss.item() - smooth_loss)
            ended = i + 1 == most or (i + 1 >= least and smooth_right > BREAKTHROUGH and least < most)
            if ended or (i + 1) % 50 == 0:
                entry = {
                    "stage": stage,
                    "step": i + 1,
                    "tokensSeen": seen,
                    "minutes": round((time.time() - started) / 60, 2),
                    "loss": round(smooth_loss, 4),
                    "answerTokenAccuracy": round(smooth_right, 4),
                    "rate": round(rate, 6),
                }
                log.write(json.dumps(entry) + "\n")
            if (i + 1) % 200 == 0:
                save(stage)
            if ended:
                break
        stream.close()
        save(stage)


main()
