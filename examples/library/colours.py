"""Colours and their codes."""

import colorsys
from typing import Annotated, Literal

from annotated_types import Ge, Le

PURE = True

Channel = Annotated[int, Ge(0), Le(255)]


def rgb_to_hex(red: Channel, green: Channel, blue: Channel) -> str:
    """Turn the red, green and blue of a colour into its hex code.

    Args:
        red: How much red.
        green: How much green.
        blue: How much blue.
    """
    return f"#{red:02x}{green:02x}{blue:02x}"


def hex_to_rgb(code: str) -> list[int]:
    """Turn the hex code of a colour into red, green and blue.

    Args:
        code: The code, such as "#ff8800" or "#336699".
    """
    return [int(code.lstrip("#")[i : i + 2], 16) for i in (0, 2, 4)]


def rgb_to_hue(red: Channel, green: Channel, blue: Channel) -> float:
    """Find the hue of a colour in degrees.

    Args:
        red: How much red.
        green: How much green.
        blue: How much blue.
    """
    return round(360 * colorsys.rgb_to_hsv(red / 255, green / 255, blue / 255)[0], 1)


def mix_colours(first: str, second: str) -> str:
    """Mix two colours and give the hex code of the mixture.

    Args:
        first: The code of one colour, such as "#ff0000" or "#00ff00".
        second: The code of the other colour, such as "#0000ff" or "#ffffff".
    """
    both = zip(hex_to_rgb(first), hex_to_rgb(second), strict=True)
    return "#" + "".join(f"{(a + b) // 2:02x}" for a, b in both)


def invert_colour(code: str) -> str:
    """Give the opposite of a colour.

    Args:
        code: The code of the colour, such as "#102030" or "#c0ffee".
    """
    return "#" + "".join(f"{255 - c:02x}" for c in hex_to_rgb(code))


def is_dark_colour(code: str) -> bool:
    """Tell whether a colour is dark.

    Args:
        code: The code of the colour, such as "#222222" or "#fafad2".
    """
    red, green, blue = hex_to_rgb(code)
    return 0.299 * red + 0.587 * green + 0.114 * blue < 128


def named_colour(name: Literal["red", "green", "blue", "yellow", "orange", "purple", "white", "black"]) -> str:
    """Look up the hex code of a named colour.

    Args:
        name: The name of the colour.
    """
    codes = {
        "red": "#ff0000",
        "green": "#008000",
        "blue": "#0000ff",
        "yellow": "#ffff00",
        "orange": "#ffa500",
        "purple": "#800080",
        "white": "#ffffff",
        "black": "#000000",
    }
    return codes[name]


def lighten_colour(code: str, percent: int) -> str:
    """Make a colour lighter.

    Args:
        code: The code of the colour, such as "#804020" or "#003366".
        percent: By how many percent.
    """
    if not 0 <= percent <= 100:
        raise ValueError("from 0 to 100 percent")
    return "#" + "".join(f"{c + (255 - c) * percent // 100:02x}" for c in hex_to_rgb(code))


def grey_of(percent: int) -> str:
    """Give the code of a grey of some brightness.

    Args:
        percent: The brightness in percent, 0 for black and 100 for white.
    """
    if not 0 <= percent <= 100:
        raise ValueError("from 0 to 100 percent")
    return "#" + f"{255 * percent // 100:02x}" * 3
