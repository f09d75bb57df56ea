"""Names in a sentence."""

from __future__ import annotations

from py_backend.listed import listed


def test_the_first_names_are_listed_and_the_others_counted() -> None:
    assert listed([]) == ""
    assert listed(["a", "b", "c", "d", "e"]) == "a, b, c, d, e"
    assert listed(["a", "b", "c", "d", "e", "f", "g"]) == "a, b, c, d, e and 2 more"
