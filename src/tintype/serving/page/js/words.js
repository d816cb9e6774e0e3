// What the page says, in sentences. Pure: values in, words out.

const KINDS = { "image/jpeg": "JPEG", "image/png": "PNG", "image/tiff": "TIFF", "image/webp": "WebP" };

/** The lightness receipt: how far the result's tones are from the photo's. */
export function receiptWords(receipt) {
  if (!receipt) return "";
  const mean = receipt.mean.toFixed(1);
  const most = receipt.max.toFixed(1);
  return receipt.mean < 1
    ? `Lightness kept: mean difference ${mean} of 100, at most ${most}.`
    : `Lightness moved by ${mean} of 100 on average, at most ${most}: some colours are stronger than a screen can show.`;
}

export const BORDERED = "A border was found and left gray; the picture inside was coloured as if it were alone.";

/** What can be done about colours that were replaced. */
export function ownColourWords(ownColours) {
  return ownColours === "replaced" ? "The switch above leaves such photos as they are." : "";
}

/** Which version coloured a photo, from the answer's own header ("tintype/3"). */
export function makerWords(model) {
  const version = /\/(\d+)$/.exec(model)?.[1];
  return `Coloured by ${version ? `version ${version} of the model` : "an unregistered model"}: a guess, not a record.`;
}

/** Pixels, then size and kind of the answer, or the file's own size while there is none to download. */
export function factWords(photo) {
  const facts = [];
  if (photo.width) facts.push(`${photo.width} × ${photo.height}`);
  const kind = photo.visible && photo.result ? KINDS[photo.result.type] : ""; // a preview's size would mislead
  facts.push(kind ? `${kind}, ${sizeWords(photo.result.blob.size)}` : sizeWords(photo.file.size));
  return facts.join(" · ");
}

export function sizeWords(bytes) {
  return bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** What happens to a photo now; short enough for a thumbnail's name. */
export function stateWords(photo) {
  switch (photo.state) {
    case "waiting":
      return "waiting for its turn";
    case "sending":
      return `uploading, ${Math.round(photo.progress * 100)} %`;
    case "colouring":
      return "colouring";
    case "pausing":
      return photo.pause;
    case "failed":
      return "not coloured";
    default:
      return "in colour";
  }
}

export function sentence(words) {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** How many are ready, for the live region. */
export function tallyWords(photos) {
  const done = photos.filter((photo) => photo.state === "done").length;
  return photos.length > 1 ? ` ${done} of ${photos.length} photos are ready.` : "";
}

export function pauseWords(seconds) {
  return `the service is busy, trying again in ${seconds} s`;
}

/** The model in a line, and what its version means. */
export function modelWords(info) {
  const learnt = info.trained?.photos ? `, trained on ${info.trained.photos.toLocaleString("en")} photos` : "";
  if (!/^\d+$/.test(String(info.version ?? ""))) {
    return {
      line: "Unregistered model",
      full: `A model without a version in the registry${learnt}. Colours are a guess by a network, not a record.`,
    };
  }
  return {
    line: `Version ${info.version}${learnt}`,
    full:
      `Version ${info.version} of the model “${info.name}”${learnt}. ` +
      "Colours are a guess by a network, not a record. A new version may colour the same photo in another way, " +
      "so its number is written into every result.",
  };
}

/** Lineage as pairs of a plain name and a value. */
export function lineageWords(info) {
  const network = info.network ?? {};
  return [
    ["Training run", info.run_id],
    ["Code (git commit)", info.git_commit],
    ["Data (manifest)", info.manifest_sha256],
    ["Pipeline (dvc.lock)", info.dvc_lock_sha256],
    ["Model files", info.bundle_sha256],
    ["Network", network.name && `${network.name}, ${network.size} pixels, with ${network.backbone}`],
  ].filter(([, value]) => value);
}
