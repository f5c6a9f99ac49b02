"""What an answer costs, worked out a second time: from upstream's documented usage and the price file, in exact fractions, and
without a look at the program. Money is nano-dollars, rounded half up once.

    prices = costs.Prices()
    usage = costs.usage_of("chat/completions", json.loads(body))
    assert charged == costs.nano_dollars(usage, prices.find("gpt-4o"))
"""
import json
import math
import pathlib
from fractions import Fraction

FILE = pathlib.Path(__file__).parents[2] / "config" / "prices.json"

# Parts of the input and of the output that may have a price of their own; where they overlap, the first takes its share first.
INPUT_PARTS = ("cached", "cache_write", "audio_input", "image_input")
OUTPUT_PARTS = ("audio_output", "image_output")


class Prices:
    """A price file, `overrides` (the same form) laid over it entry by entry."""

    def __init__(self, file=FILE, overrides=None):
        table = exact(pathlib.Path(file).read_text())
        over = exact(json.dumps(overrides)) if overrides else {}
        self.tiers = {**table.get("tiers", {}), **over.get("tiers", {})}
        self.fallback = over.get("fallback", table["fallback"])
        self.models = {**named(table), **named(over)}

    def find(self, model):
        """The entry of exactly that name, else of the longest that it continues, else the fallback."""
        if model.startswith("ft:"):
            model = model.split(":")[1]
        fitting = [name for name in self.models if model == name or model.startswith(tuple(name + mark for mark in "-:@"))]
        price = self.models[max(fitting, key=len)] if fitting else self.fallback
        return {**price, "tiers": {**self.tiers, **price.get("tiers", {})}}


def exact(text):
    return json.loads(text, parse_float=Fraction)


def named(table):
    return {name: price for entry, price in table.get("models", {}).items() for name in (entry, *price.get("aliases", ()))}


def nano_dollars(usage, price, rate=1):
    """`usage` holds any of input, output, their parts, seconds, characters, images, image_kind, tier; `rate` is the account's
    factor on list prices."""
    total = tokens_cost(usage, price) + units_cost(usage, price)
    total *= price["tiers"].get(usage.get("tier"), 1)
    return math.floor(total * Fraction(rate) * 10**9 + Fraction(1, 2))


def tokens_cost(usage, price):
    long = price.get("long")
    is_long = long is not None and count(usage, "input") > long["from"]
    total = Fraction(0)
    for whole, parts in (("input", INPUT_PARTS), ("output", OUTPUT_PARTS)):
        left, cost = count(usage, whole), Fraction(0)
        for part in parts:
            share = min(left, count(usage, part))
            left -= share
            cost += share * Fraction(price.get(part, price.get(whole, 0)))
        cost += left * Fraction(price.get(whole, 0))
        total += cost * (long[whole] if is_long else 1)
    return total / 10**6


def units_cost(usage, price):
    """What is metered by the piece: seconds heard, characters spoken, pictures made."""
    total = max(Fraction(usage.get("seconds", 0)), 0) * price.get("second", 0)
    total += Fraction(count(usage, "characters"), 10**6) * price.get("million_characters", 0)
    if usage.get("images"):
        total += count(usage, "images") * image_price(price["images"], usage.get("image_kind", "/"))
    return total


def image_price(images, kind):
    """`kind` is `quality/size`."""
    quality, size = kind.split("/")
    return next(images[name] for name in (kind, size, quality, "default") if name in images)


def count(usage, name):
    """A number of things: never negative, whatever upstream may say."""
    value = usage.get(name, 0)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return max(0, int(value)) if is_number and math.isfinite(value) else 0


# Usage as upstream writes it.


def usage_of(endpoint, answer):
    """The usage in a JSON answer, or in the event that ends a stream; None where it tells none."""
    body = answer.get("response", answer)
    told = body.get("usage")
    if told is None and isinstance(body.get("duration"), (int, float)):
        told = {"type": "duration", "seconds": body["duration"]}
    if told is None:
        return None
    if told.get("type") == "duration":
        return {"seconds": Fraction(str(told["seconds"]))}
    usage = tokens_of(told)
    if endpoint == "audio/speech":
        usage["audio_output"] = usage["output"]
    if body.get("service_tier"):
        usage["tier"] = body["service_tier"]
    return usage


def tokens_of(told):
    into, out = details(told, "prompt", "input"), details(told, "completion", "output")
    # Cached sound has the price of what is cached, not that of sound.
    kinds = into.get("cached_tokens_details", {})
    return {
        "input": told.get("prompt_tokens", told.get("input_tokens", 0)),
        "cached": into.get("cached_tokens", 0),
        "cache_write": into.get("cache_write_tokens", 0),
        "audio_input": into.get("audio_tokens", 0) - kinds.get("audio_tokens", 0),
        "image_input": into.get("image_tokens", 0) - kinds.get("image_tokens", 0),
        "output": told.get("completion_tokens", told.get("output_tokens", 0)),
        "reasoning": out.get("reasoning_tokens", 0),
        "audio_output": out.get("audio_tokens", 0),
        "image_output": out.get("image_tokens", 0),
    }


def details(told, *sides):
    """Upstream spells them four ways: prompt_ or input_, tokens_ or token_."""
    spellings = [f"{side}_{tokens}_details" for side in sides for tokens in ("tokens", "token")]
    return next((told[name] for name in spellings if told.get(name)), {})


def usage_of_stream(endpoint, text):
    """The same for server-sent events: what the last event with usage tells."""
    found = [usage_of(endpoint, event) for event in events(text)]
    return next((usage for usage in reversed(found) if usage), None)


def events(text):
    """The JSON of each event of a stream."""
    if isinstance(text, bytes):
        text = text.decode()
    data = [line.removeprefix("data:").strip() for line in text.split("\n") if line.startswith("data:")]
    return [json.loads(each) for each in data if each != "[DONE]"]



# What the mock counts where no test asks for other numbers.


def mock_prompt_tokens(body):
    """Of a JSON body: one token for each four bytes, compact and without `stream_options`."""
    plain = {name: value for name, value in body.items() if name != "stream_options"}
    return len(json.dumps(plain, separators=(",", ":"), ensure_ascii=False).encode()) // 4
