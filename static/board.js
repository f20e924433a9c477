// The board: counting what is typed, the seconds of a fire, and the keys.
"use strict";

const number = new Intl.NumberFormat("en");

// As the server counts: characters, not UTF-16 units.
function count(area) {
  const shown = document.getElementById(area.dataset.counted);
  const most = Number(shown.dataset.most);
  const length = [...area.value].length;
  shown.textContent = `${number.format(length)} / ${number.format(most)}`;
  shown.classList.toggle("errors", length > most);
}

function countAll() {
  document.querySelectorAll("textarea[data-counted]").forEach(count);
}

document.addEventListener("input", (event) => {
  if (event.target.matches("textarea[data-counted]")) count(event.target);
});
document.addEventListener("htmx:load", countAll);
countAll();

// How long the fire has been under way.
document.addEventListener("htmx:beforeRequest", (event) => {
  const form = event.target;
  if (!form.matches("form[data-fires]")) return;
  announce("Sending");
  const shown = form.querySelector("[data-elapsed]");
  const start = Date.now();
  const tick = () => { shown.textContent = `${Math.round((Date.now() - start) / 1000)} s`; };
  tick();
  const timer = setInterval(tick, 1000);
  form.addEventListener("htmx:afterRequest", () => clearInterval(timer), { once: true });
});

// A double click is one press: between the two, the answer may have brought the next button.
document.addEventListener("click", (event) => {
  if (event.detail > 1 && event.target.closest("form[data-fires] .go")) event.preventDefault();
});

// The button is gone meanwhile. The focus waits at what stands in its place.
document.addEventListener("htmx:beforeSend", (event) => {
  const form = event.target;
  if (!form.matches("form[data-fires]")) return;
  const { focused, at } = calls.get(event.detail.xhr);
  if (focused === at) form.querySelector(".sending-now").focus({ preventScroll: true });
});

// How long a hold still lasts. A closed card asks for itself again when it ends; an open one holds
// what somebody typed, so there only the button comes back.
function countDown() {
  document.querySelectorAll("[data-until]").forEach((shown) => {
    const left = Math.max(0, Math.ceil((Date.parse(shown.dataset.until) - Date.now()) / 1000));
    const minutes = Math.floor(left / 60);
    shown.textContent = left ? `, ${minutes ? `${minutes} min ` : ""}${left % 60} s left` : "";
    const form = shown.closest(".card.open")?.querySelector("form[data-fires]");
    if (left || !form) return;
    form.querySelector(".go").disabled = false;
    form.querySelector(".waits-out")?.remove(); // there is nothing to wait for
    shown.closest(".note").remove();
    announce("It can be run now.");
  });
}
setInterval(countDown, 1000);
countDown();

// Whether somebody was at Cancel when the result went on by itself.
const hadFocus = new WeakSet();
document.addEventListener("htmx:beforeSwap", (event) => {
  const { target, xhr } = event.detail;
  if (target.matches(".result") && target.contains(document.activeElement)) hadFocus.add(xhr);
});

// Where people are after a swap. The answer to a press has the focus already (autofocus).
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target === noticeArea) return; // notice.js
  const asked = event.detail.requestConfig.elt;
  const card = event.detail.elt.closest(".card");
  if (asked.closest(".marking")) {
    return; // the answer is announced, and the focus stays
  } else if (asked.matches("[data-close]")) {
    card.querySelector(".row .btn").focus(); // at its Run button again, not at the top of the page
  } else if (asked.matches(".result")) {
    // It came by itself, so it may not take the focus; and one place further in the queue is no news.
    const result = event.detail.elt;
    if (result.matches(".accepted") && asked.matches(".accepted")) return;
    announce(result.innerText);
    if (hadFocus.has(event.detail.xhr)) result.focus({ preventScroll: true }); // Cancel is gone
  } else if (asked.matches(".card") && card.querySelector(".waits-out")) {
    return; // the next hold has begun: what waited for the end of the last one has met it
  } else if (asked.matches(".card")) {
    announce(`${card.querySelector("h2").innerText} can be run now.`);
  } else {
    announce("");
  }
});

document.addEventListener("keydown", (event) => {
  const card = event.target.closest(".card.open");
  if (!card) return;
  if (event.key === "Escape") {
    const area = card.querySelector("textarea[name=text]");
    const untouched = !area || area.value === area.defaultValue;
    if (untouched || window.confirm("Close and lose the text that you edited?")) {
      card.querySelector("[data-close]").click();
    }
  } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    // Held down, it would press the button that has come meanwhile, whatever that one asks.
    if (!event.repeat) card.querySelector("form[data-fires]").requestSubmit();
    event.preventDefault();
  }
});
