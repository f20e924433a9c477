// The history's keys: j and k go from run to run, / to the search. Enter opens, as links do.
"use strict";

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select")) return;
  if (event.key === "/") {
    const search = document.querySelector(".filter input[type=search]");
    search.focus();
    search.select();
    event.preventDefault();
  } else if (event.key === "j" || event.key === "k") {
    const links = [...document.querySelectorAll("[data-rows] td:first-child a")];
    const now = links.findIndex((link) => link.closest("tr").contains(document.activeElement));
    const next = event.key === "j" ? now + 1 : Math.max(now - 1, 0);
    links[Math.min(next, links.length - 1)]?.focus();
  }
});

// What a change of the filter brought, for those who do not see it.
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target?.id !== "results") return;
  const rows = document.querySelectorAll("[data-rows] tr").length;
  announce(rows ? `${rows} run${rows === 1 ? "" : "s"} on this page` : "No run matches.");
});
