// A clock and a socket that tests own.

import { Emitter } from "../js/skein/emitter.js";
import { SkeinError } from "../js/skein/errors.js";

export class Clock {
  time = 1_000_000;
  #timers = [];
  #id = 0;
  now = () => this.time;
  setTimeout = (fn, ms) => { this.#timers.push({ id: ++this.#id, at: this.time + ms, fn }); return this.#id; };
  clearTimeout = (id) => { this.#timers = this.#timers.filter((t) => t.id !== id); };

  // pass moves time on by ms, running what falls due, and lets promises settle.
  async pass(ms) {
    const end = this.time + ms;
    for (;;) {
      await settle();
      const next = this.#timers.filter((t) => t.at <= end).sort((a, b) => a.at - b.at || a.id - b.id)[0];
      if (!next) break;
      this.#timers = this.#timers.filter((t) => t !== next);
      this.time = Math.max(this.time, next.at);
      next.fn();
    }
    this.time = end;
    await settle();
  }
}

export async function settle() { for (let i = 0; i < 20; i++) await Promise.resolve(); }

// network makes a WebSocket class whose sockets the test holds, and answers
// frames by `answer(frame, socket)`: an object to send back, or undefined.
export function network(answer = () => undefined) {
  const net = {
    sockets: [], answer,
    get socket() { return net.sockets.at(-1); },
    WebSocket: class {
      sent = [];
      open = false;
      constructor(url) { this.url = url; net.sockets.push(this); }
      accept() { this.open = true; this.onopen(); }
      send(text) {
        const frame = JSON.parse(text);
        this.sent.push(frame);
        const reply = net.answer(frame, this);
        if (reply) queueMicrotask(() => this.push({ id: frame.id, ...reply }));
      }
      push(frame) { if (this.open) this.onmessage({ data: typeof frame === "string" ? frame : JSON.stringify(frame) }); }
      fail(code = 1006, reason = "") { this.open = false; this.onclose({ code, reason }); }
      close(code) { this.open = false; this.closed = code ?? 1005; }
    },
  };
  return net;
}

export const login = (frame) => frame.type === "login" &&
  { type: "login.success", msg: "success", data: { time: 1, session_id: "s", heartbeat_s: 25 } };

// Line stands in for a Connection: answer(op, data) gives the data of the answer,
// a promise of it, or an error to refuse with.
export class Line extends Emitter {
  online = true;
  calls = [];
  constructor(answer = () => true) { super(); this.answer = answer; }
  call(op, data) {
    this.calls.push({ op, ...data });
    const answer = this.answer(op, data);
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  }
  set(online) { this.online = online; this.emit("state", { name: online ? "online" : "waiting" }); }
  push(type, data) { this.emit("event", { type, data }); }
  of(op) { return this.calls.filter((c) => c.op === op).map(({ op: _, ...data }) => data); }
}

export const refused = (code) => new SkeinError("refused", { code });
