// The service as functions: one photo in, one answer out. Knows HTTP; knows nothing of the page.

import { storedKey } from "./key.js";

/** A refusal or a failure, with a sentence for the person. */
export class ServiceError extends Error {
  constructor(status, code, message, retryAfter = null) {
    super(message);
    this.status = status; // 0: no answer at all
    this.code = code;
    this.retryAfter = retryAfter; // seconds, or null
  }

  /** Whether the same photo may succeed later. */
  get passing() {
    return this.status === 0 || this.status === 401 || this.status === 408 || this.status >= 500;
  }
}

/**
 * Colour one photo.
 * @param {File} file
 * @param {{saturation: number, format: string, switches: string}} options  format "" follows the photo; switches are
 *   further options as a query
 * @param {{onSending?: (share: number) => void, onSent?: () => void, signal?: AbortSignal}} watch
 */
export function colorize(file, { saturation, format, switches }, { onSending = () => {}, onSent = () => {}, signal } = {}) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // fetch has no upload progress
    const query = new URLSearchParams(switches);
    query.set("saturation", saturation);
    if (format) query.set("format", format);
    request.open("POST", `colorize?${query}`);
    request.responseType = "blob";
    if (storedKey()) request.setRequestHeader("X-Api-Key", storedKey());
    request.upload.onprogress = (event) => event.lengthComputable && onSending(event.loaded / event.total);
    request.upload.onload = () => onSent();
    request.onerror = () => reject(new ServiceError(0, "unreachable", unreachable()));
    request.onabort = () => reject(new DOMException("The person changed their mind.", "AbortError"));
    request.onload = () =>
      request.status === 200 ? resolve(answerOf(request, file)) : refusalOf(request).then(reject);
    signal?.addEventListener("abort", () => request.abort());
    if (signal?.aborted) request.abort();
    else request.send(formOf(file));
  });
}

/** What the service says of its model. */
export async function modelInfo() {
  const headers = storedKey() ? { "X-Api-Key": storedKey() } : {};
  const answer = await fetch("model_info", { headers });
  if (!answer.ok) throw new ServiceError(answer.status, "model_info", "The service does not tell about its model.");
  return answer.json();
}

function formOf(file) {
  const form = new FormData();
  form.append("photo", file, file.name);
  return form;
}

function answerOf(request, file) {
  const blob = request.response;
  return {
    blob,
    type: blob.type.split(";")[0],
    name: nameOf(request.getResponseHeader("Content-Disposition")) ?? file.name,
    receipt: receiptOf(request.getResponseHeader("X-Tintype-Receipt")),
    bordered: Boolean(request.getResponseHeader("X-Tintype-Inside")),
    ownColours: request.getResponseHeader("X-Tintype-Own-Colours") ?? "",
    notes: decoded(request.getResponseHeader("X-Tintype-Notes") ?? ""),
    model: request.getResponseHeader("X-Tintype-Model") ?? "",
  };
}

async function refusalOf(request) {
  const answer = await request.response
    ?.text()
    .then(JSON.parse)
    .catch(() => null); // a proxy's page is not ours
  const after = Number.parseFloat(request.getResponseHeader("Retry-After") ?? "");
  return new ServiceError(
    request.status,
    answer?.error ?? "unknown",
    answer?.message ?? `The service answered with ${request.status} and no reason.`,
    Number.isFinite(after) ? after : null,
  );
}

function unreachable() {
  return navigator.onLine
    ? "The service cannot be reached. It may be starting anew; try again in a moment."
    : "This device is offline. The photo will be sent when the connection is back.";
}

function nameOf(disposition) {
  const encoded = /filename\*=(?:UTF-8|utf-8)''([^;]+)/.exec(disposition ?? "");
  if (encoded) return decoded(encoded[1]);
  return /filename="?([^";]+)"?/.exec(disposition ?? "")?.[1] ?? null;
}

function receiptOf(header) {
  const [mean, max] = ["mean_dl", "max_dl"].map((name) =>
    Number.parseFloat(new RegExp(`${name}=([\\d.]+)`).exec(header ?? "")?.[1] ?? ""),
  );
  return Number.isFinite(mean) && Number.isFinite(max) ? { mean, max } : null;
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a stray per cent sign is no reason to lose a photo
  }
}
