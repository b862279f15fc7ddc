// When to look next. One look at a time; after a failure later and later, at random, so that many open pages do not
// come back all at once.

const MOST_MS = 30_000;
const HIDDEN_MS = 30_000;

export class Poll {
  #look; #timer = 0; #running = false; #again = false; #stopped = true; #failures = 0;

  /** Time of the next look, in ms since the epoch; 0 while one is under way. */
  next = 0;

  /** `look` returns the ms to the next one if all is well, null after a failure, and `Infinity` to stop. */
  constructor(look) {
    this.#look = look;
    document.addEventListener("visibilitychange", () => document.hidden || this.now());
    window.addEventListener("online", () => this.now());
  }

  /** Look at once. If a look is under way, look again after it. */
  now() {
    if (this.#stopped) return;
    this.#again = true;
    if (!this.#running) this.#run();
  }

  start() {
    this.#stopped = false;
    this.#failures = 0;
    this.now();
  }

  stop() {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #run() {
    clearTimeout(this.#timer);
    this.#running = true;
    this.#again = false;
    this.next = 0;
    let pause = null;
    try {
      pause = await this.#look();
    } catch (error) {
      console.error(error); // a defect of this page must not end it
    }
    this.#running = false;
    if (pause === Infinity) this.stop();
    if (this.#stopped) return;
    this.#failures = pause === null ? this.#failures + 1 : 0;
    const wait = this.#again ? 0 : this.#jitter(pause ?? Math.min(MOST_MS, 1000 * 2 ** this.#failures));
    this.next = Date.now() + wait;
    this.#timer = setTimeout(() => this.#run(), wait);
  }

  #jitter(pause) {
    return (document.hidden ? Math.max(pause, HIDDEN_MS) : pause) * (0.75 + Math.random() / 2);
  }
}
