"""The records' one codec: MessagePack, tagged by kind, the same bytes for the same values.

`encode` is canonical (field order is the declaration's, floats are 64-bit), so the journal's digest can
hash what it returns.  `decode` refuses what is not one of our records, naming the source.
"""

from __future__ import annotations

import msgspec

from jointwatch.records.clock import TimePassed
from jointwatch.records.delivery import CertificateChecked, Delivered
from jointwatch.records.disagreement import Disagreement
from jointwatch.records.errors import BadInput
from jointwatch.records.exchange import Forwarded, Received, Sent, Withholding
from jointwatch.records.groups import Group
from jointwatch.records.header import SCHEMA
from jointwatch.records.infrared import InfraredScan
from jointwatch.records.load import LoadLimit
from jointwatch.records.messages import AnnouncedReport, HealthReport, ImpactReport, PlotReport
from jointwatch.records.notes import Note
from jointwatch.records.others_alerts import OthersAlert, ReceivedCap
from jointwatch.records.people import Assessed, Drafted, Released
from jointwatch.records.sensing import Sector
from jointwatch.records.tracklets import TrackletReport
from jointwatch.records.tracks import LaunchReport, TrackReport
from jointwatch.records.warning import Advisory, Alert

Message = (
    PlotReport
    | TrackletReport
    | TrackReport
    | LaunchReport
    | ImpactReport
    | Alert
    | HealthReport
    | AnnouncedReport
)
"""What may cross between nodes."""
Exchange = Received | Sent | Forwarded | Withholding
Others = ReceivedCap | OthersAlert
"""What other systems warn of."""
People = Drafted | Released | Assessed
"""What people say."""
Record = (
    Sector
    | InfraredScan
    | Message
    | Exchange
    | Others
    | People
    | Disagreement
    | Group
    | Advisory
    | Note
    | LoadLimit
    | TimePassed
    | CertificateChecked
    | Delivered
)
_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Record] = msgspec.msgpack.Decoder(Record)


def encode(record: Record) -> bytes:
    """Canonical bytes of a record."""
    return _encoder.encode(record)


class _Tagged(msgspec.Struct):
    type: str = ""


_tagged = msgspec.msgpack.Decoder(_Tagged)


def tag_of(data: bytes) -> str:
    """The kind of the record in `data`, without reading the rest of it; "" if it is none."""
    try:
        return _tagged.decode(data).type
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""


def decode(data: bytes, source: str) -> Record:
    """The record in `data`; BadInput naming `source` if it is not one of ours."""
    try:
        record = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(source, "record", str(error), "a Jointwatch record") from None
    if record.header.schema != SCHEMA:
        raise BadInput(source, "schema", record.header.schema, f"schema version {SCHEMA}")
    return record
