// The ways photos come in: picked, dropped (folders too), pasted, or one of the examples.

const picker = document.getElementById("files");
const veil = document.getElementById("drop");

/** @param {(files: File[]) => void} onFiles */
export function takeIn(onFiles) {
  const take = (files) => files.length && onFiles(files);
  for (const id of ["choose", "add"]) document.getElementById(id).addEventListener("click", () => picker.click());
  picker.addEventListener("change", () => {
    take([...picker.files]);
    picker.value = ""; // so that the same photo can be picked again
  });
  document.addEventListener("paste", (event) => take([...(event.clipboardData?.files ?? [])]));
  for (const button of document.querySelectorAll("[data-example]"))
    button.addEventListener("click", async () => take([await exampleFile(button.dataset.example)]));
  watchDrops(take);
}

function watchDrops(take) {
  let depth = 0; // dragenter and dragleave also fire for every child
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
  const cover = (change) => {
    depth = Math.max(0, depth + change);
    veil.hidden = depth === 0;
  };
  document.addEventListener("dragenter", (event) => carriesFiles(event) && cover(1));
  document.addEventListener("dragleave", (event) => carriesFiles(event) && cover(-1));
  document.addEventListener("dragover", (event) => carriesFiles(event) && event.preventDefault());
  document.addEventListener("drop", async (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault(); // or the browser would leave the page to show the photo
    cover(-depth);
    take(await droppedFiles(event.dataTransfer));
  });
}

async function droppedFiles(transfer) {
  const loose = [...transfer.files];
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some((entry) => entry.isDirectory)) return loose;
  return (await Promise.all(entries.map(filesBelow))).flat();
}

async function filesBelow(entry) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    return file.name.startsWith(".") ? [] : [file]; // what file managers leave in folders
  }
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)); // up to 100 at a time
    if (!some.length) return found.sort((a, b) => a.name.localeCompare(b.name));
    for (const child of some) found.push(...(await filesBelow(child)));
  }
}

async function exampleFile(path) {
  const answer = await fetch(`static/${path}`);
  return new File([await answer.blob()], path.split("/").pop(), { type: "image/jpeg" });
}
