// errors.js: the errors of a call, and whether to try again.

// Code has the codes that the client itself handles. The API reference lists all codes.
export const Code = Object.freeze({
  unauthenticated: 4003,
  forbidden: 4004,
  conflict: 4013,
  tooLarge: 4130,
  rateLimited: 4290,
  malformed: 4406,
  unavailable: 5030,
});

// The largest frame that a server accepts, in bytes.
export const MAX_FRAME = 256 * 1024;

// SkeinError is an answer with an error code (kind "refused"), or says why there is no
// answer: "offline" (the call was not sent), "lost" (the connection broke before the answer;
// the server may have run the call), "timeout" (no answer in time on an open connection; the
// server may have run the call).
export class SkeinError extends Error {
  constructor(kind, { code = 0, message = "", op = "", retryAfter = 0 } = {}) {
    super(message || kind);
    this.name = "SkeinError";
    this.kind = kind;
    this.code = code;
    this.op = op;
    this.retryAfter = retryAfter; // milliseconds; 0: unknown
  }

  // Whether the same call may succeed later. A message may always be sent again: the
  // server recognizes it by its client_msg_id.
  get temporary() {
    return this.kind !== "refused" || this.code === 1 ||
      this.code === Code.rateLimited || this.code === Code.unavailable;
  }
}

// comesBack reports whether a client should reconnect after a socket was closed with this
// code. It should not after a normal close (1000) or a code that refuses the client
// (4400–4499).
export function comesBack(closeCode) {
  return closeCode !== 1000 && !(closeCode >= 4400 && closeCode <= 4499);
}

// backoff is the wait before try number n (from 0), in milliseconds. It doubles from base up
// to cap. Half of it is random, so that clients that lost their server do not all reconnect
// at the same time.
export function backoff(n, { base = 500, cap = 30_000, random = Math.random } = {}) {
  const full = Math.min(cap, base * 2 ** Math.min(n, 16));
  return Math.round(full / 2 + (full / 2) * random());
}
