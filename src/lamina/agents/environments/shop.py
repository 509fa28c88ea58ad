"""shop: a store after WebShop (Yao et al., arXiv 2207.01206): search, click on products, options and pages, buy.

Products and goals are ours, drawn from a fixed seed. The reward is WebShop's (its section 3 and its code):

    r = r_type * (attributes had + options chosen + [price within the limit]) / (attributes + options + 1)

r_type is 1 where the kind of product fits (the same query, or two categories of the path shared, or more than a fifth
of the words of the goal's name), else 0.5; 0.1 where less than a tenth of the words is shared, 0 where none is.
WebShop takes nouns found by a tagger there; our names have no brand words in common, so we take all words (our choice).
"""

from __future__ import annotations

import math
import random
import re
from collections import Counter, defaultdict
from functools import lru_cache
from typing import Any

from lamina.agents.environments.environment import RefusedCallError, Task, World, described
from lamina.agents.environments.worlds.stock import Product, draw_products
from lamina.errors import InputError
from lamina.tools.tool import JSON, Toolbox

ABOUT = "a WebShop-like store: search, click, choose options, buy; reward: WebShop's formula"
SEED = 20263
A_PAGE = 10
SIMILAR = 85
"""Of 100: what WebShop takes as the same attribute or option."""
GOALS = 240
BUY, NEXT, PREVIOUS, BACK = "buy now", "next page", "previous page", "back to search"


class Shop(World):
    name = "shop"

    def __init__(self) -> None:
        self.toolbox = Toolbox(
            [
                described("search", "Search the store.", keywords="string: What to look for."),
                described(
                    "click",
                    "Click on something that the page shows in brackets.",
                    target="string: A product's id, an option's value, 'next page', 'back to search', 'buy now'.",
                ),
            ]
        )
        chance = random.Random(f"{SEED} products")
        self.products = draw_products(chance)
        self._by_id = {p.id: p for p in self.products}
        self._index = _Index(self.products)
        super().__init__(_goals(self.products, self._index, random.Random(f"{SEED} goals")))
        self._found: list[str] = []
        self._chosen: dict[str, str] = {}
        self._page, self._at, self._bought = 0, "", ""

    def begin(self, task: Task) -> None:
        self._found, self._page, self._at, self._bought = [], 0, "", ""
        self._chosen = {}

    def reward(self) -> float:
        """0 until something is bought."""
        assert self.task is not None
        return webshop_reward(self._by_id[self._bought], self._chosen, self.task.data["goal"]) if self._bought else 0.0

    def on_search(self, keywords: str) -> str:
        self._found, self._page, self._at, self._chosen = self._index.search(keywords), 0, "", {}
        return self._results()

    def on_click(self, target: str) -> str:
        said = target.strip().strip("[]").strip().lower()
        if said == BACK:
            self._found, self._at = [], ""
            return "You are at the search page. [search]"
        if self._at:
            return self._on_product(said)
        if said in (NEXT, PREVIOUS):
            last = max(0, math.ceil(len(self._found) / A_PAGE) - 1)
            self._page = min(max(self._page + (1 if said == NEXT else -1), 0), last)
            return self._results()
        shown = self._found[self._page * A_PAGE : (self._page + 1) * A_PAGE]
        wanted = next((p for p in shown if p.lower() == said), None)
        if wanted is None:
            raise RefusedCallError(f"{target!r} is not on this page")
        self._at, self._chosen = wanted, {}
        return self._shown()

    def _on_product(self, said: str) -> str:
        product = self._by_id[self._at]
        if said == PREVIOUS:
            self._at, self._chosen = "", {}
            return self._results()
        if said == BUY:
            self.done, self._bought = True, product.id
            return f"You bought {product.id}. Thank you."
        for option, values in product.options.items():
            for value in values:
                if value.lower() == said:
                    self._chosen = {**self._chosen, option: value}
                    return self._shown()
        raise RefusedCallError(f"{said!r} is not on this page")

    def _results(self) -> str:
        shown = self._found[self._page * A_PAGE : (self._page + 1) * A_PAGE]
        lines = [f"[{p}] {self._by_id[p].title}, ${self._by_id[p].price:.2f}" for p in shown]
        head = f"[{BACK}] page {self._page + 1}, {len(self._found)} results"
        more = [f"[{NEXT}]"] if (self._page + 1) * A_PAGE < len(self._found) else []
        return "\n".join([head, *lines, *more]) if shown else f"[{BACK}] nothing found"

    def _shown(self) -> str:
        p = self._by_id[self._at]
        options = [
            f"{option}: " + " ".join(f"[{v}]{' (chosen)' if self._chosen.get(option) == v else ''}" for v in values)
            for option, values in p.options.items()
        ]
        about = f"{p.title}, ${p.price:.2f}\nFeatures: {', '.join(p.attributes)}"
        return "\n".join([f"[{BACK}] [{PREVIOUS}]", about, *options, f"[{BUY}]"])


class _Index:
    """Products ranked by the words they share with the query, rare words more (BM25 with k=1.2, b=0)."""

    def __init__(self, products: list[Product]) -> None:
        self._holding: dict[str, Counter[str]] = defaultdict(Counter)
        for p in products:
            for word in _words(" ".join([p.title, *p.attributes, *(v for vs in p.options.values() for v in vs)])):
                self._holding[word][p.id] += 1
        self._n = len(products)

    def search(self, query: str) -> list[str]:
        """The best 50."""
        score: dict[str, float] = defaultdict(float)
        for word in set(_words(query)):
            holding = self._holding.get(word, Counter())
            rare = math.log(1 + self._n / (1 + len(holding)))
            for product, count in holding.items():
                score[product] += rare * count * 2.2 / (count + 1.2)
        return sorted(score, key=lambda p: (-score[p], p))[:50]


def webshop_reward(bought: Product, chosen: dict[str, str], goal: JSON) -> float:
    """See the head of this file. ``goal``: kind, name, category, attributes, options, price_upper."""
    attributes = sum(_had(a, bought) for a in goal["attributes"])
    options = sum(any(_same(o, c) for c in chosen.values()) for o in goal["options"])
    wanted: int = len(goal["attributes"]) + len(goal["options"]) + 1
    price = bought.price <= goal["price_upper"]
    share: float = (attributes + options + price) / wanted
    return _type_reward(bought, goal) * share


def _type_reward(bought: Product, goal: JSON) -> float:
    shared = set(bought.category.split(" › ")) & set(goal["category"].split(" › "))
    wanted = set(_words(goal["name"]))
    score = len(wanted & set(_words(bought.title))) / len(wanted) if wanted else 0.2
    if score == 0.0:
        return 0.0
    if score < 0.1:
        return 0.1
    return 1.0 if bought.kind == goal["kind"] or len(shared) >= 2 or score > 0.2 else 0.5


def _had(attribute: str, product: Product) -> bool:
    return attribute in product.title.lower() or any(_same(attribute, a) for a in product.attributes)


@lru_cache(maxsize=4096)
def _same(one: str, other: str) -> bool:
    from rapidfuzz.fuzz import token_set_ratio

    return one == other or token_set_ratio(one, other) > SIMILAR


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())


def _goals(products: list[Product], index: _Index, chance: random.Random) -> list[Task]:
    """Each is made from a product that the search for the goal's words brings to the first page and that has all that
    is asked for."""
    found: dict[str, Task] = {}
    while len(found) < GOALS:
        p = chance.choice(products)
        attributes = chance.sample(p.attributes, 2)
        colour, size = chance.choice(p.options["colour"]), chance.choice(p.options["size"])
        limit = math.ceil(p.price / 10) * 10
        request = (
            f"I am looking for a {p.kind} that is {attributes[0]} and {attributes[1]}, colour {colour}, size {size}, "
            f"and costs at most {limit:.2f} dollars."
        )
        goal: JSON = {"kind": p.kind, "name": p.title, "category": p.category, "attributes": attributes,
                      "options": [colour, size], "price_upper": limit}  # fmt: skip
        query = f"{p.kind} {' '.join(attributes)}"
        if request in found or p.id not in index.search(query)[:A_PAGE]:
            continue
        clicks: list[tuple[str, Any]] = [("click", {"target": t}) for t in (p.id, colour, size, BUY)]
        data: JSON = {"goal": goal, "solution": [("search", {"keywords": query}), *clicks]}
        found[request] = Task(f"shop-{len(found)}", request, data, p.kind)
    return list(found.values())


def open_environment(argument: str) -> Shop:
    if argument:
        raise InputError(f"shop takes no argument, got {argument!r}", mend="write shop")
    return Shop()
