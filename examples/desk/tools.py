"""The tools of a small desk assistant: reminders, clocks, units, money, contacts, lists.

Every public function here really computes, and each is written for a *small* model: the model
copies what the user said ("tomorrow at nine", "an hour and a half") and the code does the
arithmetic. What has to be remembered is kept in JSON files in the current working directory.
The clock is the computer's, or the ISO time in the environment variable LAMINA_NOW.
"""

import json
import os
import re
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from annotated_types import Ge, Gt, Le

__all__ = [
    "add_contact",
    "add_reminder",
    "add_to_list",
    "convert_money",
    "convert_units",
    "days_until",
    "find_contact",
    "list_reminders",
    "schedule_meeting",
    "set_timer",
    "split_bill",
    "time_in",
]

# What follows from the arguments and the clock alone, and leaves nothing behind.
PURE = {"convert_money", "convert_units", "days_until", "split_bill", "time_in"}

Unit = Literal[
    "kilometers", "meters", "centimeters", "miles", "yards", "feet", "inches",
    "kilograms", "grams", "pounds", "ounces",
    "liters", "milliliters", "gallons", "cups",
    "celsius", "fahrenheit",
]  # fmt: skip


class Currency(StrEnum):
    """The currencies of the fixed rate table."""

    USD = "USD"
    EUR = "EUR"
    GBP = "GBP"
    JPY = "JPY"
    CHF = "CHF"
    CAD = "CAD"
    AUD = "AUD"
    INR = "INR"


@dataclass
class Contact:
    """A person in the address book.

    Attributes:
        name: The person's name as said.
        phone: The phone number, written exactly as said.
        email: The e-mail address; left out when the user gives none.
    """

    name: str
    phone: str
    email: str | None = None


# --- the tools -------------------------------------------------------------------------------


def add_reminder(text: str, when: str) -> dict[str, Any]:
    """Remind the user of something at a given day or time.

    Args:
        text: What to be reminded of, in the user's own words, without "remind me to" or
            "remind me about" and without the day and time.
        when: The day and time as said, without "on" or "at" in front, such as
            "tomorrow at nine", "friday 3pm" or "in 20 minutes".

    Returns:
        The reminder's text and the moment it is due.

    Examples:
        remind me to water the plants tomorrow at nine
        >>> add_reminder(text="water the plants", when="tomorrow at nine")

        I keep forgetting, can you ping me on friday 3pm about the parking permit?
        >>> add_reminder(text="the parking permit", when="friday 3pm")

        reminder: send Oliver the slides, in 20 minutes
        >>> add_reminder(text="send Oliver the slides", when="in 20 minutes")

        Don't let me forget the tax papers, monday at 10 please
        >>> add_reminder(text="the tax papers", when="monday at 10")

        in half an hour I have to take the bread out of the oven, remind me
        >>> add_reminder(text="take the bread out of the oven", when="in half an hour")

        could you nudge me tonight at 8 to ring my sister?
        >>> add_reminder(text="ring my sister", when="tonight at 8")

        need to pay the plumber on the 5th at noon, set a reminder
        >>> add_reminder(text="pay the plumber", when="the 5th at noon")

        gotta remember to bring Nadia's book back, wednesday morning
        >>> add_reminder(text="bring Nadia's book back", when="wednesday morning")
    """
    if not text.strip():
        raise ValueError("text is empty: say what to be reminded of")
    due = _resolve_when(when)
    reminders = _load("reminders", [])
    reminders.append({"text": text.strip(), "due": _minute(due)})
    _save("reminders", sorted(reminders, key=lambda entry: entry["due"]))
    return {"text": text.strip(), "due": _minute(due), "weekday": due.strftime("%A")}


def list_reminders(day: str = "today") -> dict[str, Any]:
    """Show the reminders the user already has for one day.

    Args:
        day: The day as said, such as "tomorrow" or "friday"; "today" when no day is said.

    Returns:
        The date and its reminders, earliest first.

    Examples:
        what do I have to remember today?
        >>> list_reminders(day="today")

        show me the reminders for next monday please
        >>> list_reminders(day="next monday")

        my reminders
        >>> list_reminders()

        Have I got anything to remember on sunday?
        >>> list_reminders(day="sunday")

        which reminders are set for tomorrow
        >>> list_reminders(day="tomorrow")

        what was I supposed to do again?
        >>> list_reminders()

        is there something on my reminder list for march 3?
        >>> list_reminders(day="march 3")

        pull up friday's reminders
        >>> list_reminders(day="friday")
    """
    wanted = _resolve_day(day).isoformat()
    found = [entry for entry in _load("reminders", []) if entry["due"].startswith(wanted)]
    return {"date": wanted, "reminders": found}


def time_in(city: str) -> dict[str, Any]:
    """Tell the current local time in a city.

    Args:
        city: The name of the city as said, without its country, such as "Tokyo" or "New York".

    Returns:
        The city, its local time, its weekday and its offset from UTC.

    Examples:
        what time is it in Tokyo right now?
        >>> time_in(city="Tokyo")

        tell me the local time in Buenos Aires
        >>> time_in(city="Buenos Aires")

        Before I ring the office - is it already late in Singapore?
        >>> time_in(city="Singapore")

        My cousin lives in Seoul. What's the clock say over there?
        >>> time_in(city="Seoul")

        Lisbon time please
        >>> time_in(city="Lisbon")

        is it ok to call someone in Los Angeles now or are they asleep?
        >>> time_in(city="Los Angeles")

        how late is it in Cairo
        >>> time_in(city="Cairo")

        current time, Mexico City
        >>> time_in(city="Mexico City")
    """
    key = " ".join(re.sub(r"[.,]", " ", city.casefold()).split())
    zone = _CITY_ZONES.get(key)
    if zone is None:
        raise ValueError(f"unknown city {city!r}; known are, among others, London, Tokyo, New York")
    now = _now()
    aware = now.astimezone() if now.tzinfo is None else now
    local = aware.astimezone(ZoneInfo(zone))
    return {
        "city": city,
        "time": local.strftime("%H:%M"),
        "weekday": local.strftime("%A"),
        "utc_offset": local.strftime("%z"),
    }


def convert_units(value: float, from_unit: Unit, to_unit: Unit) -> dict[str, Any]:
    """Convert a length, weight, volume or temperature into another unit.

    Args:
        value: The number to convert.
        from_unit: The unit the number is in.
        to_unit: The unit wanted.

    Returns:
        The converted value and its unit.

    Examples:
        how many miles is 10 km?
        >>> convert_units(value=10, from_unit="kilometers", to_unit="miles")

        the oven says 350 fahrenheit, give me that in celsius
        >>> convert_units(value=350, from_unit="fahrenheit", to_unit="celsius")

        12.5 ounces to grams
        >>> convert_units(value=12.5, from_unit="ounces", to_unit="grams")

        The recipe wants 3 cups of broth. In milliliters?
        >>> convert_units(value=3, from_unit="cups", to_unit="milliliters")

        my suitcase weighs 23 kilos, what's that in pounds
        >>> convert_units(value=23, from_unit="kilograms", to_unit="pounds")

        I'm 180 cm tall - how much is this in feet?
        >>> convert_units(value=180, from_unit="centimeters", to_unit="feet")

        could you tell me in kilometers how far 26.2 miles is?
        >>> convert_units(value=26.2, from_unit="miles", to_unit="kilometers")

        twenty degrees celsius is how many fahrenheit
        >>> convert_units(value=20, from_unit="celsius", to_unit="fahrenheit")
    """
    for unit in (from_unit, to_unit):
        if unit not in _UNITS:
            raise ValueError(f"unknown unit {unit!r}; known units: {', '.join(_UNITS)}")
    kind, scale, shift = _UNITS[from_unit]
    to_kind, to_scale, to_shift = _UNITS[to_unit]
    if kind != to_kind:
        raise ValueError(f"{from_unit} ({kind}) can't be converted to {to_unit} ({to_kind})")
    if kind != "temperature" and value < 0:
        raise ValueError(f"a {kind} can't be negative: {value}")
    return {"value": round((value * scale + shift - to_shift) / to_scale, 3), "unit": to_unit}


def convert_money(amount: Annotated[float, Gt(0)], from_currency: Currency, to_currency: Currency) -> dict[str, Any]:
    """Convert an amount of money into another currency.

    Args:
        amount: The amount to convert, as a plain number without the currency sign.
        from_currency: The currency the amount is in: dollars or bucks are USD, euros EUR,
            pounds or quid GBP, yen JPY, francs CHF, rupees INR.
        to_currency: The currency wanted.

    Returns:
        The converted amount and its currency, at a fixed rate.

    Examples:
        what's 20 bucks in yen?
        >>> convert_money(amount=20, from_currency="USD", to_currency="JPY")

        convert 1500 rupees to pounds
        >>> convert_money(amount=1500, from_currency="INR", to_currency="GBP")

        The hotel wants CHF 189.50 a night, how much would that be in euros?
        >>> convert_money(amount=189.5, from_currency="CHF", to_currency="EUR")

        I've got 250 euros left. How many dollars do I get for them?
        >>> convert_money(amount=250, from_currency="EUR", to_currency="USD")

        give me 99 dollars in swiss francs
        >>> convert_money(amount=99, from_currency="USD", to_currency="CHF")

        how much is 40 quid worth in Australian dollars
        >>> convert_money(amount=40, from_currency="GBP", to_currency="AUD")

        the ticket costs 12000 yen, what would I pay in pounds?
        >>> convert_money(amount=12000, from_currency="JPY", to_currency="GBP")

        in rupees, what are seventy-five canadian dollars?
        >>> convert_money(amount=75, from_currency="CAD", to_currency="INR")
    """
    if amount <= 0:
        raise ValueError(f"amount must be above 0, not {amount}")
    source, target = Currency(from_currency), Currency(to_currency)
    dollars = amount / _PER_DOLLAR[source.value]
    return {"amount": round(dollars * _PER_DOLLAR[target.value], 2), "currency": target.value}


def days_until(day: str) -> dict[str, Any]:
    """Count the days from today until a date.

    Args:
        day: The day as said, such as "june 14", "next friday", "2026-12-01" or "christmas".

    Returns:
        The date, its weekday and how many days away it is (negative when it is past).

    Examples:
        how many days until christmas?
        >>> days_until(day="christmas")

        count the days to june 14 for me
        >>> days_until(day="june 14")

        My lease ends 2026-12-01, how long have I got?
        >>> days_until(day="2026-12-01")

        my exam is on may 22. how much time is that in days?
        >>> days_until(day="may 22")

        days left till new year's eve
        >>> days_until(day="new year's eve")

        We fly on september 3, how many more sleeps?
        >>> days_until(day="september 3")

        is it still long to go until next monday? count it in days
        >>> days_until(day="next monday")

        how far away is october 10
        >>> days_until(day="october 10")
    """
    target = _resolve_day(day)
    days = (target - _now().date()).days
    return {"date": target.isoformat(), "weekday": target.strftime("%A"), "days": days}


def find_contact(name: str, field: Literal["phone", "email", "birthday", "all"] = "all") -> dict[str, Any]:
    """Look up a person in the user's contacts: phone number, e-mail address or birthday.

    Args:
        name: The person's name as said, first name or full name, without "'s".
        field: Which detail is asked for; "all" when the user asks for no particular one.

    Returns:
        Whether the person was found, the full name and the detail or details.

    Examples:
        what's Oliver's phone number?
        >>> find_contact(name="Oliver", field="phone")

        look up Grace Okafor in my contacts
        >>> find_contact(name="Grace Okafor")

        I'm writing an invitation and need the email of Hannah
        >>> find_contact(name="Hannah", field="email")

        When was Julia born, what's her birthday?
        >>> find_contact(name="Julia", field="birthday")

        give me Hannah Weiss's number please
        >>> find_contact(name="Hannah Weiss", field="phone")

        do you have the e-mail address of Oliver?
        >>> find_contact(name="Oliver", field="email")

        I want to call Grace, which number does she have
        >>> find_contact(name="Grace", field="phone")

        show me everything about Farid Haddad
        >>> find_contact(name="Farid Haddad")
    """
    words = set(name.casefold().split())
    for person in [*_load("contacts", []), *_CONTACTS]:
        if words and words <= set(person["name"].casefold().split()):
            details = {key: value for key, value in person.items() if value is not None}
            if field != "all":
                details = {"name": person["name"], field: person.get(field)}
            return {"found": True, **details}
    return {"found": False, "name": name}


def add_contact(contact: Contact) -> dict[str, Any]:
    """Save a new person in the user's contacts.

    Args:
        contact: The new person: name and phone number, and the e-mail address if one is given.

    Returns:
        The saved contact and the number of contacts now in the book.

    Examples:
        save Lena Fischer, her number is 555 0142
        >>> add_contact(contact={"name": "Lena Fischer", "phone": "555 0142"})

        new contact: Raj Mehta, +44 20 7946 0018, raj@mehta.co
        >>> add_contact(contact={"name": "Raj Mehta", "phone": "+44 20 7946 0018", "email": "raj@mehta.co"})

        could you put the plumber in my address book? he's at 212-555-0177
        >>> add_contact(contact={"name": "the plumber", "phone": "212-555-0177"})

        Put Elena Popova down in my contacts please, phone +359 2 555 0134
        >>> add_contact(contact={"name": "Elena Popova", "phone": "+359 2 555 0134"})

        met a guy called Stefan, number 0171 555 233, mail stefan@brandt.de, keep it
        >>> add_contact(contact={"name": "Stefan", "phone": "0171 555 233", "email": "stefan@brandt.de"})

        create a contact for Aunt Bea with the number 555-0119
        >>> add_contact(contact={"name": "Aunt Bea", "phone": "555-0119"})

        my new neighbour is Kemal Demir, you reach him under 030 5550177, add him
        >>> add_contact(contact={"name": "Kemal Demir", "phone": "030 5550177"})

        remember this phone number: (415) 555-0161, it's Joy's, joy@lee.org is her email
        >>> add_contact(contact={"name": "Joy", "phone": "(415) 555-0161", "email": "joy@lee.org"})
    """
    new = Contact(**contact) if isinstance(contact, dict) else contact
    if not new.name.strip():
        raise ValueError("the contact's name is empty")
    if not re.fullmatch(r"\+?[\d\s().\-/]*\d[\d\s().\-/]*", new.phone.strip()):
        raise ValueError(f"{new.phone!r} is not a phone number")
    if new.email is not None and not re.fullmatch(r"\S+@\S+\.\S+", new.email.strip()):
        raise ValueError(f"{new.email!r} is not an e-mail address")
    contacts = [*_load("contacts", []), asdict(new)]
    _save("contacts", contacts)
    return {"saved": asdict(new), "contacts": len(contacts) + len(_CONTACTS)}


def split_bill(
    total: Annotated[float, Gt(0)],
    people: Annotated[int, Ge(1), Le(100)],
    tip_percent: Annotated[float, Ge(0), Le(100)] = 0,
) -> dict[str, Any]:
    """Split a bill evenly between people, with or without a tip.

    Args:
        total: The amount on the bill, as a plain number without the currency sign.
        people: How many people pay, as a number.
        tip_percent: The tip in percent; 0 when the user mentions no tip.

    Returns:
        What each person pays, the tip and the total with the tip.

    Examples:
        split 84 dollars between 3 people
        >>> split_bill(total=84, people=3)

        dinner was 126.40 and there were four of us, what does each pay with a 15% tip?
        >>> split_bill(total=126.4, people=4, tip_percent=15)

        bill 60, two people, tip 10 percent
        >>> split_bill(total=60, people=2, tip_percent=10)

        We are 5 and have to pay 240 together. What's my part?
        >>> split_bill(total=240, people=5)

        how much does everyone owe if seven people share 311.50?
        >>> split_bill(total=311.5, people=7)

        the restaurant charged us $92, add 20% tip and divide by 4
        >>> split_bill(total=92, people=4, tip_percent=20)

        tip is 12 percent, there are three of us and the bill says 75.30
        >>> split_bill(total=75.3, people=3, tip_percent=12)

        please divide 48 between me and one friend, so two people
        >>> split_bill(total=48, people=2)
    """
    if total <= 0 or not 1 <= people <= 100 or not 0 <= tip_percent <= 100:
        raise ValueError("total must be above 0, people 1 to 100, tip_percent 0 to 100")
    tip = round(total * tip_percent / 100, 2)
    return {
        "each": round((total + tip) / people, 2),
        "tip": tip,
        "total_with_tip": round(total + tip, 2),
    }


def add_to_list(items: list[str], list_name: Literal["shopping", "todo", "packing"] = "shopping") -> dict[str, Any]:
    """Put one or more items on the shopping, to-do or packing list.

    Args:
        items: The items in the order said, each with its amount if one is said, and without
            "a", "an", "the" or "some" in front, such as "milk" or "2 onions".
        list_name: Which list; "shopping" when the user names none.

    Returns:
        The list's name and everything now on it.

    Examples:
        add milk, eggs and 2 onions to my list
        >>> add_to_list(items=["milk", "eggs", "2 onions"])

        put a raincoat on the packing list
        >>> add_to_list(items=["raincoat"], list_name="packing")

        two more for the to-do list: renew passport, clean the garage
        >>> add_to_list(items=["renew passport", "clean the garage"], list_name="todo")

        I need bread and butter from the shop
        >>> add_to_list(items=["bread", "butter"])

        Don't forget sunscreen, a hat and flip-flops when I pack
        >>> add_to_list(items=["sunscreen", "hat", "flip-flops"], list_name="packing")

        new to-do: call the insurance
        >>> add_to_list(items=["call the insurance"], list_name="todo")

        can you write down 6 eggs and some cheese, we have none left
        >>> add_to_list(items=["6 eggs", "cheese"])

        shopping list: coffee, oat milk, napkins
        >>> add_to_list(items=["coffee", "oat milk", "napkins"])
    """
    new = [item.strip() for item in items if item.strip()]
    if not new:
        raise ValueError("items is empty: name at least one thing to put on the list")
    if list_name not in ("shopping", "todo", "packing"):
        raise ValueError(f"unknown list {list_name!r}; there are shopping, todo and packing")
    lists = _load("lists", {})
    lists.setdefault(list_name, []).extend(new)
    _save("lists", lists)
    return {"list": list_name, "items": lists[list_name]}


def set_timer(duration: str, label: str = "timer") -> dict[str, Any]:
    """Start a countdown timer for a length of time.

    Args:
        duration: The length of time as said, such as "10 minutes" or "an hour and a half".
        label: What the timer is for, without "for" or "the"; "timer" when the user does not say.

    Returns:
        The timer's label, its length in seconds and when it ends.

    Examples:
        set a timer for 10 minutes
        >>> set_timer(duration="10 minutes")

        I just put the lasagna in, count down an hour and a half for it
        >>> set_timer(duration="an hour and a half", label="lasagna")

        timer 90 seconds, plank
        >>> set_timer(duration="90 seconds", label="plank")

        wake me in twenty minutes
        >>> set_timer(duration="twenty minutes")

        the eggs need 7 minutes, start the clock
        >>> set_timer(duration="7 minutes", label="eggs")

        Please count down from 45 seconds
        >>> set_timer(duration="45 seconds")

        give me half an hour for the laundry
        >>> set_timer(duration="half an hour", label="laundry")

        25 minutes of reading, time it
        >>> set_timer(duration="25 minutes", label="reading")
    """
    length = _resolve_duration(duration)
    ends = (_now() + length).isoformat(timespec="seconds")
    timer = {"label": label, "seconds": int(length.total_seconds()), "ends": ends}
    _save("timers", [*_load("timers", []), timer])
    return timer


def schedule_meeting(
    attendees: list[str],
    when: str,
    duration: str = "30 minutes",
    topic: str | None = None,
) -> dict[str, Any]:
    """Put a meeting with other people into the user's calendar.

    Args:
        attendees: The names of the other people, as said and in the order said.
        when: The day and time as said, without "on" or "at" in front, such as
            "thursday at two" or "march 9 10am".
        duration: How long it takes, as said, such as "45 minutes"; "30 minutes" when the user
            does not say.
        topic: What the meeting is about, as said, without "about" or "the"; left out when the
            user does not say.

    Returns:
        The meeting with its start and end.

    Examples:
        set up a meeting with Oliver thursday at two
        >>> schedule_meeting(attendees=["Oliver"], when="thursday at two")

        can we get Grace and Hannah together on march 9 10am to talk about the budget?
        >>> schedule_meeting(attendees=["Grace", "Hannah"], when="march 9 10am", topic="budget")

        meeting w/ Raj, tomorrow noon, 45 minutes
        >>> schedule_meeting(attendees=["Raj"], when="tomorrow noon", duration="45 minutes")

        I have to talk to Lena about the contract, put us down for tuesday 4pm
        >>> schedule_meeting(attendees=["Lena"], when="tuesday 4pm", topic="contract")

        plan an hour with Tariq and Al sunday 4pm, the topic is pay
        >>> schedule_meeting(attendees=["Tariq", "Al"], when="sunday 4pm", duration="an hour", topic="pay")

        Mateo and I should sit down on friday at 3pm for 20 minutes
        >>> schedule_meeting(attendees=["Mateo"], when="friday at 3pm", duration="20 minutes")

        block june 2 at noon for a call with Grace
        >>> schedule_meeting(attendees=["Grace"], when="june 2 at noon")

        get me, Raj and Oliver in a room on monday at ten about the office move
        >>> schedule_meeting(attendees=["Raj", "Oliver"], when="monday at ten", topic="office move")
    """
    names = [name.strip() for name in attendees if name.strip()]
    if not names:
        raise ValueError("attendees is empty: name at least one person to meet")
    start = _resolve_when(when)
    end = start + _resolve_duration(duration)
    meeting = {"attendees": names, "start": _minute(start), "end": _minute(end), "topic": topic}
    _save("meetings", [*_load("meetings", []), meeting])
    return meeting


# --- tables ----------------------------------------------------------------------------------

_PER_DOLLAR = {
    "USD": 1.0, "EUR": 0.92, "GBP": 0.79, "JPY": 150.0,
    "CHF": 0.88, "CAD": 1.36, "AUD": 1.52, "INR": 83.0,
}  # fmt: skip

# unit: (kind, factor to the kind's base unit, offset added after the factor)
_UNITS: dict[str, tuple[str, float, float]] = {
    "kilometers": ("length", 1000.0, 0.0),
    "meters": ("length", 1.0, 0.0),
    "centimeters": ("length", 0.01, 0.0),
    "miles": ("length", 1609.344, 0.0),
    "yards": ("length", 0.9144, 0.0),
    "feet": ("length", 0.3048, 0.0),
    "inches": ("length", 0.0254, 0.0),
    "kilograms": ("weight", 1000.0, 0.0),
    "grams": ("weight", 1.0, 0.0),
    "pounds": ("weight", 453.59237, 0.0),
    "ounces": ("weight", 28.349523125, 0.0),
    "liters": ("volume", 1000.0, 0.0),
    "milliliters": ("volume", 1.0, 0.0),
    "gallons": ("volume", 3785.411784, 0.0),
    "cups": ("volume", 236.5882365, 0.0),
    "celsius": ("temperature", 1.0, 0.0),
    "fahrenheit": ("temperature", 5 / 9, -160 / 9),
}

_CONTACTS: list[dict[str, str]] = [
    {"name": name, "phone": phone, "email": email, "birthday": birthday}
    for name, phone, email, birthday in (
        ("Ana Ruiz", "555-0101", "ana.ruiz@example.com", "June 21"),
        ("Ben Carter", "555-0112", "ben.carter@example.com", "November 3"),
        ("Chloe Martin", "555-0123", "chloe@example.org", "April 17"),
        ("David Kim", "555-0134", "d.kim@example.com", "August 9"),
        ("Elena Popova", "555-0145", "elena.p@example.net", "January 28"),
        ("Farid Haddad", "555-0156", "farid@example.org", "September 12"),
        ("Grace Okafor", "555-0167", "grace.okafor@example.com", "May 5"),
        ("Hannah Weiss", "555-0178", "hannah.weiss@example.net", "December 19"),
        ("Ivan Novak", "555-0189", "ivan@example.com", "July 30"),
        ("Julia Santos", "555-0190", "julia.santos@example.org", "October 8"),
        ("Kenji Tanaka", "555-0107", "kenji.t@example.com", "February 14"),
        ("Oliver Brown", "555-0118", "oliver.brown@example.net", "March 26"),
    )
]

_CITY_ZONES = {
    "accra": "Africa/Accra", "amsterdam": "Europe/Amsterdam", "athens": "Europe/Athens",
    "auckland": "Pacific/Auckland", "bangkok": "Asia/Bangkok", "barcelona": "Europe/Madrid",
    "beijing": "Asia/Shanghai", "berlin": "Europe/Berlin", "bogota": "America/Bogota",
    "boston": "America/New_York", "brussels": "Europe/Brussels",
    "buenos aires": "America/Argentina/Buenos_Aires", "cairo": "Africa/Cairo",
    "cape town": "Africa/Johannesburg", "chicago": "America/Chicago",
    "copenhagen": "Europe/Copenhagen", "delhi": "Asia/Kolkata", "denver": "America/Denver",
    "dubai": "Asia/Dubai", "dublin": "Europe/Dublin", "helsinki": "Europe/Helsinki",
    "hong kong": "Asia/Hong_Kong", "honolulu": "Pacific/Honolulu", "istanbul": "Europe/Istanbul",
    "jakarta": "Asia/Jakarta", "johannesburg": "Africa/Johannesburg", "kyoto": "Asia/Tokyo",
    "lagos": "Africa/Lagos", "lima": "America/Lima", "lisbon": "Europe/Lisbon",
    "london": "Europe/London", "los angeles": "America/Los_Angeles", "madrid": "Europe/Madrid",
    "manila": "Asia/Manila", "melbourne": "Australia/Melbourne",
    "mexico city": "America/Mexico_City", "miami": "America/New_York", "milan": "Europe/Rome",
    "montreal": "America/Toronto", "moscow": "Europe/Moscow", "mumbai": "Asia/Kolkata",
    "munich": "Europe/Berlin", "nairobi": "Africa/Nairobi", "new delhi": "Asia/Kolkata",
    "new york": "America/New_York", "nyc": "America/New_York", "osaka": "Asia/Tokyo",
    "oslo": "Europe/Oslo", "paris": "Europe/Paris", "prague": "Europe/Prague",
    "reykjavik": "Atlantic/Reykjavik", "rio de janeiro": "America/Sao_Paulo",
    "rome": "Europe/Rome", "san francisco": "America/Los_Angeles",
    "santiago": "America/Santiago", "sao paulo": "America/Sao_Paulo", "são paulo": "America/Sao_Paulo",
    "seattle": "America/Los_Angeles", "seoul": "Asia/Seoul", "shanghai": "Asia/Shanghai",
    "singapore": "Asia/Singapore", "stockholm": "Europe/Stockholm", "sydney": "Australia/Sydney",
    "taipei": "Asia/Taipei", "tehran": "Asia/Tehran", "tel aviv": "Asia/Jerusalem",
    "tokyo": "Asia/Tokyo", "toronto": "America/Toronto", "vancouver": "America/Vancouver",
    "vienna": "Europe/Vienna", "warsaw": "Europe/Warsaw", "washington": "America/New_York",
    "zurich": "Europe/Zurich",
}  # fmt: skip


# --- state -----------------------------------------------------------------------------------


def _load(name: str, empty: Any) -> Any:
    path = Path(f"{name}.json")
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else empty


def _save(name: str, value: Any) -> None:
    Path(f"{name}.json").write_text(json.dumps(value, ensure_ascii=False, indent=1), encoding="utf-8")


def _minute(moment: datetime) -> str:
    return moment.isoformat(timespec="minutes")


def _now() -> datetime:
    given = os.environ.get("LAMINA_NOW")
    return datetime.fromisoformat(given) if given else datetime.now()


# --- days and times as people say them -------------------------------------------------------

# fmt: off
_UNITS_OF_ONE = [
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
]
_TEENS = [
    "ten", "eleven", "twelve", "thirteen", "fourteen",
    "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]
_TENS = [
    "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
]
_ORDINAL_WORDS = [
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh",
    "eighth", "ninth", "tenth", "eleventh", "twelfth", "thirteenth", "fourteenth",
    "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth", "twentieth",
]
_MONTHS = [
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
]
# fmt: on
_NUMBER_WORDS = {word: n for n, word in enumerate([*_UNITS_OF_ONE, *_TEENS], 1)} | {
    word: 10 * n for n, word in enumerate(_TENS, 2)
}
_ORDINALS = {word: n for n, word in enumerate(_ORDINAL_WORDS, 1)} | {"thirtieth": 30}
_MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)[a-z]*\.?"
_WEEKDAY = (
    r"(mon(?:day)?|tue(?:s|sday)?|wed(?:s|nesday)?|thu(?:rs?|rsday)?"
    r"|fri(?:day)?|sat(?:urday)?|sun(?:day)?)"
)
_DAY_NAMES = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_HOLIDAYS = {
    r"christmas eve|xmas eve": (12, 24),
    r"(?:christmas|xmas)(?: day)?": (12, 25),
    r"new year'?s eve": (12, 31),
    r"new year(?:'?s)?(?: day)?": (1, 1),
    r"halloween": (10, 31),
    r"valentine'?s(?: day)?": (2, 14),
}
_PARTS_OF_DAY = {
    "morning": time(9), "lunchtime": time(12), "noon": time(12), "midday": time(12),
    "afternoon": time(15), "evening": time(19), "night": time(20),
}  # fmt: skip
_FILLERS = {"on", "at", "the", "by", "around", "-", "@", "of", "for"}
_SPAN_UNIT = r"(seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|hr|h|days?|weeks?|wks?|months?)\b"
_SPAN = rf"(\d+(?:\.\d+)?) ?-?{_SPAN_UNIT}"
_SPANS = rf"{_SPAN}(?:,? ?(?:and )?{_SPAN})*"
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def _plain(phrase: str) -> str:
    """Lower-case a phrase and write its numbers in digits."""
    text = phrase.casefold().replace("’", "'").replace(",", " ").strip().rstrip(".!?")
    text = re.sub(r"\b([ap])\.\s?m\b\.?", r"\1m", text)
    text = re.sub(r"\b(tommorr?ow|tomm?orr?ow|tmrr?w|tmr|2morrow)\b", "tomorrow", text)
    tens, ones = "|".join(_TENS), "|".join(_UNITS_OF_ONE)
    text = re.sub(
        rf"\b({tens})[ -]({ones})\b",
        lambda m: str(_NUMBER_WORDS[m[1]] + _NUMBER_WORDS[m[2]]),
        text,
    )
    text = re.sub(
        rf"\b({tens})[ -](first|second|third|fourth|fifth|sixth|seventh|eighth|ninth)\b",
        lambda m: f"{_NUMBER_WORDS[m[1]] + _ORDINALS[m[2]]}th",
        text,
    )
    words = []
    for word in text.split():
        if word in _NUMBER_WORDS:
            word = str(_NUMBER_WORDS[word])
        elif word in _ORDINALS:
            word = f"{_ORDINALS[word]}th"
        words.append(word)
    text = " ".join(words)
    text = re.sub(r"\b(?:a )?couple(?: of)? (?=\w)", "2 ", text)
    text = re.sub(r"\b(?:three|3) quarters of an hour\b", "45 minutes", text)
    text = re.sub(r"\b(?:a )?quarter (?:of )?an hour\b", "15 minutes", text)
    text = re.sub(r"\b(?:an?|1) hour and a half\b", "90 minutes", text)
    text = re.sub(r"\b(\d+) hours? and a half\b|\b(\d+) and a half hours?\b", _half_more, text)
    text = re.sub(r"\b(?:a )?half (?:an )?(?:a )?hour\b", "30 minutes", text)
    text = re.sub(r"\b(?:a )?half (?:a )?minute\b", "30 seconds", text)
    text = re.sub(r"\b1 and a half minutes\b|\b(?:a|1) minute and a half\b", "90 seconds", text)
    text = re.sub(r"\b(\d+) and a half (minutes|days|weeks)\b", r"\1.5 \2", text)
    return re.sub(r"\ban? (?=(?:second|minute|min|hour|day|week|month)\b)", "1 ", text)


def _half_more(match: re.Match[str]) -> str:
    return f"{match[1] or match[2]}.5 hours"


def _months_on(day: date, months: int) -> date:
    year, month = divmod(day.month - 1 + months, 12)
    last = (date(day.year + year + (month == 11), (month + 1) % 12 + 1, 1) - timedelta(1)).day
    return date(day.year + year, month + 1, min(day.day, last))


def _resolve_duration(phrase: str) -> timedelta:
    """The length of time a phrase such as "an hour and a half" says."""
    text = re.sub(r"^for ", "", _plain(phrase))
    if re.fullmatch(r"\d+(?:\.\d+)?", text):
        text += " minutes"
    if not re.fullmatch(_SPANS, text) or "month" in text:
        raise ValueError(f"can't tell how long {phrase!r} is; say it like '10 minutes' or '1 hour'")
    seconds = sum(float(m[1]) * _SECONDS[m[2][0]] for m in re.finditer(_SPAN, text))
    if seconds <= 0:
        raise ValueError(f"{phrase!r} is no time at all")
    return timedelta(seconds=seconds)


def _resolve_day(phrase: str) -> date:
    """The date a phrase such as "next friday" says."""
    day, _, moment = _read_moment(phrase)
    if day is None and moment is None:
        raise ValueError(f"{phrase!r} names no day; say it like 'tomorrow' or 'march 5'")
    return day if moment is None else moment.date()


def _resolve_when(phrase: str) -> datetime:
    """The moment a phrase such as "tomorrow at nine" says; a day alone means nine in the morning."""
    now = _now().replace(tzinfo=None)
    day, clock, moment = _read_moment(phrase)
    if moment is None:
        if day is None:
            moment = datetime.combine(now.date(), clock)
            if moment <= now:
                moment += timedelta(days=1)
        else:
            moment = datetime.combine(day, clock or time(9))
            if clock is None and day == now.date():  # "today" and no more: in an hour
                moment = now + timedelta(hours=1)
    if moment < now.replace(second=0, microsecond=0):
        raise ValueError(f"{phrase!r} is {_minute(moment)}, which is already past")
    return moment


def _read_moment(phrase: str) -> tuple[Any, Any, Any]:
    """Read a phrase as day, time of day and exact moment, each None where it is not said."""
    now = _now().replace(tzinfo=None)
    words = _Words(_plain(phrase))
    try:
        day, moment = _take_span(words, now)
        if day is None and moment is None:
            day = _take_date(words, now.date())
        part: str | None = None
        if day is None and moment is None:
            day, part = _take_named_day(words, now.date())
        clock: time | None = None
        if moment is None:
            day, clock = _take_clock(words, day, part, now)
        if words.left() or (day is None and clock is None and moment is None):
            raise ValueError
    except (ValueError, StopIteration, OverflowError, TypeError):
        raise ValueError(
            f"can't tell when {phrase!r} is; say it like 'tomorrow at nine', 'friday 3pm' or '2026-03-05'"
        ) from None
    return day, clock, moment


class _Words:
    """A phrase that is read piece by piece."""

    def __init__(self, text: str) -> None:
        self.text = text

    def take(self, pattern: str) -> re.Match[str] | None:
        """Cut the first match of whole words out of the phrase."""
        match = re.search(rf"(?<![\w:]){pattern}(?![\w:])", self.text)
        if match:
            self.text = f"{self.text[: match.start()]} {self.text[match.end() :]}"
        return match

    def left(self) -> set[str]:
        """What is left and carries a meaning."""
        return set(self.text.split()) - _FILLERS


def _take_span(words: _Words, now: datetime) -> tuple[date | None, datetime | None]:
    """A day or a moment counted from now, or an exact moment in ISO form."""
    if match := words.take(r"(\d{4}-\d\d-\d\d)[t ](\d\d:\d\d)(?::\d\d)?"):
        return None, datetime.fromisoformat(f"{match[1]}T{match[2]}")
    match = words.take(rf"(?:in|after) ({_SPANS})") or words.take(rf"({_SPANS}) from (?:now|today)")
    if not match:
        return None, None
    moment, exact = now, False
    for number, unit in re.findall(_SPAN, match[1]):
        if unit.startswith("mo"):
            day = _months_on(moment.date(), int(float(number)))
            moment = datetime.combine(day, moment.time())
        else:
            moment += timedelta(seconds=float(number) * _SECONDS[unit[0]])
            exact = exact or unit[0] not in "dw"
    return (None, moment) if exact else (moment.date(), None)


def _take_date(words: _Words, today: date) -> date | None:
    """A date of the calendar: "2026-03-05", "march 5", "5th of march 2027", "the 15th"."""
    if match := words.take(r"(\d{4}-\d\d-\d\d)"):
        return date.fromisoformat(match[1])
    if match := words.take(rf"{_MONTH} (?:the )?(\d{{1,2}})(?:st|nd|rd|th)?(?: (\d{{4}}))?"):
        return _month_day(match[1], match[2], match[3], today)
    if match := words.take(rf"(?:the )?(\d{{1,2}})(?:st|nd|rd|th)? (?:of )?{_MONTH}(?: (\d{{4}}))?"):
        return _month_day(match[2], match[1], match[3], today)
    if match := words.take(r"(?:the )?(\d{1,2})(?:st|nd|rd|th)(?: of (?:this|the) month)?"):
        firsts = (_months_on(today.replace(day=1), n) for n in range(13))
        number = int(match[1])
        days = (first.replace(day=number) for first in firsts if _has_day(first, number))
        return next(day for day in days if day >= today)
    return None


def _take_named_day(words: _Words, today: date) -> tuple[date | None, str | None]:
    """A day that has a name, and the part of the day where the name says it ("tonight")."""
    if words.take(r"tonight"):
        return today, "night"
    for pattern, days in (
        (r"(?:the )?day after tomorrow", 2),
        (r"tomorrow", 1),
        (r"today", 0),
    ):
        if words.take(pattern):
            return today + timedelta(days=days), None
    if words.take(r"next month"):
        return _months_on(today, 1), None
    if words.take(r"(?:the )?end of (?:the|this) month"):
        return _months_on(today.replace(day=1), 1) - timedelta(days=1), None
    week = r"next week (?:on )?|this |next |coming |this coming "
    if match := words.take(rf"({week})?{_WEEKDAY}(?: next week)?"):
        return _weekday(_DAY_NAMES.index(match[2][:3]), match[0], today), None
    if words.take(r"next week"):
        return today + timedelta(days=7), None
    if match := words.take(r"(?:this|the|next) weekend"):
        return _weekday(5, match[0], today), None
    for pattern, (month, number) in _HOLIDAYS.items():
        if words.take(f"(?:{pattern})"):
            return _month_day(_MONTHS[month - 1], str(number), None, today), None
    return None, None


def _weekday(weekday: int, said: str, today: date) -> date:
    """A bare weekday is the next one after today; with "next" it is the one of next week."""
    if "next" in said:
        return today + timedelta(days=7 - today.weekday() + weekday)
    if said.startswith("this ") and weekday == today.weekday():
        return today
    return today + timedelta(days=(weekday - today.weekday() - 1) % 7 + 1)


def _take_clock(words: _Words, day: date | None, part: str | None, now: datetime) -> tuple[date | None, time | None]:
    """The time of day, and the day, which "this evening" and "midnight" can settle."""
    if match := words.take(rf"(?:in the |this |at )?({'|'.join(_PARTS_OF_DAY)})"):
        part = match[1]
        if match[0].startswith("this"):
            day = day or now.date()
    if words.take(r"midnight"):
        return (day or now.date()) + timedelta(days=1), time(0)
    if match := words.take(
        r"(?:(half|quarter|\d{1,2})(?: minutes?)?|a quarter) "
        r"(past|after|to|before) (\d{1,2}) ?(am|pm)?"
    ):
        minute = {"half": 30, "quarter": 15, None: 15}.get(match[1]) or int(match[1])
        if match[2] in ("past", "after"):
            return day, _clock(int(match[3]), minute, match[4], part, day, now)
        full = _clock(int(match[3]), 0, match[4], part, day, now)
        return day, (datetime.combine(now, full) - timedelta(minutes=minute)).time()
    match = words.take(r"(\d{1,2})[:.](\d\d) ?(am|pm)?") or words.take(r"(\d{1,2}) (\d\d) ?(am|pm)?")
    if match:
        return day, _clock(int(match[1]), int(match[2]), match[3], part, day, now)
    if match := words.take(r"(\d{1,2})(?: ?(am|pm)| o'?clock)?(?: sharp)?"):
        return day, _clock(int(match[1]), 0, match[2], part, day, now)
    return day, _PARTS_OF_DAY[part] if part else None


def _has_day(first: date, number: int) -> bool:
    return number <= (_months_on(first, 1) - timedelta(days=1)).day


def _month_day(month: str, number: str, year: str | None, today: date) -> date:
    index = [name[:3] for name in _MONTHS].index(month[:3]) + 1
    if year:
        return date(int(year), index, int(number))
    for ahead in range(0, 9):  # the next year that has the day (29 February)
        try:
            day = date(today.year + ahead, index, int(number))
        except ValueError:
            continue
        if day >= today:
            return day
    raise ValueError(f"there is no {month} {number}")


def _clock(hour: int, minute: int, half: str | None, part: str | None, day: Any, now: datetime) -> time:
    """A time of day. Without am or pm, 1 to 6 is the afternoon, and today means the hours ahead."""
    if half:
        if not 1 <= hour <= 12 and not (hour == 0 and minute):
            raise ValueError
        return time(hour % 12 + (12 if half == "pm" else 0), minute)
    if part in ("afternoon", "evening", "night") and hour < 12:
        return time(hour + 12, minute)
    if part is None and hour < 12:
        if 1 <= hour <= 6:
            return time(hour + 12, minute)
        if day in (None, now.date()) and time(hour, minute) <= now.time() < time(hour + 12, minute):
            return time(hour + 12, minute)
    return time(hour, minute)
