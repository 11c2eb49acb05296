// bar.js: the thin bar that says why nothing moves, and when it will.

import { h, fill } from "../dom.js";
import { t, has } from "../i18n.js";

// Bar shows the state of a connection above the talk. back is called to sign in
// again after the session was ended.
export class Bar {
  el = h("div.bar", { hidden: true, data: { test: "offline" } });
  #connection;
  #back;
  #timer = 0;
  #late = 0;
  #stop;
  #live = h("div.off-screen", { role: "status" });

  constructor(connection, { back }) {
    this.#connection = connection;
    this.#back = back;
    this.#stop = connection.on("state", () => this.show());
  }

  stop() {
    this.#stop();
    clearInterval(this.#timer);
    clearTimeout(this.#late);
  }

  get live() { return this.#live; }

  show() {
    clearInterval(this.#timer);
    clearTimeout(this.#late);
    const state = this.#connection.state;
    this.el.classList.toggle("ended", state.name === "ended");
    switch (state.name) {
      case "waiting": return this.#waiting(state);
      case "connecting":
        if (state.attempt) return this.#put(h("span", t("tryNumber", { n: state.attempt })));
        // The first connection is quick or it is worth a word.
        this.#late = setTimeout(() => this.#put(h("span", t("connecting"))), 300);
        return;
      case "ended": {
        const known = `why_${state.reason}`;
        const why = has(known) ? t(known) : state.reason || t("endedWhy");
        return this.#put(h("span", t("kicked", { why, code: state.code })),
          h("button.link", { type: "button", on: { click: this.#back } }, t("signInAgain")));
      }
      default:
        this.el.hidden = true;
        fill(this.#live);
    }
  }

  #waiting({ code, until }) {
    const left = h("span", { "aria-hidden": "true" });
    const count = () => fill(left, t("nextTry", { s: Math.max(0, Math.ceil((until - Date.now()) / 1000)) }));
    count();
    this.#timer = setInterval(count, 250);
    this.#put(h("span", t("lostLine", { code })), left,
      h("button.link", { type: "button", on: { click: () => this.#connection.retryNow() } }, t("tryNow")));
  }

  #put(first, ...rest) {
    this.el.hidden = false;
    fill(this.el, first, ...rest);
    if (this.#live.textContent !== first.textContent) fill(this.#live, first.textContent);
  }
}
