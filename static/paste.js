// A field of one line drops the line breaks of what is pasted, and glues what stood on two lines: the
// end of a URL to a token, or a token to the note below it. Here they become spaces.
"use strict";

document.addEventListener("paste", (event) => {
  const field = event.target.closest("input[data-takes-lines]");
  if (!field) return;
  event.preventDefault();
  const text = event.clipboardData.getData("text/plain").replace(/[\r\n]+/g, " ");
  field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
});
