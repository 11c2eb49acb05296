// rest.js: the HTTP calls of the page, which it also reports to the tape.

import { SkeinError } from "./skein/errors.js";

// Rest reports each call to watch({method, path, headers, body, size}). watch returns the
// function that Rest calls at the end of the call.
export class Rest {
  #appId;
  #upload;
  #prefix;
  #watch;

  // upload is the route of file.upload; prefix is the path of a proxy.
  constructor({ appId, upload, prefix = "", watch }) {
    this.#appId = appId;
    this.#upload = upload;
    this.#prefix = prefix;
    this.#watch = watch;
  }

  // upload stores a file and returns its address.
  async upload(file) {
    const { method, path } = this.#upload;
    const headers = { "app-id": this.#appId };
    const form = new FormData();
    form.append("file", file, file.name || "file");
    const ended = this.#watch({ method, path, headers, file, size: file.size });
    let response;
    let text;
    try {
      response = await fetch(this.#prefix + path, { method, headers, body: form });
      text = await response.text();
    } catch {
      ended({ status: 0, text: "" });
      throw new SkeinError("lost", { op: "file.upload" });
    }
    ended({ status: response.status, text });
    let answer = null;
    try { answer = JSON.parse(text); } catch { /* below */ }
    if (answer?.code !== 0 || typeof answer.data !== "string") {
      throw new SkeinError("refused", {
        op: "file.upload", code: Number(answer?.code) || 1, message: String(answer?.message ?? `HTTP ${response.status}`),
        retryAfter: 1000 * (Number(response.headers.get("Retry-After")) || 0),
      });
    }
    return answer.data;
  }
}
