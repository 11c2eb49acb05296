// typing.js: which clients are typing, and reports that this client is. No DOM.

import { Emitter } from "./emitter.js";

// Milliseconds between two own "on" in a conversation. The server drops the second within
// 3 s; this is a little longer, because the first may arrive late.
const EVERY = 3500;
const LASTS = 6000; // how long an "on" of another client is valid

// Typing emits "change" (conv_id) when the typing clients of a conversation change.
export class Typing extends Emitter {
  #line;
  #options;
  #told = new Map(); // conv_id → {at: when the last own "on" was sent, on: it is valid, timer: of the next}
  #writing = new Map(); // conv_id → Map client → timer

  constructor(connection, options = {}) {
    super();
    this.#line = connection;
    this.#options = { now: Date.now, setTimeout: (fn, ms) => setTimeout(fn, ms), clearTimeout: (id) => clearTimeout(id), ...options };
    connection.on("event", ({ type, data }) => {
      if (type === "typing") this.#heard(data.conv_id, data.client_id, Boolean(Number(data.on)));
      if (type === "msg.new") this.#heard(data.conv_id, data.from_client, false);
    });
    connection.on("state", ({ name }) => {
      for (const { timer } of this.#told.values()) this.#options.clearTimeout(timer);
      this.#told.clear();
      if (name !== "online") for (const conv of [...this.#writing.keys()]) this.#clear(conv);
    });
  }

  // who lists the clients that are typing in a conversation, in the order they began.
  who(conv_id) { return [...(this.#writing.get(conv_id)?.keys() ?? [])]; }

  // wrote must be called at each keystroke. If the last "on" is too recent, the next one is
  // sent later, because the server would drop it.
  wrote(conv_id) {
    if (!this.#line.online) return;
    let told = this.#told.get(conv_id);
    if (!told) this.#told.set(conv_id, (told = { at: -Infinity, on: false, timer: null }));
    const wait = told.at + EVERY - this.#options.now();
    if (wait <= 0) this.#tell(conv_id, told);
    else if (!told.on) told.timer ??= this.#options.setTimeout(() => this.#tell(conv_id, told), wait);
  }

  // stopped must be called when the field is empty or the user leaves it. sent: a message was
  // sent, which already ends typing.
  stopped(conv_id, { sent = false } = {}) {
    const told = this.#told.get(conv_id);
    if (!told) return;
    this.#options.clearTimeout(told.timer);
    told.timer = null;
    if (told.on && !sent && this.#line.online) this.#line.call("typing", { conv_id, on: 0 }).catch(() => {});
    told.on = false;
  }

  #tell(conv_id, told) {
    Object.assign(told, { at: this.#options.now(), on: true, timer: null });
    this.#line.call("typing", { conv_id, on: 1 }).catch(() => {}); // a lost typing event does not matter
  }

  #heard(conv_id, client, on) {
    const writing = this.#writing.get(conv_id);
    if (!on && !writing?.has(client)) return;
    this.#options.clearTimeout(writing?.get(client));
    if (!on) {
      writing.delete(client);
    } else {
      if (!writing) this.#writing.set(conv_id, new Map());
      this.#writing.get(conv_id).set(client, this.#options.setTimeout(() => this.#heard(conv_id, client, false), LASTS));
    }
    this.emit("change", conv_id);
  }

  #clear(conv_id) {
    for (const timer of this.#writing.get(conv_id).values()) this.#options.clearTimeout(timer);
    this.#writing.delete(conv_id);
    this.emit("change", conv_id);
  }
}
