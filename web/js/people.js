// people.js: what clients are called. No DOM.

import { Emitter } from "./skein/emitter.js";

// People tells "change" when a name is learned.
export class People extends Emitter {
  #line;
  #known = new Map(); // id → {name}

  constructor(connection) {
    super();
    this.#line = connection;
  }

  // name is the nickname of a client where it has one.
  name(id) { return this.#known.get(id)?.name ?? id; }

  // meet learns the name of a client, once.
  async meet(id) {
    if (!id || this.#known.has(id) || !this.#line.online) return;
    this.#known.set(id, {});
    try {
      const name = nicknameOf((await this.#line.call("user.get", { client_id: id })).ext);
      if (!name) return;
      this.#known.set(id, { name });
      this.emit("change");
    } catch (err) {
      if (err.kind !== "refused") this.#known.delete(id); // ask again another time
    }
  }

  // introduce makes the nickname that was typed the one that others see, once: a
  // login keeps it only for a client that was unknown.
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
