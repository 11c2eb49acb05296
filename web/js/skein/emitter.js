// Emitter is a minimal event emitter. on(name, fn) returns a function that removes fn.
export class Emitter {
  #listeners = new Map();

  on(name, fn) {
    let set = this.#listeners.get(name);
    if (!set) this.#listeners.set(name, (set = new Set()));
    set.add(fn);
    return () => set.delete(fn);
  }

  emit(name, value) {
    for (const fn of [...(this.#listeners.get(name) ?? [])]) fn(value);
  }
}
