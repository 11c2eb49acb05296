// acts.js: the actions on a message, and which of them are allowed. No DOM.

import { Status, normal } from "./skein/message.js";

const PRIVATE = 1; // conv_type
const TEXT = -1; // type of a message

// Emoji that are offered as reactions.
export const reactions = ["👍", "❤️", "😂", "🎉", "😮", "🙏"];

export class Acts {
  #line;
  #me;
  #recalled = new Map(); // msg_id → own text, to be written anew

  constructor(connection) {
    this.#line = connection;
    this.#me = connection.clientId;
  }

  // may lists what the role of this client allows it to do with a message. The server
  // also checks time limits.
  may(conv, m) {
    const own = m.from === this.#me;
    const manages = conv.role === "owner" || conv.role === "admin";
    const stored = m.seq > 0 && m.status === Status.normal;
    return {
      edit: stored && own && m.type === TEXT, recall: stored && (own || manages), react: stored,
      pin: stored && (manages || conv.type === PRIVATE), hide: m.seq > 0,
    };
  }

  async edit(conv, m, text) {
    if (text === m.text) return;
    const answer = await this.#line.call("msg.edit", { conv_id: conv.id, msg_id: m.msg_id, text, expected_version: m.version });
    conv.log?.copy(normal(answer));
  }

  // reacted reports whether this client is listed under an emoji.
  reacted(reaction) { return reaction.client_ids?.includes(this.#me) ?? false; }

  async react(conv, m, emoji) {
    const on = !this.reacted(m.reactions.find((r) => r.emoji === emoji) ?? {});
    const answer = await this.#line.call("msg.react", { conv_id: conv.id, msg_id: m.msg_id, emoji, on: on ? 1 : 0 });
    conv.log?.copy(normal(answer));
  }

  async recall(conv, m) {
    if (m.from === this.#me && m.text) this.#recalled.set(m.msg_id, m.text); // before the event that removes the text
    try {
      await this.#line.call("msg.recall", { conv_id: conv.id, msg_id: m.msg_id });
    } catch (err) {
      this.#recalled.delete(m.msg_id);
      throw err;
    }
  }

  // recalled is the text of an own recalled message, until the page is closed.
  recalled(m) { return this.#recalled.get(m.msg_id) ?? ""; }

  // hide deletes a message for this client only.
  async hide(conv, m) { await this.#line.call("msg.delete", { conv_id: conv.id, msg_id: m.msg_id }); }
  async pin(conv, m) { await this.#line.call("msg.pin", { conv_id: conv.id, msg_id: m.msg_id, on: m.pin ? 0 : 1 }); }
}
