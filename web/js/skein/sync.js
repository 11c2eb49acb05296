// sync.js: from a line that is up to a client that knows everything: what changed
// since the cursor, what the open conversations are behind by, and only then what
// comes live. No DOM.

import { Emitter } from "./emitter.js";
import { Code, backoff } from "./errors.js";

const PAGE = 200; // views a call
const RANGES = 100; // conversations a call of msg.ranges
const HELD = 10_000; // events held while a round is under way

// Sync tells "views" (what conversations look like now), "deleted" (conv_ids),
// "reset" (drop everything, it comes anew), "ready" ({whole}: with whole, what was
// not told is not there), "failed" (the server refuses to sync) and "event" (a
// frame of the connection, in its turn). The rest of a client listens to it in
// place of the connection.
//
// behind() lists {conv_id, after_seq?, after_change?} of what is open and behind,
// once the views are in; ranges(asked, answer) takes an answer and reports whether
// there is more to ask for that conversation.
export class Sync extends Emitter {
  cursor = ""; // kept beside what the views were applied to, it may outlive the page
  live = false;
  #line;
  #options;
  #run = 0; // of the line; what an older one asked for is nobody's any more
  #round = null; // under way
  #again = false; // and another one is wanted
  #held = [];

  constructor(connection, { cursor = "", ...options } = {}) {
    super();
    this.cursor = cursor;
    this.#line = connection;
    this.#options = {
      behind: () => [], ranges: () => false, random: Math.random, wait: (ms) => new Promise((r) => setTimeout(r, ms)), ...options,
    };
    connection.on("state", ({ name }) => {
      this.#run++;
      this.live = false;
      this.#round = null;
      this.#held = []; // the next round finds what these told
      if (name === "online") this.#begin();
    });
    connection.on("event", (frame) => this.#event(frame));
  }

  // now asks what has changed, for who met something unknown. It resolves when that
  // is in, or when the line is lost.
  now() {
    if (!this.#line.online) return Promise.resolve();
    if (!this.#round) return this.#begin();
    this.#again = true;
    return this.#round;
  }

  #event(frame) {
    if (frame.type === "resync") return void this.now(); // the servers may have lost events
    if (this.live) return this.emit("event", frame);
    if (this.#held.length < HELD) this.#held.push(frame);
    else { this.#held = []; this.#again = true; } // asked for, not remembered
  }

  #begin() {
    this.live = false;
    return (this.#round = this.#go(this.#run));
  }

  async #go(run) {
    const mine = () => run === this.#run;
    let whole = this.cursor === "";
    for (let tries = 0; ;) {
      this.#again = false;
      try {
        if (await this.#pages(mine)) whole = true;
        await this.#ranges(mine);
        if (!this.#again) break;
      } catch (err) {
        if (!mine()) return;
        if (err.code === Code.malformed && this.cursor) {
          this.#reset("");
          whole = true;
        } else if (err.temporary) {
          await this.#options.wait(Math.max(err.retryAfter ?? 0, backoff(tries++, this.#options)));
          if (!mine()) return;
        } else {
          this.emit("failed", err); // live is all there is, then
          whole = false;
          break;
        }
      }
      if (!mine()) return;
    }
    if (!mine()) return;
    this.#round = null;
    this.live = true;
    this.emit("ready", { whole });
    while (this.live && mine() && this.#held.length) this.emit("event", this.#held.shift());
  }

  // pages asks until the server says done; true: it began anew.
  async #pages(mine) {
    for (let anew = false; ;) {
      const page = await this.#line.call("sync", { ...(this.cursor && { cursor: this.cursor }), limit: PAGE });
      if (!mine()) throw lost;
      if (page.reset_required) {
        this.#reset(page.next_cursor ?? "");
        anew = true;
        continue;
      }
      if (page.conversations?.length) this.emit("views", page.conversations);
      if (page.deleted?.length) this.emit("deleted", page.deleted);
      this.cursor = page.next_cursor;
      if (page.done) return anew;
    }
  }

  #reset(cursor) {
    this.cursor = cursor;
    this.emit("reset");
  }

  async #ranges(mine) {
    for (let open = this.#options.behind(); open.length;) {
      const asked = open.slice(0, RANGES);
      const answers = await this.#line.call("msg.ranges", { ranges: asked.map((r) => ({ ...r, limit: PAGE })) });
      if (!mine()) throw lost;
      const more = new Set();
      let moved = false;
      answers.forEach((answer, i) => {
        if (answer.code) return; // gone meanwhile: a deleted conversation is told
        moved ||= Boolean(answer.data?.length || answer.changes?.length);
        if (this.#options.ranges(asked[i], answer)) more.add(answer.conv_id);
      });
      const rest = open.slice(RANGES);
      if (!moved && rest.length === 0) return; // more is promised and does not come
      open = [...this.#options.behind().filter((r) => more.has(r.conv_id)), ...rest];
    }
  }
}

const lost = Object.assign(new Error("lost"), { temporary: true });
