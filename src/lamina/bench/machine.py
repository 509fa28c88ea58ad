"""What a process and its machine show while requests are timed: memory, processor, energy, temperature, frequency.

What the machine does not tell is None with the reason under ``absent``, never 0."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from statistics import mean, median
from types import TracebackType
from typing import Any

from lamina.runs.resources import Looking

JSON = dict[str, Any]
SECONDS_BETWEEN_LOOKS = 0.05
NO_PSUTIL = "psutil is not installed (pip install 'lamina[bench]')"
_MAINS = "the battery is not discharging: the machine runs on mains"


class Watch:
    """``with Watch() as watch: …``; ``watch.as_dict()`` then says what the process took and the machine showed.

    ``root`` is the root of the file system that is read, ``pid`` the process watched (else this one)."""

    def __init__(self, root: Path = Path("/"), pid: int | None = None):
        self._sensors = Sensors(root)
        self._pid = pid or os.getpid()
        self._sizes: list[int] = []
        self._threads: list[int] = []
        self._clocks: list[float] = []
        self._heat: list[float] = []
        self._cpu: tuple[float, float] | None = None

    def __enter__(self) -> Watch:
        self._process = _process(self._pid)
        self._before = self._sensors.read()
        self.started = time.perf_counter()
        self._cpu_before = _cpu_seconds(self._process)
        self._looks = 0
        self._looking = Looking(self._look, SECONDS_BETWEEN_LOOKS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._looking.stop()
        self.seconds = time.perf_counter() - self.started
        self._cpu_after = _cpu_seconds(self._process)
        self._after = self._sensors.read()

    def as_dict(self) -> JSON:
        """``steady_rss_bytes`` is the median of the second half, ``cpu_percent`` 100 for one core kept busy,
        ``energy_joules`` of the whole machine or package, other programs included, ``temperature_celsius`` and
        ``frequency_mhz`` before, after and at their worst, ``throttles`` how often the processor held itself back."""
        absent = dict(self._sensors.absent)
        if self._process is None:
            absent["memory"] = absent["cpu"] = NO_PSUTIL
        late = self._sizes[len(self._sizes) // 2 :]
        busy = None if self._cpu_after is None or self._cpu_before is None else self._cpu_after - self._cpu_before
        joules = self._sensors.joules(self._before.get("energy"), self._after.get("energy"))
        if joules is None and "energy" not in absent:
            absent["energy"] = _MAINS
        return {
            "seconds": self.seconds,
            "steady_rss_bytes": int(median(late)) if late else None,
            "seen_peak_rss_bytes": max(self._sizes, default=None),
            "cpu_percent": 100 * busy / self.seconds if busy is not None and self.seconds > 0 else None,
            "process_threads": int(median(self._threads)) if self._threads else None,
            "energy_joules": joules,
            "energy_source": self._sensors.energy_source,
            "temperature_celsius": _course(self._before, self._after, "temperature", self._heat, max),
            "frequency_mhz": _course(self._before, self._after, "frequency", self._clocks, min),
            "frequency_source": self._sensors.frequency_source,
            "throttles": _risen(self._before["throttles"], self._after["throttles"]),
            "absent": absent,
        }

    def _look(self) -> None:
        """Memory and threads often; the sensors, which take longer to read, once a second."""
        if (held := _held(self._process)) is not None:
            self._sizes.append(held[0])
            self._threads.append(held[1])
        if self._looks and self._looks % round(1 / SECONDS_BETWEEN_LOOKS) == 0:
            heat, clock = self._sensors.temperature(), self._sensors.frequency()
            self._heat += [heat] if heat is not None else []
            self._clocks += [clock] if clock is not None else []
        self._looks += 1


class Sensors:
    """Of Linux, by the files of the kernel. ``absent`` says why a thing is not there."""

    def __init__(self, root: Path = Path("/")):
        self._sys, self._proc = root / "sys", root / "proc"
        self.absent: dict[str, str] = {}
        self.energy_source: str | None = None
        self.frequency_source: str | None = None
        self._packages = self._rapl()
        self._battery = None if self._packages else self._discharging()
        if self._packages or self._battery:
            self.absent.pop("energy", None)
            self.energy_source = "RAPL, processor package" if self._packages else "battery"
        if self.temperature() is None:
            self.absent["temperature"] = "the machine shows no sensor (thermal_zone, hwmon)"
        if self.frequency() is None:
            self.absent["frequency"] = "the machine shows no frequency (cpufreq, cpuinfo)"

    def read(self) -> JSON:
        found: JSON = {"energy": self._energy(), "temperature": self.temperature(), "frequency": self.frequency()}
        return found | {"throttles": self.throttles()}

    def throttles(self) -> int | None:
        """How often the cores were held back for heat since the machine started; None where it is not counted."""
        files = self._sys.glob("devices/system/cpu/cpu[0-9]*/thermal_throttle/core_throttle_count")
        found = [int(value) for file in files if (value := _number(file)) is not None]
        return sum(found) if found else None

    def temperature(self) -> float | None:
        """The hottest sensor, in degrees Celsius."""
        files = [*self._sys.glob("class/thermal/thermal_zone*/temp"), *self._sys.glob("class/hwmon/hwmon*/temp*_input")]
        found = [value / 1000 for file in files if (value := _number(file)) is not None]
        return max(found, default=None)

    def frequency(self) -> float | None:
        """The mean of the cores, in MHz."""
        files = self._sys.glob("devices/system/cpu/cpu[0-9]*/cpufreq/scaling_cur_freq")
        found = [value / 1000 for file in files if (value := _number(file)) is not None]
        self.frequency_source = "cpufreq" if found else None
        if not found:
            found = [float(line.partition(":")[2]) for line in _lines(self._proc / "cpuinfo") if line[:7] == "cpu MHz"]
            self.frequency_source = "cpuinfo; a virtual machine may show its nominal one" if found else None
        return mean(found) if found else None

    def joules(self, before: list[float] | None, after: list[float] | None) -> float | None:
        if not before or not after:
            return None
        if self._battery:
            spent = before[0] - after[0]
            return spent if spent > 0 else None  # a battery counts in steps; on mains it does not fall
        spans = [_number(folder / "max_energy_range_uj") or 0 for folder in self._packages]
        parts = [(b - a if b >= a else b - a + span / 1e6) for a, b, span in zip(before, after, spans, strict=True)]
        return sum(parts)

    def _energy(self) -> list[float] | None:
        """Joules: counted up by each package, or left in the battery."""
        if self._battery:
            left = self._left(self._battery)
            return None if left is None else [left]
        found = [_number(folder / "energy_uj") for folder in self._packages]
        known = [value / 1e6 for value in found if value is not None]
        return known if known and len(known) == len(found) else None

    def _rapl(self) -> list[Path]:
        zones = sorted(self._sys.glob("class/powercap/intel-rapl:*"))
        packages = [z for z in zones if (_lines(z / "name") or [""])[0].startswith("package")]
        if not packages:
            self.absent["energy"] = "the machine shows no energy counter (RAPL) and no battery"
            return []
        if any(_number(zone / "energy_uj") is None for zone in packages):
            self.absent["energy"] = "the energy counter (RAPL) may be read by root alone"
            return []
        return packages

    def _discharging(self) -> Path | None:
        batteries = sorted(self._sys.glob("class/power_supply/BAT*"))
        for battery in batteries:
            if (_lines(battery / "status") or [""])[0] == "Discharging" and self._left(battery) is not None:
                return battery
        if batteries:
            self.absent["energy"] = _MAINS
        return None

    def _left(self, battery: Path) -> float | None:
        """Joules: microwatt-hours, or microampere-hours times microvolts."""
        energy = _number(battery / "energy_now")
        if energy is not None:
            return energy * 3600 / 1e6
        charge, volts = _number(battery / "charge_now"), _number(battery / "voltage_now")
        return None if charge is None or volts is None else charge * volts * 3600 / 1e12


def _course(
    before: JSON, after: JSON, name: str, between: list[float], worst: Callable[[list[float]], float]
) -> JSON | None:
    seen = [value for value in (before[name], *between, after[name]) if value is not None]
    return {"before": before[name], "after": after[name], worst.__name__: worst(seen)} if seen else None


def _risen(before: int | None, after: int | None) -> int | None:
    return None if before is None or after is None else max(0, after - before)


def _process(pid: int) -> Any:
    try:
        import psutil  # type: ignore[import-untyped]
    except ImportError:
        return None
    return psutil.Process(pid)


def _held(process: Any) -> tuple[int, int] | None:
    """Resident bytes and threads; None where it is not known or the process has ended."""
    if process is None:
        return None
    import psutil

    try:
        return int(process.memory_info().rss), int(process.num_threads())
    except psutil.Error:
        return None


def _cpu_seconds(process: Any) -> float | None:
    if process is None:
        return None
    import psutil

    try:
        times = process.cpu_times()
    except psutil.Error:
        return None
    return float(times.user + times.system)


def _number(file: Path) -> float | None:
    try:
        return float(file.read_text())
    except (OSError, ValueError):
        return None


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text().splitlines()
    except OSError:
        return []
