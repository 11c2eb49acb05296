// What can go wrong with a call, and what to do about it.

// Codes of the protocol that the client itself reacts to; the server's table has
// the rest.
export const Code = Object.freeze({
  unauthenticated: 4003,
  forbidden: 4004,
  conflict: 4013,
  tooLarge: 4130,
  rateLimited: 4290,
  malformed: 4406,
  unavailable: 5030,
});

// Largest frame a server takes, in bytes.
export const MAX_FRAME = 256 * 1024;

// SkeinError is an answer with a code (kind "refused"), or the want of one:
// "offline" (never sent), "lost" (sent, the line broke before the answer came:
// it may have been done), "timeout" (as lost, on a line that looks alive).
export class SkeinError extends Error {
  constructor(kind, { code = 0, message = "", op = "", retryAfter = 0 } = {}) {
    super(message || kind);
    this.name = "SkeinError";
    this.kind = kind;
    this.code = code;
    this.op = op;
    this.retryAfter = retryAfter; // milliseconds; 0: not said
  }

  // Whether the same call may succeed later. A message may be sent again at any
  // time, since its client_msg_id makes it the same message.
  get temporary() {
    return this.kind !== "refused" || this.code === 1 ||
      this.code === Code.rateLimited || this.code === Code.unavailable;
  }
}

// comesBack reports whether a client should connect again by itself after a
// socket was closed with this code: not after a goodbye (1000) nor where the
// server says "not as you are" (4400–4499); otherwise yes, with backoff.
export function comesBack(closeCode) {
  return closeCode !== 1000 && !(closeCode >= 4400 && closeCode <= 4499);
}

// backoff is the wait before try number n (from 0), in milliseconds: doubling
// from base up to cap, of which the upper half is left to chance so that a crowd
// that lost its server does not return as one.
export function backoff(n, { base = 500, cap = 30_000, random = Math.random } = {}) {
  const full = Math.min(cap, base * 2 ** Math.min(n, 16));
  return Math.round(full / 2 + (full / 2) * random());
}
