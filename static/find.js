// Search as you type over the cards on the page, best hit first, and pinned cards that move to the
// top. Enter opens the marked card's form; nothing fires from here.
"use strict";

{
  const field = document.getElementById("find");
  const list = document.getElementById("grid-found");
  const seen = new Map(); // what each card is found by: as it was first seen, whatever it shows since
  const grids = new Map(); // that pinned cards came from
  let sentence = ""; // of what is found now
  let pause = null; // of the typing: when it is over, the sentence is said
  let isSaid = false;
  let isWanted = false; // Enter was pressed before all cards were there

  const cards = () => [...document.querySelectorAll(".grid > .card")];
  const asked = () => field.value.toLowerCase().split(/\s+/).filter(Boolean);

  function factsOf(id) {
    if (!seen.has(id)) {
      const read = (kind) => [...document.getElementById(id).querySelectorAll(`[data-find=${kind}]`)]
        .map((part) => part.textContent.toLowerCase().trim());
      seen.set(id, {
        name: read("name")[0], tags: read("tag"), account: read("account")[0] ?? "", purpose: read("purpose")[0] ?? "",
      });
    }
    return seen.get(id);
  }

  // As the server does: routines/board/finding.py.
  function placeIn(facts, word) {
    if (facts.name.startsWith(word)) return 0;
    const parts = facts.name.split(word);
    const before = parts.slice(0, -1).map((_, number) => parts.slice(0, number + 1).join(word));
    if (before.some((text) => !/[\p{L}\p{N}]$/u.test(text))) return 1;
    if (before.length) return 2;
    if (facts.tags.some((tag) => tag.includes(word))) return 3;
    if (facts.account.includes(word)) return 4;
    return facts.purpose.includes(word) ? 5 : null;
  }

  function rank(card, words) {
    const facts = factsOf(card.id);
    const places = words.map((word) => placeIn(facts, word));
    if (places.includes(null)) return null;
    const phrase = words.join(" ");
    const fit = [
      facts.name !== phrase, Math.max(...places), places.reduce((sum, one) => sum + one), !facts.name.startsWith(phrase),
      !card.querySelector(".pin[aria-pressed=true]"),
    ];
    return { card, fit: fit.map(Number), name: facts.name };
  }

  function compare(one, other) {
    const at = one.fit.findIndex((value, index) => value !== other.fit[index]);
    return at < 0 ? one.name.localeCompare(other.name) : one.fit[at] - other.fit[at];
  }

  // Where a card of the list has its place in its group.
  const homeOf = (id) => document.querySelector(`template[data-place="${id}"]`);

  // Into the list, in this order. A card that stands right is not moved: somebody may type in it.
  function show(found) {
    for (const card of [...list.children].filter((one) => !found.includes(one))) {
      homeOf(card.id)?.replaceWith(card);
    }
    let next = list.firstElementChild;
    for (const card of found) {
      if (card === next) {
        next = next.nextElementSibling;
      } else {
        if (card.parentElement !== list) {
          const home = document.createElement("template");
          home.dataset.place = card.id;
          card.before(home);
        }
        list.insertBefore(card, next);
      }
    }
  }

  function filter() {
    const words = asked();
    cards().forEach((card) => factsOf(card.id));
    const found = words.length
      ? cards().map((card) => rank(card, words)).filter(Boolean).sort(compare).map((one) => one.card) : [];
    show(found);
    for (const card of cards()) {
      const fits = !words.length || card.parentElement === list;
      card.hidden = !fits && !card.matches(".open"); // what somebody types in stays in sight
      card.removeAttribute("aria-current");
    }
    found[0]?.setAttribute("aria-current", "true"); // the one that Enter takes
    for (const group of document.querySelectorAll(".group")) {
      group.hidden = !group.querySelector(".card:not([hidden])");
    }
    document.getElementById("none-found").hidden = !words.length || found.length > 0;
    if (isWanted) openMarked();
    sentence = found.length ? `${found.length} found. Enter opens ${nameOf(found[0])}.` : "None found.";
    if (!words.length) sentence = "";
    if (isSaid) say(); // more cards have come since
  }

  function say() {
    isSaid = true;
    const place = document.getElementById("found");
    if (place.textContent !== sentence) place.textContent = sentence; // or it would be read out again
  }

  const nameOf = (card) => card.querySelector("h2").textContent;

  function type() {
    isWanted = false;
    isSaid = false;
    clearTimeout(pause);
    pause = setTimeout(say, 600);
    filter();
    const address = new URL(location.href);
    address.search = field.value ? `?${new URLSearchParams({ q: field.value })}` : "";
    history.replaceState(history.state, "", address);
  }

  // The marked card's form; of a routine that runs without a text, too.
  function openMarked() {
    isWanted = document.getElementById("rest") !== null && document.activeElement === field;
    if (isWanted) return; // the best hit may be among those that are on their way
    const card = list.querySelector("[aria-current]") ?? cards().find((one) => !one.hidden);
    card?.focus();
    if (!card || card.matches(".open") || !asked().length) return;
    htmx.process(card); // it may have come just now: a link that htmx does not know leads to another page
    card.querySelector("[data-open]")?.click();
  }

  function move(card, pinned) {
    const moved = homeOf(card.id) ?? card; // of a card in the list, its place in the groups
    if (!grids.has(card.id) && pinned) grids.set(card.id, moved.parentElement.id);
    const unpinned = document.getElementById(grids.get(card.id)) ?? document.querySelector(".group:last-of-type .grid");
    const grid = pinned ? document.getElementById("grid-pinned") : unpinned;
    const name = (one) => factsOf(one.dataset.place ?? one.id).name;
    const next = [...grid.children].find((one) => name(one).localeCompare(name(card)) > 0);
    grid.insertBefore(moved, next ?? null);
    filter();
    card.querySelector(".pin").focus();
  }

  if (field) {
    field.addEventListener("input", type);
    field.addEventListener("keydown", (event) => {
      const isAlone = !(event.ctrlKey || event.metaKey || event.altKey || event.shiftKey);
      if (event.key === "Enter" && !isAlone) event.preventDefault();
    });
    field.form.addEventListener("submit", (event) => {
      event.preventDefault();
      openMarked();
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
