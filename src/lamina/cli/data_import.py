"""``lamina data import``: data sets in any known format become the records of a run."""

from __future__ import annotations

from lamina.cli.data_options import DataFiles, From, ToolsForAll, counted
from lamina.cli.options import AsJson, Config, Fresh, Out, verb
from lamina.cli.output import show


def import_(
    files: DataFiles,
    out: Out,
    format: From = "auto",
    tools: ToolsForAll = None,
    fresh: Fresh = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Read data sets into a run, every row as a record or as a reject with a reason.

    The format is found by looking (lamina formats lists them). What a record has no place for is counted, field by
    field. Nothing is checked yet: that is 'lamina data check' and 'lamina data fix'.
    """
    from lamina.data import files_of, import_sources
    from lamina.runs import Progress, Run
    from lamina.tools import read_tools

    found, toolbox = files_of(files), read_tools(tools) if tools else None
    key = {
        "verb": "data import",
        "files": [str(f.resolve()) for f in found],
        "format": format,
        "tools": toolbox.fingerprint() if toolbox else "",
    }
    with Run.open(out, key, fresh=fresh) as run:
        if not run.is_done("import"):
            run.finish("import", import_sources(found, run, Progress(as_json), format, toolbox))
        run.write_report_json()
        result = run.result("import") or {}
    lines = [
        f"{result['accepted']:,} records of {result['read']:,} rows ({result['format']}) in {out}",
        *counted("rejected", result["rejected"]),
        *counted("fields lost", result["lost"]),
    ]
    show(result, as_json=as_json, lines=lines)


app = verb(import_, example="lamina data import glaive.json seal-tools/ --out runs/imported")
