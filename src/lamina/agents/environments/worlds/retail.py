"""The retail desk of tau-bench (Yao et al., arXiv 2406.12045): its tools, written anew from the policy and the data.

Amounts are in dollars. A refused call changes nothing."""

from __future__ import annotations

from collections import Counter
from typing import Any

from lamina.agents.environments.environment import RefusedCallError, described
from lamina.agents.environments.worlds.records import Records, money
from lamina.tools.tool import JSON, Tool

TABLES = ("products", "users", "orders")
REASONS = ("no longer needed", "ordered by mistake")
_ORDER = "string: Such as '#W0000000', the # included."
_PAYMENT = "string: Such as 'gift_card_0000000', one of the user's."
_ITEMS: JSON = {"type": "array", "items": {"type": "string"}, "minItems": 1}
_OLD: JSON = {**_ITEMS, "description": "Items of the order, one as often as it is meant."}
_NEW: JSON = {**_ITEMS, "description": "In the order of item_ids: what comes instead, another option of one product."}
_ADDRESS = {
    "address1": "string: Street and number.",
    "address2": "string: Flat or suite, empty without.",
    "city": "string: The city.",
    "state": "string: Such as 'CA'.",
    "country": "string: Such as 'USA'.",
    "zip": "string: The zip code.",
}


def tools() -> list[Tool]:
    return [
        described("find_user_id_by_email", "Find a user by email.", email="string: The email."),
        described(
            "find_user_id_by_name_zip",
            "Find a user by name and zip code.",
            first_name="string: The first name.",
            last_name="string: The last name.",
            zip="string: The zip code.",
        ),
        described("get_user_details", "A user's profile and orders.", user_id="string: The user id."),
        described("get_order_details", "Status, items and payments of an order.", order_id=_ORDER),
        described("get_product_details", "The variants of a product.", product_id="string: Not an item's id."),
        described("list_all_product_types", "Names and ids of all products."),
        described(
            "cancel_pending_order",
            "Cancel a pending order; the user has to have confirmed it.",
            order_id=_ORDER,
            reason=REASONS,
        ),
        described("modify_pending_order_address", "Change where a pending order goes.", order_id=_ORDER, **_ADDRESS),
        described(
            "modify_pending_order_items",
            "Change items of a pending order to other options, all at once: it can be done once.",
            order_id=_ORDER,
            item_ids=_OLD,
            new_item_ids=_NEW,
            payment_method_id=_PAYMENT,
        ),
        described(
            "modify_pending_order_payment",
            "Pay a pending order another way.",
            order_id=_ORDER,
            payment_method_id=_PAYMENT,
        ),
        described(
            "modify_user_address",
            "Change a user's default address.",
            user_id="string: The user id.",
            **_ADDRESS,
        ),
        described(
            "return_delivered_order_items",
            "Return items of a delivered order; the refund goes to how it was paid, or to a gift card.",
            order_id=_ORDER,
            item_ids=_OLD,
            payment_method_id=_PAYMENT,
        ),
        described(
            "exchange_delivered_order_items",
            "Exchange items of a delivered order for other options, all at once: it can be done once.",
            order_id=_ORDER,
            item_ids=_OLD,
            new_item_ids=_NEW,
            payment_method_id=_PAYMENT,
        ),
    ]


class Retail:
    """One episode's desk. Every method is the tool of its name."""

    def __init__(self, records: Records) -> None:
        self.records = records

    def find_user_id_by_email(self, email: str) -> str:
        return self._user(lambda user: user["email"].lower() == email.strip().lower())

    def find_user_id_by_name_zip(self, first_name: str, last_name: str, zip: str) -> str:
        wanted = (first_name.strip().lower(), last_name.strip().lower(), zip.strip())
        return self._user(
            lambda user: (
                (user["name"]["first_name"].lower(), user["name"]["last_name"].lower(), user["address"]["zip"])
                == wanted
            )
        )

    def _user(self, fits: Any) -> str:
        found = next((user for user in self.records.every("users") if fits(user)), None)
        if found is None:
            raise RefusedCallError("no such user is found")
        return str(found["user_id"])

    def get_user_details(self, user_id: str) -> JSON:
        return self.records.get("users", user_id)

    def get_order_details(self, order_id: str) -> JSON:
        return self.records.get("orders", order_id)

    def get_product_details(self, product_id: str) -> JSON:
        return self.records.get("products", product_id)

    def list_all_product_types(self) -> JSON:
        return {p["name"]: p["product_id"] for p in sorted(self.records.every("products"), key=lambda p: p["name"])}

    def cancel_pending_order(self, order_id: str, reason: str) -> JSON:
        self._of_status(order_id, "pending")
        order = self.records.change("orders", order_id)
        for paid in [p for p in order["payment_history"] if p["transaction_type"] == "payment"]:
            self._book(order, paid["payment_method_id"], -paid["amount"])
        order["status"], order["cancel_reason"] = "cancelled", reason
        return order

    def modify_pending_order_address(self, order_id: str, **address: str) -> JSON:
        """Also after items were changed: that bars changing items and cancelling (tau2-bench's reading)."""
        self._pending(order_id)
        order = self.records.change("orders", order_id)
        order["address"] = address
        return order

    def modify_user_address(self, user_id: str, **address: str) -> JSON:
        user = self.records.change("users", user_id)
        user["address"] = address
        return user

    def modify_pending_order_payment(self, order_id: str, payment_method_id: str) -> JSON:
        order = self._pending(order_id)
        paid = order["payment_history"]
        if len(paid) != 1:
            raise RefusedCallError("the order has more than one payment")
        before, amount = paid[0]["payment_method_id"], paid[0]["amount"]
        if before == payment_method_id:
            raise RefusedCallError("the order is paid this way already")
        self._affordable(order["user_id"], payment_method_id, amount)
        order = self.records.change("orders", order_id)
        self._book(order, payment_method_id, amount)
        self._book(order, before, -amount)
        return order

    def modify_pending_order_items(
        self, order_id: str, item_ids: list[str], new_item_ids: list[str], payment_method_id: str
    ) -> JSON:
        order = self._of_status(order_id, "pending")
        difference, changes = self._exchange(order, item_ids, new_item_ids, payment_method_id)
        order = self.records.change("orders", order_id)
        if difference:
            self._book(order, payment_method_id, difference)
        for old, new in changes:
            place = next(i for i, item in enumerate(order["items"]) if item["item_id"] == old)
            order["items"][place] |= {"item_id": new["item_id"], "price": new["price"], "options": new["options"]}
        order["items"].sort(key=lambda item: item["item_id"])
        order["status"] = "pending (item modified)"
        return order

    def exchange_delivered_order_items(
        self, order_id: str, item_ids: list[str], new_item_ids: list[str], payment_method_id: str
    ) -> JSON:
        order = self._of_status(order_id, "delivered")
        difference, changes = self._exchange(order, item_ids, new_item_ids, payment_method_id)
        order = self.records.change("orders", order_id)
        order["status"] = "exchange requested"
        order["exchange_items"] = sorted(old for old, _ in changes)
        order["exchange_new_items"] = sorted(new["item_id"] for _, new in changes)
        order["exchange_payment_method_id"], order["exchange_price_difference"] = payment_method_id, difference
        return order

    def return_delivered_order_items(self, order_id: str, item_ids: list[str], payment_method_id: str) -> JSON:
        order = self._of_status(order_id, "delivered")
        self._holds(order, item_ids)
        method = self._method(order["user_id"], payment_method_id)
        originally = order["payment_history"][0]["payment_method_id"]
        if method["source"] != "gift_card" and payment_method_id != originally:
            raise RefusedCallError(f"the refund goes to {originally} or to a gift card")
        order = self.records.change("orders", order_id)
        order["status"] = "return requested"
        order["return_items"], order["return_payment_method_id"] = sorted(item_ids), payment_method_id
        return order

    def _exchange(
        self, order: JSON, item_ids: list[str], new_item_ids: list[str], payment_method_id: str
    ) -> tuple[float, list[tuple[str, JSON]]]:
        """What it costs, and (old id, new variant) of each item."""
        self._holds(order, item_ids)
        if len(item_ids) != len(new_item_ids):
            raise RefusedCallError(f"{len(item_ids)} items for {len(new_item_ids)}: it has to be one for one")
        changes, difference = [], 0.0
        for old_id, new_id in zip(item_ids, new_item_ids, strict=True):
            old = next(item for item in order["items"] if item["item_id"] == old_id)
            new = self.records.get("products", old["product_id"])["variants"].get(new_id)
            if new is None or not new["available"]:
                raise RefusedCallError(f"item {new_id} is no available variant of {old['name']}")
            difference += new["price"] - old["price"]
            changes.append((old_id, new))
        self._affordable(order["user_id"], payment_method_id, difference)
        return money(difference), changes

    def _pending(self, order_id: str) -> JSON:
        order = self.records.get("orders", order_id)
        if not order["status"].startswith("pending"):
            raise RefusedCallError(f"order {order_id} is {order['status']}, not pending")
        return order

    def _of_status(self, order_id: str, status: str) -> JSON:
        order = self.records.get("orders", order_id)
        if order["status"] != status:
            raise RefusedCallError(f"order {order_id} is {order['status']}, not {status}")
        return order

    def _holds(self, order: JSON, item_ids: list[str]) -> None:
        missing = Counter(item_ids) - Counter(item["item_id"] for item in order["items"])
        if missing:
            raise RefusedCallError(f"order {order['order_id']} does not hold {', '.join(sorted(missing))}")

    def _method(self, user_id: str, payment_method_id: str) -> JSON:
        method: JSON | None = self.records.get("users", user_id)["payment_methods"].get(payment_method_id)
        if method is None:
            raise RefusedCallError(f"{payment_method_id!r} is no payment method of {user_id}")
        return method

    def _affordable(self, user_id: str, payment_method_id: str, amount: float) -> None:
        method = self._method(user_id, payment_method_id)
        if method["source"] == "gift_card" and method["balance"] < money(amount):
            raise RefusedCallError(f"the balance of {payment_method_id} is {method['balance']}")

    def _book(self, order: JSON, payment_method_id: str, amount: float) -> None:
        """A payment, or below 0 a refund; on a gift card at once."""
        kind = "payment" if amount >= 0 else "refund"
        booked = {"transaction_type": kind, "amount": money(abs(amount)), "payment_method_id": payment_method_id}
        order["payment_history"].append(booked)
        if self._method(order["user_id"], payment_method_id)["source"] == "gift_card":
            card = self.records.change("users", order["user_id"])["payment_methods"][payment_method_id]
            card["balance"] = money(card["balance"] - amount)
