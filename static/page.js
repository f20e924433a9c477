// On every page: what the server cannot know, and what those are told who do not see it.
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

// Who left a page at its top gets its top again. Chromium would keep the heading in its place on the
// screen, and a notice that has come up above it (parts/no_worker.html) behind the header.
addEventListener("pagehide", () => {
  history.scrollRestoration = scrollY ? "auto" : "manual";
});
