// What is known of the shown photo, and what can be done with it.

import { BORDERED, factWords, makerWords, ownColourWords, receiptWords, sentence, stateWords } from "./words.js";

const byId = (id) => document.getElementById(id);
const [name, facts, notes] = ["photo-name", "facts", "notes"].map(byId);
const [saturation, saturationValue, format] = ["saturation", "saturation-value", "format"].map(byId);
const [work, workLabel, workBar] = ["work", "work-label", "work-bar"].map(byId);
const [trouble, troubleWords, again] = ["trouble", "trouble-words", "again"].map(byId);
const [download, downloadAll] = ["download", "download-all"].map(byId);
const controls = document.querySelectorAll("#panel .control");
const SETTLED = 300; // milliseconds without a move before the service is asked

/**
 * Connect the controls.
 * @param {{saturate: (value: number, settled: boolean) => void, format: (value: string) => void,
 *   turn: (switches: string) => void}} on  switches: those that are not as at first, as a query
 */
export function connect(on) {
  let timer = 0;
  saturation.addEventListener("input", () => {
    showSaturation(saturation.valueAsNumber);
    on.saturate(saturation.valueAsNumber, false);
    clearTimeout(timer);
    timer = setTimeout(() => on.saturate(saturation.valueAsNumber, true), SETTLED);
  });
  format.addEventListener("change", () => on.format(format.value));
  const boxes = [...document.querySelectorAll("#switches input")];
  const turned = () => boxes.filter((box) => box.checked !== box.defaultChecked).map((box) => [box.name, box.checked]);
  byId("switches").addEventListener("change", () => on.turn(String(new URLSearchParams(turned()))));
}

/** Everything that changes with the photo's state. */
export function showState(photo, photos) {
  name.textContent = photo.name;
  facts.textContent = factWords(photo);
  showProgress(photo);
  showTrouble(photo);
  showNotes(photo);
  for (const control of controls) control.hidden = photo.state === "failed";
  download.hidden = photo.state === "failed";
  download.disabled = !photo.result;
  downloadAll.hidden = photos.length < 2;
  downloadAll.disabled = !photos.some((each) => each.result);
}

export function showProgress(photo) {
  work.hidden = !photo.working;
  workLabel.textContent = sentence(stateWords(photo));
  if (photo.state === "sending") workBar.value = photo.progress;
  else workBar.removeAttribute("value"); // no share is known: the bar says so
}

export function showSaturation(value) {
  saturation.value = String(value);
  saturationValue.textContent = value.toFixed(2);
  saturation.setAttribute("aria-valuetext", value === 0 ? "0, no colour" : `${value.toFixed(2)} times`);
}

function showTrouble(photo) {
  trouble.hidden = !photo.error;
  troubleWords.textContent = photo.error?.message ?? "";
  again.hidden = photo.error?.passing === false; // the same bad file would be refused again
}

function showNotes(photo) {
  const { receipt, model, bordered, ownColours, notes: remarks } = photo.result ?? {};
  const words = [bordered && BORDERED, remarks, ownColourWords(ownColours)];
  if (photo.result && ownColours !== "kept") words.unshift(receiptWords(receipt), makerWords(model));
  if (photo.result && photo.visible === false)
    words.push("This browser cannot show the file itself: both sides are previews. The download is made from the file.");
  notes.replaceChildren(
    ...words.filter(Boolean).map((text) => {
      const item = document.createElement("li");
      item.textContent = text;
      return item;
    }),
  );
}
