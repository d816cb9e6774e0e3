// All photos in a row: which is shown, and how far each has come.

import { sentence, stateWords } from "./words.js";

const list = document.getElementById("photos");
const strip = document.getElementById("strip");

export class Strip {
  #buttons = new Map(); // photo -> its button
  #onPick;

  /** @param {(photo: Photo) => void} onPick */
  constructor(onPick) {
    this.#onPick = onPick;
  }

  add(photo) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "thumb";
    button.append(document.createElement("span"), document.createElement("progress"));
    button.addEventListener("click", () => this.#onPick(photo));
    const item = document.createElement("li");
    item.append(button);
    list.append(item);
    this.#buttons.set(photo, button);
    this.update(photo);
    photo.looked.then(() => this.update(photo));
    strip.hidden = this.#buttons.size < 2;
  }

  remove(photo) {
    this.#buttons.get(photo)?.parentElement.remove();
    this.#buttons.delete(photo);
    strip.hidden = this.#buttons.size < 2;
  }

  update(photo) {
    const button = this.#buttons.get(photo);
    if (!button) return;
    const [picture, bar] = [button.querySelector("canvas"), button.querySelector("progress")];
    if (photo.thumbnail && picture !== photo.thumbnail) {
      picture?.remove();
      button.prepend(photo.thumbnail);
    }
    button.dataset.state = photo.state;
    button.title = `${photo.name}: ${stateWords(photo)}`;
    button.setAttribute("aria-label", button.title);
    button.querySelector("span").textContent = photo.state === "failed" ? "!" : "";
    bar.hidden = !photo.working;
    if (photo.state === "sending") bar.value = photo.progress;
    else bar.removeAttribute("value");
    bar.setAttribute("aria-label", sentence(stateWords(photo)));
  }

  /** Mark the photo that is shown. */
  mark(shown) {
    for (const [photo, button] of this.#buttons) {
      if (photo === shown) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
    this.#buttons.get(shown)?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  focus(photo) {
    this.#buttons.get(photo)?.focus();
  }
}
