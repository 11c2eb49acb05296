// curl.js: a frame or a call as a curl command. The routes come from the server
// (/demo.json), so this file has no paths.

// quote turns any text into one argument of a POSIX shell.
export function quote(text) {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

// A REST call without a token has the server role, so it must name the client.
const asMe = (data, me) => ({ client_id: me, ...data });
const acting = {
  "msg.send": (data, me) => ({ from_client: me, ...data }),
  ...Object.fromEntries(["conv.create", "conv.list", "conv.mark", "conv.read", "conv.received", "msg.delete", "msg.react", "msg.ranges", "sync"]
    .map((op) => [op, asMe])),
  "conv.query": (data, me) => ({ where: [["client_id", "=", me]], ...data }),
};

// curlOf is the curl command of an op, or null if the op has no route. It breaks lines like
// the original document.
export function curlOf(op, data, { origin, appId, me, ops }) {
  const route = ops?.[op];
  if (!route) return null;
  const rest = { ...(acting[op] ?? ((d) => d))(data ?? {}, me) };
  const path = route.path.replace(/\{(\w+)\}/g, (whole, name) => {
    if (rest[name] === undefined) return whole;
    const value = encodeURIComponent(rest[name]);
    delete rest[name];
    return value;
  });
  const lines = [`curl -X ${route.method}`, `-H ${quote(`app-id: ${appId}`)}`];
  const fields = Object.entries(rest);
  if (route.method === "GET") {
    if (fields.length) lines.push("-G");
    for (const [k, v] of fields) lines.push(`--data-urlencode ${quote(`${k}=${typeof v === "string" ? v : JSON.stringify(v)}`)}`);
  } else if (fields.length) {
    lines.push(`-H 'Content-Type: application/json'`, `-d ${quote(JSON.stringify(rest))}`);
  }
  lines.push(quote(origin + path));
  return lines.join(" \\\n  ");
}

// curlOfEntry is the curl command of an entry of the tape, or null.
export function curlOfEntry(entry, context) {
  if (entry.kind === "frame" && entry.dir === "out") return curlOf(entry.type, entry.frame?.data, context);
  if (entry.kind !== "rest") return null;
  const lines = [`curl -X ${entry.method}`];
  for (const [k, v] of Object.entries(entry.headers)) lines.push(`-H ${quote(`${k}: ${v}`)}`);
  if (entry.file) lines.push(`--form ${quote(`file=@${entry.file.name}`)}`);
  lines.push(quote(context.origin + entry.path));
  return lines.join(" \\\n  ");
}
