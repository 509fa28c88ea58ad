"""Speed, temperature, body and kitchen."""

from typing import Literal

PURE = True


def travel_time(distance: float, speed: float) -> float:
    """Compute how many hours a trip takes.

    Args:
        distance: The distance in kilometers.
        speed: The speed in kilometers an hour.
    """
    return round(distance / speed, 3)


def average_speed(distance: float, hours: float) -> float:
    """Compute the average speed of a trip.

    Args:
        distance: The distance in kilometers.
        hours: How many hours it took.
    """
    return round(distance / hours, 3)


def body_mass_index(weight: float, height: float) -> float:
    """Compute the body mass index.

    Args:
        weight: The weight in kilograms.
        height: The height in meters, at most 2.5.
    """
    if height > 2.5:
        raise ValueError("the height is in meters")
    return round(weight / height**2, 1)


def running_pace(distance: float, minutes: float) -> float:
    """Compute the pace of a run in minutes a kilometer.

    Args:
        distance: The distance in kilometers.
        minutes: How many minutes it took.
    """
    return round(minutes / distance, 2)


def oven_temperature(degrees: float, scale: Literal["celsius", "fahrenheit"]) -> float:
    """Convert an oven temperature to the given scale from the other one.

    Args:
        degrees: The temperature in the other scale.
        scale: The scale to convert to.
    """
    return round(degrees * 9 / 5 + 32 if scale == "fahrenheit" else (degrees - 32) * 5 / 9, 1)


def water_need(weight: float) -> float:
    """Say how many liters of water a person should drink a day.

    Args:
        weight: The weight of the person in kilograms.
    """
    return round(weight * 0.033, 2)


def density_of(mass: float, volume: float) -> float:
    """Compute a density.

    Args:
        mass: The mass in kilograms.
        volume: The volume in liters.
    """
    return round(mass / volume, 4)


def electric_power(voltage: float, current: float) -> float:
    """Compute electric power in watts.

    Args:
        voltage: The voltage in volts.
        current: The current in amperes.
    """
    return round(voltage * current, 3)


def download_time(megabytes: float, megabits: float) -> float:
    """Compute how many seconds a download takes.

    Args:
        megabytes: The size of the file in megabytes.
        megabits: The speed in megabits a second.
    """
    return round(megabytes * 8 / megabits, 2)


def sound_distance(seconds: float) -> float:
    """Compute how far away lightning is, in kilometers.

    Args:
        seconds: Seconds between lightning and thunder.
    """
    return round(seconds * 0.343, 2)


def paint_needed(area: float, coats: int = 2) -> float:
    """Compute how many liters of paint a wall needs.

    Args:
        area: The area in square meters.
        coats: How many coats of paint.
    """
    return round(area * coats / 10, 2)
