"""Trains the recall model of public/models on the task generators of lib/tasks.

    python3 lib/tools/train/train_recall.py --out DIR [--seed 1] [--threads 1]
    python3 lib/tools/train/train_recall.py --out DIR --start DIR --first-stage 10

Needs PyTorch 1.13 or later (CPU) and Node. Rows come through a pipe from write-rows.ts, so training
and judging use the same generators. A stage of the curriculum ends when recall has broken through
or its steps are spent; a later stage does not train without the earlier ones. The second form goes on
from the weights and the log of a folder.
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
from safetensors_file import read_safetensors, write_safetensors

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
    (10, 256, 16, 2000, 2000),
    (11, 256, 16, 2000, 2000),
    (12, 256, 16, 1600, 1600),
    (13, 592, 8, 3300, 3300),
    (14, 592, 8, 800, 800),
]
BREAKTHROUGH = 0.985
PEAK_RATE = 2e-3
# From this stage on the rate falls on a cosine that would reach 5 % of its peak after so many steps.
FIRST_COSINE_STAGE = 7
COSINE_STEPS = 4500
# The stages with repeated sequences have rates of their own, from the first to the last on a cosine;
# those that were started with a new optimizer warm up.
FIRST_REPEAT_STAGE = 10
REPEAT_RATES = {
    10: (1e-3, 1e-3),
    11: (1.5e-3, 1.5e-3),
    12: (1.5e-3, 1.5e-3),
    13: (1e-3, 3e-5),
    14: (4e-4, 1e-5),
}
NEW_OPTIMIZER_STAGES = (10, 11, 12, 14)
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


def scheduled_rate(stage, step_of_stage, most, step, cosine_step):
    warm = min(1.0, (step + 1) / WARM_UP_STEPS)
    if stage < FIRST_COSINE_STAGE:
        return PEAK_RATE * warm
    if stage < FIRST_REPEAT_STAGE:
        fall = 0.5 * (1 + math.cos(math.pi * cosine_step / COSINE_STEPS))
        return PEAK_RATE * warm * (0.05 + 0.95 * fall)
    first, last = REPEAT_RATES[stage]
    if stage in NEW_OPTIMIZER_STAGES:
        first *= min(1.0, (step_of_stage + 1) / WARM_UP_STEPS)
        last *= min(1.0, (step_of_stage + 1) / WARM_UP_STEPS)
    return last + (first - last) * 0.5 * (1 + math.cos(math.pi * step_of_stage / most))


def losses(model, tokens, loss_class, balanced):
    """The loss, and the share of answers that are right. Balanced: a row counts with the square root
    of its answers, as a copy has a hundred times those of a question."""
    logits = model(tokens[:, :-1])
    target, kind = tokens[:, 1:], loss_class[:, 1:]
    used = kind > 0
    logits, target, answer = logits[used], target[used], kind[used] == ANSWER
    each = F.cross_entropy(logits, target, reduction="none")
    right = (logits.argmax(-1) == target)[answer].float().mean().item()
    answers = (kind == ANSWER).sum(1, keepdim=True).clamp(min=1).float()
    weight = answers.rsqrt().expand(kind.shape)[used][answer]
    of_answers = (each[answer] * weight).sum() / weight.sum() if balanced else each[answer].mean()
    return of_answers + TEXT_WEIGHT * each.mean(), right


def new_optimizer(model):
    decayed = [p for p in model.parameters() if p.dim() == 2]
    plain = [p for p in model.parameters() if p.dim() != 2]
    return torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}],
        lr=PEAK_RATE,
        betas=(0.9, 0.95),
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--start", help="a folder with weights and a log to go on from")
    parser.add_argument("--first-stage", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    os.makedirs(options.out, exist_ok=True)
    model, history, seen, minutes = Llama(CONFIG), [], 0, 0.0
    if options.start is not None:
        model.load_state_dict(read_safetensors(os.path.join(options.start, "model.safetensors")))
        with open(os.path.join(options.start, "training-log.jsonl")) as file:
            history = [line for line in file if json.loads(line)["stage"] < options.first_stage]
        last = json.loads(history[-1])
        seen, minutes = last["tokensSeen"], last["minutes"]
    log = open(os.path.join(options.out, "training-log.jsonl"), "w", buffering=1)
    log.writelines(history)
    optimizer = new_optimizer(model)
    started, step, cosine_step = time.time() - 60 * minutes, 0, 0

    def save(last):
        metadata = {"tokens_seen": str(seen), "seed": str(options.seed), "stage": str(last)}
        weights = {k: v for k, v in model.state_dict().items()}
        write_safetensors(os.path.join(options.out, "model.safetensors"), weights, metadata)
        with open(os.path.join(options.out, "config.json"), "w") as file:
            json.dump(CONFIG, file, indent=2)
            file.write("\n")

    for stage, row_tokens, rows, most, least in STAGES[options.first_stage :]:
        if stage in NEW_OPTIMIZER_STAGES:
            optimizer = new_optimizer(model)
        smooth_right, smooth_loss = 0.0, 0.0
        stream = row_stream(stage, row_tokens, rows, options.seed)
        for i in range(most):
            tokens, loss_class = next(stream)
            rate = scheduled_rate(stage, i, most, step, cosine_step)
            cosine_step += stage >= FIRST_COSINE_STAGE
            for group in optimizer.param_groups:
                group["lr"] = rate
            loss, right = losses(model, tokens, loss_class, stage >= FIRST_REPEAT_STAGE)
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
