"""Who is told by a webhook of what happens in the made-up account."""

import httpx
from starlette.requests import Request
from starlette.responses import Response

from integrations.standins.amocrm_account import MadeUpAccount
from integrations.standins.amocrm_answers import body_of, hal, missing, nothing, problem
from integrations.standins.amocrm_json import webhook_json
from integrations.standins.amocrm_model import Json, Webhook
from integrations.standins.amocrm_query import Query

MOST_BAD_ANSWERS = 100
TIMEOUT = 2  # seconds


class Subscribers:
    """Those of one account."""

    def __init__(self, account: MadeUpAccount) -> None:
        self.account = account
        self._bad_answers = 0

    async def listed(self, request: Request) -> Response:
        asked = Query(request.url.query).values("filter", "destination")
        known = self.account.webhooks.values()
        hooks = [webhook_json(hook) for hook in known if not asked or hook.destination in asked]
        if not hooks:
            return nothing()
        return hal({"_total_items": len(hooks), "_embedded": {"webhooks": hooks}})

    async def subscribe(self, request: Request) -> Response:
        body = await body_of(request)
        destination = body.get("destination") if isinstance(body, dict) else None
        settings = body.get("settings") if isinstance(body, dict) else None
        if not isinstance(destination, str) or not destination.startswith("http") or not settings:
            return problem(422, "Unprocessable Entity", "Invalid webhook")
        now, known = self.account.now(), self.account.webhooks.get(destination)
        self.account.webhooks[destination] = hook = Webhook(
            id=known.id if known else self.account.next_id("webhook"), destination=destination,
            settings=settings, created_at=known.created_at if known else now, updated_at=now,
        )  # fmt: skip
        return hal(webhook_json(hook), 201)

    async def unsubscribe(self, request: Request) -> Response:
        body = await body_of(request)
        destination = body.get("destination") if isinstance(body, dict) else None
        return nothing() if self.account.webhooks.pop(str(destination), None) else missing("Webhook")

    async def tell_all(self, client: httpx.AsyncClient) -> None:
        """Tell the subscribers what happened since the last time; one that answers badly is switched off."""
        told, self.account.hooks = self.account.hooks, []
        for hook in [hook for hook in self.account.webhooks.values() if not hook.disabled]:
            for said in told:
                if said["setting"] in hook.settings:
                    await self._tell(client, hook, said["body"])

    async def _tell(self, client: httpx.AsyncClient, hook: Webhook, body: Json) -> None:
        form = {**body, "account[id]": "1000", "account[subdomain]": "example"}
        headers = {"User-Agent": "amoCRM-WebHook-client/1.0"}
        try:
            answer = await client.post(hook.destination, data=form, headers=headers, timeout=TIMEOUT)
        except httpx.HTTPError:
            is_good = False
        else:
            is_good = answer.status_code < 300
        self._bad_answers += not is_good
        hook.disabled = not is_good and self._bad_answers > MOST_BAD_ANSWERS
