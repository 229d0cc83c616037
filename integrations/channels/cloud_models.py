"""What Meta posts, as far as it matters here.

Bodies: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages
"""

from pydantic import Field

from integrations.channels.lenient import Block, Flag, Moment, Number, Part, Rows, Words

LISTS = ("messages", "statuses", "message_echoes", "user_preferences", "errors")  # of things to keep apart
MEDIA = {
    "image": "photo",
    "video": "video",
    "document": "document",
    "sticker": "sticker",
    "location": "location",
    "contacts": "contact",
}
ANYTHING = "media"  # what came in a form that we know nothing of


class _Named(Part):
    id: Words = ""


class _Text(Part):
    body: Words = ""


class _Pressed(Part):
    """A quick reply of a template; `payload` is its text where none was given."""

    payload: Words = ""
    text: Words = ""


class _Choice(Part):
    id: Words = ""
    title: Words = ""


class _Interactive(Part):
    button_reply: Block[_Choice] = _Choice()
    list_reply: Block[_Choice] = _Choice()


class _Reaction(Part):
    message_id: Words = ""
    emoji: Words = ""  # none when it was taken back


class _File(Part):
    caption: Words = ""
    voice: Flag = False


class Content(Part):
    """What a message says; also the new words of an edited one."""

    type: Words = ""
    text: Block[_Text] = _Text()
    audio: Block[_File] = _File()
    image: Block[_File] = _File()
    video: Block[_File] = _File()
    document: Block[_File] = _File()

    @property
    def words(self) -> str:
        files = (self.image, self.video, self.document)
        return self.text.body or next((file.caption for file in files if file.caption), "")

    @property
    def media(self) -> str:
        if self.type in ("audio", "voice"):
            return "voice" if self.audio.voice or self.type == "voice" else "audio"
        return "" if self.type == "text" else MEDIA.get(self.type, ANYTHING)


class _Edit(Part):
    original_message_id: Words = ""
    message: Block[Content] = Content()


class Message(Content):
    """`messages[]` and `message_echoes[]`"""

    id: Words = ""
    sender: Words = Field("", alias="from")
    from_user_id: Words = ""
    to: Words = ""  # of an echo
    to_user_id: Words = ""
    group_id: Words = ""
    timestamp: Moment = None
    context: Block[_Named] = _Named()
    button: Block[_Pressed] = _Pressed()
    interactive: Block[_Interactive] = _Interactive()
    reaction: Block[_Reaction] = _Reaction()
    edit: Block[_Edit] = _Edit()


class _Code(Part):
    code: Number = None


class Delivery(Part):
    """`statuses[]`"""

    id: Words = ""
    status: Words = ""
    timestamp: Moment = None
    recipient_id: Words = ""
    recipient_user_id: Words = ""
    recipient_type: Words = ""
    group_id: Words = ""
    biz_opaque_callback_data: Words = ""
    errors: Rows[_Code] = ()


class Preference(Part):
    """`user_preferences[]`: whether a person wants marketing messages."""

    wa_id: Words = ""
    user_id: Words = ""
    value: Words = ""
    timestamp: Moment = None


class _Profile(Part):
    name: Words = ""
    username: Words = ""


class Contact(Part):
    wa_id: Words = ""
    user_id: Words = ""
    profile: Block[_Profile] = _Profile()


class Value(Part):
    contacts: Rows[Contact] = ()
    messages: Rows[Message] = ()
    message_echoes: Rows[Message] = ()
    statuses: Rows[Delivery] = ()
    user_preferences: Rows[Preference] = ()
    errors: Rows[_Code] = ()
    event: Words = ""  # of a template, the number or the account
    reason: Words = ""
    message_template_name: Words = ""
    new_category: Words = ""
    correct_category: Words = ""

    @property
    def contact(self) -> Contact:
        return self.contacts[0] if self.contacts else Contact()


class Change(Part):
    field: Words = ""
    value: Block[Value] = Value()

    @property
    def kind(self) -> str:
        """In the inbox: `messages`, `statuses` … or the field."""
        named = next((name for name in LISTS if getattr(self.value, name)), "")
        return named or self.field or "unreadable"


class _Entry(Part):
    changes: Rows[Change] = ()


class Envelope(Part):
    entry: Rows[_Entry] = ()
