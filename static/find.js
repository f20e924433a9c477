// Search as you type over the cards on the page, and pinned cards that move to the top.
"use strict";

{
  const field = document.getElementById("find");
  const words = new Map(); // what each card is found by: as it was first seen, whatever it shows since
  let said = null;

  const cards = () => [...document.querySelectorAll(".grid > .card")];

  function told(card) {
    if (!words.has(card.id)) {
      const parts = [...card.querySelectorAll("[data-find]")].map((part) => part.textContent);
      words.set(card.id, parts.join(" ").toLowerCase());
    }
    return words.get(card.id);
  }

  // As the server does: every word stands somewhere in what the card tells.
  function filter() {
    const asked = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    for (const card of cards()) {
      const fits = asked.every((word) => told(card).includes(word));
      card.hidden = !fits && !card.matches(".open"); // what somebody types in stays in sight
      if (fits) found += 1;
    }
    for (const group of document.querySelectorAll(".group")) {
      group.hidden = !group.querySelector(".card:not([hidden])");
    }
    document.getElementById("none-found").hidden = found > 0;
    return asked.length ? `${found} found` : "";
  }

  function type() {
    const sentence = filter();
    clearTimeout(said);
    // Once, when the typing pauses.
    said = setTimeout(() => { document.getElementById("found").textContent = sentence; }, 600);
    const address = new URL(location.href);
    address.search = field.value ? `?${new URLSearchParams({ q: field.value })}` : "";
    history.replaceState(history.state, "", address);
  }

  function move(card, pinned) {
    const first = document.getElementById("grid-pinned");
    card.dataset.home ??= pinned ? card.parentElement.id : "";
    const home = document.getElementById(card.dataset.home) ?? document.querySelector(".group:last-of-type .grid");
    const grid = pinned ? first : home;
    const name = (one) => one.querySelector("h2").textContent;
    const next = [...grid.children].find((one) => name(one).localeCompare(name(card)) > 0);
    grid.insertBefore(card, next ?? null);
    filter();
    card.querySelector(".pin").focus();
  }

  if (field) {
    field.addEventListener("input", type);
    field.form.addEventListener("submit", (event) => {
      event.preventDefault();
      cards().find((card) => !card.hidden)?.focus();
    });
    document.addEventListener("htmx:load", filter); // the rest of the cards, a card that was closed
    document.addEventListener("htmx:afterSwap", (event) => {
      const asked = event.detail.requestConfig.elt;
      if (!asked.matches(".pin")) return;
      const pin = document.getElementById(asked.id);
      move(pin.closest(".card"), pin.getAttribute("aria-pressed") === "true");
    });
    filter();
  }
}
