"""lm-evaluation-harness on prompts that Lamina made; run by ``lm_eval_side_by_side.py`` with the Python that has it.

usage: lm_eval_harness.py JOB.json RESULTS.jsonl

The job has ``folder`` (of task files ``NAME.yaml``, which are written here), ``tasks`` (name -> ``{"data", "type",
"max_tokens", "shares"}``, shares: scored as MC2), ``model`` (a Transformers folder), ``threads`` and ``runs``
(``{"task", "dtype", "batches", "probe", "n"}``, each gives a line: ``n`` samples at the batch size that was fastest on
the first ``probe``), or instead of runs ``replay``: answers that somebody else wrote, extracted and judged by the
harness. Nothing is fetched. Seconds, on the clock and of the processor, are those within the harness's model, without
loading it and without reading the data."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

CHOICE = """\
doc_to_choice: choices
doc_to_target: gold
target_delimiter: ""
metric_list:
  - metric: acc
"""
SHARES = """\
doc_to_choice: choices
doc_to_target: gold
target_delimiter: ""
process_results: !function shares.process_results_mc2
metric_list:
  - metric: acc
"""
"""The harness's own ``truthfulqa_mc2``: "acc" is the share of the probability that the true answers have."""
FREE = """\
doc_to_target: target
generation_kwargs:
  until: ["<|im_end|>", "<|endoftext|>"]
  do_sample: false
  max_gen_toks: {max_tokens}
metric_list:
  - metric: exact_match
    ignore_case: true
    regexes_to_ignore: [",", "\\\\$", "(?s).*#### ", "\\\\.$"]
filter_list:
  - name: flexible-extract
    filter:
      - function: regex
        group_select: -1
        regex_pattern: "(-?[$0-9.,]{{2,}})|(-?[0-9]+)"
      - function: take_first
"""
"""Extraction and metric are those of the harness's own ``gsm8k`` (flexible-extract)."""


def write_task(folder: Path, name: str, task: dict[str, Any]) -> None:
    choice = SHARES if task["shares"] else CHOICE
    body = choice if task["type"] == "multiple_choice" else FREE.format(max_tokens=task["max_tokens"])
    # a function is looked for in a file beside the task
    (folder / "shares.py").write_text(
        "from lm_eval.tasks.truthfulqa.utils import process_results_mc2 as process_results_mc2\n"
    )
    (folder / f"{name}.yaml").write_text(
        f"task: {name}\ndataset_path: json\ndataset_kwargs:\n  data_files:\n    test: {task['data']}\n"
        f"test_split: test\noutput_type: {task['type']}\nnum_fewshot: 0\ndoc_to_text: prompt\n{body}"
    )


def evaluated(lm: Any, name: str, manager: Any, n: int | None) -> list[dict[str, Any]]:
    """``{"id", "score", "answer"}`` of each sample, the answer a text or the likelihoods of the choices."""
    from lm_eval import simple_evaluate

    done = simple_evaluate(model=lm, tasks=[name], task_manager=manager, limit=n, bootstrap_iters=0, log_samples=True)
    rows = []
    for sample in sorted(done["samples"][name], key=lambda s: s["doc_id"]):
        doc, responses = sample["doc"], [r[0] for r in sample["resps"]]
        for call in sample["arguments"].values() if isinstance(sample["arguments"], dict) else sample["arguments"]:
            sent = call["arg_0"] if isinstance(call, dict) else call[0]
            assert sent == doc["prompt"], f"{doc['id']}: the harness sent another prompt"
        score = sample["acc"] if "acc" in sample else sample["exact_match"]
        answer = responses[0] if isinstance(responses[0], str) else [float(r[0]) for r in responses]
        rows.append({"id": doc["id"], "score": float(score), "answer": answer})
    return rows


def main(job_file: str, results: str) -> None:
    import torch
    from lm_eval.api.model import LM
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    class Timed(HFLM):  # type: ignore[misc]
        seconds = processor = 0.0

        def loglikelihood(self, *args: Any, **more: Any) -> Any:
            return self._timed(super().loglikelihood, *args, **more)

        def generate_until(self, *args: Any, **more: Any) -> Any:
            return self._timed(super().generate_until, *args, **more)

        def _timed(self, call: Any, *args: Any, **more: Any) -> Any:
            began, used = time.perf_counter(), time.process_time()
            try:
                return call(*args, **more)
            finally:
                self.seconds, self.processor = time.perf_counter() - began, time.process_time() - used

    class Replay(LM):  # type: ignore[misc]
        def __init__(self, answers: dict[str, str]):
            super().__init__()
            self.answers = answers

        def generate_until(self, requests: Any, **_: Any) -> list[str]:
            return [self.answers[request.args[0]] for request in requests]

        loglikelihood = loglikelihood_rolling = generate_until

    job = json.loads(Path(job_file).read_text())
    torch.set_num_threads(job["threads"])
    folder = Path(job["folder"])
    for name, task in job["tasks"].items():
        write_task(folder, name, task)
    manager = TaskManager(include_path=str(folder), include_defaults=False)
    with open(results, "w") as out:

        def say(row: dict[str, Any]) -> None:
            out.write(json.dumps(row) + "\n")
            out.flush()

        for name, answers in job.get("replay", {}).items():
            say({"task": name, "rows": evaluated(Replay(answers), name, manager, None)})
        lm, loaded = None, ""
        for run in job.get("runs", []):
            if run["dtype"] != loaded:
                lm = None  # the last one's memory goes first
                lm = Timed(pretrained=job["model"], device="cpu", dtype=run["dtype"], batch_size=1)
                loaded = run["dtype"]
            speeds = {}
            for batch in [run["batches"][0], *run["batches"]]:  # once more at first: a model's first calls are slower
                lm.batch_size_per_gpu = batch
                evaluated(lm, run["task"], manager, run["probe"])
                speeds[batch] = run["probe"] / lm.seconds
            best = lm.batch_size_per_gpu = max(speeds, key=lambda b: speeds[b])
            rows = evaluated(lm, run["task"], manager, run["n"])
            about = {"task": run["task"], "dtype": run["dtype"], "speeds": speeds, "batch": best}
            say(about | {"seconds": lm.seconds, "processor": lm.processor, "rows": rows})


if __name__ == "__main__":
    main(*sys.argv[1:])
