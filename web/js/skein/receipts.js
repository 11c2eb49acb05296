// receipts.js: tells the server how far this client has received and read, no
// oftener than needed: one call at a time in a conversation, with the newest
// position only, and nothing that the server knows. No DOM.

import { Emitter } from "./emitter.js";
import { backoff } from "./errors.js";

// Receipts tells "answer": what conv.read and conv.received answered.
export class Receipts extends Emitter {
  #line;
  #options;
  #places = new Map(); // conv_id → {read, received: wanted; told: what the server knows; timer, tries}
  #calls = 0; // under way
  #waiting = new Set(); // conv_ids whose turn comes when another call has ended

  // options: gather (ms that a position waits for a newer one) and most (calls at a
  // time); setTimeout and random for tests.
  constructor(connection, options = {}) {
    super();
    this.#line = connection;
    this.#options = { gather: 300, most: 4, setTimeout: (fn, ms) => setTimeout(fn, ms), random: Math.random, ...options };
    connection.on("state", ({ name }) => {
      if (name !== "online") return;
      for (const id of this.#places.keys()) this.#soon(id);
    });
  }

  // told notes what the server knows already.
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

  // next is the call to make for a place; to have read is to have received.
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
    if (!next || place.busy || !this.#line.online) return; // online again asks again
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
      else place[next.what] = place.told[next.what]; // refused: not asked again
    }
    place.busy = false;
    this.#calls--;
    this.#soon(conv_id, again);
    const [other] = this.#waiting;
    if (other !== undefined && this.#waiting.delete(other)) this.#tell(other);
  }
}
