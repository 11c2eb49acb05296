// typing.js: who writes just now, and that this client does. No DOM.

import { Emitter } from "./emitter.js";

// Milliseconds between two "on" of ours in a conversation: a little over the 3 s in
// which the server drops the second, however late the first came to it.
const EVERY = 3500;
const LASTS = 6000; // how long another's "on" holds by itself

// Typing tells "change" (conv_id) when who writes in a conversation is different.
export class Typing extends Emitter {
  #line;
  #options;
  #told = new Map(); // conv_id → {at: when our last "on" went out, on: it stands, timer: of the next}
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

  // who lists the clients who write in a conversation, the first to begin first.
  who(conv_id) { return [...(this.#writing.get(conv_id)?.keys() ?? [])]; }

  // wrote is to be called with each stroke. One that comes too soon after the last
  // "on" is told when its time has come: the server drops what is oftener.
  wrote(conv_id) {
    if (!this.#line.online) return;
    let told = this.#told.get(conv_id);
    if (!told) this.#told.set(conv_id, (told = { at: -Infinity, on: false, timer: null }));
    const wait = told.at + EVERY - this.#options.now();
    if (wait <= 0) this.#tell(conv_id, told);
    else if (!told.on) told.timer ??= this.#options.setTimeout(() => this.#tell(conv_id, told), wait);
  }

  // stopped is to be called when the field is empty again or was left; sent: a
  // message says it itself.
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
    this.#line.call("typing", { conv_id, on: 1 }).catch(() => {}); // nothing hangs on it
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
