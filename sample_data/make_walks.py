"""The made-up files of the walks, docs/walk-*.md: `python sample_data/make_walks.py [FOLDER]` writes them anew.

Nobody measured these numbers. The true values are the constants here, and README.md beside this file repeats them; what
is wrong with the files (words among numbers, two spellings of a label, labels used twice, empty cells) is put in on
purpose. Uniform numbers of the standard library, whose stream Python guarantees, and the inverse of the normal
distribution: every machine writes the same bytes.
"""

from __future__ import annotations

import csv
import math
import random
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import NormalDist

FOLDER = Path(__file__).parent
PUPILS = {
    "Intercept": 48.0, "ses": 3.0, "sector[private]": 3.0, "ses:sector[private]": -1.5, "sd(school)": 3.0,
    "sd(school: ses)": 1.8, "cor(school: Intercept, ses)": -0.3, "sigma": 8.0,
}  # fmt: skip
BIRDS = {
    "Intercept": -2.6, "habitat[meadow]": -0.5, "habitat[wetland]": 0.7, "wind": -0.08, "sd(site)": 0.4, "zi": 0.35
}  # fmt: skip
RATINGS = {
    "freq[low]": -1.2, "sd(subject)": 0.8, "sd(freq:item)": 0.5, "threshold[1|2]": -2.8,
    "threshold[2|3]": -1.3, "threshold[3|4]": 0.2, "threshold[4|5]": 1.7,
}  # fmt: skip
TIMES = {
    "Intercept": 6.35, "freq[low]": 0.12, "sd(subject)": 0.15, "sd(subject: freq[low])": 0.06,
    "cor(subject: Intercept, freq[low])": 0.3, "sd(freq:item)": 0.06, "sigma": 0.22,
}  # fmt: skip
TRIAL = {"Intercept": 1.0, "arm[active]": 0.0, "week": -0.05, "arm[active]:week": -0.14, "sd(patient)": 1.6}


class Chance:
    """Draws of the distributions that the files are made of."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def uniform(self, low: float = 0.0, high: float = 1.0) -> float:
        """A number between two others."""
        return low + (high - low) * self._random.random()

    def normal(self, mean: float = 0.0, sd: float = 1.0) -> float:
        """A normal number."""
        return NormalDist(mean, sd).inv_cdf(min(max(self.uniform(), 1e-12), 1 - 1e-12))

    def pair(self, sds: tuple[float, float], correlation: float) -> tuple[float, float]:
        """Two normal numbers of mean 0 that are correlated."""
        first, second = self.normal(), self.normal()
        return sds[0] * first, sds[1] * (correlation * first + math.sqrt(1 - correlation**2) * second)

    def poisson(self, mean: float) -> int:
        """A count."""
        count, left = 0, self.uniform()
        term = math.exp(-mean)
        while left > term and count < 1000:
            left, count = left - term, count + 1
            term *= mean / count
        return count

    def logistic(self) -> float:
        """A standard logistic number."""
        return _logit(self.uniform(1e-9, 1 - 1e-9))

    def happens(self, probability: float) -> bool:
        """Whether something of this probability happens."""
        return self.uniform() < probability


def pupils(chance: Chance) -> Iterable[Sequence[object]]:
    """40 schools of 6 to 43 pupils; ses NA or "refused" in some rows, some scores missing, a school spelt twice."""
    t = PUPILS
    yield ("pupil", "school", "sector", "ses", "math")
    pupil = 0
    for school in range(1, 41):
        private = school % 5 in (0, 3)
        u0, u1 = chance.pair((t["sd(school)"], t["sd(school: ses)"]), t["cor(school: Intercept, ses)"])
        around = chance.normal(0.3 if private else -0.1, 0.4)
        for _ in range(round(chance.uniform(4, 44))):
            pupil += 1
            ses = round(chance.normal(around, 0.8), 2)
            mean = t["Intercept"] + u0 + t["sector[private]"] * private
            slope = t["ses"] + u1 + t["ses:sector[private]"] * private
            math_score = f"{chance.normal(mean + slope * ses, t['sigma']):.1f}"
            cell = "NA" if chance.happens(0.03) else "refused" if chance.happens(0.015) else f"{ses:.2f}"
            label = "s17" if school == 17 and chance.happens(0.2) else f"S{school:02}"
            yield (pupil, label, "private" if private else "public", cell, "" if chance.happens(0.02) else math_score)


def birds(chance: Chance) -> Iterable[Sequence[object]]:
    """36 sites with up to 8 visits; a visit that was not made is "nv"; habitats with a capital in some rows."""
    t = BIRDS
    yield ("site", "habitat", "visit", "minutes", "wind", "count")
    for site in range(1, 37):
        habitat = ("forest", "meadow", "wetland")[(site - 1) % 3]
        u = chance.normal(0, t["sd(site)"])
        for visit in range(1, round(chance.uniform(4, 8)) + 1):
            minutes = 5 * round(chance.uniform(3, 12))
            wind = round(chance.uniform(0, 12), 1)
            eta = t["Intercept"] + u + t["wind"] * wind + t.get(f"habitat[{habitat}]", 0.0)
            count = 0 if chance.happens(t["zi"]) else chance.poisson(minutes * math.exp(eta))
            made = not chance.happens(0.04)
            shown = habitat.capitalize() if habitat == "meadow" and chance.happens(0.08) else habitat
            yield (f"T{site:02}", shown, visit, minutes, "" if chance.happens(0.02) else wind, count if made else "nv")


def words(chance: Chance) -> Iterable[Sequence[object]]:
    """24 subjects see 12 words of either frequency, numbered 1 to 12; a rt may be "timeout", a rating empty."""
    r, t = RATINGS, TIMES
    thresholds = [r[f"threshold[{c}|{c + 1}]"] for c in range(1, 5)]
    kinds = [(freq, item) for freq in ("high", "low") for item in range(1, 13)]
    items = {kind: (chance.normal(0, t["sd(freq:item)"]), chance.normal(0, r["sd(freq:item)"])) for kind in kinds}
    yield ("subject", "freq", "item", "rt", "rating")
    for subject in range(1, 25):
        sds = (t["sd(subject)"], t["sd(subject: freq[low])"])
        u0, u1 = chance.pair(sds, t["cor(subject: Intercept, freq[low])"])
        liking = chance.normal(0, r["sd(subject)"])
        for kind in kinds:
            low = kind[0] == "low"
            log_rt = t["Intercept"] + u0 + (t["freq[low]"] + u1) * low + items[kind][0]
            rt = f"{math.exp(chance.normal(log_rt, t['sigma'])):.0f}"
            latent = r["freq[low]"] * low + liking + items[kind][1] + chance.logistic()
            rating = 1 + sum(latent > threshold for threshold in thresholds)
            seen = ("timeout" if chance.happens(0.02) else rt, "" if chance.happens(0.02) else rating)
            yield (f"P{subject:02}", *kind, *seen)


def trial(chance: Chance) -> Iterable[Sequence[object]]:
    """150 patients seen at weeks 0, 4, 8 and 12 until they drop out; the answer may be "unknown"."""
    t = TRIAL
    yield ("patient", "arm", "week", "symptoms")
    for patient in range(1, 151):
        active = chance.happens(0.5)
        u = chance.normal(0, t["sd(patient)"])
        for week in (0, 4, 8, 12):
            if week and chance.happens(0.06):
                break
            eta = t["Intercept"] + u + t["arm[active]"] * active + (t["week"] + t["arm[active]:week"] * active) * week
            answer = "yes" if eta + chance.logistic() > 0 else "no"
            yield (patient, "active" if active else "placebo", week, "unknown" if chance.happens(0.02) else answer)


FILES = {"pupils": (pupils, 7), "birds": (birds, 54), "words": (words, 11), "trial": (trial, 35)}


def write(folder: Path) -> None:
    """Write all files into a folder."""
    for name, (rows, seed) in FILES.items():
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows(rows(Chance(seed)))


def _logit(p: float) -> float:
    return math.log(p / (1 - p))


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
