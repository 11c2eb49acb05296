// sync.js: brings a client up to date after it connects. It fetches what changed since its
// cursor, then the missing messages of the open conversations, and then passes on live
// events. No DOM.

import { Emitter } from "./emitter.js";
import { Code, backoff } from "./errors.js";

const PAGE = 200; // views in one call
const RANGES = 100; // conversations in one call of msg.ranges
const HELD = 10_000; // events held while a round runs

// Sync emits "views" (the current state of conversations), "deleted" (conv_ids), "reset"
// (drop everything: a full sync follows), "ready" ({whole}: after a full sync, conversations
// without a view do not exist), "failed" (the server refuses to sync) and "event" (a frame of
// the connection, in order). The rest of a client listens to Sync instead of the connection.
//
// Sync calls behind() after the views. It lists {conv_id, after_seq?, after_change?} of the
// open conversations that are behind. ranges(asked, answer) applies an answer and reports
// whether more must be requested for that conversation.
export class Sync extends Emitter {
  cursor = ""; // may be stored together with the data that the views were applied to
  live = false;
  #line;
  #options;
  #run = 0; // counts connections: answers to requests of an earlier one are dropped
  #round = null; // the running round
  #again = false; // another round must follow
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
      this.#held = []; // the next round fetches what they reported
      if (name === "online") this.#begin();
    });
    connection.on("event", (frame) => this.#event(frame));
  }

  // now fetches what has changed; callers use it when an event names something unknown. It
  // resolves when that is done, or when the connection is lost.
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
    else { this.#held = []; this.#again = true; } // too many: another round fetches them
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
          this.emit("failed", err); // the client then has only live events
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

  // pages fetches until the server says done. It returns true after a full sync.
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
        if (answer.code) return; // deleted meanwhile: an event reports that
        moved ||= Boolean(answer.data?.length || answer.changes?.length);
        if (this.#options.ranges(asked[i], answer)) more.add(answer.conv_id);
      });
      const rest = open.slice(RANGES);
      if (!moved && rest.length === 0) return; // the server says has_more but returns nothing
      open = [...this.#options.behind().filter((r) => more.has(r.conv_id)), ...rest];
    }
  }
}

const lost = Object.assign(new Error("lost"), { temporary: true });
