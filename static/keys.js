// The board from the keyboard alone. While somebody types, no key means anything but itself.
"use strict";

{
  const KEPT = "keys-off"; // single keys get into the way of some: they can be switched off
  const sheet = document.getElementById("keys");
  const on = document.getElementById("keys-on");

  const cards = () => [...document.querySelectorAll(".grid > .card")].filter((card) => card.offsetParent);
  const types = (element) => element.matches("input, textarea, select, [contenteditable]");

  function show(card) {
    card.focus({ preventScroll: true });
    card.scrollIntoView({ block: "nearest" });
  }

  // The nearest card above or below, in the same column as far as there is one.
  function beside(card, all, key) {
    const from = card.getBoundingClientRect();
    const sign = key === "ArrowDown" ? 1 : -1;
    let best = null;
    let least = Infinity;
    for (const other of all) {
      const to = other.getBoundingClientRect();
      const down = sign * (sign > 0 ? to.top - from.top : to.bottom - from.bottom);
      if (other === card || down < 8) continue;
      const away = down + 3 * Math.abs(to.left - from.left);
      if (away < least) [best, least] = [other, away];
    }
    return best;
  }

  function go(key, from) {
    const all = cards();
    const at = all.indexOf(from);
    if (at < 0) return all[0];
    if (key === "ArrowRight") return all[at + 1];
    if (key === "ArrowLeft") return all[at - 1];
    return beside(from, all, key);
  }

  function press(event) {
    const card = event.target.closest(".grid > .card");
    if (event.key.startsWith("Arrow")) {
      const next = go(event.key, card);
      if (next) show(next);
      return next || card;
    }
    if (event.key === "/") {
      const field = document.getElementById("find");
      field.focus();
      field.select();
      return true;
    }
    if (event.key === "?") {
      sheet.showModal();
      return true;
    }
    return false;
  }

  // With whatever other key it is pressed: what is closed is opened first, and fires by its own
  // button alone.
  function enter(event) {
    const card = event.target;
    if (!card.matches(".grid > .card:not(.open)")) return;
    card.querySelector("[data-open]")?.click();
    event.preventDefault();
  }

  document.addEventListener("keydown", (event) => {
    if (!sheet || sheet.open || event.defaultPrevented || event.isComposing) return;
    if (types(event.target)) return;
    if (event.key === "Enter") enter(event);
    else if (on.checked && !event.ctrlKey && !event.altKey && !event.metaKey && press(event)) {
      event.preventDefault();
    }
  });

  if (sheet) {
    on.checked = localStorage.getItem(KEPT) === null;
    on.addEventListener("change", () => {
      if (on.checked) localStorage.removeItem(KEPT);
      else localStorage.setItem(KEPT, "1");
    });
    document.getElementById("show-keys").addEventListener("click", () => sheet.showModal());
  }
}
