"""What can be done outside: one line for each kind of outbox row."""

from collections.abc import Mapping

from worker.actions import (
    adding,
    alert_staff,
    bulk,
    first_list,
    noting,
    scorecards,
    tagging,
    talking,
    trial,
    trouble,
    write_back,
)
from worker.actions.answer_staff import answer_staff, set_menu, tell_staff
from worker.actions.base import Action
from worker.actions.credit_referrer import credit_referrer
from worker.actions.dashboard import send_dashboard
from worker.actions.escalate import escalate
from worker.actions.find_client import find_client, know_client
from worker.actions.follow_press import follow_press
from worker.actions.forgetting import tell_forget
from worker.actions.forwarding import edit_request, tell_head
from worker.actions.handing_over import show_buttons, tell_receiver
from worker.actions.join_alerts import alert_or_join
from worker.actions.open_complaint import open_complaint, tell_of_refusal
from worker.actions.replying import reply_client
from worker.actions.results import ask_result, note_result, tell_of_loss
from worker.actions.rewarding import reward_task, tell_referrer
from worker.actions.send_daily import send_daily
from worker.actions.send_digest import send_digest

# amoCRM takes lists of 50: https://www.amocrm.ru/developers/content/api/recommendations
LIST = 50

ACTIONS: Mapping[str, Action] = {
    "open_complaint": Action("crm", open_complaint, given_up=tell_of_refusal),
    "follow_press": Action("crm", follow_press),
    "note_result": Action("crm", note_result, given_up=tell_of_loss),
    "deal_task": Action("crm", write_back.add_task),
    "sync_deal": Action("crm", run_many=write_back.sync_deals, batch=LIST),
    "note_deal": Action("crm", run_many=write_back.add_notes, batch=LIST),
    "note_words": Action("crm", run_many=write_back.add_notes, batch=LIST),
    "note": Action("crm", run_many=write_back.add_notes, batch=LIST),
    "complaint_words": Action("crm", run_many=write_back.add_notes, batch=LIST),
    "complaint_joined": Action("crm", run_many=write_back.add_notes, batch=LIST),
    "score_raised": Action("crm", run_many=write_back.add_notes, batch=LIST),
    "sync_stop_tag": Action("crm", tagging.sync_stop_tag),
    "welcome_back": Action("crm", tagging.welcome_back),
    "credit_referrer": Action("crm", credit_referrer),
    "reward_task": Action("crm", reward_task),
    "find_client": Action("crm", find_client),
    "know_client": Action("crm", know_client),
    "thank_client": Action("clients", talking.thank_client),
    "say": Action("clients", talking.say),
    "hand_over_code": Action("clients", talking.hand_over_code),
    "edit_question": Action("clients", talking.edit_question),
    "reply_client": Action("clients", reply_client),
    "tell_referrer": Action("clients", tell_referrer),
    "toast": Action("clients", talking.toast),
    "say_trial": Action("clients", trial.say_trial),
    "edit_trial": Action("clients", trial.edit_trial),
    "end_trial": Action("clients", trial.end_trial),
    "alert_staff": Action("staff", alert_or_join),
    # By itself: it asks amoCRM, and no alert waits for that.
    "escalate": Action("escalation", run_many=escalate, batch=LIST),
    "send_daily": Action("staff", send_daily),
    # By itself: a picture takes seconds to draw, and no alert waits for that.
    "send_digest": Action("digests", send_digest),
    "tell_receiver": Action("staff", tell_receiver),
    "alert_again": Action("staff", alert_staff.alert_again),
    "alert_words": Action("staff", adding.alert_words),
    "alert_joined": Action("staff", adding.alert_joined),
    "tell_low": Action("staff", alert_staff.tell_low),
    "edit_alert": Action("staff", alert_staff.edit_alert),
    "tell_head": Action("staff", tell_head),
    "edit_request": Action("staff", edit_request),
    "tell_uncalled": Action("staff", alert_staff.tell_uncalled),
    "tell_erase": Action("staff", alert_staff.tell_erase),
    "show_buttons": Action("desk", show_buttons),
    "ask_result": Action("desk", ask_result),
    "answer_staff": Action("desk", answer_staff),
    # By itself: as a file it is drawn first, which may take half a minute.
    "send_dashboard": Action("dashboard", send_dashboard),
    "tell_staff": Action("desk", tell_staff),
    "tell_forget": Action("desk", tell_forget),
    "set_menu": Action("desk", set_menu),
    # By itself: a week's cards come at once, and no alert waits for them.
    "send_card": Action("scorecards", scorecards.send_card),
    "show_card": Action("desk", scorecards.show_card),
    first_list.KIND: Action("desk", first_list.show_first_list),
    "close_first_list": Action("desk", first_list.close_first_list),
    bulk.KIND: Action("desk", bulk.ask_about_bulk),
    noting.KIND: Action("trouble", trouble.tell_trouble),
}
