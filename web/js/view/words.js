// words.js: a message in one line, for lists, quotes and pins.

import { t } from "../i18n.js";
import { Status } from "../skein/message.js";
import { MsgType } from "../model.js";

// lineOf is what a message says, cut short.
export function lineOf(chat, m) {
  if (m.status === Status.recalled) return recalledBy(chat, m);
  if (m.status === Status.deleted) return t("deleted");
  if (m.type === MsgType.image) return t("pictureWord");
  return (m.text || t("kindOf", { type: m.type })).slice(0, 200).replace(/\s+/g, " ");
}

// recalledBy is what is left of a recalled message. Who did it is known to those
// who were told live; it was the sender, or one who manages the conversation.
export function recalledBy(chat, m) {
  if (m.by && m.by !== m.from) return t("recalledBy", { who: m.by === chat.me ? t("you") : chat.name(m.by), name: m.from === chat.me ? t("youInside") : chat.name(m.from) });
  if (m.from === chat.me) return t("recalledOwn");
  return t("recalled", { name: chat.name(m.from) });
}
