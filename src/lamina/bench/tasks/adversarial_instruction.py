"""``adversarial_instruction``: does a model answer an instruction alike when it is worded, spelled or marked up
otherwise (TrustLLM, Huang et al. 2024, arXiv 2401.05561; MIT; the file is MobileAIBench's ``adv_instruction.csv``,
twelve forms of each instruction, the original first).

Published: one minus the mean cosine distance between the answers. ``consistency`` is that over all pairs of the
twelve; ``to_original`` over the eleven pairs with the original's answer (ours). A sample is an instruction with all
its forms, since answers of one are not independent; the interval is over instructions. Sentence embeddings are our
choice: averaged token vectors that come in a wheel (``bench.embedding``). They see words more than their order, so
answers on the same subject lie near each other: compare models by it, don't read it as a share of equal answers. A
model that says the same to everything has a consistency of 1; look at its answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lamina.bench.embedding import check_embedding, cosine, mean_similarity, open_embedding
from lamina.bench.tasks.files import benchmark_file, csv_rows, place
from lamina.bench.tasks.judged import Scores
from lamina.bench.tasks.task import Conversation, Outcome, Sample, Setting, turn_record
from lamina.bench.tasks.written import Written, odd_scores, unanswered
from lamina.errors import InputError
from lamina.tools.tool import JSON
from lamina.trajectories.trajectory import Message

ABOUT = "adversarial_instruction, twelve forms of an instruction; consistency of the answers"
VERSION = 1
FILE = "mobileaibench/adv_instruction.csv"
ORIGINAL = "original"


@dataclass(frozen=True)
class Variants(Written):
    """Each sample asks several prompts, each in a conversation of its own, and scores all answers together."""

    def samples(self) -> list[Sample]:
        check_embedding()
        return super().samples()

    def solve(self, sample: Sample, setting: Setting) -> Conversation:
        answers, records, cut = [], [], False
        for prompt in sample.row["variants"]:
            asked = [*self.opening(sample.row, setting), Message(role="user", content=prompt)]
            request = self.request(sample.row, asked, setting)
            reply = yield request
            records.append(turn_record(request, reply, []))
            if unanswered(reply):
                return Outcome(False, {"unscored": True}, [f"not answered: {reply.problem}"], records)
            answers.append(reply.text)
            cut = cut or reply.truncated
        found = consistency(answers)
        return Outcome(self.is_right(found), {**found, "unscored": False, **odd_scores(records, cut)}, [], records)


def open_task(argument: str, data: str | Path | None = None) -> Written:
    return Variants(
        "adversarial_instruction", lambda: _rows(data), lambda row, answer: {}, "consistency", max_tokens=128
    )


def _rows(data: str | Path | None) -> Iterator[JSON]:
    file = benchmark_file(data, FILE, "adversarial_instruction")
    forms: dict[str, dict[str, str]] = {}
    for row in csv_rows(file):
        id, _, form = row["answer"].partition("||")
        about, _, form = form.partition("||")
        if not form:
            raise place().error(f"{row['answer']!r} is not NUMBER||SUBJECT||FORM")
        forms.setdefault(f"{id}-{about}", {})[form] = row["prompt"]
    for id, prompts in forms.items():
        first = [prompts[ORIGINAL]] if ORIGINAL in prompts else []
        variants = first + [prompt for form, prompt in prompts.items() if form != ORIGINAL]
        if not first or len(variants) < 2:
            raise InputError(f"{id} has no original and another form", file=file, mend="get the file again")
        yield {"id": id, "variants": variants}


def consistency(answers: list[str]) -> Scores:
    """``answers``: the original's first."""
    embed = open_embedding()
    vectors = [embed(answer.encode("utf-8", "replace").decode()) for answer in answers]  # half a character has no token
    to_original = [cosine(vectors[0], other) for other in vectors[1:]]
    return {"consistency": mean_similarity(vectors), "to_original": sum(to_original) / len(to_original)}
