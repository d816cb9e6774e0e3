// The page: photos come in, are coloured, shown, and go out. Each part has its module; this one introduces them.

import { Darkroom } from "./darkroom.js";
import { takeIn } from "./intake.js";
import * as panel from "./panel.js";
import { Photo } from "./photo.js";
import { saveAll, saveBlob } from "./save.js";
import { modelInfo } from "./service.js";
import { Stage } from "./stage.js";
import { Strip } from "./strip.js";
import { lineageWords, modelWords, sentence, tallyWords } from "./words.js";

const byId = (id) => document.getElementById(id);
const photos = [];
const choices = { saturation: 1, format: "", switches: "" };
const stage = new Stage();
const strip = new Strip(show);
const darkroom = new Darkroom(choices, onChange);
let shown = null;
let adjusted = null; // the photo whose saturation is being moved
let modelKnown = false;

function addPhotos(files) {
  const added = files.map((file) => new Photo(file));
  for (const photo of added) {
    photo.wanted = choices.saturation;
    photos.push(photo);
    strip.add(photo);
    darkroom.develop(photo);
  }
  if (document.body.dataset.view === "welcome") setView("desk");
  show(added[0]);
  announce(added.length === 1 ? `${added[0].name} is being coloured.` : `${added.length} photos are being coloured.`);
}

function show(photo) {
  shown = photo;
  panel.showSaturation(photo.wanted);
  panel.showState(photo, photos);
  strip.mark(photo);
  stage.show(photo);
  develop(photo);
  photo.looked.then(() => photo === shown && refresh());
}

/** Anew, if it was coloured under other switches. */
function develop(photo) {
  if (photo.result && !photo.working && photo.result.switches !== choices.switches) darkroom.redevelop(photo);
}

function refresh() {
  panel.showState(shown, photos);
  stage.show(shown);
}

function onChange(photo, event) {
  strip.update(photo);
  if (event === "state") tell(photo);
  if (!shown) return;
  if (event !== "progress") refresh();
  else if (photo === shown) panel.showProgress(photo);
}

function tell(photo) {
  if (photo.error) announce(`${photo.name}: ${photo.error.message}`);
  else if (photo.state === "pausing") announce(`${photo.name}: ${photo.pause}.`);
  else if (photo.state === "done") onDone(photo);
}

function onDone(photo) {
  announce(`${photo.name} is in colour.${tallyWords(photos)}`);
  if (!modelKnown) tellModel(); // it may have asked for the key that we have by now
  if (photo.wanted !== photo.result.saturation) darkroom.redevelop(photo);
  else if (photo === shown) develop(photo);
}

function remove() {
  const place = photos.indexOf(shown);
  const [photo] = photos.splice(place, 1);
  photo.canceller.abort();
  strip.remove(photo);
  announce(`${photo.name} was removed.`);
  const next = photos[Math.min(place, photos.length - 1)];
  if (next) {
    show(next);
    if (photos.length > 1) strip.focus(next);
    else byId("main").focus();
  } else {
    shown = null;
    setView("welcome");
  }
}

function saturate(value, settled) {
  if (settled) {
    if (adjusted.result && adjusted.result.saturation !== adjusted.wanted) darkroom.redevelop(adjusted);
    return;
  }
  adjusted = shown;
  choices.saturation = shown.wanted = value;
  stage.preview(value);
  for (const photo of photos) if (photo.state === "waiting") photo.wanted = value; // the next ones
}

async function download(button, collect) {
  const photo = shown;
  button.disabled = true;
  try {
    await collect(photo);
    photo.error = null;
  } catch (error) {
    announce(error.message);
    photo.error = error;
  } finally {
    if (shown) refresh();
  }
}

async function downloadShown(photo) {
  const { blob, name } = await darkroom.finished(photo);
  saveBlob(blob, name);
}

async function downloadAll() {
  const answers = [];
  for (const photo of photos) if (photo.result) answers.push(await darkroom.finished(photo));
  await saveAll(answers);
  announce(`${answers.length} photos were saved in one ZIP file.`);
}

async function tellModel() {
  try {
    const info = await modelInfo();
    const words = modelWords(info);
    byId("version").textContent = words.line;
    byId("model-words").textContent = words.full;
    byId("lineage-list").replaceChildren(...lineageWords(info).flatMap(([term, value]) => pair(term, value)));
    byId("lineage").hidden = false;
    modelKnown = true;
  } catch {
    byId("version").textContent = "About the colours"; // the page works without knowing
  }
}

function pair(term, value) {
  const [dt, dd] = [document.createElement("dt"), document.createElement("dd")];
  [dt.textContent, dd.textContent] = [term, String(value)];
  return [dt, dd];
}

function setView(view) {
  document.body.dataset.view = view;
  byId("welcome").hidden = view !== "welcome";
  byId("desk").hidden = byId("add").hidden = view !== "desk";
  byId(view === "welcome" ? "choose" : "main").focus(); // the button that had it is gone
}

function announce(words) {
  byId("status").textContent = sentence(words);
}

takeIn(addPhotos);
function turn(switches) {
  choices.switches = switches;
  develop(shown);
}

panel.connect({ saturate, format: (value) => (choices.format = value), turn });
byId("download").addEventListener("click", (event) => download(event.currentTarget, downloadShown));
byId("download-all").addEventListener("click", (event) => download(event.currentTarget, downloadAll));
byId("remove").addEventListener("click", remove);
byId("again").addEventListener("click", () => darkroom.develop(shown));
addEventListener("online", () => {
  for (const photo of photos) if (photo.error?.status === 0) darkroom.develop(photo);
});
tellModel();
