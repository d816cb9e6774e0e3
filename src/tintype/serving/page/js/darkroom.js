// Where photos are coloured: two uploads at a time, the photo that is being watched first.

import { colorizePatiently } from "./patience.js";
import { Queue } from "./queue.js";
import { pauseWords } from "./words.js";

const UPLOADS = 2;
const SHOWN_BY_BROWSERS = new Set(["image/jpeg", "image/png", "image/webp"]);

export class Darkroom {
  #queue = new Queue(UPLOADS);
  #choices;
  #onChange;

  /**
   * @param {{format: string, saturation: number, switches: string}} choices  what the person chose last
   * @param {(photo: Photo, event: "state" | "progress" | "picture") => void} onChange
   */
  constructor(choices, onChange) {
    this.#choices = choices;
    this.#onChange = onChange;
  }

  /** Colour a new photo, or one that failed, when its turn comes. */
  develop(photo) {
    this.#set(photo, { state: "waiting", error: null });
    this.#queue.add(() => this.#work(photo));
  }

  /** Colour a photo anew, at once: someone is looking at it. */
  redevelop(photo) {
    photo.canceller.abort();
    photo.canceller = new AbortController();
    return this.#work(photo);
  }

  /** The answer to download: the shown one where it is in the wanted format, else one asked for now. */
  async finished(photo) {
    const { format, switches } = this.#choices;
    const { saturation } = photo.result;
    const fits = (answer) =>
      answer?.saturation === saturation &&
      answer.switches === switches &&
      (answer.format === format || answer.type === `image/${format}`);
    const kept = [photo.result, photo.saved].find(fits);
    return kept ?? (photo.saved = await this.#ask(photo, saturation, format));
  }

  async #work(photo) {
    const { signal } = photo.canceller;
    await photo.looked;
    if (signal.aborted) return;
    this.#set(photo, { state: "sending", progress: 0, error: null });
    try {
      const result = await this.#shownAnswer(photo, photo.wanted, this.#watch(photo, signal));
      if (signal.aborted) return;
      this.#set(photo, { result, state: "done" });
      await photo.lookAtResult();
      this.#set(photo, {}, "picture");
      if (!photo.visible && !photo.gray) await this.#takeGray(photo);
    } catch (error) {
      if (error.name === "AbortError") return;
      this.#set(photo, { state: photo.result ? "done" : "failed", error });
    }
  }

  /** An answer that browsers can show; what they cannot (TIFF) is made when it is downloaded. */
  async #shownAnswer(photo, saturation, watch) {
    const { format } = this.#choices;
    const asked = format === "tiff" || !format ? (photo.visible ? "" : "jpeg") : format;
    const answer = await this.#ask(photo, saturation, asked, watch);
    if (SHOWN_BY_BROWSERS.has(answer.type)) return answer;
    photo.saved = answer;
    return this.#ask(photo, saturation, "jpeg", watch);
  }

  async #ask(photo, saturation, format, watch = {}) {
    const { switches } = this.#choices;
    const answer = await colorizePatiently(photo.file, { saturation, format, switches }, watch);
    return { ...answer, saturation, format, switches };
  }

  async #takeGray(photo) {
    photo.gray = (await this.#ask(photo, 0, "jpeg")).blob;
    this.#set(photo, {}, "picture");
  }

  #watch(photo, signal) {
    return {
      signal,
      onSending: (progress) => this.#set(photo, { state: "sending", progress }, "progress"),
      onSent: () => this.#set(photo, { state: "colouring" }),
      onPause: (seconds) => this.#set(photo, { state: "pausing", pause: pauseWords(seconds) }),
    };
  }

  #set(photo, values, event = "state") {
    Object.assign(photo, values);
    this.#onChange(photo, event);
  }
}
