// writing.js: what the composer is about: a new text, an answer, or an edit; and
// what becomes of it.

import { t } from "../i18n.js";
import { Status } from "../skein/message.js";
import { attempt } from "./menu.js";
import { lineOf } from "./words.js";

export class Writing {
  #chat;
  #composer;
  #conv = null;
  #reply = null; // message that is answered
  #edit = null; // message that is edited
  #kept = ""; // what was begun before the edit

  constructor(chat, composer) {
    this.#chat = chat;
    this.#composer = composer;
  }

  // turn goes to another conversation, or with null to none.
  turn(conv) {
    if (this.#edit) this.#over();
    this.rest();
    this.#conv = conv;
    this.#reply = this.#edit = null;
    this.#composer.about();
    if (conv) this.#composer.load(this.#chat.drafts.of(conv));
  }

  // rest is for when the writer looks away.
  rest() {
    if (!this.#conv) return;
    this.#chat.typing.stopped(this.#conv.id);
    this.#chat.drafts.flush(this.#conv);
  }

  // wrote takes each stroke.
  wrote(text) {
    if (!this.#conv || this.#edit) return;
    this.#chat.drafts.write(this.#conv, text);
    if (text.trim()) this.#chat.typing.wrote(this.#conv.id);
    else this.#chat.typing.stopped(this.#conv.id);
  }

  // send does with the text what it is about.
  send(text) {
    const conv = this.#conv;
    if (this.#edit) {
      const m = this.#edit;
      this.#over();
      // What is refused is back in the field, unless something else is there.
      return attempt(() => this.#chat.acts.edit(conv, m, text).catch((err) => { if (this.#conv === conv && !this.#composer.text) { this.edit(m, text); } throw err; }));
    }
    this.#chat.typing.stopped(conv.id, { sent: true });
    this.#chat.drafts.write(conv, "");
    this.#chat.say(conv, text, this.#reply);
    this.#reply = null;
    this.#composer.about();
  }

  reply = (m) => {
    if (this.#edit) this.#over();
    this.#reply = m;
    const who = m.from === this.#chat.me ? t("youInside") : this.#chat.name(m.from);
    this.#composer.about({ name: "reply", label: t("replyTo", { name: who }), line: lineOf(this.#chat, m), cancel: () => { this.#reply = null; this.#composer.about(); } });
    this.#composer.focus();
  };

  edit = (m, text = m.text) => {
    if (!this.#edit) this.#kept = this.#composer.text;
    this.#reply = null;
    this.#edit = m;
    this.#composer.about({ name: "edit", label: t("editing"), line: lineOf(this.#chat, m), cancel: () => this.#over() });
    this.#composer.load(text);
    this.#composer.focus();
  };

  // rewrite puts a recalled text back into the field.
  rewrite = (text) => {
    if (this.#edit) this.#over();
    this.#composer.load(text);
    this.wrote(text);
    this.#composer.focus();
  };

  // previous edits one's own newest text.
  previous() {
    const m = this.#conv?.log?.messages.findLast((x) => this.#chat.acts.may(this.#conv, x).edit);
    if (m) this.edit(m);
  }

  // look notices when the message it is about changes: what is recalled is quoted
  // and edited no more.
  look() {
    const about = this.#edit ?? this.#reply;
    if (!about || this.#conv?.log?.find(about.msg_id)?.status === Status.normal) return;
    if (this.#edit) this.#over();
    this.#reply = null;
    this.#composer.about();
  }

  // over ends an edit and brings back what was begun before it.
  #over() {
    this.#edit = null;
    this.#composer.about();
    this.#composer.load(this.#kept);
    this.#kept = "";
  }
}
