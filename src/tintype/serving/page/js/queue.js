// At most so many tasks at once, first come, first served.

export class Queue {
  #limit;
  #running = 0;
  #waiting = [];

  constructor(limit) {
    this.#limit = limit;
  }

  /** @param {() => Promise<void>} task  must not reject */
  add(task) {
    this.#waiting.push(task);
    this.#next();
  }

  #next() {
    while (this.#running < this.#limit && this.#waiting.length) {
      this.#running += 1;
      this.#waiting.shift()().finally(() => {
        this.#running -= 1;
        this.#next();
      });
    }
  }
}
