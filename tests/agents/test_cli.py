"""Agents at the terminal."""

from pathlib import Path

from tests.installation import Shell

from opsroom.sdk import Opsroom

MANIFEST = """\
model:
  model: gpt-5-mini
prompts:
  desk: tone@latest
"""


def test_a_manifest_cites_exact_versions(shell: Shell, local: Opsroom, tmp_path: Path) -> None:
    local.post("/v1/artifacts/prompt", {"name": "tone"})
    spec = {"format": "text", "text": "Be kind."}
    made = local.post("/v1/artifacts/prompt/tone/versions", {"spec": spec})
    file = tmp_path / "desk.yaml"
    file.write_text(MANIFEST)
    assert shell("agent", "store", "desk", file, "--criticality", "advisory") == 0
    stored = shell.data("agent", "show", "desk")["version"]["spec"]
    assert stored["prompts"] == {"desk": "tone@1"}
    assert stored["cites"] == {"prompt/tone@1": made["digest"]}


def test_a_wrong_field_is_named(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "desk.yaml"
    file.write_text("model:\n  modell: gpt-5-mini\n")
    error = shell.refused("agent", "store", "desk", file)
    assert (error["code"], error["exit_code"]) == ("bad_spec", 2)
    assert error["facts"]["place"].startswith("model.")
    file.write_text("model: [\n")
    assert shell.refused("agent", "store", "desk", file)["code"] == "yaml_wrong"


def test_which_version_serves(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "desk.yaml"
    file.write_text("model: {model: gpt-5-mini}\n")
    shell("agent", "store", "desk", file, "--criticality", "advisory")
    assert shell.refused("agent", "resolve", "desk", "s-1")["code"] == "version_not_found"
    opened = shell.data("agent", "propose", "desk@1")
    assert shell("proposal", "merge", opened["id"]) == 0
    found = shell.data("agent", "resolve", "desk", "s-1")
    assert (found["version"], found["arm"]) == ("agent/desk@1", "champion")
