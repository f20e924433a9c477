// The run form: what the server makes of the fields never replaces what was typed meanwhile.
"use strict";

const sentText = (form) => form.querySelector("textarea[name=text]");

// A preview that was asked for before the text was edited by hand comes too late.
const textWhenAsked = new WeakMap();

document.addEventListener("htmx:beforeRequest", (event) => {
  const form = event.target.closest("form[data-fires]");
  if (form && form !== event.target) textWhenAsked.set(event.detail.xhr, sentText(form).value);
});
document.addEventListener("htmx:beforeSwap", (event) => {
  const before = textWhenAsked.get(event.detail.xhr);
  if (before === undefined) return;
  const target = event.detail.target;
  const form = target.closest("form[data-fires]");
  if (!target.isConnected) {
    event.detail.shouldSwap = false; // the form has been answered or closed meanwhile
  } else if (target.matches(".made") && sentText(form).value !== before) {
    event.detail.shouldSwap = false;
  }
});

// htmx remembers the button that was pressed last and would send the next press of the form to that
// button's address: the addresses are for browsers without scripts.
document.addEventListener("htmx:load", (event) => {
  event.detail.elt.querySelectorAll?.("form[data-fires] [formaction][hx-post]")
    .forEach((button) => button.removeAttribute("formaction"));
});

// What stands under the text is said when it changes, to those who do not see it.
let said = "";
document.addEventListener("htmx:afterSettle", (event) => {
  const asked = event.detail.requestConfig.elt;
  if (!asked.closest("form[data-fires]") || asked.matches("form[data-fires]")) return;
  const form = event.detail.elt.closest("form[data-fires]");
  if (!form) return;
  const says = [...form.querySelectorAll(".text-state [data-says]")]
    .map((element) => element.textContent.trim()).join(" ");
  if (says !== said) announce(says);
  said = says;
});

// Another template, or a text that was sent before, replaces the text: ask first if it was edited
// by hand. What stands in fields of the same name is carried over, and why it is run in any case.
// Only into the form that was asked for: of the same person and routine.
let carried = null;

function fieldsOf(card) {
  return [...card.querySelectorAll(".asked [name^='field-'], form[data-fires] [name=why]")];
}

document.addEventListener("htmx:confirm", (event) => {
  const source = event.target;
  if (!source.matches("[data-replaces-text]")) return;
  const card = source.closest(".card");
  const form = card.querySelector("form[data-fires]");
  const rendered = form.querySelector("[name=rendered]").value;
  const area = sentText(form);
  const isEdited = area.value !== area.defaultValue
    || (form.querySelector(".text-state [name=anew]") !== null && rendered !== "");
  const goOn = () => {
    carried = { by: source, into: form.dataset.draft, values: new Map() };
    for (const field of fieldsOf(card)) {
      const stays = source.matches("form") || field.name === "why"; // a text sent before has its own
      if (stays && field.value !== usual(field)) carried.values.set(field.name, field.value);
    }
    event.detail.issueRequest(true);
  };
  event.preventDefault();
  if (!isEdited || window.confirm("Replace the text that you edited with this one?")) {
    goOn();
  } else if (source.matches("form")) {
    source.reset();
  }
});

function usual(field) {
  if (!field.matches("select")) return field.defaultValue;
  const chosen = [...field.options].find((option) => option.defaultSelected) || field.options[0];
  return chosen ? chosen.value : "";
}

document.addEventListener("htmx:load", (event) => {
  const card = event.detail.elt;
  if (!carried || !card.matches(".card.open")) return;
  if (card.querySelector("form[data-fires]").dataset.draft !== carried.into) return;
  const { values } = carried;
  carried = null; // what is set below asks for a preview, whose answer is loaded, too
  for (const field of fieldsOf(card)) {
    if (values.has(field.name)) setField(field, values.get(field.name));
  }
});
// The form that they were for did not come.
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.elt === carried?.by) carried = null;
});

// As if it had been typed: the counter, the preview and the draft hear of it.
function setField(field, value) {
  if (field.matches("select") && ![...field.options].some((option) => option.value === value)) return;
  field.value = value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}
