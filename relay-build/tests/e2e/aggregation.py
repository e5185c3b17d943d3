"""What aggregations must come to, computed without any of the relay's code: from carbon-relay-ng's documentation, with
Python's own numbers. Reads `arrival TAB line` on stdin, prints [[metric, timestamp, value], ...]."""

import json, re, statistics, sys

RULES = [
    # regex, output, {suffix: function}, interval, wait, whether the raw line goes no further
    (r"^web\.[^.]+\.(hits|bytes)$", r"sum.\1", {"": "sum"}, 10, 30, False),
    (r"^web\.([a-z]+)[0-9]+\.latency$", r"latency.\1", {".avg": "avg", ".max": "max", ".count": "count", ".p50": 50, ".p90": 90, ".stdev": "stdev"}, 60, 90, True),
    (r"^counter\.(.*)$", r"delta.\1", {"": "delta"}, 30, 40, False),
]


def percentile(values, p):
    values = sorted(values)
    rank = p / 100 * (len(values) + 1)
    whole = int(rank)
    if rank < 1:
        return values[0]
    if whole >= len(values):
        return values[-1]
    return values[whole - 1] + (rank - whole) * (values[whole] - values[whole - 1])


FUNCTIONS = {
    "sum": lambda values: float(sum(map(as_fraction, values))),
    "avg": lambda values: float(sum(map(as_fraction, values)) / len(values)),
    "max": max,
    "count": len,
    "delta": lambda values: max(values) - min(values),
    "stdev": statistics.pstdev,
}


def as_fraction(value):
    from fractions import Fraction

    return Fraction(value)


points, buckets = {}, {}
for line in sys.stdin:
    arrival, text = line.rstrip("\n").split("\t")
    name, value, timestamp = text.split()
    arrival, value, timestamp = int(float(arrival)), float(value), int(timestamp)
    is_hidden = False
    for number, (regex, output, functions, interval, wait, hides) in enumerate(RULES):
        found = re.search(regex, name)
        if not found or is_hidden:
            continue
        bucket = timestamp - timestamp % interval
        key = (number, found.expand(output), bucket)
        # Ticks are at bucket + wait; what comes after its bucket's tick is late.
        if bucket + wait > arrival:
            buckets.setdefault(key, []).append(value)
        is_hidden = hides
    if not is_hidden:
        points[name, timestamp] = value

for (number, output, bucket), values in buckets.items():
    for suffix, function in RULES[number][2].items():
        result = percentile(values, function) if isinstance(function, int) else FUNCTIONS[function](values)
        points[output + suffix, bucket] = result

json.dump([[metric, timestamp, value] for (metric, timestamp), value in points.items()], sys.stdout)
