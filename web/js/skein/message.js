// message.js: converts messages to one form, and decides which of two copies is newer. No
// DOM.

export const Status = Object.freeze({ normal: 1, deleted: 2, recalled: 3 });

// normal converts a pushed message (from_client) or a listed one (client_id, msg_status) to
// the common form.
export function normal(m) {
  const message = {
    seq: Number(m.seq) || 0, msg_id: m.msg_id, conv_id: m.conv_id, from: String(m.from_client ?? m.client_id ?? ""),
    type: m.type, text: m.text, attr: m.attr, url: m.url, ctime: Number(m.ctime) || 0,
    status: m.msg_status ?? Status.normal, client_msg_id: m.client_msg_id, reply_to: m.reply_to ?? null,
    transient: Boolean(Number(m.transient)), mentionAll: Boolean(Number(m.mention_all)), mentions: m.mention_client_ids ?? [],
    version: Number(m.version) || 1, change_seq: Number(m.change_seq) || 0, pin: Boolean(Number(m.pin)), reactions: m.reactions ?? [],
  };
  return message.status === Status.normal ? message : blank(message, message.status);
}

// blank is a message without its content: it was recalled for everyone, or deleted for this
// client. It keeps its place.
export function blank(message, status) {
  return {
    ...message, status, text: null, attr: null, url: null, preview: undefined,
    mentions: [], mentionAll: false, reactions: [], pin: false,
  };
}

// newer returns the newer of two copies of a message: the one with the greater change_seq. A
// message that was deleted for this client stays deleted, because such a deletion has no
// change_seq.
export function newer(have, came) {
  if (!have) return came;
  if (!came) return have;
  const wins = came.change_seq > have.change_seq ? { ...came, by: came.by ?? have.by } : { ...have, by: have.by ?? came.by };
  if (have.status === Status.deleted || came.status === Status.deleted) return blank(wins, Status.deleted);
  if (wins.status === Status.normal && have.preview && wins.url === have.url) wins.preview = have.preview;
  return wins;
}

// mentions reports whether a message mentions a client, by id or with everyone.
export function mentions(message, client) {
  return message.from !== client && (message.mentionAll || message.mentions.includes(client));
}

// change is an entry of the change log with its message in the common form. message is null
// if the client may not see it.
export function change(c) {
  const message = c.message ? normal(c.message) : null;
  if (message && c.kind === "recall") message.by = c.client_id ?? null;
  return {
    conv_id: c.conv_id, change_seq: Number(c.change_seq) || 0, kind: c.kind, by: c.client_id ?? null, on: Boolean(Number(c.on ?? 1)),
    message: message && c.kind === "delete" ? blank(message, Status.deleted) : message,
  };
}
