"""Bench: is the model good and fast enough? Tasks, figures with intervals, speed and memory.

A task is one file in ``tasks/``. Each model runs in a process of its own; samples are stored as they are
answered.
"""

from __future__ import annotations

from lamina.bench.asked import BenchModel, BenchSettings
from lamina.bench.benching import bench_models
from lamina.bench.comparing import compare_runs
from lamina.bench.driving import score_queries
from lamina.bench.first_answers import first_answers
from lamina.bench.intervals import Interval, paired_difference, ratio_of_sums, wilson
from lamina.bench.named_ladders import ladders_of_files
from lamina.bench.parts import part_rows
from lamina.bench.rungs import make_rungs
from lamina.bench.samples_file import write_samples
from lamina.bench.scoring import score_answers
from lamina.bench.tasks import Task, list_tasks, open_task
from lamina.bench.tasks.own import OwnTask, query_of
from lamina.bench.variants import best_variant

__all__ = [
    "BenchModel",
    "BenchSettings",
    "Interval",
    "OwnTask",
    "Task",
    "bench_models",
    "best_variant",
    "compare_runs",
    "first_answers",
    "ladders_of_files",
    "list_tasks",
    "make_rungs",
    "open_task",
    "paired_difference",
    "part_rows",
    "query_of",
    "ratio_of_sums",
    "score_answers",
    "score_queries",
    "wilson",
    "write_samples",
]
