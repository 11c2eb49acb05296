// presence.js: which of the visible clients are online. No DOM.

import { Emitter } from "./emitter.js";
import { Code } from "./errors.js";

const MOST = 500; // clients that a session may watch
const GATHER = 200; // milliseconds: changes of the list within this time share a call

// Presence emits "change" when its data changed.
export class Presence extends Emitter {
  #line;
  #known = new Map(); // client → {online, last_seen, devices}
  #watched = []; // clients that the page watches, sorted
  #asked = null; // the list that the server has, as text; null: none
  #hidden = false; // the app hides presence
  #timer = null;
  #setTimeout;

  constructor(connection, { setTimeout: later = (fn, ms) => setTimeout(fn, ms) } = {}) {
    super();
    this.#line = connection;
    this.#setTimeout = later;
    connection.on("state", ({ name }) => {
      this.#asked = null;
      this.#hidden = false;
      if (name === "online") this.#soon();
      else if (this.#known.size) { this.#known.clear(); this.emit("change"); } // offline: presence is unknown
    });
    connection.on("event", ({ type, data }) => { if (type === "presence") this.#take(data.clients ?? []); });
  }

  // of is the presence of a client, or null.
  of(client) { return this.#known.get(client) ?? null; }
  online(client) { return Boolean(this.#known.get(client)?.online); }

  // watch replaces the list of watched clients. Only the first 500 are watched.
  watch(clients) {
    this.#watched = [...new Set(clients)].slice(0, MOST).sort();
    this.#soon();
  }

  #soon() {
    if (this.#timer !== null) return;
    this.#timer = this.#setTimeout(() => { this.#timer = null; this.#subscribe(); }, GATHER);
  }

  async #subscribe() {
    const client_ids = this.#watched;
    const text = client_ids.join(" ");
    if (!this.#line.online || this.#hidden || text === (this.#asked ?? "")) return;
    this.#asked = text;
    try {
      const list = await this.#line.call("presence.subscribe", { client_ids });
      for (const id of this.#known.keys()) if (!client_ids.includes(id)) this.#known.delete(id);
      this.#take(list);
    } catch (err) {
      if (err.code === Code.forbidden) this.#hidden = true;
      else if (this.#asked === text) { this.#asked = null; if (err.temporary && this.#line.online) this.#soon(); }
    }
  }

  #take(list) {
    for (const { client_id, online, last_seen, devices } of list) {
      this.#known.set(client_id, { online: Boolean(Number(online)), last_seen: last_seen ?? null, devices: devices ?? [] });
    }
    this.emit("change");
  }
}
