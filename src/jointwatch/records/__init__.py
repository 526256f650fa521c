"""The nouns: plain typed records that flow through the house, and their one codec.

Every record that is stored or sent carries a `Header`.  Records hold values only; what is computed
from them lives in the room named after the concept.
"""

from jointwatch.records.clock import TimePassed
from jointwatch.records.codec import Message, Record, decode, encode, tag_of
from jointwatch.records.delivery import GIVEN_UP, CertificateChecked, CertificateState, Delivered, Outcome
from jointwatch.records.disagreement import Disagreement
from jointwatch.records.errors import BadInput
from jointwatch.records.exchange import Forwarded, Received, Sent, Withholding
from jointwatch.records.groups import Group
from jointwatch.records.header import SCHEMA, Header, SequenceRange
from jointwatch.records.infrared import InfraredScan, Satellite
from jointwatch.records.load import LoadLimit
from jointwatch.records.messages import (
    KIND_OF,
    KINDS,
    MESSAGES,
    AnnouncedReport,
    Announcement,
    Envelope,
    HealthReport,
    ImpactReport,
    Kind,
    PlotReport,
    Receipt,
    SensorHealth,
    SensorState,
)
from jointwatch.records.notes import Note
from jointwatch.records.others_alerts import (
    AlertSender,
    CapArea,
    CapReference,
    OthersAlert,
    ReceivedCap,
)
from jointwatch.records.people import (
    AdvisoryDraft,
    Assessed,
    Content,
    Drafted,
    ManualAction,
    ManualAlert,
    Reason,
    Released,
)
from jointwatch.records.sensing import RADAR, Measure, Sector, Sensor
from jointwatch.records.tracklets import TrackBegun, TrackEnded, Tracklet, TrackletReport
from jointwatch.records.tracks import (
    LAUNCH_FLOOR_M,
    PHASES,
    Impact,
    LaunchArea,
    LaunchReport,
    Track,
    TrackReport,
)
from jointwatch.records.warning import (
    EXERCISE,
    Advisory,
    AdvisoryAction,
    Alert,
    AlertAction,
    PublicMessage,
    Tier,
    Zone,
)

__all__ = [
    "EXERCISE",
    "GIVEN_UP",
    "KINDS",
    "KIND_OF",
    "LAUNCH_FLOOR_M",
    "MESSAGES",
    "PHASES",
    "RADAR",
    "SCHEMA",
    "Advisory",
    "AdvisoryAction",
    "AdvisoryDraft",
    "Alert",
    "AlertAction",
    "AlertSender",
    "AnnouncedReport",
    "Announcement",
    "Assessed",
    "BadInput",
    "CapArea",
    "CapReference",
    "CertificateChecked",
    "CertificateState",
    "Content",
    "Delivered",
    "Disagreement",
    "Drafted",
    "Envelope",
    "Forwarded",
    "Group",
    "Header",
    "HealthReport",
    "Impact",
    "ImpactReport",
    "InfraredScan",
    "Kind",
    "LaunchArea",
    "LaunchReport",
    "LoadLimit",
    "ManualAction",
    "ManualAlert",
    "Measure",
    "Message",
    "Note",
    "OthersAlert",
    "Outcome",
    "PlotReport",
    "PublicMessage",
    "Reason",
    "Receipt",
    "Received",
    "ReceivedCap",
    "Record",
    "Released",
    "Satellite",
    "Sector",
    "Sensor",
    "SensorHealth",
    "SensorState",
    "Sent",
    "SequenceRange",
    "Tier",
    "TimePassed",
    "Track",
    "TrackBegun",
    "TrackEnded",
    "TrackReport",
    "Tracklet",
    "TrackletReport",
    "Withholding",
    "Zone",
    "decode",
    "encode",
    "tag_of",
]
