// app.js: builds the page from its parts.

import { h, fill } from "./dom.js";
import { t } from "./i18n.js";
import { Connection, State } from "./skein/connection.js";
import { Outbox, randomId } from "./skein/outbox.js";
import { UnsentStore } from "./skein/unsent.js";
import { SkeinError } from "./skein/errors.js";
import { Chat } from "./model.js";
import { Rest } from "./rest.js";
import { Tape } from "./tape.js";
import { welcome } from "./view/welcome.js";
import { Bar } from "./view/bar.js";
import { ListPane } from "./view/list.js";
import { TalkPane } from "./view/talk.js";
import { WirePane } from "./view/wire.js";
import { newConversation, details } from "./view/dialogs.js";
import { fault, soon, state } from "./view/parts.js";

const root = document.getElementById("app");
const tape = new Tape();

// A tab is one device of one client. Another tab may log in as another client.
const saved = {
  get(key) { try { return sessionStorage.getItem(`skein.${key}`) ?? ""; } catch { return ""; } },
  set(key, value) { try { sessionStorage.setItem(`skein.${key}`, value); } catch { /* this page only */ } },
};

// wide: from this width the wire panel is beside the conversation; as in chat.css.
const wide = () => matchMedia("(min-width: 1100px)").matches;

// prefix is the path under which a proxy serves the page, without a final slash.
const prefix = new URL(".", document.baseURI).pathname.slice(0, -1);

main();

async function main() {
  let demo;
  try {
    const response = await fetch("demo.json");
    if (!response.ok) throw new Error();
    demo = await response.json();
  } catch {
    fill(root, state(h("h2", t("noServer")), fault(new SkeinError("lost")),
      h("button.button", { type: "button", on: { click: () => location.reload() } }, t("tryAgain"))));
    return;
  }
  demo = { appId: demo.app_id, clients: names(demo.clients ?? []), ops: demo.ops, socket: prefix + demo.socket, storage: prefix + demo.storage, origin: location.origin + prefix };
  const asked = new URLSearchParams(location.search).get("name");
  const name = saved.get("name");
  if (name && (!asked || asked === name)) start(demo, { name, nickname: saved.get("nickname") });
  else ask(demo, { name: asked ?? name });
}

// names are the client ids that look like names. The page suggests them.
function names(clients) {
  const words = clients.filter((id) => /^[A-Za-z]+$/.test(id));
  return (words.length > 1 ? words : clients).slice(0, 5);
}

function ask(demo, props = {}) {
  document.title = t("title");
  welcome(root, { demo, ...props, start: (who) => start(demo, who) });
}

function start(demo, { name, nickname }) {
  if (saved.get("name") !== name || !saved.get("device")) saved.set("device", `web${randomId().slice(0, 12)}`);
  saved.set("name", name);
  saved.set("nickname", nickname);

  const connection = new Connection({
    url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${demo.socket}`,
    appId: demo.appId, clientId: name, deviceId: saved.get("device"), deviceType: "web",
    ext: nickname ? { nickname } : undefined,
  });
  tape.record(connection);
  const rest = new Rest({ appId: demo.appId, upload: demo.ops["file.upload"], prefix, watch: tape.watch });
  const outbox = new Outbox(connection, { store: kept(demo.appId, name) });
  const chat = new Chat(connection, { outbox, nickname, storage: demo.storage, upload: (file) => rest.upload(file) });
  const page = new Page(demo, connection, chat);

  connection.on("state", (s) => {
    if (s.name === State.online) page.show();
    if (s.name === State.ended && s.at === "login") {
      page.end();
      saved.set("name", "");
      ask(demo, { name, nickname, error: new SkeinError("refused", { code: s.code, message: s.reason, op: "login" }) });
    }
    // If the first connection fails, the bar in the page shows it.
    if (s.name === State.waiting) page.show();
  });
  connection.open();
  setTimeout(() => page.show(), 300);
}

// kept is the storage for unsent messages; null if the browser has none.
function kept(appId, name) {
  try { return new UnsentStore(localStorage, appId, name); } catch { return null; }
}

// Page is the three panes of one client.
class Page {
  #demo;
  #connection;
  #chat;
  #list;
  #talk;
  #wire;
  #bar;
  #before = ""; // the address the wire was opened from
  #shown = false;
  #ended = false;
  #stops = [];

  constructor(demo, connection, chat) {
    this.#demo = demo;
    this.#connection = connection;
    this.#chat = chat;
  }

  show() {
    if (this.#shown || this.#ended) return;
    this.#shown = true;
    this.#build();
    const listen = (target, name, fn) => {
      target.addEventListener(name, fn);
      this.#stops.push(() => target.removeEventListener(name, fn));
    };
    listen(window, "hashchange", () => this.#route());
    listen(window, "online", () => this.#connection.retryNow());
    listen(document, "visibilitychange", () => { if (!document.hidden) this.#connection.retryNow(); });
    listen(document, "keydown", (e) => this.#key(e));
    let first = true;
    this.#stops.push(this.#chat.on("conversations", soon(() => {
      if (this.#chat.loaded && first) { first = false; this.#route(); }
      this.#title();
    })));
    this.#route();
  }

  end() {
    this.#ended = true;
    this.#clear();
    for (const stop of this.#stops) stop();
    this.#connection.close();
  }

  #context() {
    return { ...this.#demo, me: this.#chat.me };
  }

  #clear() {
    for (const pane of [this.#list, this.#talk, this.#wire, this.#bar]) pane?.stop();
  }

  #build() {
    this.#clear();
    const open = this.#talk?.conv ?? null;
    const escape = () => this.#escape();
    this.#bar = new Bar(this.#connection, { back: () => this.#connection.open() });
    root.dataset.wire = this.#wireWanted() ? "on" : "off";
    this.#list = new ListPane(this.#chat, {
      context: this.#context(), escape,
      open: (conv) => this.#go(`#c/${conv.id}`),
      create: () => this.#create(),
      leave: () => this.#leave(),
      again: () => this.#build(),
      wire: () => this.#toggleWire(),
    });
    this.#talk = new TalkPane(this.#chat, this.#connection, {
      context: this.#context(), bar: this.#bar, escape,
      back: () => this.#go("#"),
      wire: () => this.#toggleWire(),
      wireOn: () => wide() && root.dataset.wire !== "off",
      details: (conv) => details(this.#chat, conv),
      empty: () => this.#list.welcome(),
    });
    this.#wire = new WirePane(tape, { context: () => this.#context(), escape, back: () => this.#closeWire() });
    root.className = "app";
    fill(root, h("a.skip", { href: "#write", on: { click: (e) => { e.preventDefault(); this.#talk.focus(); } } }, t("skip")),
      this.#list.el, this.#talk.el, this.#wire.el);
    this.#bar.show();
    if (open) { this.#talk.open(open); this.#list.current = open; }
    this.#title();
  }

  #title() {
    if (this.#ended) return;
    const { unread, me } = this.#chat;
    document.title = `${unread ? `(${unread}) ` : ""}${me} · ${t("title")}`;
  }

  #go(hash) {
    if (location.hash === hash || (hash === "#" && !location.hash)) this.#route();
    else location.hash = hash;
  }

  #route() {
    const [, id] = location.hash.match(/^#c\/([0-9a-f]{32})$/) ?? [];
    if (location.hash === "#wire") { root.dataset.pane = "wire"; return; }
    const conv = id ? this.#chat.conversations.get(id) : null;
    root.dataset.pane = conv ? "talk" : "list";
    if (conv !== this.#talk.conv || !conv) this.#talk.open(conv ?? null);
    this.#list.current = conv ?? null;
    if (conv && matchMedia("(min-width: 720px)").matches) this.#talk.focus();
  }

  #create() {
    newConversation(this.#chat, { clients: this.#demo.clients, done: (conv) => this.#go(`#c/${conv.id}`) });
  }

  #leave() {
    this.end();
    const name = this.#chat.me;
    saved.set("name", "");
    history.replaceState(null, "", `${prefix}/`);
    delete root.dataset.pane;
    ask(this.#demo, { name });
  }

  #wireWanted() {
    try { return localStorage.getItem("skein.wire") !== "off"; } catch { return true; }
  }

  // closeWire goes back to where the wire panel was opened, or to the list if the page
  // was opened with it.
  #closeWire() {
    if (this.#before) history.back();
    else this.#go("#");
    this.#before = "";
  }

  #toggleWire() {
    if (!wide()) {
      this.#before = location.hash || "#";
      this.#go("#wire");
      return;
    }
    const on = root.dataset.wire === "off";
    root.dataset.wire = on ? "on" : "off";
    try { localStorage.setItem("skein.wire", on ? "on" : "off"); } catch { /* this page only */ }
  }

  #key(e) {
    const typing = e.target.closest?.("input, textarea, dialog");
    if (e.key === "/" && !typing && !e.ctrlKey && !e.metaKey && !e.altKey) {
      e.preventDefault();
      if (e.target.closest?.(".wire") || root.dataset.pane === "wire") this.#wire.search();
      else this.#list.search();
    }
    if (e.key === "Escape" && !typing) this.#escape();
  }

  // Esc goes back: from the wire panel to the conversation, from lists to the composer.
  #escape() {
    if (root.dataset.pane === "wire" && location.hash === "#wire") this.#closeWire();
    else if (this.#talk.conv && document.activeElement?.id !== "write") this.#talk.focus();
    else if (document.activeElement?.id === "write") this.#list.focus();
  }
}
