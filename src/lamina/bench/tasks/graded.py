"""What tasks have in common whose only score is a judge's rating, 1 to 10 (Zheng et al. 2023, arXiv 2306.05685,
section 3.1, single answer grading). Not a task itself.

What to weigh is the published prompt's; the answer is a JSON object instead of ``[[rating]]`` in running text, so it
is never searched for a number, and the explanation comes first as there."""

from __future__ import annotations

from lamina.bench.score_intervals import Span
from lamina.bench.tasks.judged import RATING, RATINGS, Question

SYSTEM = (
    "You are an impartial judge of the answers of an AI assistant. Weigh helpfulness, relevance, accuracy, depth, "
    "creativity and level of detail. Answer with JSON: a short reason first, then score, from 1 (useless) to 10 "
    "(excellent)."
)
WITH_REFERENCE = (
    "You are an impartial judge of the answers of an AI assistant. Weigh correctness and helpfulness: compare the "
    "answer with the reference answer and look for mistakes. Answer with JSON: a short reason first, then score, from "
    "1 (useless) to 10 (excellent)."
)
RATED: Span = (RATINGS[0], RATINGS[-1])
"""The span of a rating, and of a mean of ratings."""


def rating_of(question: str, answer: str, reference: str | None = None) -> Question:
    shown = f"[Question]\n{question}\n\n"
    if reference is not None:
        shown += f"[Reference answer]\n{reference}\n\n"
    system = SYSTEM if reference is None else WITH_REFERENCE
    return Question(system, f"{shown}[The assistant's answer]\n{answer}\n[End of the answer]\n\nRate it.", RATING)


def rating_of_second(turns: tuple[str, str], answers: tuple[str, str], references: tuple[str, str] | None) -> Question:
    """Of the answer to the second of two questions, the first shown for its sake."""
    shown = ""
    if references is not None:
        parts = zip(turns, references, strict=True)
        shown = "".join(f"[Question]\n{turn}\n\n[Reference answer]\n{known}\n\n" for turn, known in parts)
    talk = zip(turns, answers, strict=True)
    shown += "".join(f"[User]\n{turn}\n\n[Assistant]\n{answer}\n\n" for turn, answer in talk)
    system = SYSTEM if references is None else WITH_REFERENCE
    return Question(system, f"{shown}[End of the conversation]\n\nRate the assistant's second answer.", RATING)
