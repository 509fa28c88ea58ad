"""APIGen: verified function-calling data from a developer's own functions."""

from __future__ import annotations

from lamina.synth.settings import SynthSettings
from lamina.synth.splitting import split
from lamina.synth.synthesize import WarmUp, check_settings, synthesize
from lamina.synth.yields import check_yield

__all__ = ["SynthSettings", "WarmUp", "check_settings", "check_yield", "split", "synthesize"]
