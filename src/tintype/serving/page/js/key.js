// The API key, for services that ask for one. It lives in this tab's session and nowhere else.

const NAME = "tintype-api-key";
const dialog = document.getElementById("key");
const form = document.getElementById("key-form");
const field = document.getElementById("key-field");
let asking = null;

export function storedKey() {
  return sessionStorage.getItem(NAME) ?? "";
}

/**
 * Ask for the key; several photos that ask at once share one question.
 * @param {string} refused  the key that the service did not take, or ""
 * @returns {Promise<boolean>}  whether there is another key to try
 */
export function askForKey(refused) {
  if (storedKey() !== refused) return Promise.resolve(true); // answered while this photo was under way
  asking ??= question(refused).finally(() => (asking = null));
  return asking;
}

function question(refused) {
  document.getElementById("key-words").textContent = refused
    ? "The service did not accept that key. Ask the person who runs it."
    : "Ask the person who runs it. The key is kept until this tab is closed.";
  field.value = "";
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener(
      "close",
      () => {
        const given = dialog.returnValue === "use" && field.value.trim();
        if (given) sessionStorage.setItem(NAME, given);
        field.value = "";
        resolve(Boolean(given));
      },
      { once: true },
    );
  });
}

document.getElementById("key-cancel").addEventListener("click", () => dialog.close(""));
form.addEventListener("submit", () => (dialog.returnValue = "use"));
