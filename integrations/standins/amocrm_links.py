"""Which deals, contacts and companies of the made-up account belong together, and what the API says of it."""

from typing import Any

from integrations.standins.amocrm_account import MadeUpAccount
from integrations.standins.amocrm_elements import Refused, elements_of
from integrations.standins.amocrm_model import COMPANIES, CONTACTS, LEADS, Entity, Json, Lead


class Links:
    """The links of one account."""

    def __init__(self, account: MadeUpAccount) -> None:
        self.account = account

    def of(self, entity: Entity) -> list[Json]:
        contacts = entity.contact_ids if isinstance(entity, Lead) else []
        rows: list[Json] = [
            {"to_entity_id": contact_id, "to_entity_type": CONTACTS, "metadata": {"main_contact": place == 0}}
            for place, contact_id in enumerate(contacts)
        ]
        if entity.company_id:
            rows.append({"to_entity_id": entity.company_id, "to_entity_type": COMPANIES, "metadata": None})
        if entity.kind == CONTACTS:
            rows += [
                {"to_entity_id": lead.id, "to_entity_type": LEADS, "metadata": None}
                for lead in self.account.leads_of_contact(entity.id)
            ]
        return rows

    def change(self, kind: str, entity_id: int, body: object, *, attach: bool) -> list[Json]:
        """Attach or detach; without `entity_id` each element names its own. Gives what was asked for."""
        linked = []
        for element in elements_of(body):
            row = element.raw
            entity = self.account.entities(kind).get(int(entity_id or row.get("entity_id") or 0))
            target = row.get("to_entity_type")
            if entity is None or target not in (CONTACTS, COMPANIES):
                element.wrong("NotSupportedChoice", "to_entity_type" if entity else "entity_id")
                raise Refused([{"request_id": element.request_id, "errors": element.problems}])
            is_main = bool((row.get("metadata") or {}).get("is_main"))
            self._attach(entity, target, row.get("to_entity_id"), attach=attach, is_main=is_main)
            linked.append(row)
        return linked

    def _attach(self, entity: Entity, kind: str, target: Any, *, attach: bool, is_main: bool) -> None:
        if kind == COMPANIES:
            entity.company_id = target if attach else None
        elif isinstance(entity, Lead):
            others = [contact_id for contact_id in entity.contact_ids if contact_id != target]
            mine = [target] if attach else []
            entity.contact_ids = mine + others if is_main else others + mine
        entity.updated_at = max(self.account.now(), entity.updated_at)
