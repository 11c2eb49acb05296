// readers.js: who has read a message.

import { h, fill } from "../dom.js";
import { t } from "../i18n.js";
import { failure } from "../model.js";
import { dialog } from "./dialogs.js";
import { face, fault } from "./parts.js";

// readers shows who has read and who has received a message, in pages.
export function readers(chat, conv, m) {
  const people = h("ul.people");
  const errors = h("div");
  const counts = h("p.muted", { role: "status" });
  const more = h("button.button", { type: "button", hidden: true, on: { click: () => load() } }, t("more"));
  let cursor;
  const row = ({ client_id: id, has_read, has_received }) => h("li",
    face(chat.name(id), { tiny: true }),
    h("span.who.ellipsis", { title: id }, h("bdi", chat.name(id))),
    h("span.muted.small", t(Number(has_read) ? "read" : Number(has_received) ? "received" : "notReceived")));
  const load = async () => {
    more.disabled = true;
    fill(errors);
    try {
      const page = await chat.readers(conv, m, cursor);
      cursor = page.cursor;
      page.members.forEach((r) => { chat.people.meet(r.client_id); people.append(row(r)); });
      fill(counts, t("readOf", { n: page.read, of: page.of }));
    } catch (err) {
      fill(errors, fault(failure(err)));
    }
    more.disabled = false;
    more.hidden = !cursor;
  };
  dialog(t("whoRead"), () => h("div.body", counts, people, errors, more));
  load();
}
