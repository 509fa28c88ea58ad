"""How close Hutchinson's estimate of an input Hessian's diagonal comes to the exact one, by number and kind of probes.

usage: hessian_probes.py        (10 seconds, one core; docs/results/layerwise.md)
"""

from __future__ import annotations

import torch

from lamina.training.layerwise import attention_map, hessian_diagonal, map_peak, sign_probes
from lamina.training.layerwise.transfer import features_of
from lamina.training.layerwise.vision import network

DRAWS, SHAPE = 8, (1, 8, 8)


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = network("resnet10", channels=1, size=8, classes=10, width=8)
    x = torch.randn(4, *SHAPE)
    print("layer   probes  plain  antithetic")
    for layer in ("stage2", "stage4"):
        features = features_of(model, layer)
        peak = map_peak(attention_map(features(x)))
        exact = hessian_diagonal(features, x, peak, sign_probes(SHAPE, 64)).detach()  # as many partners as inputs
        for n in (1, 4, 8, 16):
            plain, antithetic = (mean_cosine(features, x, peak, exact, n, kind) for kind in (False, True))
            print(f"{layer}  {n:6}  {plain:5.3f}  {antithetic:10.3f}", flush=True)


def mean_cosine(features, x, peak, exact, n: int, antithetic: bool) -> float:
    found = []
    for seed in range(DRAWS):
        probes = sign_probes(SHAPE, n, antithetic=antithetic, generator=torch.Generator().manual_seed(seed))
        estimate = hessian_diagonal(features, x, peak, probes).detach()
        # scaled: cosine_similarity adds 1e-8 to the lengths
        pair = (estimate.flatten(1) * 1e6, exact.flatten(1) * 1e6)
        found.append(torch.nn.functional.cosine_similarity(*pair).mean().item())
    return sum(found) / len(found)


if __name__ == "__main__":
    main()
