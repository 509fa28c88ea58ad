"""Academia: a small network of authors, papers, venues and citations."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

from lamina.agents.environments.environment import RefusedCallError, described
from lamina.agents.environments.worlds.movie import FIRST_NAMES, LAST_NAMES
from lamina.agents.environments.worlds.world import Gold, Question, several
from lamina.tools.tool import JSON

TOPICS = (
    "Sparse Graphs",
    "Tidal Models",
    "Protein Folding",
    "Query Planning",
    "Soft Robots",
    "Rare Events",
    "Optical Flow",
)
APPROACHES = ("A Survey of", "Learning", "Bounds for", "Fast Sampling of", "On the Limits of", "Verified", "Revisiting")
VENUES = ("Northern Letters", "Journal of Small Results", "Symposium on Methods", "Applied Notes", "Open Transactions")


class Academia:
    name = "academia"
    tools = (
        described("author_papers", "Titles of the papers of an author.", author="string: The whole name."),
        described("paper_details", "Authors, venue, year and citations of a paper.", title="string: The whole title."),
        described("coauthors", "Who wrote papers together with an author.", author="string: The whole name."),
    )

    def __init__(self, chance: random.Random) -> None:
        names = [f"{last}, {first}" for first in FIRST_NAMES for last in LAST_NAMES]
        authors = chance.sample(names, 60)
        self.papers: dict[str, JSON] = {}
        for approach in APPROACHES:
            for topic in TOPICS:
                for place in ("", " in Practice"):
                    self.papers[f"{approach} {topic}{place}"] = {
                        "authors": chance.sample(authors, chance.randint(2, 4)),
                        "venue": chance.choice(VENUES),
                        "year": chance.randint(1990, 2025),
                        "citations": chance.randint(0, 900),
                    }
        self.authors = [a for a in authors if self._papers_of(a)]

    def _papers_of(self, author: str) -> list[str]:
        return [title for title, paper in self.papers.items() if author in paper["authors"]]

    def _coauthors_of(self, author: str) -> list[str]:
        together = {a for title in self._papers_of(author) for a in self.papers[title]["authors"]}
        return sorted(together - {author})

    def ask(self, name: str, arguments: JSON) -> Any:
        if name == "paper_details":
            if arguments["title"] not in self.papers:
                raise RefusedCallError(f"no paper is called {arguments['title']!r}; give the whole title")
            return self.papers[arguments["title"]]
        author = arguments["author"]
        if author not in self.authors:
            raise RefusedCallError(f"no author is called {author!r}; names are written Last, First")
        return self._papers_of(author) if name == "author_papers" else self._coauthors_of(author)

    def questions(self, chance: random.Random) -> list[Question]:
        return several([self._citations, self._mutual, self._most_cited, self._venue], 15, chance)

    @staticmethod
    def _spoken(author: str) -> str:
        last, first = author.split(", ")
        return f"{first} {last}"

    def _citations(self, chance: random.Random) -> Question:
        title = chance.choice(list(self.papers))
        text = f'How often was "{title}" cited? Answer with a number.'
        return Question("lookup", text, (("paper_details", {"title": title}),), str(self.papers[title]["citations"]))

    def _mutual(self, chance: random.Random) -> Question:
        one, other = chance.sample(self.authors, 2)
        calls: tuple[Gold, ...] = tuple(("coauthors", {"author": a}) for a in (one, other))
        mutual = set(self._coauthors_of(one)) & set(self._coauthors_of(other))
        pair = f"{self._spoken(one)} and {self._spoken(other)}"
        text = f"How many co-authors do {pair} have in common? Answer with a number."
        return Question("count", text, calls, str(len(mutual)))

    def _every(self, author: str) -> tuple[Gold, ...]:
        papers: list[Gold] = [("paper_details", {"title": t}) for t in self._papers_of(author)]
        return (("author_papers", {"author": author}), *papers)

    def _most_cited(self, chance: random.Random) -> Question | None:
        author = chance.choice([a for a in self.authors if len(self._papers_of(a)) <= 10])
        ranked = sorted(self._papers_of(author), key=lambda t: -int(self.papers[t]["citations"]))
        if len(ranked) > 1 and self.papers[ranked[0]]["citations"] == self.papers[ranked[1]]["citations"]:
            return None
        text = f"Which paper of {self._spoken(author)} was cited most? Answer with its title."
        return Question("chain", text, self._every(author), ranked[0])

    def _venue(self, chance: random.Random) -> Question | None:
        author = chance.choice([a for a in self.authors if len(self._papers_of(a)) <= 10])
        ranked = Counter(self.papers[t]["venue"] for t in self._papers_of(author)).most_common()
        if len(ranked) > 1 and ranked[0][1] == ranked[1][1]:
            return None
        text = f"In which venue did {self._spoken(author)} publish most often? Answer with its name."
        return Question("compare", text, self._every(author), ranked[0][0])
