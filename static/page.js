// On every page: what the server cannot know, and what a lost connection must not hide.
"use strict";

document.documentElement.classList.add("script");

// The reader's time zone, for the server to show times in. The sign-in page sets it first.
{
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const secure = location.protocol === "https:" ? "; secure" : "";
  if (zone) document.cookie = `time_zone=${zone}; path=/; max-age=31536000; samesite=lax${secure}`;
}

// Said to those who do not see it happen. Emptied first: the same sentence twice is said twice.
function announce(sentence) {
  const announced = document.getElementById("announced");
  announced.textContent = "";
  setTimeout(() => { announced.textContent = sentence; }, 50);
}

// The dashboard says so itself, after a swap.
document.addEventListener("announce", (event) => announce(event.detail.sentence));

// A call that brought no answer of ours at all. Pressing again is safe: the form still carries its
// one-time key, so the dashboard finds the run that it may have made.
function noticeLostCall() {
  const note = document.createElement("p");
  note.className = "note bad";
  note.textContent =
    "The dashboard did not answer. What you typed is still here. You can press the button again: " +
    "the same form never runs a routine twice.";
  document.getElementById("notice").replaceChildren(note);
  announce("");
}

document.addEventListener("htmx:sendError", noticeLostCall);
document.addEventListener("htmx:timeout", noticeLostCall);
document.addEventListener("htmx:responseError", (event) => {
  if (event.detail.xhr.status >= 500) noticeLostCall();
});
// A notice is about the last thing that happened.
document.addEventListener("htmx:beforeRequest", () => {
  document.getElementById("notice").replaceChildren();
});
