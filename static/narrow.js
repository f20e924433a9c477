// A field above each long list of checkboxes: what is typed hides the rest of the list, but for what
// is ticked. It belongs to no form, so nothing of it is sent, and Enter sends nothing.
"use strict";

{
  const LONG = 8;

  for (const list of document.querySelectorAll("[data-narrows]")) {
    const rows = [...list.children];
    if (rows.length <= LONG) continue;
    const of = list.closest("fieldset").querySelector("legend").textContent.trim().toLowerCase();

    const field = document.createElement("input");
    field.type = "search";
    field.className = "narrows";
    field.placeholder = "Find";
    field.autocomplete = "off";
    field.setAttribute("aria-label", `Find in: ${of}`);
    field.setAttribute("form", "");
    const said = document.createElement("p");
    said.className = "hint";
    said.setAttribute("role", "status");

    const words = rows.map((row) => row.textContent.toLowerCase());
    const narrow = () => {
      const asked = field.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      rows.forEach((row, number) => {
        const fits = asked.every((word) => words[number].includes(word));
        shown += fits;
        row.hidden = !fits && !row.querySelector("input").checked;
      });
      said.textContent = asked.length ? `${shown} of ${rows.length}` : "";
    };
    field.addEventListener("input", narrow);
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") event.preventDefault();
    });
    list.before(field, said);
    narrow();
  }
}
