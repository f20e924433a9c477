// Where drafts of run forms are kept: this browser's storage, one a person and routine, under the
// name draft:<person>:<routine>. On every page, so that nobody's draft outlives its writer's stay.
"use strict";

const DRAFT_DAYS = 7;
const TOKEN = /sk-ant-/; // no token is kept anywhere but encrypted on the server
const WRITER = "draft_writer"; // a cookie, so that every tab sees at once who may write

const person = document.body.dataset.person ?? ""; // who is signed in on this page

function writer() {
  return document.cookie.split("; ").find((pair) => pair.startsWith(`${WRITER}=`))?.split("=")[1] ?? "";
}

// Empty: nobody any more, in no tab.
function setWriter(name) {
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `${WRITER}=${name}; path=/; samesite=lax${name ? "" : "; max-age=0"}${secure}`;
}

const draftName = (form) => `draft:${form.dataset.draft}`;
const belongsTo = (name, somebody) => name.startsWith(`draft:${somebody}:`);

// Of a draft that is too old, or is none, nothing is left.
function readDraft(name) {
  try {
    const draft = JSON.parse(localStorage.getItem(name));
    if (draft && Date.now() - draft.at < DRAFT_DAYS * 86400000) return draft;
  } catch {
    // Somebody else's words under our name, or storage is switched off.
  }
  dropDraft(name);
  return null;
}

// A tab that was left open writes nothing more once its person signed out, or somebody else in.
function writeDraft(name, draft) {
  const whole = JSON.stringify({ ...draft, at: Date.now() });
  if (TOKEN.test(whole) || !belongsTo(name, writer() || "nobody")) return dropDraft(name);
  try {
    localStorage.setItem(name, whole);
  } catch {
    // No room, or storage is switched off: the form works without.
  }
}

function dropDraft(name) {
  try { localStorage.removeItem(name); } catch { /* storage is switched off */ }
}

function dropDrafts(isToGo) {
  try {
    Object.keys(localStorage).filter((name) => name.startsWith("draft:") && isToGo(name)).forEach(dropDraft);
  } catch {
    // Storage is switched off, and holds none.
  }
}

// A lost sign-in leaves its person's drafts where they are, for the same person's next sign-in.
// Whoever else signs in finds none.
if (person) {
  setWriter(person);
  dropDrafts((name) => !belongsTo(name, person));
}
dropDrafts((name) => readDraft(name) === null);

document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-signs-out]")) return;
  setWriter("");
  dropDrafts(() => true);
});

// Back, after signing out: the browser shows the page as it was left, with what was typed in it.
addEventListener("pageshow", (event) => {
  if (event.persisted && person && writer() !== person) location.reload();
});
