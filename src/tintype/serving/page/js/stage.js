// The photo itself, large: alone while it is being coloured, then under the dividing line.

const byId = (id) => document.getElementById(id);
const [frame, compare, single, unseen] = ["frame", "compare", "single", "unseen"].map(byId);
const stageElement = byId("stage");
const [before, after] = ["before", "after"].map(byId);
const STEPS = { ArrowLeft: -2, ArrowDown: -2, ArrowRight: 2, ArrowUp: 2, PageDown: -20, PageUp: 20 };

export class Stage {
  #photo = null;
  #blobs = new Map(); // image element -> the blob it shows
  #turn = 0; // raised by every call of show: an older one gives up
  #animation = 0;

  constructor() {
    compare.addEventListener("slide", () => this.#tell(compare.value));
    compare.addEventListener("keydown", (event) => this.#onKey(event));
    for (const type of ["pointerdown", "keydown"])
      compare.addEventListener(type, () => cancelAnimationFrame(this.#animation));
  }

  /** Show a photo as far as it has come; call it again whenever that changes. */
  async show(photo) {
    const turn = (this.#turn += 1);
    if (photo !== this.#photo) this.#clear(photo);
    const original = photo.visible ? photo.file : photo.gray;
    const ready = await (photo.result && original
      ? Promise.all([this.#put(before, original, turn), this.#put(after, photo.result.blob, turn)])
      : this.#put(single, photo.result?.blob ?? original, turn));
    if (turn !== this.#turn) return;
    const both = Boolean(photo.result && original);
    [compare.hidden, single.hidden] = [!both, both || !ready];
    unseen.hidden = both || ready || photo.visible !== false;
    stageElement.toggleAttribute("data-empty", photo.state === "failed" && !ready);
    if (both) this.#open(photo);
  }

  /** While the service recolours: roughly what it will look like. */
  preview(saturation) {
    const shown = this.#photo?.result?.saturation;
    after.style.filter = shown && shown !== saturation ? `saturate(${saturation / shown})` : "";
  }

  #clear(photo) {
    this.#photo = photo;
    compare.hidden = single.hidden = unseen.hidden = true;
    stageElement.removeAttribute("data-empty");
    cancelAnimationFrame(this.#animation);
    for (const image of this.#blobs.keys()) this.#release(image);
    after.style.filter = "";
  }

  /** Decode a picture beside the page, then swap it in whole. */
  async #put(image, blob, turn) {
    if (!blob) return false;
    if (this.#blobs.get(image) === blob) return true;
    const url = URL.createObjectURL(blob);
    const probe = new Image();
    probe.src = url;
    const decoded = await probe.decode().then(() => true, () => false); // prettier-ignore
    if (!decoded || turn !== this.#turn) {
      URL.revokeObjectURL(url);
      return false;
    }
    this.#release(image);
    this.#blobs.set(image, blob);
    image.src = url;
    if (image === after) after.style.filter = "";
    this.#fit(probe.naturalWidth, probe.naturalHeight);
    return true;
  }

  #release(image) {
    if (image.src) URL.revokeObjectURL(image.src);
    image.removeAttribute("src");
    this.#blobs.delete(image);
  }

  #fit(width, height) {
    frame.style.setProperty("--width", `${width}px`);
    frame.style.setProperty("--ratio", String(width / height));
  }

  #open(photo) {
    before.alt = `${photo.name}, as it was`;
    after.alt = `${photo.name}, in colour`;
    const seen = photo.position !== null;
    if (seen || matchMedia("(prefers-reduced-motion: reduce)").matches) this.#place(photo.position ?? 50);
    else this.#draw(100, 50);
  }

  /** Colour comes in from the right, once. */
  #draw(from, to, length = 900) {
    const start = performance.now();
    const step = (now) => {
      const share = Math.min(1, (now - start) / length);
      this.#place(from + (to - from) * (1 - (1 - share) ** 3));
      if (share < 1) this.#animation = requestAnimationFrame(step);
    };
    step(start);
  }

  #onKey(event) {
    const target = event.key === "Home" ? 0 : event.key === "End" ? 100 : compare.value + (STEPS[event.key] ?? NaN);
    if (Number.isNaN(target) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.#place(target);
  }

  #place(percent) {
    compare.value = Math.min(100, Math.max(0, percent));
    this.#tell(compare.value);
  }

  #tell(percent) {
    if (this.#photo) this.#photo.position = percent;
    const left = Math.round(percent);
    compare.setAttribute("aria-valuenow", left);
    compare.setAttribute("aria-valuetext", `${left} % as it was, ${100 - left} % in colour`);
  }
}
