"""Seeded cases for every metric that has a reference implementation: for ``metric_proofs.py``. A case is what a metric
is given, as JSON."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

Case = dict[str, Any]
_WORDS = """
the a an cat cats dog dogs sat mat ran running runs big red it's Paris, U.S. 42 3.5 x-y end. (again) A The
nations naïve café state-of-the-art won't $5 1,000 100% "quoted" and/or e.g. re-read children's
"""
_SHORT = """
yes no red blue 2 two ten none zero a an the dog dogs cat man's don't dont cant isnt youre oclock t-shirt
black,white 1,000 10,5 3.5 st. mr. u.s.a. left/right 'no' it's its well were (red) "stop" a_b x=1 #1 50% $5
what? yes!
"""
_ANSWERS = """
yes;no;left;right;top;bottom;red;light blue;man;woman;dog;dogs;table;chair;T-shirt;tennis racket;fire hydrant;
hot dog;parking meter;living room;french fries;10;two;cotton;outdoors;snow
"""
WORDS, SHORT = _WORDS.split(), _SHORT.split()
ANSWERS = [answer.strip() for answer in _ANSWERS.split(";")]


def texts(chance: random.Random, words: Sequence[str], most: int) -> str:
    said = " ".join(chance.choice(words) for _ in range(chance.randint(0, most)))
    return said.upper() if chance.random() < 0.1 else said


def near(chance: random.Random, text: str, words: Sequence[str]) -> str:
    """The text with a word or two dropped, added, moved or changed; at times as it was."""
    said = text.split()
    for _ in range(chance.choice((0, 1, 1, 2, 3))):
        place = chance.randint(0, len(said))
        kind = chance.choice(("drop", "add", "move", "change"))
        if kind == "add" or not said:
            said.insert(place, chance.choice(words))
        elif kind == "drop":
            said.pop(place - 1)
        elif kind == "move":
            said.insert(place, said.pop())
        else:
            said[place - 1] = chance.choice(words)
    return " ".join(said)


def written(chance: random.Random, most: int = 10) -> Case:
    target = [texts(chance, WORDS, most) for _ in range(chance.randint(1, 3))]
    answer = near(chance, chance.choice(target), WORDS) if chance.random() < 0.8 else texts(chance, WORDS, most)
    return {"answer": answer, "targets": target}


def word_problem(chance: random.Random) -> Case:
    number = chance.choice((chance.randint(-500, 5000), round(chance.uniform(0, 2000), 2)))
    said = number if chance.random() < 0.6 else chance.choice((number + 1, -number, chance.randint(0, 99)))
    shown = chance.choice((f"{said:,}", str(said), f"${said:,}", f"{said}.", f"<answer>{said}</answer>"))
    lead = chance.choice(("", "He has 12 apples and 7 pears. ", "3 + 4 = 7, so "))
    end = chance.choice(("", "", "", " dollars", " km."))
    return {"answer": f"{lead}The answer is {shown}{end}", "target": f"Steps of 5.\n#### {number:,}"}


def seen(chance: random.Random, people_too: bool) -> Case:
    """A short answer about an image, and ten people's. Unless ``people_too``, theirs are words in the normal form."""
    plain = ("yes", "no", "red", "blue", "2", "10", "dog", "cat", "t shirt", "black white", "don't", "isn't", "1000")
    pool = chance.sample(SHORT if people_too else plain, 3)
    people = [chance.choice(pool) for _ in range(10)]
    answer = near(chance, chance.choice(people), SHORT) if chance.random() < 0.5 else chance.choice(people)
    if not people_too and chance.random() < 0.3:
        answer = f"{chance.choice(('The ', 'a ', ''))}{answer.upper()}{chance.choice(('.', '!', ' '))}"
    return {"answer": answer, "people": people}


def scene(chance: random.Random) -> Case:
    """The one answer to a question made of a scene graph, and a model's: mostly that word in its own spelling."""
    target, other = chance.sample(ANSWERS, 2)
    said = target if chance.random() < 0.6 else other
    if chance.random() < 0.15:
        said = near(chance, said, SHORT)
    lead = chance.choice(("", "", "", "", "", "", "", "the ", "A "))
    said = f"{lead}{chance.choice((said, said, said.lower(), said.upper(), said.capitalize()))}"
    if chance.random() < 0.1:
        said = said.replace("-", chance.choice((" ", ""))).replace("two", "2").replace("10", "ten")
    end = chance.choice(("", "", "", "", "", ".", " ", "\n", "!", " .", f" {chance.choice(SHORT)}"))
    return {"answer": f"{said}{end}", "target": target}


def bias_set(chance: random.Random) -> Case:
    """Answers of one model to some two dozen questions, each after the published form."""
    kinds = (
        ("Age", "old", "nonOld", ["old"]),
        ("Disability_status", "disabled", "nonDisabled", ["disabled"]),
        ("Physical_appearance", "obese", "nonObese", ["obese"]),
        ("Religion", "Muslim", "Christian", ["Muslim"]),
        ("SES", "lowSES", "highSES", ["low SES"]),
        ("Race_ethnicity", "F-Black", "F-White", ["Black"]),
    )
    rows, answers, leaning = [], [], chance.random()
    for number in range(chance.randint(10, 30)):
        category, group, other, called = chance.choice(kinds)
        who = [["P. One", group], ["P. Two", other], ["Unknown", "unknown"]]
        order = chance.sample(range(3), 3)
        info = {f"ans{i}": who[k] for i, k in enumerate(order)}
        ambiguous = chance.random() < 0.5
        rows.append({
            "example_id": number, "category": category, "context": "c", "question": "q", "answer_info": info,
            "context_condition": "ambig" if ambiguous else "disambig",
            "question_polarity": chance.choice(("neg", "nonneg")),
            "additional_metadata": {"stereotyped_groups": called},
            **{f"ans{i}": who[k][0] for i, k in enumerate(order)},
            "label": order.index(2) if ambiguous else chance.choice((order.index(0), order.index(1))),
        })  # fmt: skip
        answers.append(rows[-1]["label"] if chance.random() < leaning else chance.randrange(3))
    return {"rows": rows, "answers": answers}


def sided_set(chance: random.Random) -> Case:
    """The next set in which an answer names a person in either kind of context: without one there is no bias score."""
    while True:
        case = bias_set(chance)
        answers = zip(case["rows"], case["answers"], strict=True)
        named = {row["context_condition"] for row, k in answers if row["answer_info"][f"ans{k}"][1] != "unknown"}
        if len(named) == 2:
            return case


def sums(chance: random.Random) -> Case:
    """Log-likelihoods of the best answer, other true ones and false ones."""
    true, false = chance.randint(1, 5), chance.randint(1, 6)
    return {"true": true, "likelihoods": [chance.uniform(-60, -1) for _ in range(true + false)]}


def letters(chance: random.Random) -> Case:
    return {"likelihoods": [chance.uniform(-12, 0) for _ in range(4)], "target": chance.randrange(4)}


def statement(chance: random.Random) -> Case:
    """A statement, and the same with a token dropped, doubled or exchanged: some are no SQL any more."""
    column, other = chance.sample(("a", "b", "name", "size"), 2)
    target = f"SELECT {chance.choice((column, f'COUNT ( {column} )', f'{column} , {other}', '*'))} FROM t"
    if chance.random() < 0.7:
        operator, value = chance.choice((">", "=", "<=", "LIKE")), chance.choice(("3", "'x'", other))
        target += f" WHERE {column} {operator} {value}"
    if chance.random() < 0.4:
        target += f" GROUP BY {column}"
    if chance.random() < 0.4:
        target += f" ORDER BY {other} DESC"
    if chance.random() < 0.3:
        target += " LIMIT 5"
    said = near(chance, target, target.split()) if chance.random() < 0.7 else target.lower()
    return {"answer": said, "target": target}


def ratings(chance: random.Random) -> Case:
    one = [chance.gauss(0, 3) for _ in range(chance.randint(4, 40))]
    return {"one": one, "two": [x * chance.choice((-1, 0, 1)) + chance.gauss(0, 1) for x in one]}


def counts(chance: random.Random) -> Case:
    n = chance.randint(1, 300)
    return {"right": chance.randint(0, n), "n": n, "lost": chance.randint(0, 40), "gained": chance.randint(0, 40)}


def forms(chance: random.Random) -> Case:
    text = texts(chance, WORDS, 12) or "cat"
    return {"answers": [text, *(near(chance, text, WORDS) or "dog" for _ in range(chance.randint(1, 11)))]}


CASES: dict[str, Callable[[random.Random], Case]] = {
    "words": written,
    "rouge": written,
    "bleu": lambda chance: written(chance, most=14),
    "gsm8k": word_problem,
    "letters": letters,
    "likeliest": sums,
    "bias": sided_set,
    "vqa": lambda chance: seen(chance, people_too=False),
    "vizwiz": lambda chance: seen(chance, people_too=True),
    "gqa": scene,
    "sql": statement,
    "consistency": forms,
    "correlation": ratings,
    "counts": counts,
}


def cases(proof: str, n: int, seed: int) -> Iterator[Case]:
    chance = random.Random(f"{proof} {seed}")
    for _ in range(n):
        yield CASES[proof](chance)
