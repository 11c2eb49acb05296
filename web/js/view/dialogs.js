// dialogs.js: opening a conversation, and who is in it.

import { h, fill, iconButton } from "../dom.js";
import { t } from "../i18n.js";
import { ConvType, failure } from "../model.js";
import { face, fault } from "./parts.js";

// dialog opens one; make(close) is what is in it.
export function dialog(title, make) {
  const el = h("dialog", { "aria-label": title, on: { close: () => el.remove(), click: (e) => { if (e.target === el) el.close(); } } });
  fill(el, h("header", h("h2", title), iconButton("close", t("close"), () => el.close())), make(() => el.close()));
  document.body.append(el);
  el.showModal();
  return el;
}

const split = (text) => [...new Set(text.split(/[\s,，、;；]+/).filter(Boolean))];

// busy runs a call of a button: no second click, and the error where it is seen.
async function busy(button, place, fn) {
  button.disabled = true;
  fill(place);
  try {
    await fn();
  } catch (raw) {
    const err = failure(raw);
    fill(place, fault(err, err.code === 211 && [h("span", t("unknownHelp")),
      h("a", { href: `/?name=${encodeURIComponent(err.message.split(/[:：]\s*/).pop() ?? "")}`, target: "_blank", rel: "noopener" }, t("secondTab"))]));
  } finally {
    button.disabled = false;
  }
}

// newConversation asks with whom, and calls done(conv).
export function newConversation(chat, { clients, done }) {
  dialog(t("newConversation"), (close) => {
    const errors = h("div");
    const who = h("input.input", { id: "who", required: true, autocomplete: "off", autocapitalize: "none", spellcheck: "false", autofocus: true, "aria-describedby": "who-hint", on: { input: () => show() } });
    const title = h("input.input", { id: "group-name", maxlength: "120", dir: "auto" });
    const group = h("div.field", { hidden: true }, h("label", { for: "group-name" }, t("groupName")), title);
    const go = h("button.button.primary", { type: "submit" }, t("openPrivate"));
    const names = () => split(who.value).filter((n) => n !== chat.me);
    const show = () => {
      const n = names().length;
      group.hidden = n < 2;
      fill(go, n < 2 ? t("openPrivate") : t("openGroup", { n: n + 1 }));
      go.disabled = n === 0;
    };
    const picks = h("div.picks", clients.filter((id) => id !== chat.me).map((id) => h("button.chip", {
      type: "button", on: { click: () => { who.value = [...new Set([...split(who.value), id])].join(" "); show(); who.focus(); } },
    }, id)));
    show();
    return h("form", {
      on: {
        submit: (e) => {
          e.preventDefault();
          busy(go, errors, async () => { const conv = await chat.create(names(), title.value.trim()); close(); done(conv); });
        },
      },
    },
    h("div.field", h("label", { for: "who" }, t("who")), who, h("span.hint", { id: "who-hint" }, t("whoHint"))),
    picks, group, errors,
    h("div.actions", h("button.button", { type: "button", on: { click: close } }, t("cancel")), go));
  });
}

// details shows the members, page by page, and what may be done with the conversation.
export function details(chat, conv) {
  const isGroup = conv.type !== ConvType.private;
  let stop = () => {};
  const el = dialog(isGroup ? t("members", { n: conv.count }) : t("details"), () => {
    const errors = h("div");
    const roster = new Roster(chat, conv, errors);
    stop = chat.on("people", () => roster.draw());
    roster.load();

    const add = h("input.input", { id: "add", autocomplete: "off", autocapitalize: "none", spellcheck: "false" });
    const addGo = h("button.button", { type: "submit" }, t("add"));
    const name = h("input.input", { id: "rename", value: conv.extend?.conv_name ?? "", maxlength: "120", dir: "auto" });
    const nameGo = h("button.button", { type: "submit" }, t("save"));
    return h("div.body",
      h("code.muted", conv.id), roster.el, errors,
      isGroup && h("form.inline", { on: { submit: (e) => { e.preventDefault(); busy(addGo, errors, async () => { await chat.add(conv, split(add.value)); add.value = ""; await roster.load(); }); } } },
        h("div.field", h("label", { for: "add" }, t("addMembers")), add), addGo),
      isGroup && h("form.inline", { on: { submit: (e) => { e.preventDefault(); busy(nameGo, errors, () => chat.rename(conv, name.value.trim())); } } },
        h("div.field", h("label", { for: "rename" }, t("renameTo")), name), nameGo),
      h("hr.apart"), h("div.actions", deleteButton(chat, conv, errors, () => el.close())));
  });
  el.addEventListener("close", () => stop());
}

// deleteButton asks once more before it deletes.
function deleteButton(chat, conv, errors, close) {
  let sure = false;
  const button = h("button.button.danger", {
    type: "button", on: {
      click: () => {
        if (!sure) { sure = true; fill(button, t("deleteSure")); return; }
        busy(button, errors, async () => { await chat.delete(conv); close(); });
      },
    },
  }, t("deleteConversation"));
  return button;
}

// Roster is the list of members; more of them come as it is scrolled.
class Roster {
  el;
  #chat;
  #conv;
  #errors;
  #members = [];
  #cursor = null;
  #people = h("ul.people", { tabindex: "0", "aria-label": t("details"), on: { scroll: () => this.#near() } });
  #more;
  #loading = false;

  constructor(chat, conv, errors) {
    this.#chat = chat;
    this.#conv = conv;
    this.#errors = errors;
    this.#more = h("button.button", { type: "button", hidden: true, on: { click: () => this.#next() } }, t("more"));
    this.el = h("div.roster", this.#people, this.#more);
  }

  load() {
    this.#members = [];
    this.#cursor = null;
    return this.#next();
  }

  async #next() {
    if (this.#loading) return;
    this.#loading = true;
    try {
      const { members, cursor } = await this.#chat.roster(this.#conv, this.#cursor);
      this.#members.push(...members);
      this.#cursor = cursor;
      for (const { client_id: id } of members.slice(0, 20)) if (id !== this.#chat.me) this.#chat.people.meet(id);
    } catch (err) {
      fill(this.#errors, fault(failure(err)));
    } finally {
      this.#loading = false;
      this.draw();
    }
  }

  #near() {
    const { scrollTop, scrollHeight, clientHeight } = this.#people;
    if (this.#cursor && scrollHeight - scrollTop - clientHeight < 200) this.#next();
  }

  draw() {
    const chat = this.#chat;
    const top = this.#people.scrollTop;
    this.#more.hidden = !this.#cursor;
    fill(this.#people, this.#members.map(({ client_id: id, role, nickname }) => {
      const name = nickname || chat.name(id);
      return h("li",
        face(name, { tiny: true, online: chat.presence.online(id) }),
        h("span.who.ellipsis", { title: id }, h("bdi", name), name !== id && h("span.muted.small", ` ${id}`)),
        role !== "member" && this.#conv.type !== ConvType.private && h("span.muted.small", t(role)),
        this.#mayRemove(id, role) && h("button.link.small", {
          type: "button", on: { click: (e) => busy(e.currentTarget, this.#errors, async () => { await chat.remove(this.#conv, [id]); await this.load(); }) },
        }, t("remove")));
    }));
    this.#people.scrollTop = top;
  }

  #mayRemove(id, role) {
    const mine = this.#conv.role;
    return this.#conv.type !== ConvType.private && id !== this.#chat.me && (mine === "owner" || (mine === "admin" && role === "member"));
  }
}
