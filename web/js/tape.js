// tape.js: the latest frames and calls between page and server. No DOM.

import { Emitter } from "./skein/emitter.js";

const MOST = 2000; // entries
const MOST_BYTES = 8 << 20; // of text kept

// Tape emits "change" when entries are added, dropped or completed. An entry is
// {n, kind: "frame"|"rest"|"socket", dir, type, size, at, ms, text, frame, error…}.
export class Tape extends Emitter {
  entries = [];
  paused = false;
  missed = 0; // frames and calls while paused
  #n = 0;
  #bytes = 0;

  add(entry) {
    if (this.paused) {
      this.missed++;
      this.emit("change");
      return entry;
    }
    entry.n = ++this.#n;
    this.entries.push(entry);
    this.#bytes += entry.text?.length ?? 0;
    while (this.entries.length > MOST || (this.#bytes > MOST_BYTES && this.entries.length > 1)) {
      this.#bytes -= this.entries.shift().text?.length ?? 0;
    }
    this.emit("change");
    return entry;
  }

  clear() {
    this.entries = [];
    this.#bytes = 0;
    this.emit("change");
  }

  pause(on) {
    this.paused = on;
    if (!on) this.missed = 0;
    this.emit("change");
  }

  // record handles the events of a connection.
  record(connection) {
    connection.on("frame", ({ dir, text, frame, size, at, ms }) => {
      const type = typeof frame?.type === "string" ? frame.type : "?";
      if (type === "login" && frame.data?.token) {
        frame = { ...frame, data: { ...frame.data, token: "•••" } };
        text = JSON.stringify(frame);
      }
      const code = type.endsWith("error") ? frame?.code : undefined;
      this.add({ kind: "frame", dir, type, text, frame, size, at, ms, id: frame?.id, code });
    });
    connection.on("socket", ({ what, code, reason, at }) => {
      this.add({ kind: "socket", dir: what === "open" ? "out" : "in", type: what, at, size: 0, code, reason, text: reason ?? "" });
    });
  }

  // watch is the callback of Rest.
  watch = ({ method, path, headers, file, size }) => {
    const entry = this.add({
      kind: "rest", dir: "out", type: `${method} ${path}`, method, path, headers, size, at: Date.now(),
      text: "", file: file && { name: file.name, type: file.type, size: file.size },
    });
    return ({ status, text }) => {
      entry.ms = Date.now() - entry.at;
      entry.status = status;
      entry.text = text;
      try { entry.answer = JSON.parse(text); } catch { entry.answer = text; }
      if (entry.answer?.code) entry.code = entry.answer.code;
      this.#bytes += text.length;
      this.emit("change");
    };
  };
}

// matches reports whether an entry matches a filter. Every word of the filter must occur in
// the type, direction (in, out) or text of the entry; a word after "-" must not.
export function matches(entry, filter) {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const text = `${entry.type} ${entry.dir} ${entry.kind} ${entry.text}`.toLowerCase();
  return words.every((w) => (w.length > 1 && w[0] === "-" ? !text.includes(w.slice(1)) : text.includes(w)));
}
