"""Movies: invented films, their people and where those were born."""

from __future__ import annotations

import random
from typing import Any

from lamina.agents.environments.environment import RefusedCallError, described
from lamina.agents.environments.worlds.world import Gold, Question, several
from lamina.tools.tool import JSON

ADJECTIVES = ("Amber", "Silent", "Broken", "Distant", "Paper", "Winter", "Hollow", "Golden", "Second", "Restless")
NOUNS = ("Harbour", "Orchard", "Signal", "Lantern", "Meridian", "Garden", "Voyage", "Archive", "Tide", "Parade")
FIRST_NAMES = ("Ada", "Bruno", "Carla", "Dario", "Edith", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Kira", "Levin")
LAST_NAMES = ("Almeida", "Brandt", "Costa", "Dvorak", "Eklund", "Fontaine", "Grimaldi", "Holm", "Ivanov", "Jansen")
TOWNS = ("Aveiro", "Bergen", "Coimbra", "Delft", "Esbjerg", "Fano", "Ghent", "Husum", "Izola", "Jaca", "Kaunas")
GENRES = ("drama", "comedy", "thriller", "documentary", "western", "musical", "animation", "mystery")


class Movie:
    name = "movie"
    tools = (
        described("find_movie", "The id of a movie.", title="string: The whole title."),
        described("movie_details", "Year, rating, genres, runtime and director of a movie.",
                  movie_id="string: From find_movie."),
        described("person_details", "Where and when a person was born.", name="string: The whole name."),
    )  # fmt: skip

    def __init__(self, chance: random.Random) -> None:
        names = [f"{first} {last}" for first in FIRST_NAMES for last in LAST_NAMES]
        self.people = {
            name: {"birthplace": chance.choice(TOWNS), "born": chance.randint(1930, 1990)}
            for name in chance.sample(names, 40)
        }
        titles = [f"The {a} {n}" for a in ADJECTIVES for n in NOUNS]
        self.ids = {
            title: f"m{number}" for title, number in zip(titles, chance.sample(range(100, 999), 100), strict=True)
        }
        self.movies: dict[str, JSON] = {
            identity: {
                "title": title,
                "year": chance.randint(1960, 2024),
                "rating": round(chance.uniform(3, 9.5), 1),
                "genres": sorted(chance.sample(GENRES, chance.randint(1, 4))),
                "runtime": chance.randint(70, 200),
                "director": chance.choice(list(self.people)),
            }
            for title, identity in self.ids.items()
        }

    def ask(self, name: str, arguments: JSON) -> Any:
        if name == "find_movie":
            if arguments["title"] not in self.ids:
                raise RefusedCallError(f"no movie is called {arguments['title']!r}; give the whole title")
            return {"movie_id": self.ids[arguments["title"]]}
        table: dict[str, Any] = self.movies if name == "movie_details" else self.people
        key = arguments["movie_id" if name == "movie_details" else "name"]
        if key not in table:
            mend = "find_movie gives the id" if name == "movie_details" else "movie_details names the director"
            raise RefusedCallError(f"nothing is known of {key!r}; {mend}")
        return table[key]

    def questions(self, chance: random.Random) -> list[Question]:
        return several([self._runtime, self._birthplace, self._better, self._shared_genres], 15, chance)

    def _details(self, title: str) -> tuple[tuple[Gold, Gold], JSON]:
        identity = self.ids[title]
        calls: tuple[Gold, Gold] = (("find_movie", {"title": title}), ("movie_details", {"movie_id": identity}))
        return calls, self.movies[identity]

    def _runtime(self, chance: random.Random) -> Question:
        title = chance.choice(list(self.ids))
        calls, found = self._details(title)
        text = f'How many minutes does "{title}" run? Answer with a number.'
        return Question("lookup", text, calls, str(found["runtime"]))

    def _birthplace(self, chance: random.Random) -> Question:
        title = chance.choice(list(self.ids))
        calls, found = self._details(title)
        person = found["director"]
        text = f'In which town was the director of "{title}" born? Answer with its name.'
        every = (*calls, ("person_details", {"name": person}))
        return Question("chain", text, every, str(self.people[person]["birthplace"]))

    def _better(self, chance: random.Random) -> Question | None:
        one, other = chance.sample(list(self.ids), 2)
        (calls, found), (more, beside) = self._details(one), self._details(other)
        if found["rating"] == beside["rating"]:
            return None
        better = one if found["rating"] > beside["rating"] else other
        text = f'Which has the higher rating, "{one}" or "{other}"? Answer with the title.'
        return Question("compare", text, (*calls, *more), better)

    def _shared_genres(self, chance: random.Random) -> Question:
        one, other = chance.sample(list(self.ids), 2)
        (calls, found), (more, beside) = self._details(one), self._details(other)
        shared = len(set(found["genres"]) & set(beside["genres"]))
        text = f'How many genres do "{one}" and "{other}" share? Answer with a number.'
        return Question("count", text, (*calls, *more), str(shared))
