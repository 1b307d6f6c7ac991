#!/usr/bin/env python3
"""Makes feature_log.jsonl: impressions of a made-up shop, as its recommender would log them.

    python3 make_feature_log.py > feature_log.jsonl

One JSON object a line. A feature that an impression does not have is not there. Ids follow Zipf's law,
lengths of lists and maps are log-normal, and a few users have done far more than all others, as in
logs of real recommenders. The seed is fixed: every run writes the same bytes.
"""

import itertools
import json
import math
import random

EXAMPLES = 480
ITEMS = 20000
CATEGORIES = 300
SHOPS = 900
WORDS = (
    "red blue green black white light warm wool cotton linen leather steel oak glass small large long "
    "short kids women men shoes boots shirt jacket dress coat hat bag lamp chair table shelf rug bowl "
    "cup pan knife watch phone case cable camera lens bike helmet tent rope café naïve Größe 靴 椅子"
).split()

rng = random.Random(20260101)


def zipf(count, exponent=1.1):
    """Draws ranks 0 … count - 1, each with a weight of 1 / (rank + 1) ** exponent."""
    total = list(itertools.accumulate((rank + 1) ** -exponent for rank in range(count)))
    return lambda: rng.choices(range(count), cum_weights=total)[0]


item, category, shop, word = zipf(ITEMS), zipf(CATEGORIES), zipf(SHOPS), zipf(len(WORDS), 0.8)


def length(median, sigma, most):
    """Log-normal around `median`."""
    return min(int(rng.lognormvariate(math.log(median), sigma)), most)


def present(probability):
    return rng.random() < probability


def amount(low, high):
    return round(rng.uniform(low, high), 2)


def impression():
    heavy = present(0.02)  # users who click all day
    log = {}

    def add(name, probability, value):
        if present(probability):
            log[name] = value()

    # Context and item: numbers.
    add("hour", 1.0, lambda: rng.randrange(24))
    add("position", 1.0, lambda: min(int(rng.expovariate(0.2)), 50))
    add("price", 0.9, lambda: round(rng.lognormvariate(3, 1), 2))
    add("dwell", 0.4, lambda: round(rng.lognormvariate(2, 1.5), 1))
    # User: numbers.
    add("age", 0.6, lambda: min(max(int(rng.gauss(37, 13)), 16), 99))
    add("rate", 0.8, lambda: round(rng.betavariate(1, 30), 4))
    add("days", 0.95, lambda: int(rng.expovariate(1 / 400)))
    # User: lists of items.
    add("clicked", 0.85, lambda: [item() for _ in range(length(90 if heavy else 5, 0.9, 300))])
    add("bought", 0.3, lambda: [item() for _ in range(length(2, 0.8, 40))])
    # Item: lists.
    add("categories", 0.97, lambda: [category() for _ in range(length(2, 0.5, 8))])
    add("similar", 0.7, lambda: [item() for _ in range(length(6, 0.5, 20))])
    # User and item: maps from an id to a number.
    add("affinity", 0.6, lambda: {str(category()): amount(0, 1) for _ in range(length(3, 0.7, 30))})
    add("recency", 0.4, lambda: {str(item()): amount(0, 90) for _ in range(length(2, 0.7, 20))})
    add("offers", 0.8, lambda: {str(shop()): amount(1, 200) for _ in range(length(2, 0.7, 15))})
    # Texts.
    add("query", 0.5, lambda: [WORDS[word()] for _ in range(length(2, 0.5, 6))])
    add("title", 1.0, lambda: [WORDS[word()] for _ in range(1 + length(3, 0.4, 8))])
    return log


for _ in range(EXAMPLES):
    print(json.dumps(impression(), ensure_ascii=False, separators=(",", ":")))
