"""What the command line refuses, in our words; options that are given twice."""

import itertools

import pytest

from hierfit.cli.app import app
from tests.cli.conftest import FIT, Cli


def one_value_options() -> list[tuple[str, str]]:
    """Return (command, option) for every option of one value."""
    from typer.main import get_command

    root = get_command(app)
    found = []
    for name, command in root.commands.items():
        for option in command.params:
            if option.opts[0].startswith("-") and not option.multiple and not getattr(option, "is_flag", False):
                found.append((name, option.opts[0]))
    return found


@pytest.mark.parametrize(("command", "option"), one_value_options())
@pytest.mark.parametrize("joined", [False, True])
def test_an_option_of_one_value_is_refused_twice(cli: Cli, command: str, option: str, joined: bool) -> None:
    first = [f"{option}=a"] if joined else [option, "a"]
    outcome = cli(command, *first, option, "b")
    assert outcome.code == 2
    assert f"{option} takes one value, but is given 'a' and 'b'" in outcome.err


def test_what_may_be_repeated(cli: Cli) -> None:
    outcome = cli(*FIT, "--x", "ses", "--quiet", "--quiet", "--dry-run", "--prior", "ses ~ normal(0, 1)")
    assert outcome.code == 0, outcome.err


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--ci", "95"], ["--ci 95: it must be from 0.01 to 0.999", "hint:  --ci 0.95"]),
        (["--ci", "950"], ["--ci 950: it must be from 0.01"]),
        (["--ci", "wide"], ["--ci wide: a number is wanted"]),
        (["--engine", "colapsed"], ["Did you mean 'collapsed'?", "choose auto, collapsed, marginal, latent or full"]),
        (["--family", "zinb"], ["no family 'zinb'. Did you mean 'zero_inflated_negbinomial'?"]),
        (["--family", "Normal"], ["no family 'Normal'. Did you mean 'gaussian'?"]),
        (["--draws", "4.5"], ["--draws 4.5: a whole number is wanted"]),
        (["--draws", "2"], ["--draws 2: it must be at least 4"]),
        (["--fmt", "csv"], ["no option --fmt", "Did you mean '--format'?"]),
        (["--seed"], ["--seed needs a value"]),
        (["another.csv"], ["'another.csv' stands where no further word is expected"]),
    ],
)
def test_refusals_are_in_our_words(cli: Cli, given: list[str], said: list[str]) -> None:
    outcome = cli(*FIT, *given)
    assert (outcome.code, outcome.out) == (2, "")
    for text in said:
        assert text in outcome.err
    assert outcome.err.startswith("error: ") and "Usage" not in outcome.err


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["sumarize", "run"], "no command 'sumarize'. Did you mean 'summarize'?"),
        (["summarize"], "hierfit summarize needs a RUN"),
        (["--foo"], "no option --foo"),
    ],
)
def test_commands_too(cli: Cli, given: list[str], said: str) -> None:
    outcome = cli(*given)
    assert outcome.code == 2 and said in outcome.err


def test_short_help(cli: Cli) -> None:
    for command in ([], ["fit"], ["summarize"]):
        assert cli(*command, "-h").out == cli(*command, "--help").out


def test_the_values_of_an_option_are_read_in_order(cli: Cli) -> None:
    for order in itertools.permutations(["--y=a", "--y=b"]):
        values = " and ".join(f"'{word[-1]}'" for word in order)
        assert values in cli("fit", "data.csv", *order).err
