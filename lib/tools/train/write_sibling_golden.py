"""Writes what PyTorch makes of the shipped siblings, for the test that compares our runtime with it.

    python3 lib/tools/train/write_sibling_golden.py public/models/siblings test/fixtures/siblings.json
"""

import json
import os
import sys

import torch

from safetensors_file import read_safetensors
from siblings import MIXERS, Sibling

TOKENS = 48


def main():
    source, target = sys.argv[1:3]
    torch.manual_seed(7)
    out = {}
    for name in MIXERS:
        with open(os.path.join(source, name, "config.json")) as file:
            model = Sibling(json.load(file))
        model.load_state_dict(read_safetensors(os.path.join(source, name, "model.safetensors")))
        tokens = torch.randint(0, 242, (1, TOKENS))
        with torch.no_grad():
            logits = model(tokens)[0, -1]
        out[name] = {
            "tokens": tokens[0].tolist(),
            "lastLogits": [round(x, 5) for x in logits.tolist()],
        }
    with open(target, "w") as file:
        json.dump(out, file)
        file.write("\n")


main()
