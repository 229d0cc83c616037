"""Messages in amoCRM's chats: when and by whom."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from storage.tables.columns import big


class ChatEvent(SQLModel, table=True):
    """A message in a chat of amoCRM, or the end of a conversation: when, and by whom; never its words."""

    __tablename__ = "chat_events"

    event_id: str = Field(primary_key=True)  # amoCRM's
    at: datetime = Field(index=True)
    kind: str  # in, out, end
    talk: str = Field(index=True)  # the conversation: `talk:117`, or the card that it belongs to
    user_id: int = big(default=0)  # who of the company wrote; 0: a robot, a phone, or the client
    deal_id: int | None = big(default=None)
    contact_id: int | None = big(default=None)
    manager_id: int = big(default=0)  # of the deal, as it was then
    pipeline_id: int = big(default=0)
    is_ours: bool = False  # a question of ours, or what the client answered to it
