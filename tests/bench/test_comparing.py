"""Two benches beside each other: what is right, every other score in pairs, and what the later one costs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from lamina.bench import compare_runs
from lamina.runs import Row, Run

FINISHED: dict[str, Any] = {"f1": {"value": 0.5, "low": 0.4, "high": 0.6}}


def record(task: str, sample: str, right: bool, **scores: object) -> dict[str, Any]:
    scores = {"unscored": False, **scores}
    return {"task": task, "sample": sample, "row": {"id": sample}, "right": right, "scores": scores}


def a_run(
    folder: Path,
    records: list[dict[str, Any]],
    figures: dict[str, dict[str, Any]] | None = None,
    resource: dict[str, Any] | None = None,
    machine: dict[str, Any] | None = None,
) -> Path:
    """A bench of one model; without ``figures`` one that was killed."""
    of = {"model": "m", "precision": ""}
    with Run.open(folder, {"verb": "bench"}, fresh=False) as run:
        run.store.put([Row("sample", str(i), i, orjson.dumps(of | r)) for i, r in enumerate(records)])
        if figures is not None:
            task = records[0]["task"]
            rows = [of | {"task": task, "metric": name, "n": 9, **told} for name, told in figures.items()]
            run.finish("environment", machine or {"processor": "p", "cores": 2})
            run.finish("bench", {"rows": rows, "resources": [of | resource] if resource else []})
    return folder


def summaries(*f1: float) -> list[dict[str, Any]]:
    return [record("dolly", str(i), value >= 0.5, f1=value, words=7) for i, value in enumerate(f1)]


def test_a_graded_score_that_never_turns_right_or_wrong_still_shows_what_was_lost(tmp_path: Path):
    before = a_run(tmp_path / "a", summaries(0.40, 0.45, 0.30, 0.44), FINISHED)
    after = a_run(tmp_path / "b", summaries(0.10, 0.15, 0.05, 0.45), FINISHED)
    found = compare_runs(before, after)
    assert [row["difference"] for row in found["rows"]] == [0.0]
    assert found["changed"] == []
    (row,) = found["metrics"]
    assert (row["task"], row["metric"], row["n"], row["lower"], row["higher"]) == ("dolly", "f1", 4, 3, 1)
    assert row["difference"] == pytest.approx((0.75 - 1.59) / 4)
    assert row["low"] < row["difference"] < row["high"]
    assert (row["before"], row["after"]) == (pytest.approx(0.3975), pytest.approx(0.1875))


def test_a_score_that_moved_on_no_sample_has_a_width_all_the_same(tmp_path: Path):
    paths = [a_run(tmp_path / name, summaries(0.4, 0.3), FINISHED) for name in "ab"]
    (row,) = compare_runs(*paths)["metrics"]
    assert row["difference"] == 0
    assert row["low"] < 0 < row["high"]


def test_a_difference_of_ratings_is_of_their_span_and_not_of_what_was_drawn(tmp_path: Path):
    def rated(*scores: float) -> list[dict[str, Any]]:
        return [record("mt_bench", str(i), score >= 6, score=score) for i, score in enumerate(scores)]

    told = {"score": {"value": 1.0, "low": 1.0, "high": 9.0, "span": [1, 10]}}
    before, after = a_run(tmp_path / "a", rated(1.0, 1.0), told), a_run(tmp_path / "b", rated(1.0, 2.0), told)
    (row,) = compare_runs(before, after)["metrics"]
    assert row["difference"] == 0.5
    assert row["low"] < -3, "of two samples next to nothing is known"
    assert row["high"] > 4


def test_what_went_amiss_is_compared_over_all_samples_and_not_over_those_where_it_did(tmp_path: Path):
    def read(*unread: bool) -> list[dict[str, Any]]:
        return [record("mmlu", str(i), False, **({"unread": True} if odd else {})) for i, odd in enumerate(unread)]

    told = {"unread": {"value": 0.5, "low": 0.2, "high": 0.8}}
    before = a_run(tmp_path / "a", read(True, True, True, False), told)
    after = a_run(tmp_path / "b", read(False, True, False, False), told)
    (row,) = compare_runs(before, after)["metrics"]
    assert (row["metric"], row["before"], row["after"], row["n"]) == ("unread", 0.75, 0.25, 4)
    assert (row["difference"], row["lower"], row["higher"]) == (-0.5, 2, 0)


def test_the_share_of_unscored_samples_is_no_pair_of_those_that_were_scored(tmp_path: Path):
    told = [{"unscored": {"value": share, "low": 0.1, "high": 0.6}} for share in (0.2, 0.4)]
    runs = [
        a_run(tmp_path / name, read, said) for name, read, said in zip("ab", [summaries(0.5)] * 2, told, strict=True)
    ]
    found = compare_runs(*runs)
    assert found["metrics"] == []
    (row,) = found["figures"]
    assert (row["metric"], row["before"]["value"], row["after"]["value"]) == ("unscored", 0.2, 0.4)


def test_questions_about_images_are_the_same_where_the_images_lie_elsewhere(tmp_path: Path):
    def seen(folder: str, right: bool) -> list[dict[str, Any]]:
        return [record("nlvr", "1", right) | {"row": {"prompt": "Is it?", "images": [f"{folder}/nlvr/1.png"]}}]

    found = compare_runs(a_run(tmp_path / "a", seen("/data", False)), a_run(tmp_path / "b", seen("/home/ana", True)))
    assert (found["unpaired"], [row["n"] for row in found["rows"]]) == (0, [1])


def test_yes_and_no_beside_the_right_one_are_paired_too_and_the_right_one_not_twice(tmp_path: Path):
    def statements(*valid: bool) -> list[dict[str, Any]]:
        return [record("sql", str(i), False, sql_exact=False, sql_valid=v, similarity=0.5) for i, v in enumerate(valid)]

    figures = dict.fromkeys(("sql_exact", "sql_valid"), FINISHED["f1"])
    before = a_run(tmp_path / "a", statements(True, True, False, True), figures)
    after = a_run(tmp_path / "b", statements(True, False, False, False), figures)
    (row,) = compare_runs(before, after)["metrics"]
    assert (row["metric"], row["difference"], row["lower"], row["higher"]) == ("sql_valid", -0.5, 2, 0)


def test_of_a_bench_that_was_killed_shares_are_compared_and_counts_are_not(tmp_path: Path):
    before, after = (a_run(tmp_path / name, summaries(value, 0.2)) for name, value in (("a", 0.1), ("b", 0.3)))
    found = compare_runs(before, after)
    assert [row["metric"] for row in found["metrics"]] == ["f1"]
    assert found["resources"] == []


def test_a_figure_of_all_samples_together_stands_beside_the_other_with_its_interval(tmp_path: Path):
    bias = [{**FINISHED, "bias_ambiguous": {"value": v, "low": v - 0.1, "high": v + 0.1}} for v in (0.1, 0.3)]
    before, after = (a_run(tmp_path / name, summaries(0.4), told) for name, told in zip("ab", bias, strict=True))
    (row,) = compare_runs(before, after)["figures"]
    assert (row["metric"], row["before"]["value"], row["after"]["value"]) == ("bias_ambiguous", 0.1, 0.3)


def timed(mean: float) -> dict[str, Any]:
    return {"bytes": mean * 1e6, "peak_rss_bytes": 3e8, "tokens_per_second": None, "threads": 2,
            "timing": {"all": {"otps": {"mean": mean, "low": mean - 1, "high": mean + 1}, "itps": None}}}  # fmt: skip


def test_size_memory_and_speed_stand_side_by_side_and_are_apart_only_where_intervals_are(tmp_path: Path):
    before = a_run(tmp_path / "a", summaries(0.4), FINISHED, timed(20))
    after = a_run(tmp_path / "b", summaries(0.4), FINISHED, timed(30))
    near = a_run(tmp_path / "c", summaries(0.4), FINISHED, timed(21))
    found = {row["measure"]: row for row in compare_runs(before, after)["resources"]}
    assert list(found) == ["bytes", "peak_rss_bytes", "otps"]
    assert (found["bytes"]["ratio"], found["bytes"]["apart"]) == (1.5, None)
    assert found["otps"]["before"] == {"value": 20, "low": 19, "high": 21}
    assert found["otps"]["apart"]
    assert not next(r for r in compare_runs(before, near)["resources"] if r["measure"] == "otps")["apart"]


def test_speeds_of_two_machines_are_said_to_be_that(tmp_path: Path):
    before = a_run(tmp_path / "a", summaries(0.4), FINISHED, timed(20), {"processor": "old", "cores": 2})
    after = a_run(
        tmp_path / "b", summaries(0.4), FINISHED, timed(20) | {"threads": 8}, {"processor": "new", "cores": 2}
    )
    assert compare_runs(before, after)["machines"] == {"processor": ["old", "new"], "threads": [2, 8]}
    assert compare_runs(before, before)["machines"] == {}
