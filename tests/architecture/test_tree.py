"""What is committed belongs to the project alone: no machine's paths, no registry's host."""

import re

from tests.architecture.source import ROOT, committed

# Put together here, so that this file does not name them either.
HOSTS = [
    "py" + "pi.org", "python" + "hosted.org", "registry." + "npmjs", "npm" + "js.com",
    "repo." + "maven.apache", "repo1." + "maven", "deb." + "debian.org", "proxy." + "golang",
]  # fmt: skip
FOLDERS = re.compile(r"(?<![\w.~/}-])/(?:work|root)/\w")
TEXT = {
    ".py", ".md", ".txt", ".in", ".toml", ".yaml", ".yml", ".json", ".html", ".css", ".js", ".sql",
    ".po", ".pot", ".go", ".mod", ".sum", ".xml", ".sha256", ".cfg", ".conf", "",
}  # fmt: skip


def texts() -> dict[str, str]:
    return {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
        for path in committed()
        if path.suffix in TEXT
    }


def test_no_file_names_a_registry_s_host() -> None:
    found = [(name, host) for name, text in texts().items() for host in HOSTS if host in text]

    assert [] == found


def test_no_file_names_a_folder_of_somebody_s_machine() -> None:
    found = [
        (name, match.group())
        for name, text in texts().items()
        if (match := FOLDERS.search(text)) is not None
    ]

    assert [] == found


def test_no_catch_all_modules() -> None:
    vague = {"utils", "util", "helpers", "common", "misc", "managers", "base"}

    assert [] == [p for p in committed() if p.suffix == ".py" and p.stem in vague]
