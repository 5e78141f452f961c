"""Which templates are checked, and as whom they are seen."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from communication.catalogue.composition import is_locale
from communication.catalogue.folder import TENANTS, Folder
from communication.catalogue.snapshot import OWN_FILES
from communication.catalogue.tenant_folder import TenantFolder, open_folder, tenants_of
from tidings.templates.check import CheckImpossible, Wishes, check_templates, template_names
from tidings.templates.findings import Finding, Severity, distinct
from tidings.templates.structure import language_name
from tidings.templates.trial import Render


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Templates as all see them, or as one tenant does."""

    folder: Folder
    names: Sequence[str]
    tenant: str = ""

    @property
    def places(self) -> list[str]:
        """The templates as programs are told of them."""
        return [f"{TENANTS}/{self.tenant}/{name}" if self.tenant else name for name in self.names]


def view_of(root: Path, tenant: str) -> Folder:
    """The templates folder as a tenant sees it, or all. CheckImpossible for one without files."""
    tenants = tenants_of(root)
    if tenant and tenant not in tenants:
        known = ", ".join(sorted(tenants)) or "none"
        raise CheckImpossible(
            f"There is no folder {root / TENANTS / tenant}; tenants with templates: {known}."
        )
    return open_folder(root, tenant)


def views(root: Path, names: Sequence[str], tenant: str) -> list[View]:
    """What is meant by names and a tenant: without either, whatever anybody sees."""
    folder = view_of(root, tenant)
    first = View(folder=folder, names=template_names(folder, names), tenant=tenant)
    if names or tenant:
        return [first]
    others = [(one, TenantFolder(root, one)) for one in sorted(tenants_of(root))]
    return [
        first,
        *(View(folder=folder, names=folder.touched(), tenant=one) for one, folder in others),
    ]


def check_views(chosen: Sequence[View], wishes: Wishes, render: Render) -> list[Finding]:
    """All faults, at the files where they are. What all see is not said again of a tenant."""
    return distinct(
        replace(finding, file=view.folder.place(finding.file), tenant=view.tenant)
        for view in chosen
        for finding in [
            *check_templates(view.folder, view.names, wishes, render),
            *_untranslated(view),
        ]
    )


def _untranslated(view: View) -> Iterator[Finding]:
    """Languages in which a tenant's customers read what is for all: a language goes first."""
    for name in view.names if view.tenant else ():
        for shared in sorted((view.folder.root / name).glob("*/*")):
            locale, file = shared.parent.name, shared.name
            own = view.folder.own / name
            is_own = (own / file).exists() and not (own / locale / file).exists()
            if is_own and is_locale(locale) and file in OWN_FILES:
                yield Finding(
                    template=name,
                    file=f"{name}/{file}",
                    rule="missing-translation",
                    severity=Severity.WARNING,
                    message=f"In {language_name(locale)}, {view.tenant}'s customers get what all "
                    "get.",
                    advice=f"Write {own / locale / file}, if they shall not.",
                )
