// Drafts: what is typed into a run form survives a closed tab and a lost sign-in, in this browser.
// One a person and routine; gone once it was sent, discarded, or its person signed out (page.js).
"use strict";

const DRAFT_DAYS = 14;
const draftName = (form) => `draft:${form.dataset.draft}`;
const TOKEN = /sk-ant-/; // no token is kept anywhere but encrypted on the server

function typedInto(form) {
  const fields = {};
  for (const field of form.querySelectorAll(".asked [name^='field-']")) fields[field.name] = field.value;
  return {
    template: form.elements.template.value,
    text: form.elements.text.value,
    made: form.elements.rendered.value,
    why: form.elements.why?.value ?? "",
    fields,
  };
}

function keepDraft(form) {
  const draft = typedInto(form);
  const whole = JSON.stringify({ ...draft, at: Date.now() });
  try {
    if (TOKEN.test(whole)) localStorage.removeItem(draftName(form));
    else localStorage.setItem(draftName(form), whole);
  } catch {
    // No room, or storage is switched off: the form works without.
  }
}

function draftOf(form) {
  try {
    const draft = JSON.parse(localStorage.getItem(draftName(form)));
    return draft && Date.now() - draft.at < DRAFT_DAYS * 86400000 ? draft : null;
  } catch {
    return null;
  }
}

function dropDraft(name) {
  try { localStorage.removeItem(name); } catch { /* storage is switched off */ }
}

function isAsDrawn(form, draft) {
  const now = typedInto(form);
  return draft.text === now.text && draft.template === now.template
    && (!form.elements.why || (draft.why ?? "") === now.why)
    && Object.entries(draft.fields).every(([name, value]) => (now.fields[name] ?? value) === value);
}

function showDraftNote(form, sentence, label, action) {
  const note = form.closest(".card").querySelector("[data-draft-note]");
  const button = note.querySelector("button");
  note.querySelector("span").textContent = sentence;
  button.textContent = label;
  button.onclick = action;
  note.hidden = false;
}

// Fill the form with the draft; in the form of another template after that one was fetched.
function restore(form, draft, isRightForm) {
  if (form.elements.template.value !== draft.template && !isRightForm) {
    const card = form.closest(".card");
    const url = `${card.querySelector("form.choose")?.getAttribute("action") ?? location.pathname}`;
    pending = draft;
    htmx.ajax("GET", `${url}?template=${encodeURIComponent(draft.template || "none")}&fresh=1`, {
      target: card, swap: "outerHTML",
    });
    return;
  }
  for (const [name, value] of Object.entries(draft.fields)) {
    if (form.elements[name]) form.elements[name].value = value;
  }
  form.elements.text.value = draft.text;
  if (form.elements.why) form.elements.why.value = draft.why ?? "";
  if (form.elements.template.value === draft.template) form.elements.rendered.value = draft.made;
  // The server makes the text from the fields anew, unless it was edited by hand.
  const first = form.querySelector(".asked") ?? form.elements.text;
  first.dispatchEvent(new Event("input", { bubbles: true }));
  countAll();
  showDraftNote(form, "Draft restored.", "Discard it", () => {
    dropDraft(draftName(form));
    const card = form.closest(".card");
    const url = card.querySelector("form.choose")?.getAttribute("action") ?? location.pathname;
    htmx.ajax("GET", url, { target: card, swap: "outerHTML" });
  });
}

let pending = null;

function lookForDraft(form) {
  if (pending) {
    const draft = pending;
    pending = null;
    restore(form, draft, true);
    return;
  }
  const draft = form.dataset.draftIs === "typed" ? null : draftOf(form);
  if (!draft || isAsDrawn(form, draft)) return;
  if (form.dataset.draftIs === "restored") {
    restore(form, draft, false);
  } else {
    showDraftNote(form, "You have a draft for this routine.", "Restore it", () => restore(form, draft, false));
  }
}

document.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-draft]");
  if (form) keepDraft(form);
});
document.addEventListener("htmx:afterSettle", (event) => {
  const form = event.detail.elt.closest("form[data-draft]");
  if (form && draftOf(form)) keepDraft(form); // a preview has changed the text
});
document.addEventListener("htmx:load", (event) => {
  const form = event.detail.elt.querySelector?.("form[data-draft]");
  if (form && event.detail.elt.matches(".card, body")) lookForDraft(form);
});
document.addEventListener("draft-sent", (event) => dropDraft(`draft:${event.detail.draft}`));
