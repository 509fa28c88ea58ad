"""Whether a machine held itself back while requests were timed."""

from __future__ import annotations

from typing import Any

JSON = dict[str, Any]
HOT_CELSIUS = 85.0
FALLEN = 0.85
"""Below this share of the frequency at the beginning, on a hot machine or one without a thermometer, a frequency has
fallen (our choice: boost clocks come and go by less)."""


def throttled(machine: JSON) -> str | None:
    """Why the machine of ``Watch.as_dict`` was throttled; None where nothing shows it. A frequency is looked at where
    it is a measured one."""
    count = machine.get("throttles")
    if count:
        return f"its cores were held back for heat {count:,} time{'s' if count > 1 else ''}"
    clock, heat = machine.get("frequency_mhz"), machine.get("temperature_celsius")
    if not clock or machine.get("frequency_source") != "cpufreq" or clock["before"] is None:
        return None
    if clock["min"] >= FALLEN * clock["before"] or (heat and heat["max"] < HOT_CELSIUS):
        return None
    at = f" at {heat['max']:.0f} °C" if heat else ""
    return f"its frequency fell from {clock['before']:,.0f} to {clock['min']:,.0f} MHz{at}"
