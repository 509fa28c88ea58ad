"""A real model that sees, at test size: trained here on easy-VQA, exported, and benched from both backends.

usage: small_vlm.py DATA OUT [--steps 1200] [--minutes 10] [--batch 32] [--threads 2] [--limit 1000]
       (ten minutes on two cores, then some for the benches)

DATA holds easy-vqa/. A LLaVA of two million parameters (SigLIP encoder, projector of two layers, llama) learns from
nothing but the training questions: images moved and mirrored, four questions on an image at a time, each seeing the
image and itself alone. It ends after --steps or --minutes, whichever comes first, its rate brought down to that end.
OUT/model is the Transformers folder, OUT/gguf the files for llama.cpp, OUT/bench the run. A model that is there already
is not trained again.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import time
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

PATCH, SIDE = 8, 64
IMAGE_TOKENS = (SIDE // PATCH) ** 2
SPECIAL = ["<pad>", "<|end|>", "<|answer|>", "<image>"]
PAD, END, ANSWER, IMAGE = range(4)
TEMPLATE = (
    "{% for message in messages %}{% if message.content is string %}{{ message.content }}{% else %}"
    "{% for part in message.content %}{% if part.type == 'image' %}<image>{% else %}{{ part.text }}{% endif %}"
    "{% endfor %}{% endif %}{{ '<|end|>' if message.role == 'assistant' else '<|answer|>' }}{% endfor %}"
)
PRECISIONS = ("F16", "Q8_0", "Q5_0", "Q4_0")


def tokenizer_of(texts: list[str], size: int = 384) -> Any:
    """Byte-level BPE with a small vocabulary, which llama.cpp reads as it reads GPT-2's."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    raw.train_from_iterator(
        texts,
        trainers.BpeTrainer(vocab_size=size, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False),
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=raw, eos_token=SPECIAL[END], pad_token=SPECIAL[PAD], clean_up_tokenization_spaces=False
    )


def make_model(tokenizer: Any, *, width: int = 256, layers: int = 2, eye: int = 128, eye_layers: int = 4) -> Any:
    import torch
    from transformers import LlamaConfig, LlavaConfig, LlavaForConditionalGeneration, SiglipVisionConfig

    torch.manual_seed(0)
    text = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=width, intermediate_size=2 * width, num_hidden_layers=layers,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=512, tie_word_embeddings=True,
        bos_token_id=None, eos_token_id=END, pad_token_id=PAD,
    )  # fmt: skip
    vision = SiglipVisionConfig(
        hidden_size=eye, intermediate_size=4 * eye, num_hidden_layers=eye_layers, num_attention_heads=4,
        image_size=SIDE, patch_size=PATCH, vision_use_head=False,
    )  # fmt: skip
    config = LlavaConfig(
        vision_config=vision, text_config=text, image_token_index=IMAGE, image_seq_length=IMAGE_TOKENS,
        vision_feature_layer=-2, vision_feature_select_strategy="full", tie_word_embeddings=True,
    )  # fmt: skip
    return LlavaForConditionalGeneration(config)


def processor_of(tokenizer: Any) -> Any:
    from transformers import LlavaProcessor
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    half = [0.5, 0.5, 0.5]
    images = CLIPImageProcessorPil(
        size={"height": SIDE, "width": SIDE}, do_center_crop=False, image_mean=half, image_std=half
    )
    return LlavaProcessor(
        images, tokenizer, patch_size=PATCH, vision_feature_select_strategy="full", num_additional_image_tokens=0,
        chat_template=TEMPLATE,
    )  # fmt: skip


def save(model: Any, processor: Any, folder: Path) -> None:
    model.save_pretrained(str(folder))
    processor.save_pretrained(str(folder))


class Drawings:
    """The training images, each a background and the part that differs from it, so that it can be moved."""

    def __init__(self, data: Path, images: list[int]):
        import numpy as np
        from PIL import Image

        self.pixels, self.boxes = [], []
        with zipfile.ZipFile(data / "easy-vqa" / "train_images.zip") as packed:
            for image in images:
                with Image.open(io.BytesIO(packed.read(f"{image}.png"))) as opened:
                    pixels = np.asarray(opened.convert("RGB"))
                corners = Counter(tuple(pixels[y, x].tolist()) for y in (0, -1) for x in (0, -1))
                ground = np.array(corners.most_common(1)[0][0], np.uint8)
                rows, columns = np.nonzero((pixels != ground).any(axis=2))
                self.pixels.append(pixels)
                self.boxes.append((rows.min(), rows.max() + 1, columns.min(), columns.max() + 1, ground))

    def moved(self, number: int, chance: Any) -> Any:
        """(3, SIDE, SIDE) in -1 to 1: the shape somewhere else, mirrored every other time."""
        import numpy as np

        top, bottom, left, right, ground = self.boxes[number]
        shape = self.pixels[number][top:bottom, left:right]
        shape = shape[:, ::-1] if chance.random() < 0.5 else shape
        y, x = (chance.integers(0, SIDE - size + 1) for size in shape.shape[:2])
        drawn = np.broadcast_to(ground, (SIDE, SIDE, 3)).copy()
        drawn[y : y + shape.shape[0], x : x + shape.shape[1]] = shape
        return (drawn.transpose(2, 0, 1).astype(np.float32) / 255 - 0.5) / 0.5


def batch_of(asked: list[list[list[int]]]) -> dict[str, Any]:
    """One row an image: its tokens, then the questions, each of which sees the image and itself alone and stands right
    after the image. Learnt are the answer and the end after it."""
    import torch

    lengths = [IMAGE_TOKENS + sum(len(ids) for ids in row) for row in asked]
    shape = (len(asked), max(lengths))
    ids, labels = torch.full(shape, PAD), torch.full(shape, -100)
    places = torch.zeros(shape, dtype=torch.long)
    allowed = torch.zeros(shape[0], 1, shape[1], shape[1], dtype=torch.bool)
    causal = torch.ones(shape[1], shape[1], dtype=torch.bool).tril()
    for i, row in enumerate(asked):
        ids[i, :IMAGE_TOKENS] = IMAGE
        places[i, :IMAGE_TOKENS] = torch.arange(IMAGE_TOKENS)
        allowed[i, 0, :, :IMAGE_TOKENS] = True
        start = IMAGE_TOKENS
        for question in row:
            end = start + len(question)
            ids[i, start:end] = torch.tensor(question)
            learnt = question.index(ANSWER) + 1
            labels[i, start + learnt : end] = ids[i, start + learnt : end]
            places[i, start:end] = torch.arange(IMAGE_TOKENS, IMAGE_TOKENS + len(question))
            allowed[i, 0, start:end, start:end] = True
            start = end
    mask = torch.where(allowed & causal, 0.0, torch.finfo(torch.float32).min)
    return {"input_ids": ids, "labels": labels, "position_ids": places, "attention_mask": mask}


def train(
    data: Path, folder: Path, steps: int, minutes: float, batch: int, *, questions: int = 4, rate: float = 1.5e-3
) -> None:
    """Half of the questions of a step ask what something is, which says more about an image than yes and no."""
    import numpy as np
    import torch

    rows = json.loads((data / "easy-vqa" / "train_questions.json").read_text())
    tokenizer = tokenizer_of([text for question, answer, _ in rows for text in (question, answer)])
    model, chance = make_model(tokenizer), np.random.default_rng(0)
    print(f"{sum(p.numel() for p in model.parameters()) / 1e6:.2f} million parameters, {len(tokenizer)} tokens")
    of_image: dict[int, tuple[list[Any], list[Any]]] = {}
    for question, answer, image in rows:
        ids = tokenizer(f"{question}{SPECIAL[ANSWER]}{answer}{SPECIAL[END]}", add_special_tokens=False)["input_ids"]
        of_image.setdefault(image, ([], []))[answer in ("yes", "no")].append(ids)
    images = sorted(of_image)
    drawings = Drawings(data, images)
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.02, betas=(0.9, 0.98))
    started, lost = time.perf_counter(), 0.0
    for step in range(steps):
        done = max(step / steps, (time.perf_counter() - started) / (60 * minutes))
        if done >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = rate * min((step + 1) / 50, 0.02 + 0.49 * (1 + math.cos(math.pi * done)))
        chosen = chance.choice(len(images), batch, replace=False)
        asked = [_drawn(of_image[images[number]], questions, chance) for number in chosen]
        pixels = torch.from_numpy(np.stack([drawings.moved(number, chance) for number in chosen]))
        loss = model(pixel_values=pixels, **batch_of(asked)).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        lost += float(loss.detach())
        if (step + 1) % 20 == 0:
            print(f"step {step + 1}: loss {lost / 20:.4f}, {time.perf_counter() - started:.0f} s", flush=True)
            lost = 0.0
    save(model, processor_of(tokenizer), folder)


def _drawn(kinds: tuple[list[Any], list[Any]], most: int, chance: Any) -> list[Any]:
    found = []
    for rows in kinds:
        found += [rows[i] for i in chance.permutation(len(rows))[: most // 2]]
    return found


def export(folder: Path, out: Path) -> list[Path]:
    from lamina.quantize import quantize_types
    from lamina.quantize.vision_part import export_vision_part

    export_vision_part(folder, out)
    return [Path(file["path"]) for file in quantize_types(folder, PRECISIONS, out)]


def bench(data: Path, folder: Path, files: list[Path], out: Path, limit: int, threads: int) -> dict[str, Any]:
    """The figures of ``bench_models``, and with them how often each file gave the very answer of Transformers."""
    from lamina.bench import BenchModel, BenchSettings, bench_models, open_task
    from lamina.bench.planning import drawn
    from lamina.runs import Progress, Run
    from lamina.tools import Toolbox

    models = [BenchModel(str(folder), "small-vlm", "transformers", "full")]
    models += [BenchModel(str(file), "small-vlm", file.stem.removeprefix("model-"), "full") for file in files]
    task, settings = open_task("easy_vqa", data=data), BenchSettings(threads=threads, timing_samples=12)
    with Run.open(out, {"model": str(folder.resolve())}) as run:
        found = bench_models(
            models, [task], run=run, toolbox=Toolbox([]), settings=settings, progress=Progress(), limit=limit
        )
        answers: dict[str, dict[str, str]] = {}
        for row in run.store.iterate("sample"):
            record = json.loads(row.payload)
            answers.setdefault(record["precision"], {})[record["sample"]] = record["transcript"][0]["answer"]
    first = answers["transformers"]
    found["same_answers"] = {
        name: sum(first.get(id) == text for id, text in given.items()) / len(given) for name, given in answers.items()
    }
    targets = Counter(sample.row["target"] for sample in drawn(task.samples(), limit, settings.seed))
    found["most_frequent"] = max(targets.values()) / sum(targets.values())
    return found


def main() -> None:
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--limit", type=int, default=1000)
    args = parser.parse_args()
    import torch

    torch.set_num_threads(args.threads)
    folder = args.out / "model"
    if not (folder / "config.json").is_file():
        train(args.data, folder, args.steps, args.minutes, args.batch)
    found = bench(args.data, folder, export(folder, args.out / "gguf"), args.out / "bench", args.limit, args.threads)
    print(f"the most frequent answer: {found['most_frequent']:.3f}")
    for row in found["rows"]:
        bounds = "" if row["low"] is None else f" ({row['low']:.3f} to {row['high']:.3f})"
        print(f"{row['precision']:13} {row['metric']:26} {row['value']:.3f}{bounds}")
    for name, share in found["same_answers"].items():
        print(f"{name:13} the very answer of Transformers: {share:.4f}")


if __name__ == "__main__":
    main()
