// welcome.js: who are you.

import { h, mark, fill } from "../dom.js";
import { t } from "../i18n.js";
import { curlOf } from "../curl.js";
import { switches, terminal, fault } from "./parts.js";

// welcome shows the form; start({name, nickname}) is called with the answer. error
// is why the last try failed.
export function welcome(root, { demo, name = "", nickname = "", error = null, start }) {
  const again = () => welcome(root, { demo, name: field.value, nickname: nick.value, error, start });
  const field = h("input.input", {
    id: "name", name: "name", value: name, required: true, maxlength: "64", autocomplete: "username", autocapitalize: "none",
    spellcheck: "false", "aria-describedby": "name-hint", "aria-invalid": error ? "true" : undefined, autofocus: true,
  });
  const nick = h("input.input", { id: "nickname", name: "nickname", value: nickname, maxlength: "64", autocomplete: "nickname", dir: "auto" });
  const form = h("form", {
    on: {
      submit: (e) => {
        e.preventDefault();
        const id = field.value.trim();
        if (id) start({ name: id, nickname: nick.value.trim() });
      },
    },
  },
  error && fault(error, h("span", error.code === 212 ? t("nameHint") : error.kind === "refused" ? t("refusedName") : t("noServer"))),
  h("div.field", h("label", { for: "name" }, t("name")), field, h("span.hint", { id: "name-hint" }, t("nameHint"))),
  h("div.field", h("label", { for: "nickname" }, t("nickname")), nick),
  h("button.button.primary", { type: "submit" }, t("enter")),
  h("div.picks", h("span.muted", t("pick")), demo.clients.map((id) =>
    h("button.chip", { type: "button", on: { click: () => start({ name: id, nickname: "" }) } }, id))));

  const line = curlOf("msg.list", { conv_id: "CONV_ID" }, demo) && curlOf("conv.create",
    { client_id: "Tom", to_client_ids: ["Jerry"], conv_type: 1 }, { ...demo, me: "Tom" });
  fill(root, h("main.welcome",
    h("div.corner", switches(again)),
    h("div",
      h("div.head", mark("mark big"), h("h1", t("title")), h("p.muted", t("tagline"))),
      form,
      line && h("div.field", h("span.muted", t("fromTerminal")), terminal(line)))));
  root.removeAttribute("class");
  field.focus();
  field.select();
}
