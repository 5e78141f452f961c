"""The header by which the Event Collector's clients name their tenant (seed 003)."""

import re
from dataclasses import replace

from falcon import Request

from api.edge import caller_of
from communication.errors import InvalidHeader, MissingHeader

HEADER = "X-TWC-Tenant"
_NAME = re.compile("[!-~]{1,128}")


def named_tenant(req: Request) -> str:
    """The tenant that the header names: from now on the request is about its data.

    MissingHeader, InvalidHeader. Where there is authentication, the header has been compared
    with the access token before.
    """
    name = req.get_header(HEADER)
    if name is None:
        raise MissingHeader(f"{HEADER} is required: the name of your tenant")
    if not _NAME.fullmatch(name):
        raise InvalidHeader(f"{HEADER} must be 1 to 128 visible ASCII characters")
    req.context.caller = replace(caller_of(req), tenant=name)
    return name
