"""Whole numbers and powers."""

import math

PURE = True


def greatest_common_divisor(first: int, second: int) -> int:
    """Find the greatest common divisor of two whole numbers.

    Args:
        first: One whole number.
        second: The other whole number.
    """
    return math.gcd(first, second)


def least_common_multiple(first: int, second: int) -> int:
    """Find the least common multiple of two whole numbers.

    Args:
        first: One whole number.
        second: The other whole number.
    """
    return math.lcm(first, second)


def factorial(number: int) -> int:
    """Compute the factorial of a whole number.

    Args:
        number: A whole number up to 50.
    """
    if number > 50:
        raise ValueError("numbers up to 50")
    return math.factorial(number)


def is_prime(number: int) -> bool:
    """Tell whether a whole number is prime.

    Args:
        number: The number to test.
    """
    return number > 1 and all(number % d for d in range(2, math.isqrt(number) + 1))


def prime_factors(number: int) -> list[int]:
    """Split a whole number into its prime factors.

    Args:
        number: The number to split, at least 2.
    """
    if number < 2:
        raise ValueError("the number must be at least 2")
    found, divisor = [], 2
    while number > 1:
        while number % divisor == 0:
            found.append(divisor)
            number //= divisor
        divisor += 1
    return found


def square_root(number: float) -> float:
    """Compute the square root of a number.

    Args:
        number: A number that is not negative.
    """
    return round(math.sqrt(number), 6)


def raise_to_power(base: float, exponent: int) -> float:
    """Raise a number to a power.

    Args:
        base: The number to be raised.
        exponent: The power, at most 20.
    """
    if exponent > 20:
        raise ValueError("exponents up to 20")
    return base**exponent


def logarithm(number: float, base: float = 10) -> float:
    """Compute the logarithm of a number.

    Args:
        number: A positive number.
        base: The base of the logarithm.
    """
    return round(math.log(number, base), 6)


def round_number(number: float, digits: int) -> float:
    """Round a number to some digits after the point.

    Args:
        number: The number to round.
        digits: How many digits to keep after the point.
    """
    if digits > 12:
        raise ValueError("at most 12 digits")
    return round(number, digits)


def percentage_of(part: float, whole: float) -> float:
    """Say how many percent one number is of another.

    Args:
        part: The part.
        whole: What counts as 100 percent.
    """
    return round(100 * part / whole, 2)


def choose(items: int, chosen: int) -> int:
    """Count the ways to choose some of several different items, order aside.

    Args:
        items: How many items there are.
        chosen: How many of them are chosen.
    """
    if chosen > items or items > 200:
        raise ValueError("choose at most all of 200 items")
    return math.comb(items, chosen)


def to_roman_numeral(number: int) -> str:
    """Write a whole number as a Roman numeral.

    Args:
        number: From 1 to 3999.
    """
    if not 1 <= number <= 3999:
        raise ValueError("Roman numerals go from 1 to 3999")
    signs = [
        (1000, "M"),
        (900, "CM"),
        (500, "D"),
        (400, "CD"),
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ]
    text = ""
    for value, sign in signs:
        while number >= value:
            text, number = text + sign, number - value
    return text
