"""The lm-evaluation-harness's part of `generation_peers.py`, run by the Python of its own environment.

In: a model's directory, a JSON file of rendered prompts, the number of new tokens, rounds. Out: one line of JSON with the seconds
of the best round and the greedy texts. Without arguments it does nothing.
"""

import json
import sys
import time
from pathlib import Path

BATCH_SIZES = (32, 128, 512)


def main(directory: str, prompts: str, new_tokens: str, rounds: str) -> None:
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    texts = json.loads(Path(prompts).read_text(encoding="utf-8"))
    ways = {"greedy": {"do_sample": False}, "sampled": {"do_sample": True, "temperature": 0.7, "min_p": 0.1}}
    seconds, said = dict.fromkeys(ways, float("inf")), []
    for size in BATCH_SIZES:
        model = HFLM(pretrained=directory, device="cpu", dtype="float32", batch_size=size, add_bos_token=False)
        for way, options in ways.items():
            for _ in range(int(rounds)):
                asked = {**options, "max_gen_toks": int(new_tokens), "until": []}
                requests = [Instance("generate_until", {}, (text, asked), i) for i, text in enumerate(texts)]
                began = time.perf_counter()
                answers = model.generate_until(requests, disable_tqdm=True)
                seconds[way] = min(seconds[way], time.perf_counter() - began)
                said = answers if way == "greedy" else said
    print(json.dumps({"seconds": seconds, "texts": said}))


if __name__ == "__main__" and len(sys.argv) > 1:
    main(*sys.argv[1:])
