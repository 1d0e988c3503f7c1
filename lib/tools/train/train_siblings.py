"""Trains the siblings of the recall-gap lesson on the same rows, in the same order, for as long.

    python3 lib/tools/train/train_siblings.py --out DIR [--only softmax] [--seed 1] [--threads 1]
"""

import argparse
import json
import os
import time

import numpy as np
import subprocess
import torch
import torch.nn.functional as F

from safetensors_file import write_safetensors
from siblings import MIXERS, SHAPE, Sibling

# (stage of sibling-mix.ts, tokens of a row, rows of a batch, steps)
STAGES = [
    (0, 18, 192, 350),
    (1, 30, 128, 700),
    (2, 42, 96, 700),
    (3, 66, 64, 700),
    (4, 130, 32, 1500),
]
PEAK_RATE = 2e-3
WARM_UP_STEPS = 100
ANSWER = 2


def rows_of(stage, row_tokens, rows, seed):
    command = ["npx", "tsx", "lib/tools/train/write-rows.ts", str(stage), str(seed), "sibling"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    need = rows * 2 * row_tokens
    try:
        while True:
            data = process.stdout.read(need)
            if len(data) < need:
                raise RuntimeError(f"the row writer of stage {stage} ended early")
            block = np.frombuffer(data, np.uint8).reshape(rows, 2, row_tokens).astype(np.int64)
            yield torch.from_numpy(block[:, 0]), torch.from_numpy(block[:, 1])
    finally:
        process.kill()
        process.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", required=True)
    parser.add_argument("--only")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    names = [options.only] if options.only else list(MIXERS)
    for name in names:
        train(name, options)


def train(name, options):
    torch.manual_seed(options.seed)
    out = os.path.join(options.out, name)
    os.makedirs(out, exist_ok=True)
    log = open(os.path.join(out, "training-log.jsonl"), "w", buffering=1)
    config = {**SHAPE, "mixers": MIXERS[name]}
    model = Sibling(config)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=PEAK_RATE, betas=(0.9, 0.95), weight_decay=0.01
    )
    last = STAGES[-1]
    started, seen, step = time.time(), 0, 0
    for stage, row_tokens, rows, steps in STAGES:
        stream = rows_of(stage, row_tokens, rows, options.seed)
        smooth = 0.0
        for i in range(steps):
            tokens, loss_class = next(stream)
            warm = min(1.0, (step + 1) / WARM_UP_STEPS)
            done = i / steps if stage == last[0] else 0.0
            rate = PEAK_RATE * warm * (0.05 + 0.95 * 0.5 * (1 + np.cos(np.pi * done)))
            for group in optimizer.param_groups:
                group["lr"] = rate
            logits = model(tokens[:, :-1])
            answer = loss_class[:, 1:] == ANSWER
            target = tokens[:, 1:][answer]
            chosen = logits[answer]
            loss = F.cross_entropy(chosen, target)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            step += 1
            seen += tokens.numel()
            right = (chosen.argmax(-1) == target).float().mean().item()
            smooth += (right - smooth) / min(i + 1, 50)
            if (i + 1) % 50 == 0 or i + 1 == steps:
                entry = {
                    "stage": stage,
                    "step": i + 1,
                    "tokensSeen": seen,
                    "minutes": round((time.time() - started) / 60, 2),
                    "loss": round(loss.item(), 4),
                    "accuracy": round(smooth, 4),
                }
                log.write(json.dumps(entry) + "\n")
        stream.close()
    metadata = {"tokens_seen": str(seen), "seed": str(options.seed), "mixers": ",".join(MIXERS[name])}
    write_safetensors(os.path.join(out, "model.safetensors"), model.state_dict(), metadata)
    with open(os.path.join(out, "config.json"), "w") as file:
        json.dump(config, file, indent=2)
        file.write("\n")


main()
