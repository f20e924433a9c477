// The editor of a text template: another row for another field.
"use strict";

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-adds-row]");
  if (!button) return;
  const form = button.closest("form");
  const rows = form.querySelector("[data-rows]");
  const number = Math.max(-1, ...[...rows.querySelectorAll("[name$='-name']")]
    .map((input) => Number(input.name.split("-")[1]))) + 1;
  const row = form.querySelector("template[data-row]").content.cloneNode(true);
  for (const element of row.querySelectorAll("*")) {
    for (const attribute of element.attributes) {
      attribute.value = attribute.value.replace("NUMBER", number);
    }
  }
  rows.append(row);
  rows.lastElementChild.querySelector("input").focus();
});
