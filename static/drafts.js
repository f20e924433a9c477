// Drafts: what is typed into a run form survives a closed tab and a lost sign-in, in this browser.
// Gone once it was sent, discarded, is too old, or its person signed out (draft_storage.js).
"use strict";

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

// Drafts on their way into a form that is being fetched, by the name of that very form.
const awaited = new Map();

function fetchForm(form, query, event) {
  const card = form.closest(".card");
  const source = card.querySelector("[data-draft-note]"); // where it is told if it fails
  return htmx.ajax("GET", `${form.dataset.opensAt}${query}`, { source, event, target: card, swap: "outerHTML" });
}

// Fill the form with the draft; in the form of another template after that one was fetched.
function restore(form, draft, event) {
  if (form.elements.template.value === draft.template) {
    fill(form, draft);
    return;
  }
  const name = draftName(form);
  const forget = () => awaited.delete(name); // it came, or it never will
  awaited.set(name, draft);
  const template = encodeURIComponent(draft.template || "none");
  fetchForm(form, `?template=${template}&fresh=1`, event).then(forget, forget);
}

// Also into the form of another template, where the draft's own is gone.
function fill(form, draft) {
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
  showDraftNote(form, "Draft restored.", "Discard it", (event) => {
    dropDraft(draftName(form));
    fetchForm(form, "", event).catch(() => {}); // the page says what is the matter
  });
}

function lookForDraft(form) {
  const expected = awaited.get(draftName(form));
  if (expected) {
    fill(form, expected);
    return;
  }
  const draft = form.dataset.draftIs === "typed" ? null : readDraft(draftName(form));
  if (!draft || isAsDrawn(form, draft)) return;
  if (form.dataset.draftIs === "restored") {
    restore(form, draft);
  } else {
    showDraftNote(form, "You have a draft for this routine.", "Restore it", (event) => restore(form, draft, event));
  }
}

document.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-draft]");
  if (form) writeDraft(draftName(form), typedInto(form));
});
document.addEventListener("htmx:afterSettle", (event) => {
  const form = event.detail.elt.closest("form[data-draft]");
  if (form && readDraft(draftName(form))) writeDraft(draftName(form), typedInto(form)); // a preview has changed the text
});
document.addEventListener("htmx:load", (event) => {
  const form = event.detail.elt.querySelector?.("form[data-draft]");
  if (form && event.detail.elt.matches(".card, body")) lookForDraft(form);
});
document.addEventListener("draft-sent", (event) => dropDraft(`draft:${event.detail.draft}`));
