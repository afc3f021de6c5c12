"""Exact, near and variant: by Jaccard similarities worked out by hand, and against every pair compared plainly."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import combinations
from random import Random

import networkx
import numpy as np
import pytest
from scipy.stats import binom

from scigen.errors import ScigenError
from scigen.problems.duplicates import Duplicate, find_duplicates, words
from scigen.problems.duplicates.lsh import CROWD, banding
from scigen.problems.duplicates.shingles import Shingler
from scigen.problems.duplicates.words import figures, wording

TEN = "one block slides down the plane from rest at noon"  # 10 words, 8 runs of three
BLOCK = "A block of mass 5 kg slides down a smooth incline of angle 30 degrees and length 4 m. Find its final speed."
ALL = ("exact", "near", "variant")


def found(texts: list[str], threshold: float = 0.8, kinds: tuple = ("exact", "near")) -> list[Duplicate]:
    return list(find_duplicates(((str(i), t) for i, t in enumerate(texts)), threshold, kinds))


def test_the_same_words_in_other_type_are_exact() -> None:
    assert found([BLOCK, "Something else.", f"  {BLOCK.upper()}!!"]) == [Duplicate("2", "0", "exact", 1.0)]


def test_near_by_a_jaccard_similarity_worked_out_by_hand() -> None:
    """Another last word of ten changes one of 8 runs: 7 shared of 9."""
    other = TEN.replace("noon", "dawn")
    assert found([TEN, other], 0.75) == [Duplicate("1", "0", "near", pytest.approx(7 / 9))]
    assert found([TEN, other], 0.78) == []


def test_other_numbers_make_a_variant_which_is_kept() -> None:
    other = BLOCK.replace("5 kg", "7 kg")
    assert found([BLOCK, other]) == []
    assert found([BLOCK, other], kinds=("variant",)) == [Duplicate("1", "0", "variant", 1.0)]


def test_the_same_numbers_at_other_places_make_a_variant() -> None:
    swapped = BLOCK.replace("5 kg", "X kg").replace("4 m", "5 m").replace("X kg", "4 kg")
    assert found([BLOCK, swapped]) == []


def test_another_sign_makes_a_variant() -> None:
    text = "At what x is the sum x + 3 of the two at its least"
    assert found([text, text.replace("+", "-")]) == []


def test_another_answer_makes_a_variant_where_answers_are_given() -> None:
    """One situation, two questions: the wording is as alike as that of a copy with a typing error."""
    period = BLOCK.replace("final speed", "final energy")
    rows = [("a", BLOCK), ("b", period)]
    answers = ["6.26 m/s", "98 J"]
    assert [d.kind for d in find_duplicates(rows)] == ["near"]
    told_apart = [(*row, answer) for row, answer in zip(rows, answers, strict=True)]
    assert list(find_duplicates(told_apart)) == []
    assert [d.kind for d in find_duplicates(told_apart, kinds=("variant",))] == ["variant"]
    assert [d.kind for d in find_duplicates([(*rows[0], "98 J"), (*rows[1], "$98\\,J$")])] == ["near"]


def test_the_same_words_are_one_problem_whatever_the_answers() -> None:
    near = BLOCK.replace("Find", "Work out")
    rows = [("a", BLOCK, "6 m/s"), ("b", BLOCK.upper(), "5 m/s"), ("c", near, "5 m/s"), ("d", near, "6 m/s")]
    assert [(d.key, d.of, d.kind) for d in find_duplicates(rows)] == [("b", "a", "exact"), ("d", "c", "exact")]


def test_every_removed_row_names_a_kept_one() -> None:
    """The third repeats the second word by word, which itself is near the first: both point to the first."""
    near = BLOCK.replace("speed", "velocity")
    third, fifth = near.upper(), near.replace("5 kg", "9 kg")
    got = found([BLOCK, near, third, BLOCK.replace("5 kg", "9 kg"), fifth], kinds=ALL)
    assert [(d.key, d.of, d.kind) for d in got] == [
        ("1", "0", "near"),
        ("2", "0", "near"),
        ("3", "0", "variant"),
        ("4", "3", "near"),
    ]


def test_a_chain_is_one_cluster_and_says_how_alike_its_ends_are() -> None:
    """Each step changes one end of 20 words (17 shared of 19), the two ends of the chain share 16 of 20."""
    text = [f"w{chr(97 + i)}" for i in range(20)]
    left, right = ["q", *text[1:]], ["q", *text[1:-1], "z"]
    got = found([" ".join(t) for t in (text, left, right)], 0.85)
    assert got == [
        Duplicate("1", "0", "near", pytest.approx(17 / 19)),
        Duplicate("2", "0", "near", pytest.approx(16 / 20)),
    ]


def test_short_and_empty_texts() -> None:
    assert found(["Find x.", "find X", "Find y.", "", " ", "?"]) == [
        Duplicate("1", "0", "exact", 1.0),
        Duplicate("4", "3", "exact", 1.0),
    ]
    assert found([]) == []


def test_wrong_use_is_said() -> None:
    with pytest.raises(ScigenError, match='"a" comes twice'):
        list(find_duplicates([("a", "x"), ("b", "y"), ("a", "z")]))
    with pytest.raises(ScigenError, match="threshold 0"):
        list(find_duplicates([], threshold=0))


def made(count: int, seed: int) -> list[str]:
    """Texts of 12 to 40 words from few words, half of them copies of earlier ones with up to six words changed."""
    random = Random(seed)
    vocabulary = [a + b for a in "bcdfghklm" for b in ("an", "el", "ir", "os", "ut")] + ["3", "7", "x"]
    texts: list[list[str]] = []
    for i in range(count):
        if i > 4 and random.random() < 0.5:
            text = list(random.choice(texts))
            for _ in range(random.randint(0, 6)):
                text[random.randrange(len(text))] = random.choice(vocabulary)
        else:
            text = random.choices(vocabulary, k=random.randint(12, 40))
        texts.append(text)
    return [" ".join(t) for t in texts]


def plainly(texts: list[str], threshold: float) -> dict[str, str]:
    """Every pair by Python sets; clusters by networkx."""
    found = [words(t) for t in texts]
    plain = [wording(w) for w in found]
    sets = [{tuple(p[i : i + 3]) for i in range(len(p) - 2)} for p in plain]
    graph = networkx.Graph()
    graph.add_nodes_from(range(len(texts)))
    graph.add_edges_from(
        (i, j)
        for i, j in combinations(range(len(texts)), 2)
        if len(sets[i] & sets[j]) >= threshold * len(sets[i] | sets[j])
    )
    result = {}
    for cluster in networkx.connected_components(graph):
        first: dict[tuple[str, ...], int] = {}
        for i in sorted(cluster):
            if (of := first.setdefault(tuple(figures(found[i])), i)) != i:
                result[str(i)] = str(of)
    return result


@pytest.mark.parametrize("threshold", [0.6, 0.8, 0.95])
def test_the_same_as_comparing_every_pair(threshold: float) -> None:
    texts = made(600, 3)
    expected = plainly(texts, threshold)
    assert len(expected) > 40
    assert {d.key: d.of for d in found(texts, threshold)} == expected


def test_clusters_do_not_depend_on_the_order() -> None:
    texts = list(enumerate(made(400, 5)))

    def clusters(rows: list[tuple[int, str]]) -> set[frozenset[str]]:
        groups: dict[str, set[str]] = {}
        for d in find_duplicates((str(i), t) for i, t in rows):
            groups.setdefault(d.of, {d.of}).add(d.key)
        return {frozenset(g) for g in groups.values()}

    expected = clusters(texts)
    assert len(expected) > 20
    for seed in range(3):
        assert clusters(Random(seed).sample(texts, len(texts))) == expected


def test_a_crowd_around_one_text_is_found_without_comparing_all_its_pairs() -> None:
    random = Random(1)
    base = ["".join(random.choices("bcdfgh", k=8)) for _ in range(60)]
    crowd = []
    for i in range(CROWD * 5):
        copy = list(base)
        copy[random.randrange(60)] = f"other{chr(97 + i % 26)}{chr(97 + i // 26)}"
        crowd.append(" ".join(copy))
    got = found([" ".join(base), *crowd])
    assert {d.of for d in got} == {"0"}
    assert len(got) == len(crowd)


def test_bands_are_the_widest_that_keep_995_of_1000_pairs_at_the_threshold() -> None:
    assert banding(0.8) == (21, 6)  # 1 - (1 - 0.8^6)^21 = 0.998; with 18 bands of 7: 0.986
    for threshold in (0.3, 0.5, 0.8, 0.95, 1.0):
        bands, rows = banding(threshold)
        assert bands * rows <= 128
        assert binom.sf(0, bands, threshold**rows) >= 0.995


def test_runs_are_counted_once_and_in_order() -> None:
    texts = [list("abcabca"), list("ab"), list("cbacba")]
    runs = Shingler(3)(texts)
    assert np.diff(runs.starts).tolist() == [3, 1, 3]  # abc bca cab; the whole; cba bac acb
    assert len(np.unique(runs.hashes)) == 7
    assert Shingler(3)(list(reversed(texts))).hashes[-3:].tolist() == runs.hashes[:3].tolist()


SCRIPT = """
import json, sys
from scigen.problems.duplicates import find_duplicates
print(list(find_duplicates(json.load(sys.stdin), kinds=("exact", "near", "variant"))))
"""


def test_every_process_finds_the_same() -> None:
    rows = json.dumps([(str(i), t) for i, t in enumerate(made(300, 7))])

    def run(seed: str) -> str:
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", SCRIPT]
        return subprocess.run(command, input=rows, env=environment, capture_output=True, text=True, check=True).stdout

    first = run("1")
    assert "near" in first
    assert run("2") == first


MEMORY = """
import resource, sys
from scipy.sparse.csgraph import connected_components
from scigen.problems.duplicates import find_duplicates
count, most_mb = int(sys.argv[1]), int(sys.argv[2])
list(find_duplicates([("a", "b c d e"), ("f", "b c d e")]))  # load everything first
with open("/proc/self/status") as f:
    data = next(int(line.split()[1]) for line in f if line.startswith("VmData:")) * 1024
resource.setrlimit(resource.RLIMIT_DATA, (data + (most_mb << 20),) * 2)

def rows():
    for i in range(count):
        mark = format(i % (count // 2), "b").replace("0", "o").replace("1", "i")
        yield str(i), " ".join(mark * 4 + chr(97 + n % 26) * 60 for n in range(90))

print(sum(1 for _ in find_duplicates(rows())))
"""


@pytest.mark.slow
def test_memory_is_bounded_by_the_number_of_rows_not_by_their_length(full: bool) -> None:
    """50,000 texts of 500 MB in all, half of them copies, in 250 MB; without `--full` half of them in 180 MB."""
    count, most_mb = (50_000, 250) if full else (25_000, 180)
    done = subprocess.run([sys.executable, "-c", MEMORY, str(count), str(most_mb)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() == str(count // 2)
