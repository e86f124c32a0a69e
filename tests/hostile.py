"""What others may write: strategies for files, formulas, priors and options, and the command line that must bear it.

Whatever is given, `bear` sees a valid model (exit code 0) or a refusal in words (2), nothing raw on the screen, and no
warning of a library. HYPOTHESIS_PROFILE=long makes HYPOTHESIS_EXAMPLES of each (default 2,000), random ones.
"""

import contextlib
import gzip
import io
import os
import signal
import unicodedata
import warnings
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from hierfit.cli.app import main
from hierfit.model.priors import DISTRIBUTIONS

CHECKS = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]
LONGEST = timedelta(seconds=20)  # for one model, on a busy machine
_COMMON = {"deadline": None, "suppress_health_check": CHECKS, "print_blob": False}
settings.register_profile("short", max_examples=25, derandomize=True, database=None, **_COMMON)
settings.register_profile("long", max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "2000")), **_COMMON)
PROFILE = settings.get_profile(os.environ.get("HYPOTHESIS_PROFILE", "short"))

CSV = "y,x,n,g,w,a b,z\n" + "".join(
    f"{3 + i % 7}.{i % 4},{i % 11 - 3.5},{i % 3},{'abcd'[i % 4]},{('low', 'mid', 'high')[i % 3]},{i % 5},{i * i % 13}\n"
    for i in range(40)
)
COLUMNS = ("y", "x", "n", "g", "w", "`a b`", "z")
NASTY = (
    "\x1b[31m", "\x1b]0;t\x07", "\x9b2J", "\r", "\n", "\t", "\0", "\x7f", "\x85", "\u202e", "\u2066", "\u2028",
    "\u200b",
    "\ufeff", "\u00ad", "\U000e0041", "[red]", "[/]", "[/red]", "$x^2$", "\\frac", "|", "'", '"', "`", "\udc80", "é",
    "漢",
    "ǁ", "ǂ", "%s", "{0}", "=1+1", "😀", "1e400", "-", "_a", "9" * 400, " ", "nan", "None", "ﬁ", "K",
)  # fmt: skip
TEXTS = st.one_of(
    st.text(max_size=12),
    st.lists(st.one_of(st.sampled_from(NASTY), st.text(max_size=3)), max_size=5).map("".join),
)


def is_raw(letter: str) -> bool:
    """Whether a letter on the screen does something else than be seen."""
    visible = {"\u200c", "\u200d"}  # join letters of some scripts, and parts of emoji
    kinds = ("Cc", "Cs", "Zl", "Zp", "Cf")
    signs = "\u0600" <= letter <= "\u0605" or letter in "\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
    return letter != "\n" and unicodedata.category(letter) in kinds and letter not in visible and not signs


def bear(arguments: Sequence[str], folder: Path) -> int:
    """Run the command line in a folder; return 0 or 2, and assert that there is no other end, and nothing raw."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), _in_time():
        try:
            with patch("hierfit.workflow.estimate", return_value=None), warnings.catch_warnings():
                for kind in (RuntimeWarning, UserWarning):
                    warnings.simplefilter("error", kind)
                main(list(arguments))
        except SystemExit as left:
            code = int(left.code or 0)
    said = out.getvalue() + err.getvalue()
    assert code in (0, 2), said
    raw = {letter for letter in said if is_raw(letter)}
    assert not raw, (raw, said)
    if code == 2:
        assert err.getvalue().startswith("error: ") and len(err.getvalue()) < 5000, said
        assert "Warning" not in said, said
    return code


@contextlib.contextmanager
def _in_time() -> Iterator[None]:
    """Raise in what takes too long."""

    def stop(number: int, frame: object) -> None:
        raise AssertionError(f"longer than {LONGEST}")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(LONGEST.seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def options(formula: str = "y ~ x + (1 | g)", data: str = "data.csv") -> list[str]:
    """Return a fit that samples nothing."""
    return ["fit", data, f"--formula={formula}", "--dry-run"]


CELLS = st.one_of(
    st.sampled_from(
        ["1", "2.5", "-3", "1e3", "a", "b", "NA", "", '"a,b"', '"', '""', "1,5", "TRUE", "inf", " 1 ", "01"]
    ),
    st.integers(-5, 5).map(str),
    st.floats().map(repr),
    TEXTS,
)


@st.composite
def files(draw: st.DrawFn) -> tuple[str, bytes]:
    """Return name and bytes of a file: anything, a table of cells with some things wrong, or with odd labels only."""
    name = draw(st.sampled_from(["data.csv", "data.csv", "data.csv", "data.csv.gz", "data.tsv"]))
    kind = draw(st.sampled_from(["bytes", "table", "table", "odd", "odd", "odd"]))
    content = draw({"bytes": st.binary(max_size=200), "table": _tables(), "odd": _odd_labels()}[kind])
    if kind != "odd" and draw(st.booleans()):
        at, put = draw(st.integers(0, len(content))), draw(st.binary(max_size=6))
        content = content[:at] + put + content[at + draw(st.integers(0, 4)) :]
    if name.endswith(".gz") and draw(st.integers(0, 4)):
        content = gzip.compress(content, 1, mtime=0)
        content = content[: draw(st.one_of(st.just(len(content)), st.integers(0, len(content))))]
    return name, content


@st.composite
def _odd_labels(draw: st.DrawFn) -> bytes:
    """Return a good table but for its labels, and the name of a column that is not used."""
    labels = draw(st.lists(TEXTS, min_size=2, max_size=5, unique=True))
    names = ["y", "x", "g", draw(TEXTS)]
    table = [
        names,
        *([f"{i * 7 % 10}", f"{i * 5 % 9}", labels[i % len(labels)], ""] for i in range(draw(st.integers(8, 25)))),
    ]
    quoted = [",".join('"{}"'.format(cell.replace('"', '""')) for cell in row) for row in table]
    return "\n".join(quoted).encode("utf-8", "surrogatepass")


@st.composite
def _tables(draw: st.DrawFn) -> bytes:
    mark = draw(st.sampled_from([",", ",", ";", "\t"]))
    end = draw(st.sampled_from(["\n", "\n", "\r\n", "\r", "\n\n"]))
    header = ["y", "x", "g", *draw(st.lists(TEXTS, max_size=2))]
    rows = draw(st.lists(st.lists(CELLS, max_size=5), max_size=20))
    text = end.join(map(mark.join, [header, *rows])) + draw(st.sampled_from(["", end]))
    encoding = draw(st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "latin-1", "utf-16", "utf-16-be", "cp1252"]))
    return text.encode(encoding, "replace" if "utf" not in encoding else "surrogatepass")


_CALLS = (
    "poly(", "bs(", "C(", "S(", "T(", "I(", "log(", "exp(", "scale(", "center(", "standardize(", "offset(",
    "Treatment(",
    "sqrt(", "abs(", "log2(", "np.log(", "cs(", "factor(", "B(", "p(", "{",
)  # fmt: skip
_MARKS = (
    "+", "-", "*", "/", ":", "**", "^", "|", "||", "~", "(", ")", ",", "=", "==", "<", ";", "%", "%in%", "1", "0", "2",
    "-1", "0.5", "1e9", "1000000", "degree=", "df=", "knots=", "'a'", "'low'", "raw=True", "None", "[", "]", "}", "'",
    '"', "`", ".", "_", "sigma ~", "Intercept", "True", "include_intercept=True", "degree=0", "df=-1", "df=3", "//",
)  # fmt: skip
_TOKENS = st.one_of(st.sampled_from(COLUMNS), st.sampled_from(_MARKS), st.sampled_from(_CALLS), st.sampled_from(NASTY))
NUMBERS = st.one_of(
    st.integers(-3, 30).map(str),
    st.floats(allow_nan=False).map(repr),
    st.sampled_from(["x", "g", "'a'", "", "1000000000", "-x", "None", "True", "[1, 2]", "1:2", "x, y", "2**9"]),
)
_ARGUMENTS = st.lists(
    st.one_of(
        NUMBERS,
        st.tuples(
            st.sampled_from(["df", "degree", "knots", "raw", "lower_bound", "include_intercept", "q"]), NUMBERS
        ).map("=".join),
    ),
    max_size=3,
)
CALLED = st.tuples(st.sampled_from(_CALLS), st.sampled_from(COLUMNS), _ARGUMENTS).map(
    lambda parts: f"{parts[0]}{', '.join([parts[1], *parts[2]])})"
)
_TERM = st.one_of(st.sampled_from(COLUMNS), st.sampled_from(["1", "0", "-1"]), CALLED)
_SUM = st.lists(st.tuples(st.sampled_from([" + ", " * ", ":", " / ", " - "]), _TERM), min_size=1, max_size=4).map(
    lambda parts: "".join(mark + term for mark, term in parts)[3:]
)
_GROUP = st.tuples(
    _SUM, st.sampled_from(["|", "||"]), st.sampled_from(["g", "w", "g/w", "g:w", "n", "x", "`a b`"])
).map(lambda parts: f" + ({' '.join(parts)})")
TERMS = st.one_of(_SUM, st.lists(_TOKENS, max_size=10).map("".join), TEXTS)
FORMULAS: SearchStrategy[str] = st.one_of(
    TEXTS,
    st.tuples(st.sampled_from(["y", "log(y)", "w", "n", "`a b`", "", "y + x"]), TERMS).map(" ~ ".join),
    st.tuples(_SUM, st.lists(_GROUP, max_size=2).map("".join)).map(lambda parts: f"y ~ {parts[0]}{parts[1]}"),
    st.lists(_TOKENS, max_size=14).map(lambda parts: "y ~ x" + "".join(parts)),
    st.tuples(CALLED, st.sampled_from(["", " * g", ":w", " + (1 | g)"])).map(lambda parts: f"y ~ x + {''.join(parts)}"),
)

_NAMES = (
    "x", "Intercept", "sigma", "sd(g)", "sd(g: x)", "cor(g: Intercept, x)", "b", "sd", "cor", "w[low]",
    "horseshoe_scale",
    "sigma_x", "sd(", "g", "y",
)  # fmt: skip
_SIZES = {name: len(distribution.arguments) for name, distribution in DISTRIBUTIONS.items()}
_DISTRIBUTIONS = (*_SIZES, "gauss")
_NUMBER = st.one_of(
    st.sampled_from(["0", "1", "2.5", "-1", "1e308", "1e-320", "5e-324", "-0.0", "1e400", "nan", "inf", "1e17", "3"]),
    st.floats().map(repr),
    st.integers().map(str),
    TEXTS,
)
_GOOD = st.sampled_from(["0", "1", "2.5", "3", "1e308", "1e-300", "5e-324", "-1", "1e17", "0.1", "-0.0"])
PRIORS: SearchStrategy[str] = st.one_of(
    TEXTS,
    *(
        st.tuples(st.sampled_from(_NAMES), st.lists(_GOOD, min_size=size, max_size=size)).map(
            lambda parts, name=name: f"{parts[0]} ~ {name}({', '.join(parts[1])})"
        )
        for name, size in _SIZES.items()
    ),
    st.tuples(
        st.one_of(st.sampled_from(_NAMES), TEXTS),
        st.sampled_from([" ~ ", "~", "~~", " "]),
        st.sampled_from(_DISTRIBUTIONS),
        st.lists(_NUMBER, max_size=4).map(lambda parts: f"({', '.join(parts)})"),
    ).map("".join),
)

_VALUE = st.one_of(st.sampled_from(COLUMNS), TEXTS, CELLS, CALLED)
_PAIR = st.tuples(st.sampled_from(["w", "g", "n", "y", "x", ""]), st.lists(_VALUE, max_size=4).map(",".join)).map(
    "=".join
)
FLAGS: SearchStrategy[list[str]] = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["--levels", "--reference"]), st.one_of(_PAIR, TEXTS)),
        st.tuples(st.just("--levels"), st.sampled_from(["w=low,mid,high", "w=high,low,mid,none", "n=0,1,2", "x=1,2"])),
        st.tuples(st.just("--sigma"), TERMS),
        st.tuples(
            st.sampled_from(
                ["--x", "--group", "--slope", "--na", "--trials", "--offset", "--exposure", "--weights",
                 "--precision-weights", "--family", "--link"]
            ),
            _VALUE,
        ),
        st.tuples(
            st.just("--family"),
            st.sampled_from(["poisson", "bernoulli", "binomial", "cumulative", "gamma", "lognormal", "beta"]),
        ),
    ).map(lambda pair: f"{pair[0]}={pair[1]}"),
    min_size=1,
    max_size=3,
)  # fmt: skip
