"""The airline desk of tau-bench (Yao et al., arXiv 2406.12045): its tools, written anew from the policy and the data.

The tools check what a booking system would; what only the policy forbids is left to the agent. Amounts are in
dollars."""

from __future__ import annotations

from datetime import date as Day
from datetime import timedelta

from lamina.agents.environments.environment import RefusedCallError, described
from lamina.agents.environments.worlds.records import Records, money
from lamina.tools.tool import JSON, Tool
from lamina.trajectories.trajectory import content_id

TABLES = ("flights", "reservations", "users")
NOW = "2024-05-15T15:00:00"
INSURANCE, BAG = 30, 50
CABINS = ("basic_economy", "economy", "business")
_RESERVATION = "string: Such as 'ZFA04Y'."
_AIRPORT = "string: The airport's three letters."
_DATE = "string: Such as '2024-05-20'."
_PAYMENT = "string: Such as 'credit_card_0000000', one of the user's."


def _rows(about: str, **columns: JSON) -> JSON:
    row = {"type": "object", "properties": columns, "required": list(columns), "additionalProperties": False}
    return {"type": "array", "items": row, "minItems": 1, "description": about}


_TEXT: JSON = {"type": "string"}
_FLIGHTS = _rows("All flights in their order, kept ones included.", flight_number=_TEXT, date=_TEXT)
_PASSENGERS = _rows("Each with date of birth, such as 1990-01-31.", first_name=_TEXT, last_name=_TEXT, dob=_TEXT)
_PAYMENTS = _rows("Together the whole price.", payment_id=_TEXT, amount={"type": "number"})


def tools() -> list[Tool]:
    return [
        described("get_user_details", "A user's profile and reservations.", user_id="string: The user id."),
        described("get_reservation_details", "A reservation.", reservation_id=_RESERVATION),
        described("list_all_airports", "All airports that are served."),
        described(
            "search_direct_flight",
            "Flights with seats and prices of a day, without a stop.",
            origin=_AIRPORT,
            destination=_AIRPORT,
            date=_DATE,
        ),
        described(
            "search_onestop_flight",
            "Pairs of flights with one stop between.",
            origin=_AIRPORT,
            destination=_AIRPORT,
            date=_DATE,
        ),
        described("get_flight_status", "The status of a flight.", flight_number="string: Its number.", date=_DATE),
        described(
            "book_reservation",
            "Book flights; the user has to have confirmed it.",
            user_id="string: The user id.",
            origin=_AIRPORT,
            destination=_AIRPORT,
            flight_type=("one_way", "round_trip"),
            cabin=CABINS,
            flights=_FLIGHTS,
            passengers=_PASSENGERS,
            payment_methods=_PAYMENTS,
            total_baggages="integer: All checked bags.",
            nonfree_baggages="integer: Those that are paid.",
            insurance=("yes", "no"),
        ),
        described("cancel_reservation", "Cancel a whole reservation.", reservation_id=_RESERVATION),
        described(
            "update_reservation_flights",
            "Change flights or cabin of a reservation.",
            reservation_id=_RESERVATION,
            cabin=CABINS,
            flights=_FLIGHTS,
            payment_id=_PAYMENT,
        ),
        described(
            "update_reservation_passengers",
            "Change who flies, not how many.",
            reservation_id=_RESERVATION,
            passengers=_PASSENGERS,
        ),
        described(
            "update_reservation_baggages",
            "Add checked bags.",
            reservation_id=_RESERVATION,
            total_baggages="integer: All, the new ones included.",
            nonfree_baggages="integer: All that are paid.",
            payment_id=_PAYMENT,
        ),
        described(
            "send_certificate",
            "Send a travel certificate as a compensation.",
            user_id="string: The user id.",
            amount="number: In dollars.",
        ),
    ]


class Airline:
    """One episode's desk. Every method is the tool of its name."""

    def __init__(self, records: Records) -> None:
        self.records = records

    def get_user_details(self, user_id: str) -> JSON:
        return self.records.get("users", user_id)

    def get_reservation_details(self, reservation_id: str) -> JSON:
        return self.records.get("reservations", reservation_id)

    def list_all_airports(self) -> list[str]:
        return sorted({flight[end] for flight in self.records.every("flights") for end in ("origin", "destination")})

    def get_flight_status(self, flight_number: str, date: str) -> str:
        return str(self._day(flight_number, date)["status"])

    def search_direct_flight(self, origin: str, destination: str, date: str) -> list[JSON]:
        return [
            _shown(flight, date)
            for flight in self.records.every("flights")
            if (flight["origin"], flight["destination"]) == (origin, destination) and _open(flight, date)
        ]

    def search_onestop_flight(self, origin: str, destination: str, date: str) -> list[list[JSON]]:
        """The second flight leaves after the first has landed; one that lands after midnight leaves it the next day."""
        flights = self.records.every("flights")
        found = []
        for first in flights:
            if first["origin"] != origin or not _open(first, date):
                continue
            overnight = first["scheduled_arrival_time_est"].endswith("+1")
            day = _next_day(date) if overnight else date
            arrival = first["scheduled_arrival_time_est"][:8]
            for second in flights:
                if (second["origin"], second["destination"]) != (first["destination"], destination):
                    continue
                if _open(second, day) and second["scheduled_departure_time_est"][:8] >= arrival:
                    found.append([_shown(first, date), _shown(second, day)])
        return found

    def book_reservation(
        self,
        user_id: str,
        origin: str,
        destination: str,
        flight_type: str,
        cabin: str,
        flights: list[JSON],
        passengers: list[JSON],
        payment_methods: list[JSON],
        total_baggages: int,
        nonfree_baggages: int,
        insurance: str,
    ) -> JSON:
        self.records.get("users", user_id)
        booked = [self._booked(flight, cabin, len(passengers)) for flight in flights]
        price = sum(flight["price"] for flight in booked) * len(passengers) + BAG * nonfree_baggages
        price += INSURANCE * len(passengers) if insurance == "yes" else 0
        paid = sum(payment["amount"] for payment in payment_methods)
        if money(paid) != money(price):
            raise RefusedCallError(f"the payments come to {money(paid)}, the price is {money(price)}")
        for payment in payment_methods:
            self._affordable(user_id, payment["payment_id"], payment["amount"])
        asked = [user_id, origin, destination, cabin, flights, passengers]
        number = content_id("reservation", *asked)[:6].upper()
        while self.records.find("reservations", number) is not None:
            number = content_id("reservation", number, *asked)[:6].upper()
        reservation = {
            "reservation_id": number,
            "user_id": user_id,
            "origin": origin,
            "destination": destination,
            "flight_type": flight_type,
            "cabin": cabin,
            "flights": booked,
            "passengers": passengers,
            "payment_history": [{"payment_id": p["payment_id"], "amount": p["amount"]} for p in payment_methods],
            "created_at": NOW,
            "total_baggages": total_baggages,
            "nonfree_baggages": nonfree_baggages,
            "insurance": insurance,
        }
        for payment in payment_methods:
            self._pay(user_id, payment["payment_id"], payment["amount"])
        self.records.add("reservations", number, reservation)
        self.records.change("users", user_id)["reservations"].append(number)
        return reservation

    def cancel_reservation(self, reservation_id: str) -> JSON:
        reservation = self.records.change("reservations", reservation_id)
        if reservation.get("status") == "cancelled":
            raise RefusedCallError(f"{reservation_id} is cancelled already")
        refunds = [{"payment_id": p["payment_id"], "amount": -p["amount"]} for p in reservation["payment_history"]]
        reservation["payment_history"] += refunds
        reservation["status"] = "cancelled"
        return reservation

    def update_reservation_flights(self, reservation_id: str, cabin: str, flights: list[JSON], payment_id: str) -> JSON:
        """Flights that are kept in the same cabin keep their price."""
        before = self.records.get("reservations", reservation_id)
        kept = {(f["flight_number"], f["date"]): f for f in before["flights"] if cabin == before["cabin"]}
        people = len(before["passengers"])
        booked = [kept.get((f["flight_number"], f["date"])) or self._booked(f, cabin, people) for f in flights]
        difference = people * (sum(f["price"] for f in booked) - sum(f["price"] for f in before["flights"]))
        self._settle(reservation_id, payment_id, difference)
        reservation = self.records.change("reservations", reservation_id)
        reservation["cabin"], reservation["flights"] = cabin, booked
        return reservation

    def update_reservation_passengers(self, reservation_id: str, passengers: list[JSON]) -> JSON:
        before = self.records.get("reservations", reservation_id)
        if len(passengers) != len(before["passengers"]):
            raise RefusedCallError(f"{reservation_id} has {len(before['passengers'])} passengers")
        reservation = self.records.change("reservations", reservation_id)
        reservation["passengers"] = passengers
        return reservation

    def update_reservation_baggages(
        self, reservation_id: str, total_baggages: int, nonfree_baggages: int, payment_id: str
    ) -> JSON:
        before = self.records.get("reservations", reservation_id)
        self._settle(reservation_id, payment_id, BAG * max(0, nonfree_baggages - before["nonfree_baggages"]))
        reservation = self.records.change("reservations", reservation_id)
        reservation["total_baggages"], reservation["nonfree_baggages"] = total_baggages, nonfree_baggages
        return reservation

    def send_certificate(self, user_id: str, amount: float) -> str:
        methods = self.records.change("users", user_id)["payment_methods"]
        identity = f"certificate_{int(content_id(user_id, sorted(methods), amount)[:8], 16) % 10**7:07}"
        methods[identity] = {"source": "certificate", "amount": amount, "id": identity}
        return f"{identity} over {amount} is added to {user_id}"

    def _settle(self, reservation_id: str, payment_id: str, amount: float) -> None:
        """Pays, or below 0 refunds; a certificate does neither here."""
        user_id = self.records.get("reservations", reservation_id)["user_id"]
        if self._affordable(user_id, payment_id, amount)["source"] == "certificate":
            raise RefusedCallError("a certificate cannot pay for a change")
        if amount:
            reservation = self.records.change("reservations", reservation_id)
            reservation["payment_history"].append({"payment_id": payment_id, "amount": money(amount)})
            self._pay(user_id, payment_id, amount)

    def _affordable(self, user_id: str, payment_id: str, amount: float) -> JSON:
        method: JSON | None = self.records.get("users", user_id)["payment_methods"].get(payment_id)
        if method is None:
            raise RefusedCallError(f"{payment_id!r} is no payment method of {user_id}")
        if method["source"] != "credit_card" and method["amount"] < amount:
            raise RefusedCallError(f"{payment_id} holds {method['amount']}, {money(amount)} is due")
        return method

    def _pay(self, user_id: str, payment_id: str, amount: float) -> None:
        """A gift card is lowered, a certificate is used up. A refund takes 5 to 7 business days."""
        methods = self.records.change("users", user_id)["payment_methods"]
        source = methods[payment_id]["source"]
        if source == "gift_card" and amount > 0:
            methods[payment_id]["amount"] = money(methods[payment_id]["amount"] - amount)
        elif source == "certificate":
            del methods[payment_id]

    def _day(self, flight_number: str, date: str) -> JSON:
        found: JSON | None = self.records.get("flights", flight_number)["dates"].get(date)
        if found is None:
            raise RefusedCallError(f"{flight_number} does not fly on {date}")
        return found

    def _booked(self, wanted: JSON, cabin: str, people: int) -> JSON:
        number, date = wanted["flight_number"], wanted["date"]
        day, flight = self._day(number, date), self.records.get("flights", number)
        if day["status"] != "available":
            raise RefusedCallError(f"{number} on {date} is {day['status']}")
        if day["available_seats"][cabin] < people:
            raise RefusedCallError(f"{number} on {date} has {day['available_seats'][cabin]} seats in {cabin}")
        ends = {"origin": flight["origin"], "destination": flight["destination"]}
        return {**ends, "flight_number": number, "date": date, "price": day["prices"][cabin]}


def _open(flight: JSON, date: str) -> bool:
    return bool(flight["dates"].get(date, {}).get("status") == "available")


def _shown(flight: JSON, date: str) -> JSON:
    day = flight["dates"][date]
    about = {key: value for key, value in flight.items() if key != "dates"}
    return {**about, "date": date, "available_seats": day["available_seats"], "prices": day["prices"]}


def _next_day(date: str) -> str:
    return (Day.fromisoformat(date) + timedelta(days=1)).isoformat()
