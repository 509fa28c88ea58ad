"""A library of some hundred small functions in ten categories, on top of the standard library: what
``lamina synth`` makes of a tool set that is too large to be on offer as a whole. None has an example."""
