// connection.js: the connection of one client to a Skein server. It logs in, makes calls,
// emits events, and reconnects when it is lost. It knows no DOM and keeps no messages:
// log.js fetches missed messages, and outbox.js keeps unsent ones.

import { Emitter } from "./emitter.js";
import { SkeinError, MAX_FRAME, Code, backoff, comesBack } from "./errors.js";

const utf8 = new TextEncoder();

// States of a connection. It emits "state" at every change.
//   idle        before open() or after close()
//   connecting  the socket opens and logs in; attempt counts from 0
//   online      logged in; session is the data of login.success
//   waiting     lost; the next try is at `until` (Unix ms); code is the close code
//   ended       the server closed with a code that forbids reconnecting (code, reason), or refused the login;
//               at: "login" for a refusal, "session" if another login replaced it
export const State = Object.freeze({
  idle: "idle", connecting: "connecting", online: "online", waiting: "waiting", ended: "ended",
});

// Connection emits "state" (a snapshot), "event" (a frame that is no answer, such as msg.new
// or conv.created), "frame" ({dir, text, frame, at, ms, size}: every frame, both ways) and
// "socket" ({what: "open"|"close", code, reason, at}).
export class Connection extends Emitter {
  #options;
  #socket = null;
  #calls = new Map(); // id → {resolve, reject, op, timer, at}
  #nextID = 1;
  #attempt = 0;
  #timer = null; // of the next try
  #pulse = null; // of the heartbeat
  #heard = 0; // when the last frame arrived
  #since = 0; // when the connection was last established
  #kick = null; // data of a logout.kick, until the socket is closed
  #generation = ""; // of the login that the next login resumes; empty: it does not resume
  #snapshot = { name: State.idle };

  // options: url, appId, clientId, deviceId; optional: token, ext, deviceType. For tests:
  // WebSocket, now, setTimeout, clearTimeout, random.
  constructor(options) {
    super();
    this.#options = {
      WebSocket: globalThis.WebSocket,
      now: Date.now,
      setTimeout: (fn, ms) => setTimeout(fn, ms),
      clearTimeout: (id) => clearTimeout(id),
      random: Math.random,
      loginTimeout: 10_000,
      callTimeout: 15_000,
      ...options,
    };
  }

  get state() { return this.#snapshot; }
  get online() { return this.#snapshot.name === State.online; }
  get clientId() { return this.#options.clientId; }

  // open connects. It has no effect if the connection is open.
  open() {
    const { name } = this.#snapshot;
    if (name === State.connecting || name === State.online) return;
    this.#attempt = 0;
    this.#generation = ""; // the user asked for this login: it replaces other logins of the device
    this.#connect();
  }

  // retryNow tries at once instead of waiting, for the button "try now" and the browser's
  // online event. It does not reset the number of tries.
  retryNow() {
    if (this.#snapshot.name === State.waiting) this.#connect();
  }

  // close closes the connection until open is called.
  close() {
    this.#stopTimers();
    const socket = this.#drop();
    socket?.close(1000);
    this.#set({ name: State.idle });
  }

  // call runs one op on the server and resolves to its data. It rejects with SkeinError.
  // It never tries again.
  call(op, data = {}, { timeout = this.#options.callTimeout } = {}) {
    if (!this.online) return Promise.reject(new SkeinError("offline", { op }));
    return this.#request(op, data, timeout);
  }

  #request(op, data, timeout) {
    const id = String(this.#nextID++);
    const text = JSON.stringify({ type: op, data, id });
    const size = utf8.encode(text).length;
    if (size > MAX_FRAME) {
      return Promise.reject(new SkeinError("refused", { op, code: Code.tooLarge, message: "frame over 256 KiB" }));
    }
    return new Promise((resolve, reject) => {
      const timer = this.#options.setTimeout(() => {
        this.#calls.delete(id);
        reject(new SkeinError("timeout", { op }));
      }, timeout);
      this.#calls.set(id, { resolve, reject, op, timer, at: this.#options.now() });
      this.#write(text, size, { type: op, data, id });
    });
  }

  #write(text, size, frame) {
    this.#socket.send(text);
    this.emit("frame", { dir: "out", text, frame, size, at: this.#options.now() });
  }

  #connect() {
    this.#stopTimers();
    this.#kick = null;
    this.#set({ name: State.connecting, attempt: this.#attempt });
    const socket = new this.#options.WebSocket(this.#options.url);
    this.#socket = socket;
    // Ends a socket that neither opens nor fails, or never answers the login.
    this.#timer = this.#options.setTimeout(() => this.#lost(socket, 1006, "timeout"), this.#options.loginTimeout);
    socket.onopen = () => {
      if (socket !== this.#socket) return;
      this.emit("socket", { what: "open", at: this.#options.now() });
      this.#login(socket);
    };
    socket.onmessage = (e) => { if (socket === this.#socket) this.#receive(String(e.data)); };
    socket.onclose = (e) => this.#lost(socket, e.code, e.reason);
    socket.onerror = () => {}; // close always follows error
  }

  async #login(socket) {
    const { appId, clientId, deviceId, deviceType, token, ext, loginTimeout } = this.#options;
    const data = { app_id: appId, client_id: clientId, device_id: deviceId };
    if (deviceType) data.device_type = deviceType;
    if (token) data.token = typeof token === "function" ? await token() : token;
    if (ext) data.ext = ext;
    const resumes = this.#generation !== "";
    if (resumes) Object.assign(data, { resume: 1, generation: this.#generation });
    if (socket !== this.#socket) return;
    try {
      const session = (await this.#request("login", data, loginTimeout)) ?? {};
      if (socket !== this.#socket) return;
      this.#options.clearTimeout(this.#timer);
      this.#generation = String(session.generation ?? "");
      this.#since = this.#heard = this.#options.now();
      this.#beat(Math.max(5, Number(session.heartbeat_s) || 25) * 1000);
      this.#set({ name: State.online, session });
    } catch (err) {
      if (socket !== this.#socket) return; // onclose of the old socket has reported the loss
      if (err.kind !== "refused" || err.temporary) {
        this.#lost(socket, 1006, err.message, err);
        return;
      }
      this.#stopTimers();
      this.#drop()?.close(1000);
      // A reconnect does not replace a login that was made meanwhile.
      if (resumes && err.code === Code.conflict) this.#set({ name: State.ended, code: err.code, reason: "replaced", at: "session" });
      else this.#set({ name: State.ended, code: err.code, reason: err.message, at: "login" });
    }
  }

  #receive(text) {
    const at = this.#heard = this.#options.now();
    let frame = null;
    try { frame = JSON.parse(text); } catch { /* shown in the wire as it came */ }
    const id = frame?.id == null ? "" : String(frame.id);
    const call = id ? this.#calls.get(id) : undefined;
    this.emit("frame", { dir: "in", text, frame, size: utf8.encode(text).length, at, ms: call && at - call.at });
    if (!frame || typeof frame !== "object" || typeof frame.type !== "string") return;

    if (call && (frame.type === `${call.op}.success` || frame.type.endsWith("error") || frame.type === "pong")) {
      this.#calls.delete(id);
      this.#options.clearTimeout(call.timer);
      if (frame.type.endsWith("error")) {
        call.reject(new SkeinError("refused", {
          op: call.op, code: Number(frame.code) || 1, message: String(frame.msg ?? ""),
          retryAfter: Number(frame.retry_after_ms) || 0,
        }));
      } else {
        call.resolve(frame.data);
      }
      return;
    }
    if (frame.type === "logout.kick") this.#kick = frame.data ?? {};
    if (!frame.type.endsWith(".success") && !frame.type.endsWith("error")) this.emit("event", frame);
  }

  // beat detects a connection that died without a close. Browsers answer the server's pings
  // but do not show them to the page, so beat sends a ping of its own after a silence.
  #beat(every) {
    this.#pulse = this.#options.setTimeout(() => {
      const socket = this.#socket;
      if (this.#options.now() - this.#heard < every) return this.#beat(every);
      this.#request("ping", undefined, 10_000).then(
        () => { if (socket === this.#socket) this.#beat(every); },
        () => { if (socket === this.#socket) this.#lost(socket, 1006, "silent"); },
      );
    }, every);
  }

  #lost(socket, code, reason, cause) {
    if (socket !== this.#socket) return;
    this.#stopTimers();
    this.#drop();
    socket.close();
    const now = this.#options.now();
    this.emit("socket", { what: "close", code, reason, at: now });
    if (!comesBack(code)) {
      this.#set({ name: State.ended, code, reason: String(this.#kick?.reason ?? reason ?? ""), at: "session" });
      return;
    }
    if (this.#since && now - this.#since > 5000) this.#attempt = 0;
    this.#since = 0;
    const wait = Math.max(backoff(this.#attempt, this.#options), cause?.retryAfter ?? 0);
    this.#attempt++;
    this.#set({ name: State.waiting, code, reason, attempt: this.#attempt, until: now + wait });
    this.#timer = this.#options.setTimeout(() => this.#connect(), wait);
  }

  // drop closes the socket and fails the calls that wait for answers.
  #drop() {
    const socket = this.#socket;
    this.#socket = null;
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    for (const call of calls) {
      this.#options.clearTimeout(call.timer);
      call.reject(new SkeinError("lost", { op: call.op }));
    }
    return socket;
  }

  #stopTimers() {
    this.#options.clearTimeout(this.#timer);
    this.#options.clearTimeout(this.#pulse);
  }

  #set(snapshot) {
    this.#snapshot = snapshot;
    this.emit("state", snapshot);
  }
}
