"""What is measured of a process and a machine: memory of a known size, sensors of a known tree, and no zero for what
is not there."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from lamina.bench.machine import Sensors, Watch
from lamina.bench.throttling import throttled

HOLDS = "import sys; held = bytearray(b'\\x01') * int(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
BARE = 0


def memory_of_a_child(size: int) -> dict:
    """What is seen of a process that allocates ``size`` bytes, writes to each, and waits."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(size)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        watch = Watch(pid=child.pid)
        with watch:
            time.sleep(0.3)
        child.kill()
    return watch.as_dict()


def test_the_memory_of_a_child_that_holds_known_bytes_is_read_to_a_few_per_cent():
    pytest.importorskip("psutil", reason="the extra bench brings it")
    size = 200 * 2**20
    bare, full = memory_of_a_child(BARE), memory_of_a_child(size)
    for name in ("steady_rss_bytes", "seen_peak_rss_bytes"):
        assert full[name] - bare[name] == pytest.approx(size, rel=0.03)
    assert full["process_threads"] == 1


def test_the_peak_of_a_worker_is_read_though_the_memory_was_given_back():
    script = (
        "from lamina.bench.worker import peak_rss_bytes\nbefore = peak_rss_bytes()\n"
        f"held = bytearray(b'\\x01') * {200 * 2**20}\ndel held\nprint(peak_rss_bytes() - before)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(done.stdout) == pytest.approx(200 * 2**20, rel=0.05)


def test_a_busy_thread_is_seen_as_processor_time():
    pytest.importorskip("psutil", reason="the extra bench brings it")
    watch = Watch()
    with watch:
        until = time.process_time() + 0.3
        while time.process_time() < until:
            pass
    found = watch.as_dict()
    assert found["cpu_percent"] * watch.seconds / 100 == pytest.approx(0.3, abs=0.1)


def written(root: Path, files: dict[str, object]) -> Path:
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n")
    return root


def test_a_machine_that_tells_nothing_gives_none_with_a_reason_and_never_zero(tmp_path: Path):
    with Watch(root=tmp_path) as watch:
        pass
    found = watch.as_dict()
    for name in ("energy_joules", "temperature_celsius", "frequency_mhz", "energy_source"):
        assert found[name] is None
    assert set(found["absent"]) >= {"energy", "temperature", "frequency"}


def test_energy_temperature_and_frequency_are_read_before_and_after(tmp_path: Path):
    package = "sys/class/powercap/intel-rapl:0"
    core = "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq"
    zone = "sys/class/thermal/thermal_zone0/temp"
    counters = {f"{package}/name": "package-0", f"{package}/max_energy_range_uj": 50_000_000}
    written(tmp_path, {**counters, f"{package}/energy_uj": 49_000_000, core: 3_000_000, zone: 41_000})
    with Watch(root=tmp_path) as watch:
        written(tmp_path, {f"{package}/energy_uj": 2_000_000, core: 1_500_000, zone: 88_000})  # the counter ran over
    found = watch.as_dict()
    assert found["energy_joules"] == pytest.approx(3.0)
    assert found["temperature_celsius"] == {"before": 41.0, "after": 88.0, "max": 88.0}
    assert found["frequency_mhz"] == {"before": 3000.0, "after": 1500.0, "min": 1500.0}
    assert not {"energy", "temperature", "frequency"} & set(found["absent"])


def test_a_counter_that_only_root_may_read_is_said(tmp_path: Path):
    written(tmp_path, {"sys/class/powercap/intel-rapl:0/name": "package-0"})  # without a readable energy_uj
    assert "root alone" in Sensors(tmp_path).absent["energy"]


def test_a_battery_counts_only_while_it_is_discharging(tmp_path: Path):
    battery = "sys/class/power_supply/BAT0"
    written(tmp_path, {f"{battery}/status": "Discharging", f"{battery}/energy_now": 40_000_000})
    with Watch(root=tmp_path) as watch:
        written(tmp_path, {f"{battery}/energy_now": 39_990_000})
    assert watch.as_dict()["energy_joules"] == pytest.approx(36.0)
    written(tmp_path, {f"{battery}/status": "Charging"})
    assert "mains" in Sensors(tmp_path).absent["energy"]


def shown(clock: tuple[float, float] | None = None, heat: float | None = None, **more: object) -> dict[str, object]:
    """A machine whose frequency was the first number at the beginning and the second at its worst."""
    frequency = clock and {"before": clock[0], "after": clock[1], "min": clock[1]}
    temperature = heat and {"before": 50.0, "after": heat, "max": heat}
    found = {"frequency_mhz": frequency, "temperature_celsius": temperature, "frequency_source": "cpufreq"}
    return {**found, "throttles": None, **more}


@pytest.mark.parametrize(
    ("machine", "says"),
    [
        (shown((3000, 2100), 93), "its frequency fell from 3,000 to 2,100 MHz at 93 °C"),
        (shown((3000, 2100)), "its frequency fell from 3,000 to 2,100 MHz"),
        (shown((3000, 2900), 93), None),
        (shown((3000, 2100), 60), None),
        (shown((3000, 2100), frequency_source="cpuinfo; a virtual machine may show its nominal one"), None),
        (shown(throttles=3), "its cores were held back for heat 3 times"),
        (shown((3000, 3000), throttles=0), None),
        ({}, None),
    ],
)
def test_a_machine_that_held_itself_back_is_said_to_be_throttled(machine: dict[str, object], says: str | None):
    assert throttled(machine) == says


def test_the_processors_own_count_of_throttling_is_read(tmp_path: Path):
    for core, count in enumerate((2, 5)):
        folder = tmp_path / f"sys/devices/system/cpu/cpu{core}/thermal_throttle"
        folder.mkdir(parents=True)
        (folder / "core_throttle_count").write_text(f"{count}\n")
    watch = Watch(root=tmp_path)
    with watch:
        (tmp_path / "sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count").write_text("4\n")
    assert watch.as_dict()["throttles"] == 2
    assert Sensors(tmp_path / "nowhere").throttles() is None
