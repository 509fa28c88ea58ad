"""What a build or a synthesis cannot do without, looked for before the run folder is made: a mistake in a reference or
a type is said at once, and the corrected command is not refused as another configuration."""

from __future__ import annotations

from collections.abc import Iterable

from lamina.build.measuring import reflector_of
from lamina.build.settings import BuildSettings
from lamina.synth import SynthSettings, check_settings
from lamina.tools import Toolbox

NO_MODEL = ("none", "warm-up")


def check_means(settings: BuildSettings, toolbox: Toolbox) -> None:
    """Raises ModelReferenceError, MissingExtraError, InputError and UserError."""
    from lamina.models import check_reference
    from lamina.quantize.precisions import precisions
    from lamina.training.base import check_base

    check_base(settings.base)
    if settings.distillation is not None:
        check_base(settings.distillation.teacher)
    check_writers(settings.synth, settings.base, toolbox)
    for ref in dict.fromkeys((settings.base, reflector_of(settings))):
        check_reference(ref)
    precisions(settings.types)


def check_writers(settings: SynthSettings, base: str, toolbox: Toolbox) -> None:
    """The models that a synthesis asks; ``base`` is what a warm-up tunes."""
    from lamina.models import check_reference
    from lamina.training.base import check_base

    check_settings(settings, len(toolbox))
    if settings.round_trip == "warm-up":
        check_base(base)
    for ref in _models((settings.writer, settings.judge, settings.round_trip)):
        check_reference(ref)


def _models(refs: Iterable[str]) -> list[str]:
    return [ref for ref in dict.fromkeys(refs) if ref not in NO_MODEL]
