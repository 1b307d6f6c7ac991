"""From pairs of times to a score and its spread."""
import math
from dataclasses import dataclass, replace
from statistics import mean, median, stdev

WORTH = .01  # a gain below this is not worth a row
LOSS = .05   # a shape that loses more than this beyond its spread rules a candidate out


@dataclass(frozen=True)
class RowScore:
    """Of one shape: how many times faster the candidate is, as a logarithm with two standard errors."""
    name: str
    weight: float
    bytes: int
    gain: float
    spread: float
    default_seconds: float
    candidate_seconds: float
    roof_seconds: float

    @property
    def ratio(self):
        return math.exp(self.gain)


@dataclass(frozen=True)
class Score:
    gain: float
    spread: float
    rows: tuple

    @property
    def ratio(self):
        return math.exp(self.gain)

    @property
    def losers(self):
        return [row for row in self.rows if row.gain + row.spread < -LOSS]

    def wins(self):
        return self.gain > max(self.spread, WORTH) and not self.losers

    def why_not(self):
        if self.losers:
            worst = min(self.losers, key=lambda row: row.gain)
            return f"{worst.name} at {worst.ratio:.3f} of the default's speed"
        if abs(self.gain) <= self.spread:
            return "within noise"
        return "slower when measured anew" if self.gain < 0 else f"only {self.ratio - 1:.1%} faster"


def score_row(said):
    """Of what the runner prints for a row."""
    gains = [math.log(default / candidate) for default, candidate in said["pairs"]]
    middle = median(gains)
    # The median's standard error, its scale from the median deviation: a call that another process
    # interrupts counts no more than any other.
    scale = 1.4826 * median(abs(gain - middle) for gain in gains)
    error = 1.2533 * scale / math.sqrt(len(gains))
    return RowScore(said["row"], said["weight"], said["bytes"], middle, 2 * error,
                    median(pair[0] for pair in said["pairs"]), median(pair[1] for pair in said["pairs"]),
                    said.get("roof", 0))


def combine(rows):
    """The weighted geometric mean of rows."""
    weight = sum(row.weight for row in rows)
    gain = sum(row.weight * row.gain for row in rows) / weight
    spread = math.sqrt(sum((row.weight * row.spread) ** 2 for row in rows)) / weight
    return Score(gain, spread, tuple(rows))


def pool_row(rows):
    """One shape in several processes: the spread is theirs where it is more than what each of them saw."""
    gains = [row.gain for row in rows]
    within = math.sqrt(sum(row.spread ** 2 for row in rows)) / len(rows)
    between = 2 * stdev(gains) / math.sqrt(len(rows))
    middle = {name: median(getattr(row, name) for row in rows)
              for name in ("default_seconds", "candidate_seconds", "roof_seconds")}
    return replace(rows[0], gain=mean(gains), spread=max(within, between), **middle)


def pool(scores):
    """Of several processes. Where operands lie in the caches changes from one to the next (pixels_to_batch_u8:
    ratios of 1.20 to 1.55, each with a spread of .02), which no number of pairs in one of them shows."""
    return combine([pool_row(rows) for rows in zip(*(score.rows for score in scores))])


def share_of_roof(rows, seconds):
    """Geometric mean of the roof's time over `seconds(row)`; None where no roof was measured."""
    known = [row for row in rows if row.roof_seconds > 0]
    if not known:
        return None
    weight = sum(row.weight for row in known)
    return math.exp(sum(row.weight * math.log(row.roof_seconds / seconds(row)) for row in known) / weight)
