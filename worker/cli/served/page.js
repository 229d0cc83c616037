// The page of `demo --serve`: shows the state that the server tells, and tells the server what a person does.
// Whatever a person typed becomes text nodes only, never markup.
"use strict";

const SIDES = ["telegram", "whatsapp", "staff"];
const SCORES = ["NPS", "CSAT", "CES", "CSAT рекламации"];
const NEEDS_WORDS = ["/find", "/forget"]; // commands that say nothing alone
const LOOK_AGAIN = 3000; // ms: another tab may have done something
const chosen = {}; // which chat of a window is open
const seen = {}; // how many messages of a chat were looked at
const quoted = {}; // what the next words of a window answer
const unfolded = new Set(); // deals whose details are open
let state = null;
let before = new Map(); // deals as they were, to show what has changed
let isBusy = false;

const find = (path, within = document) => within.querySelector(path);

function make(tag, options = {}, ...children) {
  const { text, on, data, ...rest } = options;
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(rest)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined && value !== "") element.setAttribute(name, value);
  }
  if (text !== undefined) element.textContent = text;
  if (on) element.addEventListener("click", on);
  if (data) element.dataset.key = data;
  element.append(...children.filter(Boolean));
  return element;
}

// Talking to the server

// `client`: whose chat is to be looked at afterwards.
async function act(wish, client = "") {
  if (isBusy) return false;
  isBusy = true;
  document.body.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch("/act", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(wish),
    });
    const said = await answer.json();
    if (said.error) toast(said.error);
    if (said.toast) toast(said.toast);
    if (said.state) show(said.state, client);
    return answer.ok;
  } catch {
    toast("Программа не отвечает. Она ещё работает в терминале?");
    return false;
  } finally {
    isBusy = false;
    document.body.removeAttribute("aria-busy");
  }
}

async function look() {
  if (isBusy || document.hidden) return;
  try {
    const answer = await fetch(`/state?seen=${state ? state.version : -1}`);
    if (answer.status === 200 && !isBusy) show(await answer.json());
  } catch {
    toast("Программа остановлена: запустите её снова и обновите страницу.");
  }
}

let toastTimer = 0;

function toast(text) {
  const place = find("#toast");
  place.textContent = text;
  place.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => (place.hidden = true), 5000);
}

// Showing

function show(next, client = "") {
  const focused = document.activeElement && document.activeElement.dataset.key;
  if (!state) {
    // What was there before the page is no news.
    for (const side of SIDES) for (const chat of next.chats[side]) seen[`${side} ${chat.id}`] = chat.messages.length;
  }
  state = next;
  for (const side of client ? SIDES : []) {
    const chat = state.chats[side].find((one) => one.name === client && !one.title);
    if (chat) chosen[side] = chat.id;
  }
  find("#clock").textContent = state.clock;
  find("#trouble").textContent = state.trouble;
  find("#trouble").hidden = !state.trouble;
  for (const side of SIDES) showWindow(side);
  showDeals();
  const again = focused && find(`[data-key="${CSS.escape(focused)}"]`);
  if (again) again.focus({ preventScroll: true });
}

function chatOf(side) {
  const chats = state.chats[side];
  return chats.find((chat) => chat.id === chosen[side]) || chats[0];
}

function news(side, chat) {
  return chat.messages.length - (seen[`${side} ${chat.id}`] || 0);
}

function showWindow(side) {
  const place = find(`#${side}`);
  const chat = chatOf(side);
  chosen[side] = chat.id;
  const isNew = news(side, chat) !== 0;
  seen[`${side} ${chat.id}`] = chat.messages.length;
  const list = find(".messages", place);
  const isAtEnd = list.scrollHeight - list.clientHeight - list.scrollTop < 60;
  const wasAt = list.dataset.chat === chat.id && !isAtEnd ? list.scrollTop : -1;
  list.dataset.chat = chat.id;
  find(".tabs", place).replaceChildren(...state.chats[side].map((one) => tab(side, one, one === chat)));
  list.replaceChildren(...lines(side, chat));
  if (!chat.messages.length || chat.can_start) list.append(emptiness(side, chat));
  showCommands(place, chat);
  showQuoted(side);
  list.scrollTop = isNew || wasAt < 0 ? list.scrollHeight : wasAt;
  find("h2 span", place).textContent = chat.title ? ` · ${chat.name}, ${chat.title}` : ` · ${chat.name}`;
  const unread = state.chats[side].reduce((sum, one) => sum + news(side, one), 0);
  badge(find(`nav a[href="#${side}"] i`), unread + (isNew && side !== current() ? 1 : 0), isNew);
}

function tab(side, chat, isChosen) {
  const unread = isChosen ? 0 : news(side, chat);
  const title = chat.title ? `${chat.name}, ${chat.title}` : chat.name;
  return make(
    "button",
    {
      type: "button",
      title,
      "aria-pressed": String(isChosen),
      data: `tab ${side} ${chat.id}`,
      on: () => {
        chosen[side] = chat.id;
        quoted[side] = null;
        showWindow(side);
      },
    },
    chat.name.split(" ")[0],
    unread > 0 && make("i", { text: String(unread), "aria-label": `новых: ${unread}` }),
  );
}

function emptiness(side, chat) {
  const place = make("li", { class: "empty" });
  if (chat.can_start) {
    place.append(make("p", { text: "Бот ещё не открыт. Ссылка на него стоит в карточке сделки." }));
    place.append(
      make("button", {
        type: "button",
        text: "Открыть бота по ссылке",
        data: `start ${chat.id}`,
        on: () => act({ do: "start", who: Number(chat.id) }),
      }),
    );
  } else {
    place.append(make("p", { text: side === "staff" ? "Оповещения придут сюда" : "Переписки пока нет: закройте сделку" }));
  }
  return place;
}

// With the day above its first message.
function lines(side, chat) {
  let day = "";
  return chat.messages.flatMap((message) => {
    const isNext = message.day !== day;
    day = message.day;
    const line = bubble(side, chat, message);
    return isNext ? [make("li", { class: "day" }, make("span", { text: day })), line] : [line];
  });
}

function bubble(side, chat, message) {
  const key = `${side} ${chat.id} ${message.id}`;
  const body = make(
    "div",
    { class: "bubble" },
    message.from && make("span", { class: "who", text: message.from }),
    message.quote && make("blockquote", { text: message.quote }),
    ...linked(message.text),
    make(
      "div",
      { class: "meta" },
      !message.mine &&
        make("button", {
          type: "button",
          text: "↩",
          title: "Ответить на это сообщение",
          "aria-label": "Ответить на это сообщение",
          data: `reply ${key}`,
          on: () => quote(side, message),
        }),
      make("span", { text: `${message.is_edited ? "изменено " : ""}${message.at}` }),
    ),
  );
  const rows = message.rows.map((row) => buttons(side, chat, message, row));
  return make("li", { class: message.mine ? "mine" : "" }, body, ...rows);
}

// Links of the text that lead to a deal show its card; others stay words.
function linked(text) {
  const pieces = text.split(/(https?:\/\/\S+\/leads\/detail\/\d+)/);
  return pieces.map((piece, place) => {
    if (place % 2 === 0) return document.createTextNode(piece);
    const deal = piece.match(/\d+$/)[0];
    return make("a", { href: `#deal-${deal}`, text: `сделка ${deal}`, on: (event) => openDeal(event, deal) });
  });
}

function buttons(side, chat, message, row) {
  return make(
    "div",
    { class: side === "whatsapp" ? "row poll" : "row" },
    ...row.map((button) => keyOf(side, chat, message, button)),
  );
}

function keyOf(side, chat, message, button) {
  if (button.does === "open" && !button.deal) {
    const isSafe = /^https?:/.test(button.url);
    return make("a", { href: isSafe ? button.url : undefined, target: "_blank", rel: "noopener noreferrer", text: button.text });
  }
  const wishes = {
    press: () => act({ do: "press", side: gate(side), who: chat.id, message: message.id, button: button.text }),
    share: () => act({ do: "share", who: Number(chat.id) }),
    say: () => act({ do: "say", side: gate(side), who: chat.id, text: button.text }),
    copy: () => navigator.clipboard.writeText(button.copies).then(() => toast(`Скопировано: ${button.copies}`)),
    open: (event) => openDeal(event, button.deal),
  };
  return make("button", {
    type: "button",
    text: button.text,
    class: button.text.length > 4 ? "wide" : "",
    "aria-pressed": button.is_chosen ? "true" : undefined,
    data: `key ${side} ${chat.id} ${message.id} ${button.text}`,
    on: wishes[button.does],
  });
}

const gate = (side) => (side === "whatsapp" ? "whatsapp" : "telegram");

function showCommands(place, chat) {
  const bar = find(".commands", place);
  if (!bar) return;
  bar.replaceChildren(
    ...chat.commands.map((command) =>
      make("button", {
        type: "button",
        text: command.text,
        title: command.about,
        data: `command ${command.text}`,
        on: () => give(place, chat, command.text),
      }),
    ),
  );
}

function give(place, chat, text) {
  if (!NEEDS_WORDS.includes(text)) {
    act({ do: "say", side: "telegram", who: chat.id, text });
    return;
  }
  const input = find("form input", place);
  input.value = `${text} `;
  input.focus();
}

function quote(side, message) {
  quoted[side] = message;
  showQuoted(side);
  find(`#${side} form input`).focus();
}

function showQuoted(side) {
  const place = find(`#${side} .quoted`);
  place.hidden = !quoted[side];
  find("span", place).textContent = quoted[side] ? `Ответ на: ${quoted[side].text}` : "";
}

// amoCRM

function showDeals() {
  const place = find(".deals");
  const wasAt = place.scrollTop;
  const groups = [
    ["Рекламации", (deal) => deal.is_complaint],
    ["Сделки в работе", (deal) => !deal.is_complaint && deal.is_open],
    ["Закрытые сделки", (deal) => !deal.is_complaint && !deal.is_open],
  ];
  const parts = [];
  let isNew = false;
  const now = new Map();
  for (const [title, fits] of groups) {
    const deals = state.deals.filter(fits);
    if (deals.length) parts.push(make("h3", { text: title }));
    for (const deal of deals) {
      const text = JSON.stringify(deal);
      const isFresh = before.size > 0 && before.get(deal.id) !== text;
      now.set(deal.id, text);
      isNew = isNew || isFresh;
      parts.push(card(deal, isFresh));
    }
  }
  before = now;
  place.replaceChildren(...parts);
  place.scrollTop = wasAt;
  badge(find('nav a[href="#amocrm"] i'), isNew && current() !== "amocrm" ? 1 : 0, isNew);
  setTimeout(() => place.querySelectorAll(".fresh").forEach((one) => one.classList.remove("fresh")), 1500);
}

function card(deal, isFresh) {
  const classes = [deal.is_complaint && "complaint", deal.is_open && "open", deal.is_won && "won", isFresh && "fresh"];
  const scores = deal.fields.filter((field) => SCORES.includes(field.name));
  return make(
    "article",
    { class: classes.filter(Boolean).join(" "), id: `deal-${deal.id}` },
    make("h4", {}, document.createTextNode(deal.name), make("span", { text: deal.price })),
    make("p", { text: [deal.client, deal.manager, deal.status].filter(Boolean).join(" · ") }),
    scores.length > 0 &&
      make("div", { class: "scores" }, ...scores.map((field) => make("b", { text: `${field.name} ${field.value}` }))),
    deeds(deal),
    details(deal, scores),
  );
}

function deeds(deal) {
  if (!deal.is_open) return null;
  const key = (text, wish) =>
    make("button", { type: "button", text, data: `${text} ${deal.id}`, on: () => act(wish, deal.client) });
  const close = (won) => ({ do: "close", deal: deal.id, won });
  const keys = deal.is_complaint
    ? [
        !deal.is_taken && key("В работу", { do: "take", deal: deal.id }),
        key("Закрыть: решено", close(true)),
        key("Не подтвердилась", close(false)),
      ]
    : [key("Закрыть сделку", close(true)), key("Проиграна", close(false))];
  return make("div", { class: "acts" }, ...keys);
}

function details(deal, scores) {
  const fields = deal.fields.filter((field) => !scores.includes(field));
  const open = deal.is_complaint ? !unfolded.has(-deal.id) && deal.is_open : unfolded.has(deal.id);
  const counts = [
    deal.tasks.length && `задачи: ${deal.tasks.length}`,
    deal.notes.length && `примечания: ${deal.notes.length}`,
  ].filter(Boolean);
  const box = make(
    "details",
    { open },
    make("summary", { text: ["Карточка", ...counts].join(" · "), data: `card ${deal.id}` }),
    ...deal.tasks.map((task) =>
      make(
        "div",
        { class: task.is_done ? "task done" : "task" },
        make("small", { text: `Задача до ${task.until}, ${task.who}${task.is_done ? " — выполнена" : ""}` }),
        make("span", { class: "what" }, ...linked(task.text)),
        task.result && make("small", { text: task.result }),
      ),
    ),
    ...deal.notes.map((note) => make("div", { class: "note" }, make("small", { text: "Примечание" }), ...linked(note))),
    make("dl", {}, ...fields.flatMap((field) => [make("dt", { text: field.name }), make("dd", { text: field.value })])),
    deal.tags.length > 0 && make("p", { text: `Метки: ${deal.tags.join(", ")}` }),
  );
  box.addEventListener("toggle", () => {
    const id = deal.is_complaint ? -deal.id : deal.id;
    const isKept = deal.is_complaint ? !box.open : box.open;
    if (isKept) unfolded.add(id);
    else unfolded.delete(id);
  });
  return box;
}

function openDeal(event, deal) {
  event.preventDefault();
  const found = find(`#deal-${deal}`);
  if (!found) return;
  find("details", found).open = true;
  found.scrollIntoView({ block: "start", behavior: "smooth" });
  found.classList.add("found");
  setTimeout(() => found.classList.remove("found"), 2500);
}

// A phone shows one window at a time: which one, and where something is new.

function current() {
  const link = find("nav a[aria-current]");
  return link && link.offsetParent ? link.getAttribute("href").slice(1) : "";
}

function badge(place, count, isNew) {
  if (count > 0) {
    place.textContent = String(count);
    place.hidden = false;
  } else if (!isNew) {
    return;
  } else {
    place.hidden = true;
  }
}

const watcher = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      const link = find(`nav a[href="#${entry.target.id}"]`);
      if (entry.isIntersecting) {
        document.querySelectorAll("nav a[aria-current]").forEach((one) => one.removeAttribute("aria-current"));
        link.setAttribute("aria-current", "true");
        find("i", link).hidden = true;
      }
    }
  },
  { rootMargin: "-45% 0px -45% 0px" },
);

// Hands

for (const side of SIDES) {
  const form = find(`#${side} form`);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const input = form.elements.text;
    const text = input.value.trim();
    const chat = chatOf(side);
    if (!text) return;
    const reply = quoted[side] ? quoted[side].id : "";
    if (await act({ do: "say", side: gate(side), who: chat.id, text, reply })) {
      input.value = "";
      quoted[side] = null;
      showQuoted(side);
    }
  });
  find(".quoted button", form).addEventListener("click", () => {
    quoted[side] = null;
    showQuoted(side);
  });
}

find(".arrival").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { name, by } = event.target.elements;
  if (await act({ do: "arrive", name: name.value, by: by.value }, name.value.trim())) name.value = "";
});

document.querySelectorAll("[data-wait]").forEach((button) => {
  button.addEventListener("click", () => act({ do: "wait", hours: Number(button.dataset.wait) }));
});

document.querySelectorAll("main > section").forEach((section) => watcher.observe(section));
look();
setInterval(look, LOOK_AGAIN);
