// people.js: the nicknames of clients. No DOM.

import { Emitter } from "./skein/emitter.js";

// People emits "change" when it learns a name.
export class People extends Emitter {
  #line;
  #known = new Map(); // id → {name}

  constructor(connection) {
    super();
    this.#line = connection;
  }

  // name is the nickname of a client, if it has one.
  name(id) { return this.#known.get(id)?.name ?? id; }

  // meet asks for the name of a client, once.
  async meet(id) {
    if (!id || this.#known.has(id) || !this.#line.online) return;
    this.#known.set(id, {});
    try {
      const name = nicknameOf((await this.#line.call("user.get", { client_id: id })).ext);
      if (!name) return;
      this.#known.set(id, { name });
      this.emit("change");
    } catch (err) {
      if (err.kind !== "refused") this.#known.delete(id); // ask again later
    }
  }

  // introduce stores the typed nickname on the server, once: a login stores a nickname
  // only for a new client.
  async introduce(me, typed) {
    if (this.#known.has(me)) return;
    const { ext } = await this.#line.call("user.get", { client_id: me });
    const kept = ext && typeof ext === "object" && !Array.isArray(ext) ? ext : {};
    const nickname = typed || nicknameOf(kept);
    if (nickname !== (kept.nickname ?? "")) {
      await this.#line.call("user.update", { client_id: me, ext: { ...kept, nickname } });
    }
    this.#known.set(me, { name: nickname || undefined });
    this.emit("change");
  }
}

function nicknameOf(ext) {
  const nickname = ext && typeof ext === "object" && ext.nickname;
  return typeof nickname === "string" ? nickname.trim() : "";
}
