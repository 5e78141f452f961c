"""Tenants' own templates lie over those that all share, and nobody else learns of them."""

import errno
import os
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from communication.catalogue.catalogue import (
    BrokenTemplate,
    Catalogue,
    Fault,
    Medium,
    Snapshot,
    TemplateNotFound,
)
from communication.catalogue.snapshot import UnreadableTemplates
from communication.catalogue.tenant_folder import open_folder
from tests.catalogues import always_looking
from tests.templates import write
from tests.waiting import wait_until

__all__ = ["always_looking"]
pytestmark = pytest.mark.usefixtures("always_looking")
SHARED = {
    "hello/email.subject.txt": "Hello",
    "hello/sms.txt": "Hi, {% include '_parts/name.txt' %}",
    "hello/sv/sms.txt": "Hej, {% include '_parts/name.txt' %}",
    "hello/email.html": "<p>Hi</p>",
    "plain/sms.txt": "Plain",
    "_parts/name.txt": "all",
}
OWN = {"_tenants/acme/hello/sms.txt": "Dear {{ name }}", "_tenants/acme/secret/sms.txt": "Psst"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "templates", SHARED | OWN)
    return tmp_path / "templates"


def save(folder: Path, **files: str) -> None:
    """Save files of acme's."""
    write(folder / "_tenants/acme", {f"hello/{name}": text for name, text in files.items()})


def refusal(catalogue: Catalogue, name: str, tenant: str) -> str:
    with pytest.raises(TemplateNotFound) as caught:
        catalogue.snapshot(name, tenant)
    return str(caught.value)


def test_a_tenants_file_counts_instead_of_the_shared_one(folder: Path) -> None:
    catalogue = Catalogue(folder)
    own, shared = catalogue.snapshot("hello", "acme"), catalogue.snapshot("hello", "other")
    assert own.files["hello/sms.txt"] == "Dear {{ name }}"
    assert own.files["hello/sv/sms.txt"] == shared.files["hello/sv/sms.txt"]
    assert own.needs[Medium.SMS] == {"name"}
    assert shared.files["hello/sms.txt"] == SHARED["hello/sms.txt"]
    assert shared.needs[Medium.SMS] == set()
    assert own.version != shared.version
    assert catalogue.snapshot("hello") is shared
    assert catalogue.snapshot("plain", "acme").version == catalogue.snapshot("plain").version


def test_a_template_of_one_tenant_is_not_there_for_others(folder: Path) -> None:
    catalogue = Catalogue(folder)
    assert catalogue.snapshot("secret", "acme").files == {"secret/sms.txt": "Psst"}
    for tenant in ("other", "", "Acme", "acme.", "ac"):
        assert refusal(catalogue, "secret", tenant) == "there is no template 'secret'"
    assert catalogue.names() == ["hello", "plain"]
    assert catalogue.faults() == {}


def test_a_shared_part_that_a_tenant_replaces_changes_all_its_templates(folder: Path) -> None:
    catalogue = Catalogue(folder)
    write(folder / "_tenants/brand", {"_parts/name.txt": "brand"})
    assert catalogue.snapshot("hello", "brand").files["_parts/name.txt"] == "brand"
    assert catalogue.snapshot("hello").files["_parts/name.txt"] == "all"


def test_a_tenants_markup_replaces_the_shared_one_of_either_kind(folder: Path) -> None:
    write(folder / "_tenants/acme/hello", {"email.mjml": "<mjml></mjml>"})
    assert "hello/email.html" not in Catalogue(folder).snapshot("hello", "acme").files


@pytest.mark.parametrize(
    "tenant",
    ["..", ".", "", "_tenants", "acme/", "acme/../acme", "../templates", "acme\0", "a" * 65, "ä"],
)
def test_a_strange_tenant_sees_what_all_see(folder: Path, tenant: str) -> None:
    write(folder / "_tenants" / ("a" * 65), {"secret/sms.txt": "Psst"})
    write(folder / "_tenants" / "ä", {"secret/sms.txt": "Psst"})
    catalogue = Catalogue(folder)
    assert catalogue.snapshot("hello", tenant) is catalogue.snapshot("hello")
    assert refusal(catalogue, "secret", tenant) == "there is no template 'secret'"


@pytest.mark.parametrize("name", ["_tenants", "_tenants/acme/secret", "acme/secret", "../acme"])
def test_no_name_leads_into_tenants_folders(folder: Path, name: str) -> None:
    for tenant in ("acme", "other", ""):
        refusal(Catalogue(folder), name, tenant)


@pytest.mark.parametrize("target", ["_tenants/acme/secret/sms.txt", "_tenants/none/secret/sms.txt"])
@pytest.mark.parametrize("place", ["plain", "_tenants/other/plain", "_tenants/acme/plain"])
def test_no_template_can_name_a_tenants_file(folder: Path, place: str, target: str) -> None:
    tenant = place.split("/")[1] if "/" in place else ""
    write(folder, {f"{place}/sms.txt": f"{{% include '{target}' %}}"})
    with pytest.raises(BrokenTemplate, match=f"plain/sms.txt:1: there is no file {target}"):
        Catalogue(folder).snapshot("plain", tenant)
    write(folder, {f"{place}/sms.txt": f"{{% include '{target}' ignore missing %}}"})
    assert [*Catalogue(folder).snapshot("plain", tenant).files] == ["plain/sms.txt"]


@pytest.mark.parametrize("place", ["plain", "_parts", "_tenants/other/plain"])
@pytest.mark.parametrize("target", ["secret/sms.txt", "secret"])
def test_no_link_leads_to_a_tenants_files(folder: Path, place: str, target: str) -> None:
    link = folder / place / ("sv.txt" if target.endswith("txt") else "sv")
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(folder / "_tenants/acme" / target)
    path = "sv.txt" if target.endswith("txt") else "sv/sms.txt"
    top = place.removeprefix("_tenants/other/")
    write(folder, {"plain/sms.txt": f"{{% include '{top}/{path}' %}}"})
    with pytest.raises(BrokenTemplate, match=r"leads out|there is no file"):
        Catalogue(folder).snapshot("plain", "other")


def test_a_folder_that_is_a_link_to_tenants_is_no_template(folder: Path) -> None:
    (folder / "stolen").symlink_to(folder / "_tenants/acme/secret")
    (folder / "all").symlink_to(folder / "_tenants")
    refusal(Catalogue(folder), "stolen", "other")
    refusal(Catalogue(folder), "all", "other")


def test_a_broken_file_of_a_tenants_leaves_its_last_good_version(
    folder: Path, tmp_path: Path
) -> None:
    keep = tmp_path / "kept"

    def counted(tenant: str) -> float:
        labels = {"tenant": tenant, "template": "hello"}
        return REGISTRY.get_sample_value("tidings_template_faults_total", labels) or 0.0

    def trial(_snapshot: Snapshot) -> Fault | None:
        return None

    before = counted("acme"), counted("")
    catalogue = Catalogue(folder, keep, trial=trial)
    good, shared = catalogue.snapshot("hello", "acme"), catalogue.snapshot("hello")
    save(folder, **{"sms.txt": "Dear {{ name"})

    wait_until(lambda: catalogue.fault("hello", "acme"))
    assert catalogue.snapshot("hello", "acme") is good
    assert (catalogue.snapshot("hello"), catalogue.fault("hello")) == (shared, None)
    assert (counted("acme"), counted("")) == (before[0] + 1, before[1])
    again = Catalogue(folder, keep)
    assert again.snapshot("hello", "acme").version == good.version
    assert again.snapshot("hello", "other").version == shared.version


def test_without_a_good_version_a_tenant_does_not_get_the_shared_one(folder: Path) -> None:
    save(folder, **{"sms.txt": "{{ name"})
    with pytest.raises(BrokenTemplate):
        Catalogue(folder).snapshot("hello", "acme")
    with pytest.raises(UnreadableTemplates, match="can't be read"):
        open_folder(folder, "gone").stamps(["hello"])


def test_while_a_tenants_folder_can_not_be_read_its_last_good_version_serves(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh, known = Catalogue(folder), Catalogue(folder)
    good = known.snapshot("hello", "acme")
    fresh.snapshot("plain", "acme")
    scandir, unreadable = os.scandir, {"acme"}

    def failing(path: os.PathLike[str]) -> object:
        if Path(path).name in unreadable:
            raise OSError(errno.EMFILE, "Too many open files")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", failing)
    refusal(fresh, "hello", "acme")
    assert known.snapshot("hello", "acme") is good
    unreadable.add("_tenants")
    refusal(known, "hello", "acme")
    refusal(known, "hello", "other")


def test_what_a_tenant_takes_away_is_as_all_see_it_again(folder: Path) -> None:
    catalogue = Catalogue(folder)
    catalogue.snapshot("hello", "acme")
    (folder / "_tenants/acme/hello/sms.txt").unlink()
    wait_until(
        lambda: catalogue.snapshot("hello", "acme").version == catalogue.snapshot("hello").version
    )
    (folder / "_tenants").rename(folder.parent / "away")
    assert refusal(catalogue, "secret", "acme") == "there is no template 'secret'"
