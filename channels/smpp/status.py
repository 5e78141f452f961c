"""What each command_status of SMPP 3.4 (§5.1.3) means for the message that it answers."""

from collections.abc import Mapping
from enum import Enum

from channels.errors import ConfigurationFault, Throttled
from communication.errors import DeliveryError, PermanentDeliveryError, TransientDeliveryError


class Verdict(Enum):
    """What follows from a refusal."""

    PERMANENT = "the message can't be sent"
    TRANSIENT = "it may work later"
    BUSY = "we are to send slower"
    CONFIGURATION = "a setting of ours is refused, not the message"


_P, _T = Verdict.PERMANENT, Verdict.TRANSIENT
_B, _C = Verdict.BUSY, Verdict.CONFIGURATION

STATUSES: Mapping[int, tuple[str, Verdict, str]] = {
    0x01: ("ESME_RINVMSGLEN", _P, "the message's length is invalid"),
    0x02: ("ESME_RINVCMDLEN", _T, "the PDU's length is invalid"),
    0x03: ("ESME_RINVCMDID", _C, "the command is not known"),
    0x04: ("ESME_RINVBNDSTS", _T, "the session is not bound for this"),
    0x05: ("ESME_RALYBND", _T, "the account is bound already"),
    0x06: ("ESME_RINVPRTFLG", _C, "the priority is invalid"),
    0x07: ("ESME_RINVREGDLVFLG", _C, "receipts may not be asked for"),
    0x08: ("ESME_RSYSERR", _T, "system error"),
    0x0A: ("ESME_RINVSRCADR", _P, "the sender's address is invalid"),
    0x0B: ("ESME_RINVDSTADR", _P, "the receiver's number is invalid"),
    0x0C: ("ESME_RINVMSGID", _P, "the message id is invalid"),
    0x0D: ("ESME_RBINDFAIL", _C, "the bind failed"),
    0x0E: ("ESME_RINVPASWD", _C, "the password is wrong"),
    0x0F: ("ESME_RINVSYSID", _C, "the system id is not known"),
    0x11: ("ESME_RCANCELFAIL", _T, "cancelling failed"),
    0x13: ("ESME_RREPLACEFAIL", _T, "replacing failed"),
    0x14: ("ESME_RMSGQFUL", _B, "the message queue is full"),
    0x15: ("ESME_RINVSERTYP", _C, "the service type is invalid"),
    0x33: ("ESME_RINVNUMDESTS", _P, "the number of destinations is invalid"),
    0x34: ("ESME_RINVDLNAME", _P, "the distribution list is not known"),
    0x40: ("ESME_RINVDESTFLAG", _P, "the destination flag is invalid"),
    0x42: ("ESME_RINVSUBREP", _C, "submit with replace is not taken"),
    0x43: ("ESME_RINVESMCLASS", _C, "the esm_class is invalid"),
    0x44: ("ESME_RCNTSUBDL", _P, "the distribution list can't be used"),
    0x45: ("ESME_RSUBMITFAIL", _T, "the submit failed"),
    0x48: ("ESME_RINVSRCTON", _C, "the sender's type of number is invalid"),
    0x49: ("ESME_RINVSRCNPI", _C, "the sender's numbering plan is invalid"),
    0x50: ("ESME_RINVDSTTON", _C, "the receiver's type of number is invalid"),
    0x51: ("ESME_RINVDSTNPI", _C, "the receiver's numbering plan is invalid"),
    0x53: ("ESME_RINVSYSTYP", _C, "the system type is invalid"),
    0x54: ("ESME_RINVREPFLAG", _C, "the replace flag is invalid"),
    0x55: ("ESME_RINVNUMMSGS", _P, "the number of messages is invalid"),
    0x58: ("ESME_RTHROTTLED", _B, "more messages than are allowed"),
    0x61: ("ESME_RINVSCHED", _C, "the delivery time is invalid"),
    0x62: ("ESME_RINVEXPIRY", _C, "the validity period is invalid"),
    0x63: ("ESME_RINVDFTMSGID", _C, "the predefined message is not known"),
    0x64: ("ESME_RX_T_APPN", _T, "the receiving application can't take it now"),
    0x65: ("ESME_RX_P_APPN", _P, "the receiving application can't take it"),
    0x66: ("ESME_RX_R_APPN", _P, "the receiving application rejects it"),
    0x67: ("ESME_RQUERYFAIL", _T, "the query failed"),
    0xC0: ("ESME_RINVOPTPARSTREAM", _C, "the optional parameters can't be read"),
    0xC1: ("ESME_ROPTPARNOTALLWD", _C, "an optional parameter is not allowed"),
    0xC2: ("ESME_RINVPARLEN", _C, "a parameter's length is invalid"),
    0xC3: ("ESME_RMISSINGOPTPARAM", _C, "an optional parameter is missing"),
    0xC4: ("ESME_RINVOPTPARAMVAL", _C, "an optional parameter's value is invalid"),
    0xFE: ("ESME_RDELIVERYFAILURE", _P, "the delivery failed"),
    0xFF: ("ESME_RUNKNOWNERR", _T, "unknown error"),
}
"""Name, verdict and reason. What is not here, an SMSC's own codes above all, is TRANSIENT."""

BUSY_WAIT = 5.0
"""Seconds until a message that met a busy SMSC is tried again, at least."""
FAULT_WAIT = 60.0
"""Seconds until the next try where a setting is wrong: a person has to mend it."""

ESME_RINVCMDLEN = 0x02
ESME_RINVCMDID = 0x03
ESME_RX_T_APPN = 0x64
ESME_RX_R_APPN = 0x66


def verdict_of(status: int, own: Mapping[int, Verdict]) -> Verdict:
    """What follows from a status; `own` are the codes that the operator of Tidings has set."""
    _, verdict, _ = STATUSES.get(status, ("", _T, ""))
    return own.get(status, verdict)


def refusal(status: int, own: Mapping[int, Verdict]) -> DeliveryError:
    """The error that a command_status other than 0 means. Its reason names the status."""
    name, _, words = STATUSES.get(status, ("an SMSC's own status", _T, ""))
    reason = f"0x{status:08X} {name}" + (f": {words}" if words else "")
    verdict = verdict_of(status, own)
    if verdict is _P:
        return PermanentDeliveryError(reason)
    if verdict is _C:
        return ConfigurationFault(reason, retry_after=FAULT_WAIT)
    if verdict is _B:
        return Throttled(reason, retry_after=BUSY_WAIT)
    return TransientDeliveryError(reason)


def refused_bind(status: int) -> TransientDeliveryError:
    """The same for a bind: nothing in it is a message's fault, so nothing ends messages."""
    reason = f"can't bind: {refusal(status, {}).reason}"
    if verdict_of(status, {}) in (_T, _B):
        return TransientDeliveryError(reason)
    return ConfigurationFault(reason, retry_after=FAULT_WAIT)
