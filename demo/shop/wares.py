"""The words that the sample catalogue is made of."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

RANGES = ("Alder", "Brook", "Cove", "Dale", "Ember", "Fell", "Grove", "Heath", "Isle", "Marsh", "Orchard", "Tarn")
COLOURS = ("black", "chalk", "indigo", "moss", "natural", "plum", "rust", "slate")

# Category: materials, and what is made of them.
WARES = {
    "Kitchen": (
        (("copper", "enamel", "iron", "steel"), ("colander", "ladle", "saucepan", "stockpot")),
        (("ash", "beech", "oak", "walnut"), ("chopping board", "rolling pin", "serving tray", "spoon")),
    ),
    "Tea & Coffee": (
        (("glass", "porcelain", "stoneware", "terracotta"), ("cup", "jug", "mug", "teapot")),
        (("brass", "copper", "steel", "tin"), ("caddy", "coffee scoop", "kettle", "tea strainer")),
    ),
    "Stationery": (
        (("cotton paper", "kraft paper", "rag paper", "recycled"), ("album", "notebook", "sketchbook", "writing pad")),
        (("canvas", "cork", "felt", "leather"), ("card case", "desk pad", "folder", "pen roll")),
    ),
    "Garden": (
        (("cedar", "clay", "wicker", "zinc"), ("herb pot", "planter", "trough", "window box")),
        (("ash", "bronze", "forged steel", "stainless"), ("bulb planter", "dibber", "hand fork", "trowel")),
    ),
    "Lighting": (
        (("brass", "glass", "porcelain", "spun steel"), ("desk lamp", "floor lamp", "lantern", "wall lamp")),
        (("bamboo", "linen", "paper", "rattan"), ("bedside lamp", "lampshade", "pendant", "table lamp")),
    ),
    "Textiles": (
        (("alpaca", "lambswool", "merino", "mohair"), ("blanket", "cushion", "scarf", "throw")),
        (("cotton", "hemp", "linen", "ramie"), ("apron", "napkin", "tablecloth", "tea towel")),
    ),
    "Workshop": (
        (("ash", "beech", "hornbeam", "oak"), ("mallet", "marking gauge", "stool", "tool box")),
        (("canvas", "duck cotton", "leather", "waxed cotton"), ("chisel roll", "tool apron", "tool bag", "work glove")),
    ),
    "Bath": (
        (("cotton", "linen", "terry", "waffle cotton"), ("bath mat", "bath sheet", "face cloth", "hand towel")),
        (("bamboo", "brass", "ceramic", "teak"), ("bath rack", "shelf", "soap dish", "toothbrush stand")),
    ),
}

TAGS = ("gift", "handmade", "last chance", "new", "recycled", "repairable", "small batch")

# What customers say, by rating.
OPINIONS = {
    1: ("Arrived broken, and it took two letters to say so.", "Not what the picture promised."),
    2: ("The finish wore off within a month.", "Smaller than I thought. I sent it back."),
    3: ("Does what it should, no more.", "Decent, though the colour is duller than on the page."),
    4: ("Sturdy and well made. Delivery took a while.", "Used every day and still like new.", "Good value."),
    5: ("Exactly right. I bought a second one for my sister.", "A pleasure to use.", "Made to last. Thank you."),
}


@dataclass(frozen=True)
class Ware:
    """A product before it has a price."""

    category: str
    name: str
    description: str


def wares() -> list[Ware]:
    """Every product that the words make, category by category."""
    return [
        Ware(
            category=category,
            name=f"{line} {material} {noun}, {colour}",
            description=f"A {noun} in {material}, {colour}, from the {line} range. Made to be used daily and repaired.",
        )
        for category, groups in WARES.items()
        for materials, nouns in groups
        for line, material, noun, colour in product(RANGES, materials, nouns, COLOURS)
    ]
