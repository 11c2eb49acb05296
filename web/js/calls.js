// calls.js: the members that a text mentions. No DOM.

const MOST = 100; // client ids of one message, the server's limit

// callsOf finds "@" followed by the id or name of a member, and "@all". It returns them as
// fields of a message.
export function callsOf(text, members, name) {
  const words = (text.match(/(?<![\w.-])@[^\s@,，.。:：;；!！?？]+/gu) ?? []).map((w) => w.slice(1));
  const ids = members.filter((id) => words.includes(id) || words.includes(name(id)));
  return {
    ...(ids.length && { mention_client_ids: ids.slice(0, MOST) }),
    ...(words.some((w) => w === "all" || w === "所有人") && { mention_all: 1 }),
  };
}
