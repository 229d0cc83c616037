"""Those whom an account behind a made-up Green-API writes to, and what they do."""

from integrations.standins.whatsapp_account import Account
from integrations.standins.whatsapp_model import Heard, Json, Posted

PLACEHOLDER = "{{SWE001}}"


class People(Account):
    """`who` is a phone in any spelling, or a chat id."""

    def says(
        self,
        who: str,
        text: str,
        *,
        quote: str = "",
        is_extended: bool = False,
        is_undecrypted: bool = False,
        id_message: str = "",
    ) -> str:
        """Type a text and give its id. `quote` is the id of our message that it answers.

        `is_extended`: in the form in which some phones send any text. `is_undecrypted`: the gateway could not
        read it yet; say it again with the same `id_message` when it can.
        """
        message: Json = {"typeMessage": "textMessage", "textMessageData": {"textMessage": text}}
        if is_undecrypted:
            message["textMessageData"]["textMessage"] = PLACEHOLDER
        elif quote:
            message = self._quoting("quotedMessage", text, quote)
        elif is_extended:
            extended = {"text": text, "description": "", "title": "", "jpegThumbnail": ""}
            message = {"typeMessage": "extendedTextMessage", "extendedTextMessageData": extended}
        id_message = self._incoming(who, message, id_message)
        self._heard(who, id_message, text, quoted=quote)
        return id_message

    def votes(self, who: str, option: str | None, *, id_message: str = "") -> str:
        """Vote in the poll with this id (the newest to this person that has the option); None withdraws."""
        chat_id = self.chat_of(who)
        poll = self._poll(chat_id, option, id_message)
        poll.votes.pop(chat_id, None)
        if option is not None:
            poll.votes[chat_id] = option
        if self.settings["pollMessageWebhook"] != "yes":
            return ""
        votes = [
            {"optionName": name, "optionVoters": [chat_id] if name == option else []} for name in poll.options
        ]
        content = {
            "stanzaId": poll.id_message,
            "name": poll.text,
            "votes": votes,
            "multipleAnswers": False,
        }
        return self._incoming(who, {"typeMessage": "pollUpdateMessage", "pollMessageData": content})

    def reacts(self, who: str, emoji: str, *, quote: str = "") -> str:
        """Put an emoji on a message of ours (the last one); "" takes it away."""
        quote = quote or self.last(who).id_message
        return self._incoming(who, self._quoting("reactionMessage", emoji, quote))

    def edits(self, who: str, text: str, *, id_message: str) -> str:
        if self.settings["editedMessageWebhook"] != "yes":
            return ""
        edited = {"textMessage": text, "stanzaId": id_message}
        return self._incoming(who, {"typeMessage": "editedMessage", "editedMessageData": edited})

    def sends(self, who: str, media: str, caption: str = "") -> str:
        """`media` is audio, image, video, document or sticker."""
        file = {
            "downloadUrl": f"https://files.example/{self._last_id}",
            "caption": caption,
            "fileName": f"{media}.bin",
            "mimeType": "application/octet-stream",
        }
        id_message = self._incoming(who, {"typeMessage": f"{media}Message", "fileMessageData": file})
        self._heard(who, id_message, caption, media=media)
        return id_message

    def reads(self, who: str) -> None:
        """Open the chat: everything delivered there is read."""
        for post in self.messages(who):
            if "delivered" in post.statuses and "read" not in post.statuses:
                self._status(post, "read")

    def manager_writes(self, who: str, text: str) -> str:
        """A person of the company types in the chat on the phone itself."""
        id_message = self._next_id()
        self._heard(who, id_message, text, by_company=True)
        if self.settings["outgoingMessageWebhook"] == "yes":
            message = {"typeMessage": "textMessage", "textMessageData": {"textMessage": text}}
            self._notify(self._from_us("outgoingMessageReceived", id_message, self.chat_of(who), message))
        return id_message

    def set_state(self, state: str) -> None:
        """authorized, notAuthorized, blocked, yellowCard, starting, sleepMode …"""
        self.state = state
        if self.settings["stateWebhook"] == "yes":
            self._notify({**self._head("stateInstanceChanged"), "stateInstance": state})

    def set_phone_online(self, is_online: bool) -> None:
        """While the phone is offline everything waits in the queue."""
        self.is_phone_online = is_online
        self._move_queue()

    def set_quota(self, people: int | None) -> None:
        self.quota = people

    def has_no_account(self, who: str) -> None:
        """This number is not on the messenger, or hides from search."""
        self.no_account.add(self.chat_of(who))

    def repeat(self, times: int = 1) -> None:
        """Deliver the newest notification once more, as the real gateway now and then does."""
        for _ in range(times):
            self._notify(self._newest)

    def keep_statuses(self) -> None:
        """From now on no status is told by itself: `tells_status` does it, in whatever order."""
        self.keeps_statuses = True

    def last(self, who: str) -> Posted:
        return self.messages(who)[-1]

    def conversation(self, who: str) -> list[Posted | Heard]:
        """What stands in this chat, of both sides, in its order."""
        arrived = {post.id_message for post in self.messages(who)}
        chat_id = self.chat_of(who)
        return [
            one
            for one in self.talk
            if one.chat_id == chat_id and (isinstance(one, Heard) or one.id_message in arrived)
        ]

    def _poll(self, chat_id: str, option: str | None, id_message: str) -> Posted:
        polls = [
            post
            for post in self.messages(chat_id)
            if post.is_poll and id_message in ("", post.id_message) and option in (None, *post.options)
        ]
        if not polls:
            raise LookupError(f"no poll with the option «{option}» was sent to this person")
        return polls[-1]
