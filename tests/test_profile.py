"""Profiles: every wrong key is named, no secret is in them or printed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sage50kit.errors import ConfigError
from sage50kit.profile import Profile, secret_variable

GOOD = """
name = "Acme Inc-1"
workdir = "out"
[connectwise]
site = "na.myconnectwise.net"
company = "acme"
client_id = "id"
[sage]
company_file = "acme.company"
"""


def written(folder: Path, content: str) -> Path:
    """A profile file."""
    path = folder / "profile.toml"
    path.write_text(content, encoding="utf-8")
    return path


def test_paths_count_from_the_profile(tmp_path: Path):
    """A profile can be moved together with its company."""
    profile = Profile.load(written(tmp_path, GOOD))

    assert profile.workdir == tmp_path / "out"
    assert profile.sage.company_file == tmp_path / "acme.company"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            GOOD.replace("[sage]", "[push]\ninitails = 'JD'\n[sage]"),
            "push.initails is not a setting (did you mean initials?)",
        ),
        (GOOD + "\n[payments]\nportl = true", "did you mean portal?"),
        (GOOD.replace('company = "acme"', ""), "connectwise.company: Field required"),
        (GOOD + "\n[push]\nrounding_limit = 0.05", 'write the amount as text: "0.05"'),
        (GOOD + "\n[push]\nrounding_limit = '0.06'", "push.rounding_limit"),
        (GOOD + "\n[push]\nkinds = ['bill']", "push.kinds.0"),
        ("name = ", "cannot be read"),
        ('password = "hush-hush"\n' + GOOD, "password is not a setting"),
    ],
)
def test_a_mistake_is_named_by_its_key(tmp_path: Path, content, words):
    """The error names file and key, says what to do, and never repeats a value."""
    path = written(tmp_path, content)
    with pytest.raises(ConfigError) as caught:
        Profile.load(path)

    assert words in str(caught.value)
    assert "profile.toml" in str(caught.value)
    assert "hush" not in str(caught.value)


def test_a_missing_profile_is_a_sentence(tmp_path: Path):
    """The path is in the error."""
    with pytest.raises(ConfigError, match=r"there is no profile .*nothing\.toml"):
        Profile.load(tmp_path / "nothing.toml")


def test_a_variable_is_named_after_the_profile():
    """Upper case, everything else an underscore."""
    assert secret_variable("Acme Inc-1", "private_key") == "SAGE50KIT_ACME_INC_1_PRIVATE_KEY"


CODE = """
import sys
from sage50kit.profile import Profile
print(Profile.load(sys.argv[1]).secret("private_key").get_secret_value())
"""


def secret_of(profile: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Ask for the secret in a process of its own with this environment and no keyring."""
    variables = {
        "PYTHONPATH": str(Path(__file__).parents[1]),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        **environment,
    }
    command = [sys.executable, "-c", CODE, str(profile)]
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=False)


def test_a_secret_comes_from_the_environment_or_a_file(tmp_path: Path):
    """The variable wins over the file it may name."""
    profile, variable = written(tmp_path, GOOD), "SAGE50KIT_ACME_INC_1_PRIVATE_KEY"
    (tmp_path / "key").write_text("from a file\n", encoding="utf-8")
    named = {f"{variable}_FILE": str(tmp_path / "key")}

    assert secret_of(profile, **named).stdout == "from a file\n"
    assert secret_of(profile, **named, **{variable: "direct"}).stdout == "direct\n"


def test_the_mark_that_windows_writes_in_front_is_no_part_of_it(tmp_path: Path):
    """A profile and a key saved by a shell or editor of Windows are read as they were meant."""
    profile, variable = written(tmp_path, f"\ufeff{GOOD}"), "SAGE50KIT_ACME_INC_1_PRIVATE_KEY"
    (tmp_path / "key").write_text("\ufefffrom a file\r\n", encoding="utf-8")

    assert secret_of(profile, **{f"{variable}_FILE": str(tmp_path / "key")}).stdout == (
        "from a file\n"
    )


def test_a_missing_secret_names_all_places(tmp_path: Path):
    """Variable, file and keyring are named, so that nobody has to search the manual."""
    complaint = secret_of(written(tmp_path, GOOD)).stderr

    for place in ("SAGE50KIT_ACME_INC_1_PRIVATE_KEY", "_FILE", "keyring set sage50kit"):
        assert place in complaint
