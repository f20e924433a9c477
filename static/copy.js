// Buttons that copy what they carry, or what stands in the element they name; the status behind
// them says so.
"use strict";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copies], button[data-copy]");
  if (!button) return;
  const status = button.nextElementSibling;
  const source = document.getElementById(button.dataset.copies) ?? status;
  const text = button.dataset.copy ?? source.textContent;
  try {
    await navigator.clipboard.writeText(text);
    status.textContent = "Copied.";
  } catch {
    // Without https a page may not write to the clipboard: then it is at least selected.
    if (source === status) status.textContent = text;
    else status.textContent = "Selected: press Ctrl C.";
    getSelection().selectAllChildren(source);
  }
});
