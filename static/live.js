// A page that keeps itself up to date: the element with data-live names the address to ask for
// news. The answer is 204, or elements that take the place of those with the same id, the one with
// data-live (and the next cursor) among them.
"use strict";

{
  const EVERY = 5000; // milliseconds
  const LONGEST = 60000; // between two looks while the dashboard does not answer
  let wait = EVERY;
  let timer = null;

  function show(html) {
    for (const fresh of [...new DOMParser().parseFromString(html, "text/html").body.children]) {
      const old = document.getElementById(fresh.id);
      // What has the focus is not taken away; what is not on the page (any more) is not missed.
      if (!old || (old.contains(document.activeElement) && !("live" in old.dataset))) continue;
      if (old.contains(noticeArea)) takeNoticeHome();
      old.replaceWith(fresh);
      htmx.process(fresh);
    }
  }

  async function look() {
    timer = null;
    const live = document.querySelector("[data-live]");
    if (!live || document.visibilityState !== "visible") return; // visibilitychange comes back
    try {
      const answer = await fetch(live.dataset.live, {
        cache: "no-store",
        redirect: "manual",
        signal: AbortSignal.timeout(15000),
      });
      if (answer.type === "opaqueredirect") return; // signed out: the next press says so
      if (!answer.ok || !answer.headers.has(OURS)) throw new Error(answer.statusText); // answers.js
      if (answer.status === 200) show(await answer.text());
      wait = EVERY;
    } catch {
      wait = Math.min(wait * 2, LONGEST);
    }
    // Not all pages at the same moment after the dashboard was restarted.
    timer ??= setTimeout(look, wait * (0.9 + Math.random() / 5));
  }

  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState !== "visible") return;
    clearTimeout(timer);
    look();
  });
  timer = setTimeout(look, EVERY);
}
