// outbox.js: sends messages. In each conversation it sends one at a time, in the order in
// which the user wrote them. A message keeps its client_msg_id in every try, so that a lost
// answer does not lead to a second message. With an UnsentStore (unsent.js) unsent messages survive
// a reload. No DOM.

import { Emitter } from "./emitter.js";
import { SkeinError, backoff } from "./errors.js";

// How often the outbox tries a message that the server refuses for now (4290, 5030, 1) or
// does not answer. Tries that fail because the connection was lost do not count.
const TRIES = 6;

// Outbox emits "change" (entry) at every new state, and "sent" ({entry, ack}). An entry is
// {conv_id, client_msg_id, body, state, error, at}; its state is sending, failed or sent.
export class Outbox extends Emitter {
  #connection;
  #queues = new Map(); // conv_id → unsent entries, oldest first
  #busy = new Set(); // conv_ids with a running try
  #options;
  #store;
  #n = 0; // orders messages of the same millisecond

  constructor(connection, { store = null, ...options } = {}) {
    super();
    this.#connection = connection;
    this.#store = store;
    this.#options = {
      now: Date.now, setTimeout: (fn, ms) => setTimeout(fn, ms), random: Math.random, newId: randomId, ...options,
    };
    for (const kept of store?.all() ?? []) this.#adopt(kept);
    connection.on("state", ({ name }) => {
      if (name === "online") for (const conv of this.#queues.keys()) this.#pump(conv);
    });
  }

  // add queues a message. prepare, if given, runs before the first try and may complete the
  // body: an upload sets its url. It runs again until it has succeeded once.
  add(conv_id, body, { prepare, ...extra } = {}) {
    const entry = {
      ...extra, conv_id, client_msg_id: this.#options.newId(), body: { ...body },
      prepare, state: "sending", error: null, tries: 0, at: this.#options.now(), n: ++this.#n,
    };
    this.#queue(entry);
    this.#keep(entry);
    this.emit("change", entry);
    this.#pump(conv_id);
    return entry;
  }

  // pending lists the unsent messages of a conversation, oldest first.
  pending(conv_id) { return this.#queues.get(conv_id) ?? []; }

  // retry queues a failed message again, at the end.
  retry(entry) {
    if (entry.state !== "failed") return;
    const queue = this.#queues.get(entry.conv_id);
    queue.push(...queue.splice(queue.indexOf(entry), 1));
    Object.assign(entry, { state: "sending", error: null, tries: 0, at: this.#options.now(), n: ++this.#n });
    this.#keep(entry);
    this.emit("change", entry);
    this.#pump(entry.conv_id);
  }

  // discard removes a failed message.
  discard(entry) {
    if (entry.state !== "failed") return;
    this.#remove(entry);
    this.emit("change", entry);
  }

  // seen marks a message as sent that arrived in a list or a push before its answer. The
  // running try ends by itself.
  seen(client_msg_id, message) {
    for (const queue of this.#queues.values()) {
      const entry = queue.find((e) => e.client_msg_id === client_msg_id);
      if (entry) this.#done(entry, message);
    }
  }

  async #pump(conv_id) {
    if (this.#busy.has(conv_id)) return;
    this.#busy.add(conv_id);
    try {
      for (let entry; (entry = this.pending(conv_id).find((e) => e.state === "sending"));) {
        if (!this.#connection.online) return;
        if (!(await this.#try(entry))) return;
      }
    } finally {
      this.#busy.delete(conv_id);
    }
    // A message may have been added while the last try ended.
    if (this.#connection.online && this.pending(conv_id).some((e) => e.state === "sending")) this.#pump(conv_id);
  }

  // try sends one message, and reports whether to send the next one.
  async #try(entry) {
    try {
      if (entry.prepare) {
        await entry.prepare(entry);
        entry.prepare = null;
        this.#keep(entry);
      }
      const ack = await this.#connection.call("msg.send", {
        conv_id: entry.conv_id, ...entry.body, client_msg_id: entry.client_msg_id,
      });
      this.#done(entry, ack);
      return true;
    } catch (err) {
      if (entry.state === "sent") return true;
      if (!(err instanceof SkeinError)) err = new SkeinError("refused", { message: String(err?.message ?? err) });
      if (!this.#connection.online && err.kind !== "refused") return false; // continues when the connection is back
      if (err.temporary && ++entry.tries < TRIES) {
        await new Promise((r) => this.#options.setTimeout(r, Math.max(err.retryAfter, backoff(entry.tries, this.#options))));
        return this.#connection.online;
      }
      entry.state = "failed";
      entry.error = err;
      this.#keep(entry);
      this.emit("change", entry);
      return true;
    }
  }

  #done(entry, ack) {
    if (entry.state === "sent") return;
    entry.state = "sent";
    entry.error = null;
    this.#remove(entry);
    this.emit("sent", { entry, ack });
    this.emit("change", entry);
  }

  #remove(entry) {
    const queue = this.#queues.get(entry.conv_id) ?? [];
    const at = queue.indexOf(entry);
    if (at >= 0) queue.splice(at, 1);
    this.#store?.take(entry);
  }

  #queue(entry) {
    if (!this.#queues.has(entry.conv_id)) this.#queues.set(entry.conv_id, []);
    this.#queues.get(entry.conv_id).push(entry);
  }

  // keep stores an entry, unless it must still be prepared: the store cannot
  // keep a file.
  #keep(entry) {
    if (!entry.prepare) this.#store?.put(entry);
  }

  // adopt queues an entry that an earlier page stored.
  #adopt({ failed, ...kept }) {
    const error = failed ? new SkeinError("refused", failed) : null;
    this.#n = Math.max(this.#n, kept.n ?? 0);
    this.#queue({ ...kept, state: error ? "failed" : "sending", error, tries: 0 });
  }
}

// randomId returns 24 random characters of A–Z a–z 0–9.
export function randomId() {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  return Array.from(crypto.getRandomValues(new Uint8Array(24)), (b) => letters[b % 62]).join("");
}
