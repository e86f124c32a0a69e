"""A CSV file becomes a Table exactly as written, or a DataError that names file, column, line and value."""

import csv
import gzip
import hashlib
import io
import os
import random
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hierfit.data import source
from hierfit.data.cells import MISSING, missing_cells
from hierfit.data.describe import describe_columns
from hierfit.data.table import Dialect, Table, read_table
from hierfit.errors import DataError

HEADER = b"score,ses,school\n"


def table_of(folder: Path, content: bytes | str, numeric: str = "score ses", labels: str = "school") -> Table:
    path = folder / "data.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table(path, numeric.split(), labels.split())


def error_of(folder: Path, content: bytes | str, numeric: str = "score ses", labels: str = "school") -> DataError:
    with pytest.raises(DataError) as caught:
        table_of(folder, content, numeric, labels)
    return caught.value


# --- what is read ---------------------------------------------------------------------------------------------------


def test_reads_numbers_labels_lines_and_digest(tmp_path: Path) -> None:
    content = HEADER + b"1,2,b\n3,4.5,a\n-5e-1,.5,b\n"
    table = table_of(tmp_path, content)
    assert table.path == tmp_path / "data.csv"
    assert table.sha256 == hashlib.sha256(content).hexdigest()
    assert (table.n_read, table.n_rows, table.dropped) == (3, 3, {})
    np.testing.assert_array_equal(table.numbers["score"], [1, 3, -0.5])
    np.testing.assert_array_equal(table.numbers["ses"], [2, 4.5, 0.5])
    np.testing.assert_array_equal(table.labels["school"], [0, 1, 0])
    assert table.labels["school"].dtype == np.int32
    assert table.numbers["score"].dtype == np.float64
    assert table.levels["school"] == ("b", "a")  # in order of first appearance
    assert table.lines.tolist() == [2, 3, 4]


def test_unused_columns_may_hold_anything(tmp_path: Path) -> None:
    table = table_of(tmp_path, "note,score,school,date\n???,1,a,2020\n,2,b,\n", numeric="score")
    assert table.numbers["score"].tolist() == [1, 2]
    assert set(table.numbers) == {"score"} and set(table.labels) == {"school"}


@pytest.mark.parametrize(
    "label", ["001", "1.0", " a", "a ", "1e5", "True", "é", "a\nb", 'say "hi"', "a,b", "na", "-", "0x1", "1,5", "名"]
)
def test_labels_stay_exactly_as_written(tmp_path: Path, label: str) -> None:
    quoted = '"' + label.replace('"', '""') + '"'
    table = table_of(tmp_path, f"score,school\n1,{quoted}\n2,1\n3,{quoted}\n", numeric="score")
    assert table.levels["school"] == (label, "1")
    assert table.labels["school"].tolist() == [0, 1, 0]


def test_numbers_keep_every_digit(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    bits = rng.integers(0, 2**63, 3_000, dtype=np.int64).view(np.float64)  # every exponent, subnormals too
    values = np.concatenate([bits[np.isfinite(bits)], 1e12 + 0.25 * np.arange(8), [5e-324, 1.7976931348623157e308]])
    content = "x,pad\n" + "".join(f"{value!r},\n" for value in values.tolist())
    np.testing.assert_array_equal(table_of(tmp_path, content, "x", "").numbers["x"], values)
    long = "0.1000000000000000055511151231257827021181583404541015625"
    assert table_of(tmp_path, f"x\n{long}\n9007199254740993\n", "x", "").numbers["x"].tolist() == [0.1, 2.0**53]


def test_one_column_can_be_numbers_and_labels(tmp_path: Path) -> None:
    table = table_of(tmp_path, "y,age\n1,08\n2,8\n3, NA\n4,08\n", numeric="y age", labels="age")
    assert table.numbers["age"].tolist() == [8, 8, 8]
    assert table.levels["age"] == ("08", "8")
    assert table.labels["age"].tolist() == [0, 1, 0]
    assert table.dropped == {"age": 1}  # ' NA' is no number, though it would be a label


def test_true_and_false_read_as_one_and_zero(tmp_path: Path) -> None:
    for labels in ("", "x"):  # the quick path and the exact one
        assert table_of(tmp_path, "x,y\nTRUE,1\nFALSE,2\n", "x", labels).numbers["x"].tolist() == [1, 0]


def test_rows_with_missing_values_are_dropped_and_counted(tmp_path: Path) -> None:
    table = table_of(tmp_path, HEADER + b"1,2,a\n,2,b\nNA,NaN,a\n4,5,\n 6 , nan ,c\n7,8\n9,1,c\n")
    assert table.n_read == 7
    assert table.dropped == {"score": 2, "ses": 2, "school": 2}
    assert table.numbers["score"].tolist() == [1, 9]
    assert table.levels["school"] == ("a", "c")  # b is gone with its only row
    assert table.lost == {"school": {"b": 1}}
    assert table.labels["school"].tolist() == [0, 1]
    assert table.lines.tolist() == [2, 8]


@pytest.mark.parametrize("token", MISSING)
def test_every_missing_token_is_missing(tmp_path: Path, token: str) -> None:
    table = table_of(tmp_path, f"score,ses,school\n1,{token},a\n2,3,{token}\n4,5,b\n")
    assert table.dropped == {"ses": 1, "school": 1}


def test_missing_tokens_are_those_of_pandas(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("x,y\n" + "".join(f"{token},1\n" for token in MISSING))
    assert pd.read_csv(tmp_path / "data.csv")["x"].isna().all()


@pytest.mark.parametrize("word", ["None", '"None"', "NULL", "null", "none", "-NaN", "na", "NAN"])
def test_other_words_are_levels_and_refused_among_numbers(tmp_path: Path, word: str) -> None:
    table = table_of(tmp_path, f"score,ses,school\n1,2,{word}\n2,3,a\n4,5,{word}\n")
    assert table.levels["school"] == (word.strip('"'), "a") and table.dropped == {} and table.spelled == {}
    error = error_of(tmp_path, f"score,ses,school\n1,2,a\n2,{word},b\n4,5,a\n")
    assert "column 'ses' of" in error.message and f"line 3 holds {word.strip(chr(34))!r}" in error.message
    option, spelling = shlex.split(str(error.hint).split(": ", 1)[1].split(";")[0])
    assert option == "--na"
    table = read_table(tmp_path / "data.csv", ["score", "ses"], ["school"], missing=missing_cells([spelling]))
    assert table.dropped == {"ses": 1}


def test_spellings_that_were_named_are_missing_beside_the_usual_ones_or_alone(tmp_path: Path) -> None:
    assert missing_cells(()) == MISSING
    assert set(missing_cells(["None", "NA"])) == {*MISSING, "None"}
    assert missing_cells(["", "None"]) == ("", "None")
    content = "y,g\n1,NA\n2,ZA\n3,\n4,None\n5,None\n"
    path = tmp_path / "data.csv"
    path.write_text(content)
    for na, levels, dropped in (
        ([], ("ZA", "None"), {"NA": 1}),
        (["None"], ("ZA",), {"NA": 1, "None": 2}),
        ([""], ("NA", "ZA", "None"), {}),
        (["", "None"], ("NA", "ZA"), {"None": 2}),
    ):
        table = read_table(path, ["y"], ["g"], missing=missing_cells(na))
        assert table.levels["g"] == levels
        assert table.spelled == ({"g": dropped} if dropped else {})
        assert table.dropped == {"g": 1 + sum(dropped.values())}


@pytest.mark.parametrize("labels", ["", "x"])  # the quick path and the exact one
def test_a_number_that_means_missing_is_that_number_however_written(tmp_path: Path, labels: str) -> None:
    path = tmp_path / "data.csv"
    path.write_text("x,g\n-99,01\n-99.0,1\n 99,01\n-9.9e1,1\n5,-99\n")
    table = read_table(path, ["x"], ["g", *labels], missing=missing_cells(["-99", "1"]))
    assert table.numbers["x"].tolist() == [99]
    assert table.levels["g"] == ("01",)  # a label is what it looks like
    assert table.dropped == {"x": 3, "g": 3}


def test_random_tables_with_random_spellings_lack_what_they_should(tmp_path: Path) -> None:
    rng = random.Random(2)
    words = [*MISSING, "None", "NULL", "null", "-99", "01", "1", "a", " NA", "x y"]
    path = tmp_path / "data.csv"
    for _ in range(60):
        na = rng.sample(["", "None", "null", "-99", "1", "a"], rng.randint(0, 3))
        cells = [(rng.choice(words), rng.choice(["1", "2.5", "-99", "NA", ""])) for _ in range(rng.randint(2, 9))]
        path.write_text("y,g,x\n" + "".join(f"{row},{g},{x}\n" for row, (g, x) in enumerate(cells)))
        missing = missing_cells(na)
        kept = [(row, g, x) for row, (g, x) in enumerate(cells) if g not in missing and x not in missing]
        if any(x == "NA" and "NA" not in missing for _, x in cells) or not kept:
            continue  # refused
        table = read_table(path, ["y", "x"], ["g"], missing=missing)
        found = [table.levels["g"][code] for code in table.labels["g"]]
        assert list(zip(table.numbers["y"], found, table.numbers["x"], strict=True)) == [
            (row, g, float(x)) for row, g, x in kept
        ]


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfscore,ses,school\n1,2,a\n3,4,b\n",
        b'\xef\xbb\xbf"score","ses","school"\r\n1,2,"a"\r\n3,4,"b"\r\n',
        b"score;ses;school\n1;2;a\n3;4;b\n",
        b"score\tses\tschool\n1\t2\ta\n3\t4\tb",
        b'"score","ses","school, region"\n1,2,a\n3,4,b\n'.replace(b", region", b""),
        b"score,ses,school\n1,2,a,\n3,4,b,,\n",
        b"score,ses,school,\n1,2,a,\n3,4,b,\n",
        b"score,ses,school\n1,2,a\n3,4,b\n\n\n",
        b'"","score","ses","school"\n"1",1,2,"a"\n"2",3,4,"b"\n',
    ],
    ids=[
        "bom",
        "bom crlf quoted",
        "semicolon",
        "tab",
        "quoted",
        "extra",
        "extra name",
        "blank end",
        "r row names",
    ],
)
def test_the_same_table_in_many_dialects(tmp_path: Path, content: bytes) -> None:
    table = table_of(tmp_path, content)
    assert [column.tolist() for column in table.numbers.values()] == [[1, 3], [2, 4]]
    assert table.levels["school"] == ("a", "b")
    assert table.lines.tolist() == [2, 3]
    assert table.dropped == {}


def test_reads_gzip(tmp_path: Path) -> None:
    path = tmp_path / "data.csv.gz"
    path.write_bytes(gzip.compress(HEADER + b"1,2,a\n\n3,4,b\n"))
    table = read_table(path, ["score", "ses"], ["school"])
    assert table.numbers["ses"].tolist() == [2, 4]
    assert table.lines.tolist() == [2, 4]
    assert table.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_lines_are_right_with_blank_lines_and_quoted_newlines(tmp_path: Path) -> None:
    content = '\n\nscore,ses,"school"\n1,2,a\n\n  \n3,4,"b\nb"\n5,6,c\n7,,d\n\n8,9,"e ""x"""\n\n'
    table = table_of(tmp_path, content)
    assert table.lines.tolist() == [4, 7, 9, 12]
    assert table.levels["school"] == ("a", "b\nb", "c", 'e "x"')
    assert error_of(tmp_path, content.replace("5,6", "5,six")).message.endswith(
        "must hold numbers, but line 9 holds 'six' (1 such cell)."
    )


def test_a_large_file_reads_like_a_small_one(tmp_path: Path) -> None:
    # More than 5 MB, where pandas reads in parallel; the wrong cell is far behind.
    rows = [f"{row},{row}.25,elementary school number {row % 7}" for row in range(120_000)]
    table = table_of(tmp_path, "score,ses,school\n" + "\n".join(rows))
    np.testing.assert_array_equal(table.numbers["ses"], np.arange(120_000) + 0.25)
    np.testing.assert_array_equal(table.labels["school"], np.arange(120_000) % 7)
    assert table.lines[-1] == 120_001
    rows[119_990] = "119990,x,s1"
    assert "line 119992 holds 'x'" in error_of(tmp_path, "score,ses,school\n" + "\n".join(rows)).message
    rows[119_990] = "119990,1,s1,9"
    assert "line 119992 of" in error_of(tmp_path, "score,ses,school\n" + "\n".join(rows)).message


DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t"}
LABELS = ["a", "b c", "Ä", "é,è", "x;y", 'say "hi"', "1,5", "001", "None", " a", "ß", "NAïve", "œuvre", "-"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("delimiter", DELIMITERS.values(), ids=DELIMITERS)
def test_random_tables_come_back_from_every_dialect_and_encoding(tmp_path: Path, delimiter: str, encoding: str) -> None:
    rng, path = random.Random(3), tmp_path / "data.csv"
    for _ in range(40):
        commas = delimiter != "," and rng.random() < 0.5
        rows = [
            (round(rng.gauss(0, 100), rng.randint(0, 4)), rng.choice(LABELS), rng.choice(LABELS))
            for _ in range(rng.randint(2, 8))
        ]
        out = io.StringIO(newline="")
        quoting = rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
        writer = csv.writer(out, delimiter=delimiter, lineterminator=rng.choice(["\n", "\r\n"]), quoting=quoting)
        writer.writerow(["größe", "g", "h"])
        for number, g, h in rows:
            writer.writerow([repr(number).replace(".", "," if commas else "."), g, h])
        path.write_bytes(out.getvalue().encode(encoding))
        table = read_table(path, ["größe"], ["g", "h"])
        assert table.numbers["größe"].tolist() == [number for number, _, _ in rows]
        found = [[table.levels[name][code] for code in table.labels[name]] for name in "gh"]
        assert found == [[row[1] for row in rows], [row[2] for row in rows]]
        assert table.dialect == Dialect(
            delimiter, "," if commas else ".", "cp1252" if encoding == "cp1252" else "utf-8"
        )


def test_what_is_unusual_about_a_file_is_told(tmp_path: Path) -> None:
    table = table_of(tmp_path, "score;ses;school\n1,5;2;é\n2;3,5;b\n".encode("latin-1"))
    assert table.dialect.unusual == ("semicolons", "decimal commas", "Latin-1 (Windows-1252)")
    assert table_of(tmp_path, HEADER + b"1,2,a\n2,3,b\n").dialect.unusual == ()
    kinds = describe_columns(tmp_path / "data.csv")
    assert [str(column) for column in kinds[:2]] == ["score (number)", "ses (number)"]


def test_what_is_piped_in_can_be_read_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    content = HEADER + b"1,2,a\n2,,b\n3,4,a\n"
    monkeypatch.setattr(source, "_kept", [])
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    for _ in range(2):
        table = read_table(source.STDIN, ["score", "ses"], ["school"])
        assert (table.n_read, table.n_rows, str(table.path)) == (3, 2, "<stdin>")
        assert table.sha256 == hashlib.sha256(content).hexdigest()
    with pytest.raises(DataError, match=r"no column 'sess' in <stdin>\. Did you mean 'ses'"):
        read_table(source.STDIN, ["sess"], [])


def test_nothing_piped_in_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "_kept", [])
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"")))
    with pytest.raises(DataError, match=r"<stdin> is empty"):
        read_table(source.STDIN, ["x"], [])
    monkeypatch.setattr(source, "_kept", [])
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(DataError, match="nothing is piped into standard input"):
        read_table(source.STDIN, ["x"], [])


def _reference(text: str) -> list[tuple[int, str, str]] | None:
    """The kept rows (line, g, k) by the csv module alone, or None where a row has more fields than the header."""
    reader = csv.reader(io.StringIO(text, newline=""))
    records, line = [], 1
    for row in reader:
        if row and not (len(row) == 1 and row[0].isspace()):
            records.append((line, [*row, "", ""]))
        line = reader.line_num + 1
    if any(any(row[3:]) for _, row in records[1:]):
        return None
    return [(line, row[0], row[1]) for line, row in records[1:] if row[0] not in MISSING and row[1] not in MISSING]


def test_random_files_read_as_the_csv_module_reads_them(tmp_path: Path) -> None:
    rng = random.Random(1)
    cells = ["a", "b", "001", "", '"q"', '"q,r"', '"q\nr"', '"q""r"', " x", "NA", "1", "z y", '""', '5" p', "1.0"]
    n_read = n_refused = 0
    for _ in range(200):
        line_end = rng.choice(["\n", "\n", "\r\n"])
        text = "g,k,u" + line_end
        for _ in range(rng.randint(1, 5)):
            n_fields = 3 if rng.random() < 0.9 else rng.choice([1, 2, 4, 5])
            text += ",".join(rng.choices(cells, k=n_fields)) + line_end
            text += rng.choice([line_end, "  " + line_end]) if rng.random() < 0.1 else ""
        expected = _reference(text)
        if not expected:
            error_of(tmp_path, text, "", "g k")
            n_refused += 1
            continue
        table = table_of(tmp_path, text, "", "g k")
        n_read += 1
        columns = [[table.levels[name][code] for code in table.labels[name]] for name in ("g", "k")]
        assert list(zip(table.lines.tolist(), *columns, strict=True)) == expected, repr(text)
    assert n_read > 100 and n_refused > 25  # both kinds do occur


# --- what is refused ------------------------------------------------------------------------------------------------

WRONG = {
    "no such column": (
        HEADER.replace(b"ses", b"sess") + b"1,2,a\n3,4,b\n",
        "no column 'ses' in FILE. Did you mean 'sess'?",
        "columns: score (number), sess (number), school (text, 2 levels)",
    ),
    "columns with what they hold": (
        b"score,ses2,school,empty,flag\n1,NA,a,,TRUE\n3,4,,,FALSE\nx,,,,\n",
        "no column 'ses' in FILE. Did you mean 'ses2'?",
        "columns: score (text, 3 levels), ses2 (number, 2 missing), school (text, 1 level, 2 missing), empty (empty),"
        " flag (true/false, 1 missing)",
    ),
    "other case": (b"score,SES,school\n1,2,a\n", "no column 'ses' in FILE. Did you mean 'SES'?", "columns: score"),
    "spaces in the header": (
        b"score, ses,school\n1,2,a\n",
        "no column 'ses' in FILE. There is ' ses', with spaces around it: name it so, or take them out of the header.",
        "columns: score (number), ' ses' (number), school (text, 1 level)",
    ),
    "no header": (
        b"1,2,a\n3,4,b\n",
        "no column 'score' in FILE.",
        "columns: 1 (number), 2 (number), a (text, 1 level); does the first line of the file name the columns?",
    ),
    "other delimiter": (
        b"score|ses|school\n1|2|a\n",
        "no column 'score' in FILE.",
        "columns: score|ses|school (text, 1 level); only one: the delimiter must be a comma, a semicolon or a tab",
    ),
    "twice in the header": (
        b"score,ses,school,ses\n1,2,a,3\n",
        "column 'ses' stands 2 times in the header of FILE: fields 2, 4.",
        "give each column a name of its own",
    ),
    "text among numbers": (
        HEADER + b"1,2,a\nabc,2,b\n3,4,c\nn.a.,5,d\n",
        "column 'score' of FILE must hold numbers, but line 3 holds 'abc' (2 such cells).",
        "if that means missing: --na ",
    ),
    "labels as numbers": (
        HEADER + b"low,2,a\nhigh,2,b\n",
        "column 'score' of FILE must hold numbers, but line 2 holds 'low' (as do all rows).",
        "labels can be a group (--group)",
    ),
    "unit": (
        HEADER + b"1,2,a\n12 kg,2,b\n3,5,c\n",
        "but line 3 holds '12 kg' (1 such cell).",
        "write the number alone, without units or signs",
    ),
    "true among numbers": (
        HEADER + b"1,2,a\nTrue,2,b\n",
        "but line 3 holds 'True' (1 such cell).",
        "if that means missing",
    ),
    "underscores": (
        HEADER + b"1,2,a\n1_000,2,b\n",
        "but line 3 holds '1_000' (1 such cell).",
        "write the number alone",
    ),
    "hexadecimal": (HEADER + b"1,2,a\n0x10,2,b\n", "but line 3 holds '0x10' (1 such cell).", "write the number alone"),
    "other digits": (HEADER + "1,2,a\n٣,2,b\n".encode(), "but line 3 holds '٣' (1 such cell).", "without"),
    "decimal comma": (
        b"score;ses;school\n1.5;2;a\n1;3,14;a\n",
        "column 'ses' of FILE must hold numbers, but line 3 holds '3,14' (1 such cell).",
        "decimal commas are read where no number has a point: write 3.14 for 3,14",
    ),
    "decimal comma or thousands": (
        HEADER + b'1,"1,234",a\n',
        "column 'ses' of FILE must hold numbers, but line 2 holds '1,234' (1 such cell).",
        "if it is a decimal comma, write 1.234 with a point; if it marks thousands, write 1234",
    ),
    "thousands": (
        HEADER + b'1,"1,234.5",a\n',
        "line 2 holds '1,234.5'",
        "write numbers with a decimal point and without thousands separators",
    ),
    "infinite": (
        HEADER + b"1,2,a\n3,inf,b\n3,-Infinity,b\n",
        "column 'ses' of FILE must hold finite numbers, but line 3 holds 'inf' (2 such cells).",
        "if that means missing: --na ",
    ),
    "too large": (
        HEADER + b"1,2,a\n3,1e400,b\n",
        "column 'ses' of FILE must hold finite numbers, but line 3 holds '1e400' (1 such cell).",
        "numbers beyond 1.8e308 cannot be held: divide the column by a constant",
    ),
    "more fields": (
        HEADER + b"1,2,a\n3,4,Smith, John\n",
        "line 3 of FILE has 4 fields, but the header has 3: '3,4,Smith, John'.",
        "put quotes around a field that holds a comma, or name the missing column in the header",
    ),
    "more fields in every row": (
        HEADER + b"1,2,a,9\n3,4,b,9\n",
        "line 2 of FILE has 4 fields, but the header has 3",
        "",
    ),
    "more and fewer fields": (
        HEADER + b"1,2,a\n3,4,b,9\n5,6\n",
        "line 3 of FILE has 4 fields, but the header has 3",
        "",
    ),
    "more fields and text": (
        HEADER + b"1,x,y,a\n",
        "line 2 of FILE has 4 fields, but the header has 3: '1,x,y,a'.",
        "",
    ),
    "more fields after a quoted newline": (HEADER + b'1,2,"a\nb"\n3,4,b,9\n', "line 4 of FILE has 4 fields", ""),
    "unclosed quote": (
        HEADER + b'1,2,a\n3,4,"b\n5,6,c\n',
        'a quote (") opened on line 3 of FILE is never closed.',
        'write a quote that belongs to the text twice ("") inside quotes',
    ),
    "unclosed quote in a long file": (HEADER + b'1,2,"a\n' + b"5,6,c\n" * 40_000, "opened on line 2 of FILE", ""),
    "unclosed quote in the header": (b'score,"ses,school\n1,2,a\n', 'a quote (") opened on line 1 of FILE', ""),
    "old Mac line ends": (HEADER.replace(b"\n", b"\r") + b"1,2,a\r", "line 1 of FILE ends in a carriage return", "tr "),
    "one old Mac line end": (HEADER + b"1,2,a\r,3,b\n", "line 2 of FILE ends in a carriage return alone", "tr "),
    "two encodings": (
        HEADER + "1,2,é\n".encode() + "3,4,Orléans\n".encode("latin-1"),
        "FILE is not UTF-8: byte 8 of line 3 is 0xE9 ('é' in Latin-1, near '3,4,Orléans').",
        "save it as UTF-8 (in Excel: 'CSV UTF-8'), or: iconv -f latin1 -t utf-8 ",
    ),
    "no known encoding": (b"scor\x81,ses\n1,2\n", "FILE is not UTF-8: byte 5 of line 1 is 0x81", "UTF-8"),
    "utf-16": ("score,ses\n1,2\n".encode("utf-16"), "FILE is text in UTF-16, not a CSV file.", "'CSV UTF-8'"),
    "empty": (b"", "FILE is empty (0 bytes).", "export"),
    "blank": (
        b"\n \n\n",
        "FILE has no header: the file holds only blank lines.",
        "the first line must name the columns",
    ),
    "only a header": (HEADER, "FILE has a header but no rows.", "export"),
    "all rows dropped": (
        HEADER + b"1,NA,a\n2,,b\n,4,c\n",
        "no row of FILE has a value in every used column: of 3 rows, score (1 missing), ses (2 missing).",
        "leave out 'ses', or fill it in",
    ),
    "Excel": (b"PK\x03\x04\x14\x00", "FILE is an Excel workbook or a zip archive, not a CSV file.", "'CSV UTF-8'"),
    "netCDF 4": (b"\x89HDF\r\n\x1a\n\x00", "FILE is a netCDF or HDF5 file, not a CSV file.", "hierfit summarize"),
    "netCDF 3": (b"CDF\x01\x00", "FILE is a netCDF file, not a CSV file.", "hierfit summarize"),
    "Parquet": (b"PAR1\x15\x04", "FILE is a Parquet file, not a CSV file.", "to_csv"),
    "gzip under another name": (
        gzip.compress(HEADER),
        "FILE is gzipped, but its name does not end in .gz.",
        "data.csv.gz",
    ),
    "binary": (HEADER + b"1,2,a\n3,\0,b\n", "FILE is not text: line 3 holds a zero byte.", "'CSV UTF-8'"),
}


@pytest.mark.parametrize(("content", "message", "hint"), WRONG.values(), ids=WRONG.keys())
def test_wrong_files_are_refused_with_place_value_and_hint(
    tmp_path: Path, content: bytes, message: str, hint: str
) -> None:
    error = error_of(tmp_path, content)
    shown = message.replace("FILE", str(tmp_path / "data.csv"))
    assert shown in error.message
    assert message.endswith(".") is False or error.message.endswith(shown)
    assert error.hint is not None and hint in error.hint


def test_many_columns_are_not_all_listed(tmp_path: Path) -> None:
    header, row = ",".join(f"x{k}" for k in range(34)), ",".join("1" * 34)
    error = error_of(tmp_path, f"{header}\n{row}\n", numeric="y", labels="")
    assert error.hint is not None
    assert error.hint.startswith("columns: x0 (number), x1 (number), ")
    assert error.hint.endswith("x19 (number) and 14 more")


def test_columns_of_a_long_file_are_judged_by_its_beginning(tmp_path: Path) -> None:
    error = error_of(tmp_path, "x,school\n" + "1,a\n" * 10_000 + "NA,b\n", numeric="y", labels="")
    assert error.hint == "columns (first 10,000 rows): x (number), school (text, 1 level)"


def test_describe_columns(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("id,x,x\n001,1,\n002, 2,b\n")
    descriptions = describe_columns(path)
    assert [str(column) for column in descriptions] == ["id (number)", "x (number)", "x (text, 1 level, 1 missing)"]
    assert [(column.kind, column.n_levels, column.n_rows) for column in descriptions] == [
        ("number", 2, 2),
        ("number", 2, 2),
        ("text", 1, 2),
    ]


def test_paths_that_are_no_file(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_bytes(HEADER)
    for path, message, hint in (
        (tmp_path / "date.csv", f"there is no file {tmp_path}/date.csv. Did you mean 'data.csv'?", "data.csv"),
        (tmp_path / "no" / "x.csv", f"there is no file {tmp_path}/no/x.csv: the folder {tmp_path}/no does not", "path"),
        (tmp_path, f"{tmp_path} is a folder, not a CSV file.", "name a file in it: data.csv"),
        (Path(os.devnull), f"{os.devnull} is not a regular file", "save the data to a file first"),
    ):
        with pytest.raises(DataError) as caught:
            read_table(path, ["score"], [])
        assert caught.value.message.startswith(message)
        assert caught.value.hint is not None and hint in caught.value.hint


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(HEADER)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # chmod would not stop the superuser
    with pytest.raises(DataError, match="cannot be read: permission denied"):
        read_table(path, ["score"], [])


@pytest.mark.parametrize("content", [b"score,ses\n1,2\n", gzip.compress(HEADER * 100)[:-20]], ids=["plain", "cut"])
def test_broken_gzip(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "data.csv.gz").write_bytes(content)
    with pytest.raises(DataError, match="is not a complete gzip file"):
        read_table(tmp_path / "data.csv.gz", ["score"], [])


# --- columns that may be numbers or words ---------------------------------------------------------------------------


def either(folder: Path, content: str, *names: str, numeric: str = "", labels: str = "") -> Table:
    path = folder / "data.csv"
    path.write_text(content)
    return read_table(path, numeric.split(), labels.split(), names)


def test_a_column_without_a_number_is_words_and_others_are_numbers(tmp_path: Path) -> None:
    table = either(tmp_path, "sex,age,smokes\nm,1.5,TRUE\nf,2,FALSE\nm,3,TRUE\n", "sex", "age", "smokes")
    assert table.levels == {"sex": ("m", "f")}
    assert table.labels["sex"].tolist() == [0, 1, 0]
    assert table.numbers["age"].tolist() == [1.5, 2, 3]
    assert table.numbers["smokes"].tolist() == [1, 0, 1]


def test_missing_words_drop_their_rows(tmp_path: Path) -> None:
    table = either(tmp_path, "sex,age\nm,1\n,2\nNA,3\nf,NA\nf,5\n", "sex", "age")
    assert table.levels == {"sex": ("m", "f")}
    assert table.numbers["age"].tolist() == [1, 5]
    assert table.dropped == {"sex": 2, "age": 1}


@pytest.mark.parametrize(
    ("cells", "line", "cell", "count"),
    [
        (["1", "2", "unknown", "4"], 4, "unknown", 1),
        (["low", "2", "high", "low"], 2, "low", 3),
        (["K", "1", "2", "3"], 2, "K", 1),
        (["a", "b", "c", "7"], 2, "a", 3),
        (["True", "False", "maybe", "1"], 2, "True", 3),
    ],
)
def test_a_mixed_column_is_refused_rather_than_made_categorical(
    tmp_path: Path, cells: list[str], line: int, cell: str, count: int
) -> None:
    with pytest.raises(DataError) as caught:
        either(tmp_path, "grade,y\n" + "".join(f"{cell},1\n" for cell in cells), "grade", numeric="y")
    assert f"must hold numbers, but line {line} holds '{cell}' ({count} such cell" in caught.value.message
    assert caught.value.hint


def test_a_column_of_words_can_be_group_and_predictor(tmp_path: Path) -> None:
    table = either(tmp_path, "y,school,year\n1,a,1\n2,b,2\n", "school", "year", numeric="y", labels="school year")
    assert table.levels == {"school": ("a", "b"), "year": ("1", "2")}
    assert set(table.numbers) == {"y", "year"}


def test_a_mixed_column_is_categorical_where_the_formula_says_so(tmp_path: Path) -> None:
    path = tmp_path / "grades.csv"
    path.write_text("y,grade\n1,K\n2,1\n3,2\n4,\n5,K\n")
    table = read_table(path, ["y"], [], ["grade"], ["grade"])
    assert table.levels["grade"] == ("K", "1", "2")
    assert table.labels["grade"].tolist() == [0, 1, 2, 0]
    assert table.dropped == {"grade": 1}


def test_a_column_of_numbers_stays_one_even_if_it_may_be_mixed(tmp_path: Path) -> None:
    path = tmp_path / "periods.csv"
    path.write_text("y,period\n1,2\n2,1\n3,10\n")
    table = read_table(path, ["y"], [], ["period"], ["period"])
    assert table.numbers["period"].tolist() == [2, 1, 10]
