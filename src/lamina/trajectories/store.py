"""The typed view on a run's record store: trajectories and rejects instead of opaque rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from lamina.runs.records import RecordStore, Row
from lamina.trajectories.trajectory import Reject, Trajectory, json_line

TRAJECTORY = "trajectory"
REJECT = "reject"


class TrajectoryStore:
    """Adds nothing to the store but types; several views of one store are fine."""

    def __init__(self, store: RecordStore):
        self.store = store

    def add(self, records: Iterable[tuple[int, Trajectory | Reject]]) -> int:
        """Commits ``(position, record)`` pairs in ONE transaction; returns how many were not yet there."""
        return self.store.put(record_row(record, position) for position, record in records)

    def update(self, *changed: tuple[int, Trajectory]) -> None:
        """Replaces the trajectories of these ids (a check or a split was added to their meta), in one transaction."""
        self.store.replace(*(record_row(trajectory, position) for position, trajectory in changed))

    def trajectories(self, split: str | None = None) -> Iterator[Trajectory]:
        """In order of position; with ``split`` only those whose ``meta.split`` it is."""
        for row in self.store.iterate(TRAJECTORY):
            trajectory = Trajectory.from_json(row.payload)
            if split is None or trajectory.meta.split == split:
                yield trajectory

    def rejects(self) -> Iterator[Reject]:
        for row in self.store.iterate(REJECT):
            yield Reject.model_validate_json(row.payload)

    def has(self, record: Trajectory | Reject) -> bool:
        """Whether one of its id is there."""
        return self.store.get(TRAJECTORY if isinstance(record, Trajectory) else REJECT, record.id) is not None

    def count(self) -> int:
        """Trajectories, rejects not among them."""
        return self.store.count(TRAJECTORY)

    def export(self, folder: str | Path) -> dict[str, int]:
        """Writes ``trajectories.jsonl`` and ``rejects.jsonl``, each atomically; returns the lines of each."""
        names = {TRAJECTORY: "trajectories.jsonl", REJECT: "rejects.jsonl"}
        return {name: self.store.export_jsonl(kind, Path(folder) / name) for kind, name in names.items()}


def record_row(record: Trajectory | Reject, position: int) -> Row:
    """The row of a record. A reject keeps ``record`` and ``raw`` also where they are null."""
    if isinstance(record, Trajectory):
        return Row(TRAJECTORY, record.id, position, record.to_json())
    return Row(REJECT, record.id, position, json_line(record.model_dump()))
