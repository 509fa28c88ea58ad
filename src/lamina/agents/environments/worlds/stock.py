"""The stock of the shop: products drawn from a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass

KINDS: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "running shoes": (
        "Clothing › Shoes › Athletic",
        ("breathable", "slip resistant", "lightweight", "memory foam", "waterproof"),
        ("7", "8", "9", "10"),
    ),
    "snow boots": (
        "Clothing › Shoes › Winter",
        ("waterproof", "faux fur lined", "rubber sole", "insulated", "easy zip"),
        ("6", "7", "8", "9"),
    ),
    "desk lamp": (
        "Home › Lighting › Desk",
        ("dimmable", "usb powered", "eye caring", "adjustable arm", "touch control"),
        ("small", "large"),
    ),
    "floor lamp": (
        "Home › Lighting › Floor",
        ("dimmable", "remote controlled", "tall", "adjustable arm", "energy saving"),
        ("short", "tall"),
    ),
    "bath towel": (
        "Home › Bathroom › Towels",
        ("quick drying", "super absorbent", "organic cotton", "machine washable", "extra soft"),
        ("small", "medium", "large"),
    ),
    "shower curtain": (
        "Home › Bathroom › Curtains",
        ("mildew resistant", "machine washable", "weighted hem", "water repellent", "rust proof"),
        ("narrow", "wide"),
    ),
    "oolong tea": (
        "Grocery › Beverages › Tea",
        ("usda organic", "hand crafted", "caffeine free", "loose leaf", "high mountain"),
        ("50 g", "100 g", "250 g"),
    ),
    "ground coffee": (
        "Grocery › Beverages › Coffee",
        ("dark roast", "fair trade", "usda organic", "low acid", "single origin"),
        ("250 g", "500 g"),
    ),
    "face cream": (
        "Beauty › Skin Care › Face",
        ("fragrance free", "cruelty free", "anti aging", "with hyaluronic acid", "for sensitive skin"),
        ("30 ml", "50 ml"),
    ),
    "hair mask": (
        "Beauty › Hair Care › Masks",
        ("sulfate free", "paraben free", "deep repairing", "with argan oil", "for curly hair"),
        ("100 ml", "200 ml"),
    ),
    "usb microphone": (
        "Electronics › Audio › Microphones",
        ("noise cancelling", "plug and play", "with tripod", "low latency", "gain control"),
        ("mini", "full size"),
    ),
    "bluetooth speaker": (
        "Electronics › Audio › Speakers",
        ("water resistant", "stereo sound", "long lasting battery", "hands free", "deep bass"),
        ("pocket", "tower"),
    ),
}
COLOURS = ("black", "white", "navy", "wine red", "mint green", "grey", "salmon", "purple")
BRANDS = ("Alvero", "Bramtex", "Corlando", "Dimaro", "Elvento", "Fjordal", "Grentona", "Hestra")
PER_KIND = 50


@dataclass(frozen=True)
class Product:
    id: str
    title: str
    kind: str
    category: str
    attributes: tuple[str, ...]
    options: dict[str, tuple[str, ...]]
    price: float


def draw_products(chance: random.Random) -> list[Product]:
    found = []
    identities = iter(chance.sample(range(10**6, 10**7), PER_KIND * len(KINDS)))
    for kind, (category, attributes, sizes) in KINDS.items():
        for _ in range(PER_KIND):
            own = tuple(chance.sample(attributes, chance.randint(2, 4)))
            colours = tuple(chance.sample(COLOURS, chance.randint(2, 5)))
            some = tuple(s for s in sizes if chance.random() < 0.8) or sizes[:1]
            title = f"{chance.choice(BRANDS)} {kind}, {own[0]}"
            options = {"colour": colours, "size": some}
            price = chance.randint(500, 12000) / 100
            found.append(Product(f"B{next(identities)}", title, kind, category, own, options, price))
    return found
