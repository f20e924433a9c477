// Buttons that copy what stands in the element they name; the status behind them says so.
"use strict";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copies]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copies);
  let copied = true;
  try {
    await navigator.clipboard.writeText(source.textContent);
  } catch {
    // Without https a page may not write to the clipboard: then it is at least selected.
    getSelection().selectAllChildren(source);
    copied = false;
  }
  button.nextElementSibling.textContent = copied ? "Copied." : "Selected: press Ctrl C.";
});
