"""The report says what was measured, shows what models wrote without running it, and needs no network."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from lamina.errors import StorageError
from lamina.reports import describe_machine, write_report
from lamina.runs import Row, Run

EVIL = '<script>alert("x")</script>'


def row(model: str, precision: str, metric: str, value: float, n: int = 100) -> dict[str, Any]:
    return {
        "model": model, "precision": precision, "task": "own:queries.jsonl", "metric": metric, "value": value,
        "low": max(0.0, value - 0.05), "high": min(1.0, value + 0.04), "n": n,
    }  # fmt: skip


def results() -> dict[str, Any]:
    history = [{"step": s, "loss": 2 / s} for s in (1, 10, 20)] + [{"step": 20, "eval_loss": 0.4}]
    return {
        "environment": {"seed": 7, "commands": ["lamina build tools.py --out run"], "packages": {}},
        "tools": {"tools": [{"function": {"name": "greet", "description": EVIL, "parameters": {}}}]},
        "synth": {
            "targets": 640, "verified": 402, "seconds": 61,
            "rejected": {"judge": {"judged-wrong": 38}, "format": {EVIL: 200}},
            "judge": {"agreement": 0.525, "n": 60}, "round_trip": {"same call": 412},
        },
        "train": {"seconds": 75, "metrics": {"loss": 0.1, "history": history}},
        "quantize": {"files": [{"path": "q8.gguf", "type": "Q8_0", "bytes": 145_000_000, "parity": 0.995}]},
        "bench": {
            "rows": [
                row("base", "Q4_1", "call_exact", 0.353),
                row("tuned", "Q8_0", "call_exact", 0.917),
                row("tuned", "Q4_0", "call_exact", 0.893),
                row("tuned", "Q8_0", "refusal_right", 0.876, 17),
                row("tuned", "Q8_0", "dependent_exact", 0.667, 6),
            ],
            "paired": [
                {
                    "a": "tuned Q8_0", "b": "tuned Q4_0", "task": "all", "metric": "call_exact",
                    "difference": -0.024, "low": -0.048, "high": 0.003, "n": 414, "only_a": 14, "only_b": 4,
                }
            ],
            "resources": [
                {
                    "model": "tuned", "precision": "Q8_0", "bytes": 145_000_000, "tokens_per_second": 71.2,
                    "peak_rss_bytes": 235_000_000,
                },
                {"model": "tuned", "precision": "Q4_0", "bytes": 92_000_000, "tokens_per_second": 93.0},
            ],
            "crashes": [{"model": "tuned", "precision": "IQ1", "stage": "load", "detail": EVIL}],
        },
    }  # fmt: skip


def trajectory(request: str) -> dict[str, Any]:
    call = {"type": "function", "function": {"name": "greet", "arguments": {"name": EVIL}}}
    return {
        "id": EVIL,
        "messages": [
            {"role": "user", "content": request},
            {"role": "assistant", "content": "", "tool_calls": [call]},
            {"role": "tool", "name": "greet", "content": EVIL},
        ],
        "meta": {"writer": EVIL, "style": "simple"},
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rejects = [
        {"id": "r1", "stage": "format", "reason": "unreadable", "detail": EVIL, "record": None, "raw": EVIL},
        {
            "id": "r2",
            "stage": "judge",
            "reason": "judged-wrong",
            "detail": "no",
            "record": trajectory("bye " + EVIL),
        },
    ]
    miss = {
        "model": "tuned", "precision": "Q8_0", "task": "own:queries.jsonl", "sample": "q-017", "right": False,
        "row": {
            "query": "miss " + EVIL, "kind": "single", "now": None,
            "calls": [{"name": "greet", "arguments": {"name": "Bo"}}],
        },
        "reasons": ["name is " + EVIL], "transcript": [{"calls": [], "answer": EVIL, "problem": "not JSON"}],
    }  # fmt: skip
    with Run.open(tmp_path / "desk", {}) as run:
        rows = [("trajectory", trajectory(f"hello {i} {EVIL}")) for i in range(15)]
        rows += [("reject", reject) for reject in rejects] + [("sample", miss)]
        run.store.put(Row(kind, str(i), i, json.dumps(payload).encode()) for i, (kind, payload) in enumerate(rows))
    return tmp_path / "desk"


class Page(HTMLParser):
    """Tags, attributes and the text that a reader sees."""

    def __init__(self, source: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.said: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.said.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.said))


def page(folder: Path, given: dict[str, Any]) -> tuple[str, Page]:
    source = write_report(folder, given).read_text()
    return source, Page(source)


def test_the_report_says_the_figures_it_was_given(folder: Path) -> None:
    _, read = page(folder, results())
    for said in (
        "from 35.3 % to", "91.7 %", "145 MB", "71 tokens a second", "−2.4 points", "−4.8 to +0.3", "414",
        "four bits make no difference that can be told",
        "402", "640", "87.6 %", "66.7 %", "99.5 %", "0.525", "lamina build tools.py --out run", "235 MB",
    ):  # fmt: skip
        assert said in read.text, said


def test_the_instruction_that_the_base_was_given_is_named(folder: Path) -> None:
    _, read = page(folder, results() | {"variant": {"best": "spelled out", "system": "Be exact.", "variants": []}})
    assert "the instruction that served it best on the development file: spelled out" in read.text


def test_a_build_without_its_base_has_a_report_that_compares_with_none(folder: Path) -> None:
    given = results()
    given["bench"]["rows"] = [r for r in given["bench"]["rows"] if r["model"] != "base"]
    _, read = page(folder, given)
    assert "91.7 %" in read.text
    for said in (
        "from 35.3 %",
        "the instruction that served it best",
        "before training",
        "Before and after",
        "None",
        "nan",
    ):
        assert said not in read.text, said


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(-0.05, -0.01, "four bits cost 2.4 points"), (-0.05, 0.0, "four bits make no difference that can be told")],
)
def test_the_headline_tells_a_cost_from_noise(folder: Path, low: float, high: float, said: str) -> None:
    given = results()
    for pair in given["bench"]["paired"]:
        pair["low"], pair["high"] = low, high
    _, read = page(folder, given)
    assert said in read.text


def test_a_stage_that_rejected_nothing_is_pointed_out(folder: Path) -> None:
    given = results()
    stages = list(given["synth"]["rejected"])
    given["synth"]["stages"] = [*stages, "round trip"]
    _, read = page(folder, given)
    assert "No row failed at round trip." in read.text
    given["synth"]["stages"] = stages
    _, read = page(folder, given)
    assert "No row failed at" not in read.text


def test_the_cost_of_the_rows_is_shown_by_the_role_of_each_model(folder: Path) -> None:
    given = results()
    spent = {"requests": 900, "prompt_tokens": 20_000, "completion_tokens": 700, "seconds": 61.0}
    given["synth"] |= {
        "tokens": 80_400,
        "composition": {"the grammar": 2, "embedded": 402},
        "cost": {"models": {"judge": {**spent, "model": "big.gguf"}}, "tool_calls": 1234, "seconds": 75.0},
    }
    _, read = page(folder, given)
    for said in (
        "80\N{NARROW NO-BREAK SPACE}400 tokens read and written, 200 for each", "1\N{NARROW NO-BREAK SPACE}234 calls",
        "big.gguf", "900", "1 min 1 s",
    ):  # fmt: skip
        assert re.sub(r"\s+", " ", said) in read.text, said


def cells(source: str, line: str, after: str = 'class="yields"') -> list[str]:
    """Of the line that begins with ``line``, in the table of yields or in the first one ``after`` other words."""
    table = source.partition(after)[2].partition("</table>")[0]
    found = next(row for row in re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL) if f"<th>{line}</th>" in row)
    return [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", found, re.DOTALL)]


def test_yields_stand_in_apigens_columns_for_each_writer(folder: Path) -> None:
    given = results()
    given["synth"]["rejected"] = {
        "novelty": {"duplicate": 7}, "round trip": {"round-trip-differs": 5}, "grounding": {"not-asked": 20},
        "judge": {"judged-wrong": 3}, "mix": {"filtered": 2},
    }  # fmt: skip
    with Run.at(folder) as run:
        rows = [("grounding", "small"), ("judge", "small"), ("novelty", "large"), ("format", "small")]
        run.store.put(
            Row("reject", f"w{i}", 50 + i, json.dumps({"stage": s, "reason": "x", "record": {"writer": w}}).encode())
            for i, (s, w) in enumerate(rows)
        )
    source, _ = page(folder, given)
    assert cells(source, "") == [
        "", "tried", "verified", "fail format", "fail execution", "fail semantic", "of it grounding",
        "of it round trip", "of it judge", "fail novelty", "fail mix", "yield",
    ]  # fmt: skip
    assert cells(source, "all")[2:11] == ["402", "0", "0", "28", "20", "5", "3", "7", "2"]
    assert cells(source, "small")[1:10] == ["3", "0", "1", "0", "2", "1", "0", "1", "0"]
    assert cells(source, "large")[1:10] == ["1", "0", "0", "0", "0", "0", "0", "0", "1"]


def test_examples_are_no_targets_and_cost_no_tokens(folder: Path) -> None:
    with Run.at(folder) as run:
        own = [{"meta": {"writer": "examples", "style": "simple"}, "messages": []} for _ in range(300)]
        run.store.put(Row("trajectory", f"own{i}", 900 + i, json.dumps(r).encode()) for i, r in enumerate(own))
    given = results()
    given["synth"] |= {
        "verified": 304, "targets": 20, "tokens": 3_200,
        "composition": {"your examples": 300, "the grammar": 3, "embedded": 1},
    }  # fmt: skip
    given.pop("bench")
    _, read = page(folder, given)
    said = " ".join(read.text.split())
    assert "304 verified rows, 300 of them your examples" in said
    assert "Of 20 targets 4 were verified (20 %), and of your 300 examples 300" in said.replace("\xa0", " ")
    assert "200 for each of the 1 rows that a model wrote" in said.replace("3 200", "3200")


def test_models_that_nobody_asked_for_have_no_section(folder: Path) -> None:
    given = results()
    _, read = page(folder, given)
    assert "The judge against rows labelled by hand" in read.text
    assert "The round trip" in read.text
    given["synth"] |= {"judge": {"judge": "none"}, "round_trip": "not run"}
    _, read = page(folder, given)
    assert "The judge against rows labelled by hand" not in read.text
    assert "The round trip" not in read.text


def test_rows_with_other_values_are_said_to_be_in_the_lines_and_not_in_the_sum(folder: Path) -> None:
    given = results()
    _, read = page(folder, given)
    assert "not in the first line" not in read.text
    given["synth"]["augmented"] = 7
    _, read = page(folder, given)
    assert "Your examples with other values (7) count under style, category and tool, and are not in" in read.text


def test_a_judge_near_chance_is_said_not_to_count(folder: Path) -> None:
    given = results()
    given["synth"]["judge"] = {
        "judge": "yes",
        "rows": 60,
        "agreed": 30,
        "passed": 60,
        "usable": False,
        "why": "it nods",
    }
    _, read = page(folder, given)
    assert "The judge did not count. No row is passed or rejected by it, for it nods; all are" in read.text
    assert read.text.count("it nods") == 1, "it is told, and not listed among the figures too"
    given["synth"]["judge"] |= {"agreed": 55, "passed": 31, "usable": True}
    _, read = page(folder, given)
    assert "The judge did not count" not in read.text


def test_a_run_that_only_wrote_data_has_no_sections_of_what_it_was_not_to_do(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('verb = "synth"\n', encoding="utf-8")
    _, read = page(tmp_path, {"synth": results()["synth"]})
    assert "Where the data came from" in read.text
    assert "Not run" not in read.text


def test_an_entropy_that_is_not_there_says_why(folder: Path) -> None:
    given = results()
    given["synth"]["diversity"] = {
        "rows": 3, "argument_entropy": None, "no_entropy": "too few calls: f.x has 3", "lowest_entropy": {},
        "fewest_calls": 8, "arguments_counted": 0, "arguments": {"f.x": {"n": 3, "entropy": 1.0}},
    }  # fmt: skip
    _, read = page(folder, given)
    assert "There is no entropy of the arguments: too few calls: f.x has 3." in read.text
    assert "f.x n" not in read.text, "the list of all arguments is the report.json's"
    given["synth"]["diversity"] |= {"argument_entropy": 0.5, "no_entropy": None, "arguments_counted": 1}
    assert "The mean is of the 1 of 1 arguments that have 8 calls or more." in page(folder, given)[1].text
    given["synth"]["diversity"] = {"rows": 3, "argument_entropy": 0.5}  # as earlier versions wrote it
    assert "argument entropy 0.5" in page(folder, given)[1].text


def test_a_table_of_forty_tools_says_where_the_others_are(folder: Path) -> None:
    given = results()
    given["synth"]["by_tool"] = {"greet": {"passed": 15, "failed": {}}}
    with Run.at(folder) as run:
        run.store.put(
            Row("reject", f"t{i}", 100 + i, json.dumps({
                "stage": "format", "reason": "x", "record": {"calls": [{"name": f"tool_{i}"}]},
            }).encode()) for i in range(50)
        )  # fmt: skip
    assert re.search(r"by tool, the first and the last twenty of \d+; all of them", page(folder, given)[1].text)


def test_rows_are_called_what_they_are(folder: Path) -> None:
    given = results()
    given["synth"]["composition"] = {"your examples": 42, "your examples with other values": 77, "the grammar": 9}
    with Run.at(folder) as run:
        variant = trajectory("other") | {"meta": {"writer": "examples", "augmented": "values"}}
        run.store.put([Row("trajectory", "v", 90, json.dumps(variant).encode())])
    source, read = page(folder, given)
    assert "42 your examples, 77 your examples with other values, 9 the grammar." in read.text
    assert "composed by a program" in read.text
    assert cells(source, "your examples with other values")[2] == "1"


def test_too_few_rows_are_said(folder: Path) -> None:
    given = results()
    assert "Fewer rows than asked for." not in page(folder, given)[1].text
    given["synth"]["shortfall"] = "8 of the 20 rows asked for after 80 attempts"
    assert "Fewer rows than asked for. 8 of the 20 rows asked for after 80 attempts." in page(folder, given)[1].text


def test_what_each_stage_took_is_a_table(folder: Path) -> None:
    given = results()
    given["train"]["took"] = {"seconds": 75.0, "peak_rss_bytes": 2_100_000_000, "children_peak_rss_bytes": 0}
    given["bench"]["took"] = {"seconds": 5.0, "peak_rss_bytes": 300_000_000, "children_peak_rss_bytes": 450_000_000}
    said = re.sub(r"\s+", " ", page(folder, given)[1].text.replace("\N{NO-BREAK SPACE}", " "))
    assert "train 1 min 15 s 2.10 GB –" in said
    assert "bench 5.0 s 300 MB 450 MB" in said


def test_text_from_models_is_shown_and_never_run(folder: Path) -> None:
    source, read = page(folder, results())
    assert "script" not in {tag for tag, _ in read.tags}
    assert EVIL not in source
    for said in ("hello 0 " + EVIL, "bye " + EVIL, "miss " + EVIL, "name is " + EVIL):
        assert said in read.text


def test_the_report_loads_nothing(folder: Path) -> None:
    source, read = page(folder, results())
    assert "http://" not in source
    assert "https://" not in source
    for tag, attributes in read.tags:
        assert tag not in {"script", "link", "iframe", "img", "object", "embed", "base"}
        assert not {"src", "srcset", "background"} & set(attributes)
        assert (attributes.get("href") or "#").startswith("#") or attributes["href"] == "rows.html"  # beside it
        assert not [name for name in attributes if name.startswith("on")]
    assert "url(" not in source
    assert "@import" not in source


def test_there_are_ten_passed_rows_to_read_and_the_rejected_with_their_reason(folder: Path) -> None:
    _, read = page(folder, results())
    shown = [attributes.get("class") for tag, attributes in read.tags if tag == "article"]
    assert shown.count("row good") == 10
    assert shown.count("row bad") == 2
    assert "judge: judged wrong." in read.text
    assert "q-017" in read.text


def test_a_rejected_row_shows_what_was_asked_and_what_was_to_be_called(folder: Path) -> None:
    drawn = {
        "request": "how many people", "calls": [{"name": "split_bill", "arguments": {"total": 25}}],
        "writer": "embedded", "style": "simple",
    }  # fmt: skip
    reject = {"id": "m1", "stage": "grounding", "reason": "value-not-in-request", "detail": "25", "record": drawn}
    with Run.at(folder) as run:
        run.store.put([Row("reject", "m1", 100, json.dumps(reject | {"raw": "how many people"}).encode())])
    _, read = page(folder, results())
    assert "how many people" in read.text
    assert "split_bill(total=25)" in read.text
    assert "simple · embedded · m1" in read.text


def test_a_call_that_never_ran_is_shown_though_nobody_asked_for_it(folder: Path) -> None:
    drawn = {"request": "", "calls": [{"name": "count_letter", "arguments": {"letter": "xy"}}], "writer": "none"}
    reject = {"id": "m1", "stage": "execution", "reason": "raised", "detail": "one letter", "record": drawn}
    with Run.at(folder) as run:
        run.store.put([Row("reject", "m1", 100, json.dumps(reject | {"raw": "what came back"}).encode())])
    _, read = page(folder, results())
    assert 'count_letter(letter="xy")' in read.text
    assert "what came back" in read.text


def test_of_many_rejected_rows_ten_are_there_to_read(folder: Path) -> None:
    with Run.at(folder) as run:
        many = [{"id": f"m{i}", "stage": "format", "reason": "unreadable", "detail": "no", "record": None, "raw": "x"}
                for i in range(20)]  # fmt: skip
        run.store.put(Row("reject", one["id"] or "", 100 + i, json.dumps(one).encode()) for i, one in enumerate(many))
    _, read = page(folder, results())
    assert [attributes.get("class") for tag, attributes in read.tags if tag == "article"].count("row bad") == 10


def test_what_was_not_run_is_said(tmp_path: Path) -> None:
    _, read = page(tmp_path, {})
    for verb in ("lamina bench", "lamina quantize", "lamina synth", "lamina train"):
        assert verb in read.text
    assert "no results yet" in read.text


def test_yields_are_counted_from_the_store_where_synthesis_gave_no_figures(folder: Path) -> None:
    _, read = page(folder, {})
    assert "15 verified rows of 17 targets" in read.text


def test_each_chart_is_there_for_wide_and_for_narrow_screens(folder: Path) -> None:
    _, read = page(folder, results())
    named = [attributes.get("aria-label") for tag, attributes in read.tags if tag == "svg"]
    for title in ("Hand-written requests (queries.jsonl)", "Loss over the steps of training"):
        assert named.count(title) == 2
    assert any(name and "file size" in name for name in named)


def test_bars_and_whiskers_stand_at_their_values() -> None:
    from lamina.reports.charts import Bar, bars

    drawn = str(bars([Bar("a <b>", 0.5, 0.25, 0.75)], 700, "t"))
    width = float(re.search(r'<rect[^>]* width="([\d.]+)"', drawn)[1])  # type: ignore[index]
    start, end = map(float, re.search(r'd="M([\d.]+) [\d.]+H([\d.]+)', drawn).groups())  # type: ignore[union-attr]
    assert end - start == pytest.approx(width, abs=0.2)
    assert "a &lt;b&gt;" in drawn


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_charts_take_the_edges(value: float) -> None:
    from lamina.reports.charts import Bar, Line, Point, bars, lines, scatter

    assert "nan" not in str(bars([Bar("a", value, value, value)], 340, "t"))
    assert "nan" not in str(scatter([Point("a", 1.0, value, value, value)], 340, "t", "x"))
    assert "nan" not in str(lines([Line("a", [(0.0, value), (1.0, value)])], 340, "t", "x"))


def test_a_folder_that_cannot_be_written_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"report\.html"):
        write_report(tmp_path / "not there", {})


def test_the_machine_is_described() -> None:
    machine = describe_machine()
    assert machine["cores"] >= 1
    assert "pydantic" in machine["packages"]


def test_the_loss_curve_is_read_from_the_training_log(folder: Path) -> None:
    (folder / "model").mkdir()
    lines = "".join(f"{step},{2 / step}\n" for step in range(1, 300))
    (folder / "model" / "train-log.csv").write_text("step,loss\n" + lines)
    source, _ = page(folder, {"train": {"seconds": 3.0, "loss": 0.01}})
    drawn = re.search(r'class="curve after" points="([^"]+)"', source)
    assert drawn
    assert 20 < len(drawn[1].split()) <= 80


def test_parity_of_each_file_stands_in_the_ladder(folder: Path) -> None:
    given = results() | {"parity": {"Q4_0": {"rate": 0.914, "low": 0.88, "high": 0.94, "n": 300}}}
    _, read = page(folder, given)
    assert "91.4 %" in read.text
    assert "88.0–94.0 %" in read.text


def test_accuracy_with_and_without_the_grammar_is_a_table_of_every_file(folder: Path) -> None:
    found = results()
    assert "grammar's alone" not in page(folder, found)[1].text, "a bench that did not count it shows no table"
    parts = [("all", 0.8, 60), ("without_grammar", 0.75, 48), ("grammar", 1.0, 12)]
    files = [("tuned", "Q8_0", parts), ("tuned", "Q4_0", parts[:2])]
    found["bench"]["by_writer"] = [
        row(model, precision, "call_exact", value, n) | {"task": "generated", "part": part}
        for model, precision, of in files
        for part, value, n in of
    ]
    source, read = page(folder, found)
    assert "with the grammar's without the grammar's the grammar's alone" in read.text
    after = "with and without the grammar"
    shown = [cell.replace("\u00a0", " ") for cell in cells(source, "tuned Q8_0", after)[1:]]
    assert shown == ["80.0 % 75.0–84.0 % n 60", "75.0 % 70.0–79.0 % n 48", "100.0 % 95.0–100.0 % n 12"]
    assert cells(source, "tuned Q4_0", after)[3] == "none", "no row of the grammar was scored"


def test_the_grammars_share_is_of_the_rows_that_are_no_variants(folder: Path) -> None:
    found = results()
    made = {"your examples": 20, "your examples with other values": 900, "the grammar": 30, "embedded": 50}
    found["synth"]["composition"] = made
    found["split"] = {"train": 60, "test": 20, "surplus": 4}
    text = page(folder, found)[1].text
    assert "The grammar wrote 30 % of the 100 rows, those with other values aside; a third is the most" in text
    assert "so 4 of its rows are set aside (surplus)" in text
    del made["the grammar"], found["split"]["surplus"]
    assert "The grammar wrote" not in page(folder, found)[1].text
