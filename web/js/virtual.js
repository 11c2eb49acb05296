// virtual.js: a long list that has elements only for its visible rows. Rows may have any
// height. When items are added above or below, the visible rows stay where they are. A
// list that is scrolled to its end stays at its end.

import { h } from "./dom.js";

// VirtualList shows items in a scrolling element. options: key(item); sig(item): the row is
// made again when it changes; render(item) → element; estimate: the height of a row before
// it is measured; stick: stay at the end; onTop: called near the start; onMove: called
// after each layout.
export class VirtualList {
  #scroller;
  #options;
  #space;
  #items = [];
  #index = new Map(); // key → index
  #heights = new Map(); // key → measured height
  #offsets = [0];
  #rows = new Map(); // key → {el, sig}
  #measure;
  #frame = 0;
  #anchor = null; // {key, top}: the row at the top edge and where it stands
  #following = true;
  #top = 0; // scrollTop when it was last looked at

  constructor(scroller, options) {
    this.#scroller = scroller;
    this.#options = { estimate: 40, overscan: 400, stick: false, sig: () => "", ...options };
    this.#following = this.#options.stick;
    this.#space = h("div.space", { role: "presentation" });
    scroller.append(this.#space);
    this.#measure = new ResizeObserver((entries) => this.#measured(entries));
    this.#measure.observe(scroller);
    scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
  }

  get items() { return this.#items; }
  get following() { return this.#following; }

  // set replaces the items; the first is at the top.
  set(items) {
    this.#items = items;
    this.#index = new Map(items.map((item, i) => [this.#options.key(item), i]));
    this.#layout();
  }

  // reset forgets the scroll position, before another list is shown.
  reset() {
    for (const { el } of this.#rows.values()) { this.#measure.unobserve(el); el.remove(); }
    this.#rows.clear();
    this.#heights.clear();
    this.#anchor = null;
    this.#following = this.#options.stick;
    this.#scroller.scrollTop = 0;
  }

  toEnd() {
    this.#following = this.#options.stick;
    this.#anchor = null;
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#layout();
  }

  // hold stops following the end, because the user looks at a row.
  hold() {
    this.#following = false;
    this.#remember();
  }

  // reveal scrolls as little as possible to show the item, or at least its top.
  reveal(key) {
    const i = this.#index.get(key);
    if (i === undefined) return;
    const row = this.#rows.get(key);
    if (row && this.#heights.get(key) !== row.el.offsetHeight) {
      this.#heights.set(key, row.el.offsetHeight);
      this.#layout();
    }
    const { scrollTop, clientHeight } = this.#scroller;
    const top = this.#offsets[i];
    const bottom = this.#offsets[i + 1];
    if (top < scrollTop) this.#scroller.scrollTop = top;
    else if (bottom > scrollTop + clientHeight) this.#scroller.scrollTop = Math.min(top, Math.max(0, bottom - clientHeight + 8));
    this.#scrolled();
    this.#layout();
  }

  // element is the element of an item, or null if it is not in the page.
  element(key) { return this.#rows.get(key)?.el ?? null; }

  #heightOf(i) {
    return this.#heights.get(this.#options.key(this.#items[i])) ?? this.#options.estimate;
  }

  #layout() {
    if (this.#scroller.clientHeight === 0) return; // hidden; render runs again when it is shown
    const offsets = new Array(this.#items.length + 1);
    offsets[0] = 0;
    for (let i = 0; i < this.#items.length; i++) offsets[i + 1] = offsets[i] + this.#heightOf(i);
    this.#offsets = offsets;
    const total = offsets[this.#items.length];
    this.#space.style.height = `${total}px`;

    // Restore the position of the anchor row before making the rows around it.
    let top = this.#scroller.scrollTop;
    if (this.#following) {
      top = Math.max(0, this.#scroller.scrollHeight - this.#scroller.clientHeight);
    } else if (this.#anchor && this.#index.has(this.#anchor.key)) {
      top = offsets[this.#index.get(this.#anchor.key)] - this.#anchor.top;
    }
    if (Math.abs(top - this.#scroller.scrollTop) >= 1) this.#scroller.scrollTop = top;
    this.#top = this.#scroller.scrollTop;
    this.#draw();
  }

  #draw() {
    const { key, sig, render, overscan } = this.#options;
    const view = this.#scroller.clientHeight;
    const top = this.#scroller.scrollTop;
    const from = this.#at(top - overscan);
    const to = Math.min(this.#items.length, this.#at(top + view + overscan) + 1);

    const keep = new Set();
    for (let i = from; i < to; i++) keep.add(key(this.#items[i]));
    for (const [k, row] of this.#rows) {
      if (keep.has(k)) continue;
      this.#measure.unobserve(row.el);
      row.el.remove();
      this.#rows.delete(k);
    }
    let before = null; // keeps the rows in the page in the order of the list
    for (let i = from; i < to; i++) {
      const item = this.#items[i];
      const k = key(item);
      const s = sig(item);
      let row = this.#rows.get(k);
      if (!row || row.sig !== s) {
        const el = h("div.row", { role: "presentation" }, render(item));
        if (row) {
          const focused = row.el.contains(document.activeElement);
          this.#measure.unobserve(row.el);
          row.el.replaceWith(el);
          if (focused) el.querySelector("[tabindex], button, a")?.focus({ preventScroll: true });
        }
        this.#rows.set(k, (row = { el, sig: s }));
        this.#measure.observe(el);
      }
      row.el.style.transform = `translateY(${this.#offsets[i]}px)`;
      const next = before ? before.nextSibling : this.#space.firstChild;
      if (next !== row.el) this.#space.insertBefore(row.el, next);
      before = row.el;
    }
    this.#remember();
    if (this.#items.length && top < 2 * overscan) this.#options.onTop?.();
    this.#options.onMove?.();
  }

  // at is the index of the row at the height y.
  #at(y) {
    let lo = 0;
    let hi = this.#items.length;
    while (lo < hi) {
      const mid = (lo + hi + 1) >> 1;
      if (this.#offsets[mid] <= y) lo = mid; else hi = mid - 1;
    }
    return Math.min(lo, Math.max(0, this.#items.length - 1));
  }

  #remember() {
    if (this.#items.length === 0) { this.#anchor = null; return; }
    const top = this.#scroller.scrollTop;
    const i = this.#at(top);
    this.#anchor = { key: this.#options.key(this.#items[i]), top: this.#offsets[i] - top };
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    if (clientHeight === 0) return;
    // Only scrolling up stops following the end. Growth below does not.
    const atEnd = scrollHeight - scrollTop - clientHeight < 24;
    this.#following = this.#options.stick && (atEnd || (this.#following && scrollTop > this.#top - 1));
    this.#top = scrollTop;
    this.#remember();
    this.#later(() => this.#draw());
  }

  #measured(entries) {
    let changed = false;
    for (const entry of entries) {
      if (entry.target === this.#scroller) { changed = true; continue; }
      for (const [k, row] of this.#rows) {
        if (row.el !== entry.target) continue;
        const height = row.el.offsetHeight;
        if (height && this.#heights.get(k) !== height) {
          this.#heights.set(k, height);
          changed = true;
        }
      }
    }
    if (changed) this.#layout();
  }

  #later(fn) {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(fn);
  }
}
