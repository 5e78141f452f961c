"""A sound template, and `tidings templates` as it is run on it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

TIDINGS = Path(sys.executable).with_name("tidings")
SHIPPED = Path(__file__).parents[1] / "templates"

DECLARED = """\
description = "A parcel is on its way."

[characteristics.name]
type = "string"
required = true
example = "Ann"

[characteristics.status]
type = "string"
required = true
allowed = ["sent", "late"]
example = "sent"
"""
"""What the parcels of all tests are declared to need."""
SOUND = {
    "template.toml": f"""\
{DECLARED}
[characteristics.link]
type = "url"
required = false
example = "https://example.com/p/1"

[characteristics.lines]
type = "list"
required = true
example = [{{ what = "Phone", price = 9 }}]
""",
    "sms.txt": "Hi {{ name }}, your parcel is {{ status }}.\n",
    "email.subject.txt": "Your parcel is {{ status }}\n",
    "email.html": """\
{% extends "_layouts/page.html" %}
{% block content %}
<p>Hi {{ name }},</p>
{% for line in lines %}
{% include "_partials/line.html" %}
{% endfor %}
{% if link %}<a href="{{ link }}">Follow it</a>{% endif %}
{% endblock %}
""",
    "email.txt": "Hi {{ name }},\nyour parcel is {{ status }}.\n",
    "push.title.txt": "Your parcel\n",
    "push.txt": "It is {{ status }}.\n",
}
SHARED = {
    "_layouts/page.html": '<html lang="{{ locale }}"><body>\n'
    "{% block content %}{% endblock %}\n</body></html>\n",
    "_partials/line.html": '<p>{{ line.what }}: {{ line.price|currency("EUR") }}</p>\n',
}


def run(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """`tidings templates` with these arguments."""
    return subprocess.run(
        [TIDINGS, "templates", *arguments],
        cwd=cwd, capture_output=True, text=True, timeout=600, check=False, encoding="utf-8",
    )  # fmt: skip


def found(folder: Path, *options: str) -> tuple[int, list[dict[str, Any]]]:
    """Exit status and findings."""
    result = run("check", "--json", *options, cwd=folder.parent)
    assert result.stderr == ""
    return result.returncode, json.loads(result.stdout)["findings"]


def edit(folder: Path, file: str, old: str, new: str) -> None:
    """Replace the first `old` of a file."""
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
