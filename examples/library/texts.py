"""Words and letters."""

import re
import textwrap
import unicodedata
from typing import Literal

PURE = True


def count_words(text: str) -> int:
    """Count the words of a text.

    Args:
        text: The text, such as "the quick brown fox".
    """
    return len(text.split())


def count_letter(text: str, letter: str) -> int:
    """Count how often a letter occurs in a word.

    Args:
        text: The word, such as "strawberry".
        letter: One letter, such as "r" or "a" or "e".
    """
    if len(letter) != 1:
        raise ValueError("one letter")
    return text.lower().count(letter.lower())


def reverse_text(text: str) -> str:
    """Write a word backwards.

    Args:
        text: The word, such as "lamp" or "river".
    """
    return text[::-1]


def change_case(text: str, case: Literal["upper", "lower", "title"]) -> str:
    """Write a text in upper case, lower case or with capitals.

    Args:
        text: The text, such as "hello world" or "good morning".
        case: How to write it.
    """
    return {"upper": text.upper(), "lower": text.lower(), "title": text.title()}[case]


def is_palindrome(text: str) -> bool:
    """Tell whether a word reads the same backwards.

    Args:
        text: The word, such as "level" or "radar" or "table".
    """
    letters = [c for c in text.lower() if c.isalnum()]
    return letters == letters[::-1]


def make_slug(title: str) -> str:
    """Turn a title into a slug for web addresses.

    Args:
        title: The title, such as "My Summer in Rome" or "Ten Easy Soups".
    """
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


def make_acronym(phrase: str) -> str:
    """Make an acronym from the first letters of a phrase.

    Args:
        phrase: The phrase, such as "as soon as possible" or "light emitting diode".
    """
    return "".join(word[0].upper() for word in phrase.split())


def shorten_text(text: str, width: int) -> str:
    """Cut a text off at a width.

    Args:
        text: The text, such as "the meeting was moved to the large room".
        width: Characters that are left, at least 10.
    """
    if width < 10:
        raise ValueError("at least 10 characters")
    return textwrap.shorten(text, width)


def replace_word(text: str, old: str, new: str) -> str:
    """Replace a word in a sentence by another one.

    Args:
        text: The sentence, such as "the red car is fast".
        old: The word to be replaced, such as "red" or "fast".
        new: The word that comes in its place, such as "blue" or "slow".
    """
    if old not in text:
        raise ValueError("the sentence does not have that word")
    return text.replace(old, new)


def repeat_text(text: str, times: int) -> str:
    """Write a word several times.

    Args:
        text: The word, such as "hurray" or "no".
        times: How often, at most 50.
    """
    if not 1 <= times <= 50:
        raise ValueError("from 1 to 50 times")
    return " ".join([text] * times)


def count_vowels(text: str) -> int:
    """Count the vowels of a word.

    Args:
        text: The word, such as "banana" or "umbrella".
    """
    return sum(c in "aeiou" for c in text.lower())
