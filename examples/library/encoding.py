"""Codes, bases and fingerprints of texts."""

import base64
import hashlib
from typing import Literal

PURE = True
MORSE = ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --.."
NATO = (
    "Alfa Bravo Charlie Delta Echo Foxtrot Golf Hotel India Juliett Kilo Lima Mike November Oscar Papa Quebec "
    "Romeo Sierra Tango Uniform Victor Whiskey Xray Yankee Zulu"
)


def encode_base64(text: str) -> str:
    """Encode a text in base64.

    Args:
        text: The text, such as "hello" or "secret garden".
    """
    return base64.b64encode(text.encode()).decode()


def decode_base64(code: str) -> str:
    """Decode a text from base64.

    Args:
        code: The encoded text, such as "aGVsbG8=" or "dGVh".
    """
    return base64.b64decode(code, validate=True).decode()


def hash_text(text: str, algorithm: Literal["md5", "sha1", "sha256"]) -> str:
    """Compute the hash of a text.

    Args:
        text: The text, such as "open sesame" or "lamina".
        algorithm: Which hash.
    """
    return hashlib.new(algorithm, text.encode()).hexdigest()


def to_binary(number: int) -> str:
    """Write a whole number in binary.

    Args:
        number: The number.
    """
    return f"{number:b}"


def from_binary(digits: str) -> int:
    """Read a binary number.

    Args:
        digits: The binary digits, such as "101101" or "1111".
    """
    return int(digits, 2)


def to_hexadecimal(number: int) -> str:
    """Write a whole number in hexadecimal.

    Args:
        number: The number.
    """
    return f"{number:x}"


def caesar_cipher(text: str, shift: int) -> str:
    """Encrypt a word by moving its letters along the alphabet.

    Args:
        text: The word, such as "attack" or "treasure".
        shift: By how many letters.
    """
    return "".join(chr((ord(c) - 97 + shift) % 26 + 97) if "a" <= c <= "z" else c for c in text.lower())


def morse_code(word: str) -> str:
    """Write a word in Morse code.

    Args:
        word: The word, such as "help" or "ship".
    """
    signs = dict(zip("abcdefghijklmnopqrstuvwxyz", MORSE.split(), strict=True))
    return " ".join(signs[c] for c in word.lower())


def character_code(character: str) -> int:
    """Look up the Unicode number of a character.

    Args:
        character: One character, such as "A" or "z" or "?".
    """
    return ord(character)


def spell_word(word: str) -> list[str]:
    """Spell a word in the NATO alphabet.

    Args:
        word: The word, such as "tiger" or "fox".
    """
    names = NATO.split()
    return [names[ord(c) - 97] for c in word.lower() if "a" <= c <= "z"]


def checksum_of(digits: str) -> int:
    """Compute the Luhn check digit of a number.

    Args:
        digits: The digits, such as "7992739871" or "1234567".
    """
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return -total % 10
