"""How far the engine's rounding moves a trained model's choice between its two best tokens, and what makes it less.

usage: rounded_inputs.py RUN ANSWERS [--most N]        (ten minutes; docs/results/more-examples.md)

RUN is a finished build, ANSWERS the folder of ``four_bit_loss.py`` for it. The F16 file's answers to N generated
requests are read by the merged model in float32, with what goes into each product rounded to 8 bits in blocks of 32 as
the engine does, or with weights of 8 bits. Printed: the standard deviation of the distance between the two best tokens
(nats), at all tokens of the answers and at those where it is under 2, and at how many the second becomes the first.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from lamina.runs import Run

Rounded = Callable[[str, torch.Tensor], torch.Tensor | None]
NORMED = ("q_proj", "k_proj", "v_proj", "gate_proj", "up_proj")
"""Products whose input is a norm's output."""
NEAR = 2.0


def rounded(values: torch.Tensor) -> torch.Tensor:
    blocks = values.reshape(*values.shape[:-1], -1, 32)
    scale = (blocks.abs().amax(-1, keepdim=True) / 127).half().float()
    return ((blocks / torch.where(scale == 0, 1, scale)).round() * scale).reshape(values.shape)


def rotated(values: torch.Tensor) -> torch.Tensor:
    """By Hadamard's matrix of 64 in each 64 values; its own inverse."""
    turn = torch.ones(1, 1)
    while turn.shape[0] < 64:
        turn = torch.cat([torch.cat([turn, turn], 1), torch.cat([turn, -turn], 1)])
    return (values.reshape(*values.shape[:-1], -1, 64) @ (turn / 8)).reshape(values.shape)


class Reader:
    """The model, the answers, and what is done to inputs on their way into products."""

    def __init__(self, run: Path, answers: Path, most: int):
        tokenizer: Any = AutoTokenizer.from_pretrained(run / "model")
        self.model: Any = AutoModelForCausalLM.from_pretrained(run / "model", dtype=torch.float32).eval()
        self.change: Rounded = lambda name, values: None
        self.sizes: dict[str, torch.Tensor] = {}
        for name, module in self.model.named_modules():
            if isinstance(module, torch.nn.Linear):
                module.register_forward_pre_hook(lambda _, given, name=name: self._changed(name, given[0]))
        with Run.at(answers) as stored:
            rows = [json.loads(one.payload) for one in stored.store.iterate("sample")]
        self.texts = []
        for row in [r for r in rows if r["precision"] == "F16"][:most]:
            asked = row["transcript"][0]
            said = tokenizer.apply_chat_template(
                [{k: v for k, v in m.items() if v} for m in asked["messages"]],
                tokenize=False,
                add_generation_prompt=True,
            )
            start = len(tokenizer(said)["input_ids"])
            self.texts.append((tokenizer(said + asked["answer"], return_tensors="pt"), start))
        self.change = self._measure
        exact = self.scores()
        self.two = exact.topk(2, -1).indices
        self.exact = self.distance(exact)

    def _changed(self, name: str, values: torch.Tensor) -> tuple[torch.Tensor] | None:
        new = self.change(name, values)
        return None if new is None else (new,)

    def _measure(self, name: str, values: torch.Tensor) -> None:
        size = values.reshape(-1, values.shape[-1]).pow(2).sum(0)
        self.sizes[name] = self.sizes.get(name, torch.zeros(())) + size

    @torch.no_grad()
    def scores(self) -> torch.Tensor:
        return torch.cat([self.model(**text).logits[0, start - 1 : -1] for text, start in self.texts])

    def distance(self, scores: torch.Tensor) -> torch.Tensor:
        best = scores.gather(1, self.two)
        return best[:, 0] - best[:, 1]

    def show(self, name: str, change: Rounded) -> None:
        self.change = change
        found = self.distance(self.scores())
        off, near = found - self.exact, self.exact < NEAR
        print(
            f"{name:44} {off.std():.3f}  {off[near].std():.3f}  {(found < 0).sum().item():3} of {len(off)}", flush=True
        )

    def evened(self, norms: float, inner: float) -> Rounded:
        """Rounded with the size of each channel, to the power of ``norms`` (``inner``: other inputs than norms'),
        taken out before."""

        def change(name: str, values: torch.Tensor) -> torch.Tensor:
            shared = name
            for part, first in (("k_proj", "q_proj"), ("v_proj", "q_proj"), ("up_proj", "gate_proj")):
                shared = shared.replace(part, first)
            power = norms if name.endswith(NORMED) else 0.0 if name == "lm_head" else inner
            size = self.sizes[shared].sqrt()
            scale = (size + 1e-3 * size.mean()) ** power
            return rounded(values / scale) * scale

        return change


def main() -> None:
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("answers", type=Path)
    parser.add_argument("--most", type=int, default=120)
    given = parser.parse_args()
    reader = Reader(given.run, given.answers, given.most)
    print(f"{'':44} all    near   second first")
    reader.show("inputs rounded", lambda name, values: rounded(values))
    reader.show("of the vocabulary's scores alone", lambda name, v: rounded(v) if name == "lm_head" else None)
    in_f16 = ("q_proj", "k_proj", "v_proj", "o_proj", "lm_head")
    # A file that holds these in F16 has the engine round none of their inputs.
    reader.show(
        "all but the attention's and the scores'", lambda name, v: None if name.endswith(in_f16) else rounded(v)
    )
    reader.show("norms' channels evened, power 0.5", reader.evened(0.5, 0))
    reader.show("the same, 0.75", reader.evened(0.75, 0))
    reader.show("the same, 1", reader.evened(1, 0))
    reader.show("0.75, others 0.5", reader.evened(0.75, 0.5))
    reader.show(
        "all but the scores' rotated", lambda n, v: rounded(v) if n == "lm_head" else rotated(rounded(rotated(v)))
    )
    reader.show("all rotated", lambda name, values: rotated(rounded(rotated(values))))
    for _, weight in reader.model.named_parameters():
        if weight.dim() > 1:
            weight.data = rounded(weight.data)
    reader.show("weights of 8 bits, inputs exact", lambda name, values: None)
    reader.show("weights of 8 bits, inputs rounded", lambda name, values: rounded(values))


if __name__ == "__main__":
    main()
