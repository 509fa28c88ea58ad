"""Days, weeks and years."""

import calendar
from datetime import date, timedelta

PURE = True


def weekday_of(day: date) -> str:
    """Say on which day of the week a date falls.

    Args:
        day: The date.
    """
    return day.strftime("%A")


def days_between(start: date, end: date) -> int:
    """Count the days from one date to another.

    Args:
        start: The first date.
        end: The second date.
    """
    return (end - start).days


def add_days(start: date, days: int) -> date:
    """Find the date some days after another.

    Args:
        start: The date to count from.
        days: How many days later.
    """
    return start + timedelta(days=days)


def is_leap_year(year: int) -> bool:
    """Tell whether a year is a leap year.

    Args:
        year: The year, such as 2024, 2026 or 2100.
    """
    return calendar.isleap(year)


def days_in_month(month: int, year: int) -> int:
    """Count the days of a month.

    Args:
        month: The month as a number from 1 to 12.
        year: The year, from 1900 to 2100.
    """
    return calendar.monthrange(year, month)[1]


def week_number(day: date) -> int:
    """Find the number of the week that a date is in.

    Args:
        day: The date.
    """
    return day.isocalendar().week


def day_of_year(day: date) -> int:
    """Say which day of the year a date is.

    Args:
        day: The date.
    """
    return day.timetuple().tm_yday


def quarter_of(day: date) -> int:
    """Say in which quarter of the year a date is.

    Args:
        day: The date.
    """
    return (day.month - 1) // 3 + 1


def last_day_of_month(day: date) -> date:
    """Find the last day of the month that a date is in.

    Args:
        day: The date.
    """
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def minutes_to_hours(minutes: int) -> str:
    """Write a number of minutes as hours and minutes.

    Args:
        minutes: The minutes.
    """
    return f"{minutes // 60} h {minutes % 60} min"


def format_date(day: date, style: str = "long") -> str:
    """Write a date out in words or with slashes.

    Args:
        day: The date.
        style: Either "long" or "short".
    """
    return day.strftime("%d %B %Y" if style == "long" else "%d/%m/%y")
