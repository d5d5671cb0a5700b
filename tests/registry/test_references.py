"""Names and references: one way to cite a version, and nothing that only looks like it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.registry import ArtifactDraft, BadName, BadReference, Ref


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("prompt/refund-triage@7", Ref("prompt", "refund-triage", "7")),
        ("prompt/refund-triage@production", Ref("prompt", "refund-triage", "production")),
        ("prompt/refund-triage", Ref("prompt", "refund-triage", "")),
        ("refund-triage@latest", Ref("prompt", "refund-triage", "latest")),
        ("evaluator/a.b_c-9", Ref("evaluator", "a.b_c-9", "")),
        ("0", Ref("prompt", "0", "")),
    ],
)
def test_references_are_read(text: str, ref: Ref) -> None:
    assert Ref.parse(text, kind="prompt") == ref
    assert Ref.parse(str(ref)) == ref
    assert ref.number == (int(ref.at) if ref.at.isdigit() else None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "/",
        "prompt/",
        "/a",
        "a@",
        "a@1@2",
        "a@-1",
        "a@1.5",
        "a@0x1",
        "a@٣",  # a digit, elsewhere
        "a@" + "9" * 10,
        "a@" + "9" * 5000,
        "a@Production",
        "a@b c",
        "a@production\n",
        "a@" + "x" * 65,
        "A",
        "ä",
        "а",  # Cyrillic
        "a\0",
        "a\n",
        " a",
        "a b",
        "../a",
        "a/../b",
        "a/b/c",
        "prompt//a",
        "-a",
        ".a",
        "a" * 101,
        "kind\0/a",
        "Kind/a",
        "prompt/a@7 ",
        "a\u200b",
        "\ud800",
    ],
)
def test_other_text_is_no_reference(text: str) -> None:
    with pytest.raises(BadReference) as refused:
        Ref.parse(text, kind="prompt")
    assert refused.value.reference == text


def test_a_reference_without_a_kind_needs_one_from_outside() -> None:
    with pytest.raises(BadReference):
        Ref.parse("refund-triage@7")


@given(st.text())
def test_any_text_is_read_back_as_written_or_refused(text: str) -> None:
    try:
        ref = Ref.parse(text, kind="prompt")
    except BadReference:
        return
    assert Ref.parse(str(ref)) == ref
    assert str(ref) in {text, f"prompt/{text}"}


@pytest.mark.parametrize(
    "name", ["", "A", "a b", "../x", "a/b", "a@1", "ä", "a" * 101, "-a", "a\n", "\0"]
)
def test_bad_names_are_refused_at_the_door(name: str) -> None:
    with pytest.raises(BadName):
        ArtifactDraft(kind="note", name=name)
