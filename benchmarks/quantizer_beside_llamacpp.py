"""Our quantizer beside llama.cpp's own: the same F16 file, the same types, sizes and perplexity on the same texts.

usage: quantizer_beside_llamacpp.py MODEL --types Q8_0,Q4_0 --quantizer PROGRAM --data DIR --work DIR [-n 24]

MODEL is a GGUF file or a Transformers folder; it is written once as F16, from which both make each type. PROGRAM is
llama.cpp's ``llama-quantize``, compiled from the sources in ``llama-cpp-python``'s source package (the wheel
``ik-llama-cpp-python`` has one of a fork; LD_LIBRARY_PATH names its libraries). DIR has ``xquad-en``,
whose paragraphs, each once, are the texts. Perplexity is of all tokens but the first of each text; the texts
are the same for all files, so that a hundredth of a percent says something. Tensors that both wrote byte
for byte alike are counted (docs/results/quantization.md).
"""

from __future__ import annotations

import argparse
import json
import subprocess
from pathlib import Path

from gguf import GGUFReader

from lamina.quantize import export_gguf
from lamina.quantize.distance import Said, distances


def paragraphs(data: Path, count: int) -> list[Said]:
    (file,) = (data / "xquad-en").glob("*.json")
    articles = json.loads(file.read_text())["data"]
    texts = [part["context"] for article in articles for part in article["paragraphs"]]
    step = max(1, len(texts) // count)
    return [Said("", text) for text in texts[::step][:count]]


def same_tensors(ours: Path, theirs: Path) -> tuple[int, int, list[str]]:
    """Tensors alike byte for byte, all of ours, and the names of those of another type."""
    first, second = ({t.name: t for t in GGUFReader(str(f)).tensors} for f in (ours, theirs))
    other = [f"{n}: {t.tensor_type.name}, {second[n].tensor_type.name}" for n, t in first.items()
             if n in second and t.tensor_type != second[n].tensor_type]  # fmt: skip
    alike = sum(n in second and t.data.tobytes() == second[n].data.tobytes() for n, t in first.items())
    return alike, len(first), other


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--types", default="Q8_0,Q4_0", type=lambda text: text.split(","))
    parser.add_argument("--quantizer", required=True)
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--work", required=True, type=Path)
    parser.add_argument("-n", type=int, default=24)
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    exact = args.work / "F16.gguf"
    if not exact.exists():
        export_gguf(args.model, exact, "F16")
    files: list[Path] = []
    for kind in args.types:
        ours, theirs = args.work / f"ours-{kind}.gguf", args.work / f"theirs-{kind}.gguf"
        if not ours.exists():
            export_gguf(exact, ours, kind)
        if not theirs.exists():
            done = subprocess.run([args.quantizer, exact, theirs, kind, "2"], capture_output=True, text=True)
            if done.returncode:
                raise SystemExit(f"{args.quantizer} failed:\n{(done.stderr or done.stdout)[-2000:]}")
        files += [ours, theirs]
    found = distances(exact, [exact, *files], paragraphs(args.data, args.n))
    print(f"F16: {exact.stat().st_size} bytes, perplexity {found[0]['perplexity']:.4f} of {found[0]['tokens']} tokens")
    print("| type | bytes, ours | theirs | perplexity, ours | theirs | ratio | KL from F16, ours | theirs | alike |")
    print("|---|---|---|---|---|---|---|---|---|")
    for i, kind in enumerate(args.types):
        (a, b), (ours, theirs) = files[2 * i : 2 * i + 2], found[1 + 2 * i : 3 + 2 * i]
        alike, of, other = same_tensors(a, b)
        sizes = f"{a.stat().st_size} | {b.stat().st_size}"
        surprise = (
            f"{ours['perplexity']:.4f} | {theirs['perplexity']:.4f} | {ours['perplexity'] / theirs['perplexity']:.5f}"
        )
        distance = f"{ours['kl']:.6f} | {theirs['kl']:.6f}"
        print(f"| {kind} | {sizes} | {surprise} | {distance} | {alike} of {of} |")
        for line in other:
            print(f"  another type, ours and theirs: {line}")


if __name__ == "__main__":
    main()
