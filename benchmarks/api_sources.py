"""What Lamina makes of real API documents: tools, what is left out and why, and what a lint finds.

    python benchmarks/api_sources.py ../shared/data/openapi-specs/* ../shared/data/livemcpbench/tools.json

Prints a Markdown table, one row a file, with seconds of processor time, which other work on the machine does not
change; files that are no source of tools (a README) are named below it.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path

from lamina.errors import ToolDefinitionError
from lamina.tools import read_tools
from lamina.tools.linting import lint


def main() -> int:
    files = [Path(name) for name in sys.argv[1:]]
    if not files:
        print(__doc__)
        return 2
    print("| file | tools | left out | lint remarks | most common | seconds |\n|---|---|---|---|---|---|")
    refused, totals, seconds = [], Counter[str](), 0.0
    for file in files:
        started = time.process_time()
        try:
            box = read_tools(file)
        except ToolDefinitionError as error:
            refused.append(f"{file.name}: {str(error).partition(': ')[2]}")
            continue
        took = time.process_time() - started
        dropped = Counter(r.code for r in box.remarks if r.dropped)
        found = Counter(r.code for r in lint(box) if not r.dropped)
        most = ", ".join(f"{code} {count}" for code, count in found.most_common(3))
        told = ", ".join(f"{code} {count}" for code, count in dropped.items()) or "0"
        print(f"| {file.name} | {len(box)} | {told} | {found.total()} | {most} | {took:.2f} |")
        totals.update(tools=len(box), dropped=dropped.total())
        seconds += took
    print(f"\n{totals['tools']} tools, {totals['dropped']} left out, {seconds:.1f} s in all.")
    for line in refused:
        print(f"- not read: {line}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
