// A photo on the desk: its file, what happens to it, and what came back.

let count = 0;
let looking = Promise.resolve();

export class Photo {
  /** @type {"waiting" | "sending" | "colouring" | "pausing" | "done" | "failed"} */
  state = "waiting";
  progress = 0; // share sent, 0 to 1
  pause = ""; // why nothing happens now
  error = null;
  result = null; // the answer that is shown
  saved = null; // the answer that was downloaded, where it differs from the shown one
  gray = null; // the photo without colours, for browsers that cannot show its file
  visible = null; // whether this browser can show the file; null until it tried
  wanted = 1; // saturation that the person asked for
  position = null; // of the dividing line; null until it was seen once
  thumbnail = null;
  width = 0;
  height = 0;
  canceller = new AbortController();

  constructor(file) {
    this.id = (count += 1);
    this.file = file;
    // One after another: a decoded photo of 50 megapixels takes 200 MB.
    this.looked = looking = looking.then(() => this.#look());
  }

  get name() {
    return this.file.name || "pasted photo";
  }

  get working() {
    return !["done", "failed"].includes(this.state);
  }

  async #look() {
    if (this.canceller.signal.aborted) return;
    try {
      const whole = await createImageBitmap(this.file); // off the main thread, upright
      this.visible = true;
      await this.#measure(whole);
    } catch {
      this.visible = false; // TIFF, HEIC, or no photo at all: the service will know
    }
  }

  /** From now on the thumbnail is in colour. */
  lookAtResult() {
    const keep = () => {}; // a browser short of memory: the thumbnail stays as it is
    looking = looking.then(async () => this.#measure(await createImageBitmap(this.result.blob))).catch(keep);
    return looking;
  }

  async #measure(whole) {
    [this.width, this.height] = [whole.width, whole.height];
    this.thumbnail = await squareOf(whole);
    whole.close();
  }
}

async function squareOf(bitmap, side = 144) {
  const edge = Math.min(bitmap.width, bitmap.height);
  const [left, top] = [(bitmap.width - edge) >> 1, (bitmap.height - edge) >> 1];
  const options = { resizeWidth: side, resizeHeight: side, resizeQuality: "medium" };
  const small = await createImageBitmap(bitmap, left, top, edge, edge, options);
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  canvas.getContext("2d").drawImage(small, 0, 0);
  small.close();
  return canvas;
}
