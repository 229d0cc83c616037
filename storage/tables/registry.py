"""Every table: flat rows without relationships. Times are aware and in UTC; ids of amoCRM are 64-bit.

States are plain strings in the database (see the enums), so a row of a newer version can still be read. What
does not stand here is unknown to migrations, copies and backups.
"""

from sqlmodel import SQLModel

from storage.tables.calls import Call, Scorecard
from storage.tables.chat_events import ChatEvent
from storage.tables.complaints import Alert, Complaint, Repeat, Request, Shown
from storage.tables.deals import Contact, Deal, Referral
from storage.tables.people import Chat, Client, Erased, InvitedStaff, PromoCode
from storage.tables.queues import Inbox, Outbox, State
from storage.tables.surveys import Bulk, Message, Reply, Survey, Trial

TABLES: tuple[type[SQLModel], ...] = (
    Deal,
    Contact,
    Referral,
    Client,
    Chat,
    PromoCode,
    InvitedStaff,
    Erased,
    Survey,
    Bulk,
    Message,
    Reply,
    Trial,
    Inbox,
    Outbox,
    State,
    Complaint,
    Alert,
    Repeat,
    Request,
    Shown,
    ChatEvent,
    Call,
    Scorecard,
)

METADATA = SQLModel.metadata  # of all of them, since they are imported here
