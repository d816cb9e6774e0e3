// Results onto the person's disk.

import { zip } from "./zip.js";

const KEPT = 60_000; // milliseconds: a browser may ask where to save before it reads

export function saveBlob(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT);
}

/** @param {{name: string, blob: Blob}[]} answers */
export async function saveAll(answers) {
  saveBlob(await zip(answers), "tintype-photos.zip");
}
