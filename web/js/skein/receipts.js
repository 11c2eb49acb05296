// receipts.js: reports to the server how far this client has received and read. It makes as
// few calls as possible: one at a time for a conversation, only with the newest position, and
// none for a position that the server has. No DOM.

import { Emitter } from "./emitter.js";
import { backoff } from "./errors.js";

// Receipts emits "answer" with each answer of conv.read and conv.received.
export class Receipts extends Emitter {
  #line;
  #options;
  #places = new Map(); // conv_id → {read, received: to report; told: what the server has; timer, tries}
  #calls = 0; // running
  #waiting = new Set(); // conv_ids that wait until another call ends

  // options: gather (ms that a position waits for a newer one), most (calls at a time);
  // for tests: setTimeout, random.
  constructor(connection, options = {}) {
    super();
    this.#line = connection;
    this.#options = { gather: 300, most: 4, setTimeout: (fn, ms) => setTimeout(fn, ms), random: Math.random, ...options };
    connection.on("state", ({ name }) => {
      if (name !== "online") return;
      for (const id of this.#places.keys()) this.#soon(id);
    });
  }

  // told stores the position that the server has.
  told(conv_id, { read_seq, received_seq }) {
    const { told } = this.#place(conv_id);
    told.read = Math.max(told.read, read_seq ?? 0);
    told.received = Math.max(told.received, received_seq ?? 0, told.read);
  }

  read(conv_id, seq) { this.#want(conv_id, "read", seq); }
  received(conv_id, seq) { this.#want(conv_id, "received", seq); }

  forget(conv_id) { this.#places.delete(conv_id); }

  #place(conv_id) {
    let place = this.#places.get(conv_id);
    if (!place) this.#places.set(conv_id, (place = { read: 0, received: 0, told: { read: 0, received: 0 }, timer: null, tries: 0, busy: false }));
    return place;
  }

  #want(conv_id, what, seq) {
    const place = this.#place(conv_id);
    if (seq <= place[what]) return;
    place[what] = seq;
    this.#soon(conv_id);
  }

  // next is the call to make for a conversation. A read message counts as received.
  #next({ read, received, told }) {
    if (read > told.read) return { op: "conv.read", what: "read", seq: read };
    if (received > told.received) return { op: "conv.received", what: "received", seq: received };
    return null;
  }

  #soon(conv_id, ms = this.#options.gather) {
    const place = this.#places.get(conv_id);
    if (!place || place.timer !== null || place.busy || !this.#next(place)) return;
    place.timer = this.#options.setTimeout(() => { place.timer = null; this.#tell(conv_id); }, ms);
  }

  async #tell(conv_id) {
    const place = this.#places.get(conv_id);
    const next = place && this.#next(place);
    if (!next || place.busy || !this.#line.online) return; // runs again when the connection is back
    if (this.#calls >= this.#options.most) { this.#waiting.add(conv_id); return; }
    this.#calls++;
    place.busy = true;
    let again = this.#options.gather;
    try {
      const answer = await this.#line.call(next.op, { conv_id, seq: next.seq });
      place.tries = 0;
      this.told(conv_id, { ...answer, [`${next.what}_seq`]: next.seq });
      this.emit("answer", answer);
    } catch (err) {
      if (err.temporary) again = Math.max(err.retryAfter ?? 0, backoff(place.tries++, this.#options));
      else place[next.what] = place.told[next.what]; // refused: do not try again
    }
    place.busy = false;
    this.#calls--;
    this.#soon(conv_id, again);
    const [other] = this.#waiting;
    if (other !== undefined && this.#waiting.delete(other)) this.#tell(other);
  }
}
