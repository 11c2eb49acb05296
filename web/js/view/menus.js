// menus.js: what may be done with a message, and with a conversation.

import { h } from "../dom.js";
import { t } from "../i18n.js";
import { reactions } from "../acts.js";
import { ConvType } from "../model.js";
import { attempt, menu } from "./menu.js";
import { copied } from "./parts.js";
import { readers } from "./readers.js";

// messageMenu opens the menu of a message. compose is {reply(m), edit(m)}.
export function messageMenu(anchor, { chat, conv, m, compose }) {
  const { acts } = chat;
  const may = acts.may(conv, m);
  const own = m.from === chat.me;
  const emoji = may.react && h("div.emoji", { role: "group", "aria-label": t("react") }, reactions.map((e) => {
    const on = acts.reacted(m.reactions.find((r) => r.emoji === e) ?? {});
    return h("button", {
      type: "button", role: "menuitemcheckbox", "aria-checked": String(on), "aria-label": t("reactWith", { emoji: e }), tabindex: "-1", data: { emoji: e },
      on: { click: () => attempt(() => acts.react(conv, m, e)) },
    }, e);
  }));
  menu(anchor, {
    label: t("messageActions"), top: emoji,
    items: [
      may.react && { name: "reply", label: t("reply"), act: () => compose.reply(m) },
      may.edit && { name: "edit", label: t("edit"), act: () => compose.edit(m) },
      m.text && { name: "copy", label: t("copyText"), act: () => copied(m.text) },
      may.pin && { name: "pin", label: t(m.pin ? "unpin" : "pin"), act: () => acts.pin(conv, m) },
      own && may.react && conv.type !== ConvType.private && { name: "checks", label: t("whoRead"), act: () => readers(chat, conv, m) },
      may.recall && { name: "undo", label: t("recall"), act: () => acts.recall(conv, m), danger: true },
      may.hide && { name: "bin", label: t("deleteForMe"), act: () => acts.hide(conv, m), danger: true },
    ],
  });
}

// conversationMenu opens the menu of a conversation.
export function conversationMenu(anchor, { chat, conv }) {
  menu(anchor, {
    label: t("conversationActions"),
    items: [
      { name: "pin", label: t(conv.pin ? "unpinTop" : "pinTop"), act: () => chat.mark(conv, { pin: conv.pin ? 0 : 1 }) },
      { name: conv.mute ? "bell" : "mute", label: t(conv.mute ? "unmute" : "mute"), act: () => chat.mark(conv, { mute: conv.mute ? 0 : 1 }) },
      { name: "archive", label: t(conv.archive ? "unarchive" : "archive"), act: () => chat.mark(conv, { archive: conv.archive ? 0 : 1 }) },
      conv.unread > 0 && { name: "check", label: t("markRead"), act: () => chat.readAll(conv) },
      conv.last && { name: "clear", label: t("clearHistory"), act: () => chat.clear(conv), danger: true },
    ],
  });
}
