"""Weather: stations that measured every day of three months."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

from lamina.agents.environments.environment import RefusedCallError, described
from lamina.agents.environments.worlds.world import Question, several
from lamina.tools.tool import JSON

CITIES = (
    "Alberton", "Brakel", "Cardona", "Dunmore", "Elmira", "Fermo", "Gustavia", "Havelock", "Imola", "Jarrow",
    "Kotka", "Lindau", "Morlaix", "Narvik", "Oulx", "Paphos", "Quimper", "Rovereto", "Sligo", "Tartu",
)  # fmt: skip
FIRST, DAYS = date(2026, 1, 1), 90
MEASURES = ("temperature_max", "temperature_min", "rain_mm", "wind_kmh")


class Weather:
    name = "weather"
    tools = (
        described("get_today", "The date of today."),
        described(
            "get_weather",
            "What a station measured on one day.",
            city="string: Name of the city.",
            date="string: The day, as YYYY-MM-DD.",
        ),
        described("warmest_day", "The warmest day of a month in a city.", city="string: Name of the city.",
                  month="integer: 1, 2 or 3."),
    )  # fmt: skip

    def __init__(self, chance: random.Random) -> None:
        self.days = [str(FIRST + timedelta(day)) for day in range(DAYS)]
        self.measured: dict[tuple[str, str], JSON] = {}
        for city in CITIES:
            mild = chance.uniform(-4, 16)
            for day, date_ in enumerate(self.days):
                high = round(mild + day / 12 + chance.gauss(0, 3), 1)
                row = (high, round(high - chance.uniform(3, 11), 1), round(max(0.0, chance.gauss(1, 5)), 1))
                measured = dict(zip(MEASURES, (*row, chance.randint(2, 60)), strict=True))
                self.measured[city, date_] = measured
        self.today = FIRST + timedelta(DAYS - 1)

    def ask(self, name: str, arguments: JSON) -> Any:
        if name == "get_today":
            return {"today": str(self.today)}
        city = arguments["city"]
        if city not in CITIES:
            raise RefusedCallError(f"no station in {city!r}; there are {', '.join(CITIES)}")
        if name == "warmest_day":
            days = [d for d in self.days if int(d[5:7]) == arguments["month"]]
            if not days:
                raise RefusedCallError("months 1 to 3 were measured")
            day = max(days, key=lambda d: float(self.measured[city, d]["temperature_max"]))
            return {"date": day, "temperature_max": self.measured[city, day]["temperature_max"]}
        found = self.measured.get((city, arguments["date"]))
        if found is None:
            raise RefusedCallError(f"nothing measured on {arguments['date']!r}; days are YYYY-MM-DD")
        return found

    def questions(self, chance: random.Random) -> list[Question]:
        return several([self._on_a_day, self._warmer, self._days_ago, self._after_the_warmest], 15, chance)

    def _look(self, city: str, day: date) -> tuple[tuple[str, JSON], JSON]:
        return ("get_weather", {"city": city, "date": str(day)}), self.measured[city, str(day)]

    def _a_day(self, chance: random.Random) -> date:
        return FIRST + timedelta(chance.randrange(DAYS))

    def _on_a_day(self, chance: random.Random) -> Question:
        day, city = self._a_day(chance), chance.choice(CITIES)
        call, found = self._look(city, day)
        said = f"{day:%B} {day.day}, {day.year}"
        text = f"How much rain fell in {city} on {said}? Answer with the millimetres as a number."
        return Question("lookup", text, (call,), str(found["rain_mm"]))

    def _warmer(self, chance: random.Random) -> Question | None:
        day = self._a_day(chance)
        one, other = chance.sample(CITIES, 2)
        (call, found), (second, beside) = self._look(one, day), self._look(other, day)
        difference = found["temperature_max"] - beside["temperature_max"]
        if abs(difference) < 0.2:
            return None
        said = f"{day:%B} {day.day}, {day.year}"
        text = f"Which city had the higher maximum temperature on {said}: {one} or {other}? Answer with its name."
        return Question("compare", text, (call, second), one if difference > 0 else other)

    def _days_ago(self, chance: random.Random) -> Question:
        ago, city = chance.randint(2, 60), chance.choice(CITIES)
        call, found = self._look(city, self.today - timedelta(ago))
        text = f"How strong was the wind in {city} {ago} days ago? Answer with the km/h as a number."
        return Question("relative", text, (("get_today", {}), call), str(found["wind_kmh"]))

    def _after_the_warmest(self, chance: random.Random) -> Question | None:
        city, month = chance.choice(CITIES), chance.randint(1, 3)
        warmest = self.ask("warmest_day", {"city": city, "month": month})["date"]
        day = date.fromisoformat(warmest) + timedelta(1)
        if (city, str(day)) not in self.measured:
            return None
        call, found = self._look(city, day)
        name = date(2026, month, 1).strftime("%B")
        text = f"What was the minimum temperature in {city} on the day after its warmest day of {name} 2026? " \
               "Answer with the degrees as a number."  # fmt: skip
        calls = (("warmest_day", {"city": city, "month": month}), call)
        return Question("chain", text, calls, str(found["temperature_min"]))
