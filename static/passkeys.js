// Forms that a passkey fills in. The talking to the browser is webauthn-json's, which allauth brings.
"use strict";

const ASKS = { create: (options) => webauthnJSON.create(options), get: (options) => webauthnJSON.get(options) };

// Also after Back, to a page on which the button was pressed.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("[data-passkey]")) form.querySelector("button").disabled = false;
});

document.addEventListener("submit", async (event) => {
  const form = event.target;
  const ask = ASKS[form.dataset.passkey];
  if (!ask) return;
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    const credential = await ask(JSON.parse(form.dataset.options));
    form.elements.credential.value = JSON.stringify(credential);
    form.submit();
  } catch (error) {
    button.disabled = false;
    const said = form.querySelector("[data-said]");
    said.textContent = "";
    setTimeout(() => { said.textContent = sentenceFor(error); }, 50);
  }
});

function sentenceFor(error) {
  if (error.name === "InvalidStateError") return "This device has a passkey of yours here already.";
  if (!globalThis.PublicKeyCredential) return "This browser knows no passkeys, or the dashboard is not open over https.";
  return "No passkey came of it. Press the button to try once more.";
}
