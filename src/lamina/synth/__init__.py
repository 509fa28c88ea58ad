"""APIGen: verified function-calling data from a developer's own functions."""

from __future__ import annotations

from lamina.synth.settings import SynthSettings
from lamina.synth.splitting import split
from lamina.synth.synthesize import WarmUp, synthesize

__all__ = ["SynthSettings", "WarmUp", "split", "synthesize"]
