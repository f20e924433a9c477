// Only what the dashboard itself answered is drawn into a page. Proxies, firewalls and sign-in
// pages in front of it answer in its place: then the page stays, and says what was met.
"use strict";

const OURS = "X-Routines"; // on each of the dashboard's answers, and on nobody else's

document.addEventListener("htmx:beforeOnLoad", (event) => {
  if (!event.detail.xhr.getResponseHeader(OURS)) event.preventDefault();
});

// A whole page of the dashboard's is no part of this one either, nor is a bare sentence: what it
// says is told.
const wholePages = new WeakMap();
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.xhr.getResponseHeader("Content-Type")?.startsWith("text/plain")) {
    detail.shouldSwap = false;
    wholePages.set(detail.xhr, [detail.serverResponse.trim(), ...kept(calls.get(detail.xhr))]);
    return;
  }
  if (!/^\s*<!doctype/i.test(detail.serverResponse)) return;
  detail.shouldSwap = false;
  const page = new DOMParser().parseFromString(detail.serverResponse, "text/html");
  const said = [...page.querySelectorAll("main > h1, main > p")].filter((one) => !one.querySelector("a"));
  wholePages.set(detail.xhr, said.map((one) => one.textContent.trim().replace(/([^.?!])$/, "$1.")));
});

document.addEventListener("htmx:afterRequest", ({ detail: { xhr } }) => {
  const call = calls.get(xhr);
  if (!call || !xhr.status) return;
  if (wholePages.has(xhr)) showNotice(call, ...wholePages.get(xhr));
  else if (!xhr.getResponseHeader(OURS)) showNotice(call, ...met(xhr.status, call));
});

function linkTo(address, label) {
  const link = document.createElement("a");
  link.href = address;
  link.textContent = label;
  link.target = "_blank";
  link.rel = "noopener";
  return link;
}

const kept = (call) => (call.hasTyped ? ["What you typed is still here."] : []);

// What is known of a press whose own answer nobody saw.
function afterwards(call) {
  if (!call.fires) return kept(call);
  return [
    ...kept(call), "You can press the button again: the same form never runs a routine twice.",
    "Your", linkTo(noticeArea.dataset.history, "history"), "shows the run if your press got through all the same.",
  ];
}

const NO_ANSWER = "The dashboard did not answer.";

// What to say of an answer that is not the dashboard's.
function met(status, call) {
  if (status < 400 || status === 401 || status === 407) return signInInFront(call);
  if ([413, 414, 431].includes(status)) {
    return [
      `This is too large for a proxy in front of the dashboard (status ${status}), so nothing was sent.`, ...kept(call),
      "Shorten it and try once more, or ask an admin to let the proxy take more.",
    ];
  }
  if (status === 403) {
    return [
      "Something in front of the dashboard blocked this (status 403): for example a firewall that takes a word in it",
      "for an attack. Ask an admin about it.", ...afterwards(call),
    ];
  }
  if (status === 429) {
    return [
      "Something in front of the dashboard counts too many requests (status 429). Wait a minute.", ...afterwards(call),
    ];
  }
  if (status < 500) {
    return [`Something in front of the dashboard answered in its place (status ${status}).`, ...afterwards(call)];
  }
  return [NO_ANSWER, `Something in front of it reports status ${status}.`, ...afterwards(call)];
}

// A page of its own with 200, or a redirect that leads away.
function signInInFront(call) {
  const again = call.fires
    ? ["Then come back and press the button again: the same form never runs a routine twice.",
      "A reloaded page is another form: look at your", linkTo(noticeArea.dataset.history, "history"),
      "before you press it there."]
    : call.isPress ? ["Then come back and try once more."] : [];
  return [
    "Something in front of the dashboard answered in its place: most likely you have to sign in there again.",
    ...kept(call), linkTo(location.href, "Open the dashboard in a new tab"),
    "or reload this page to sign in again.", ...again,
  ];
}

// No answer at all. A redirect to a sign-in page elsewhere ends like this, too: the page's own
// policy forbids to follow it, and says so before or after the call has failed; and where it does
// not, the next call meets the same.
let leftTheSite = null; // the last call that the policy ended
let last = null;

document.addEventListener("securitypolicyviolation", (event) => {
  if (event.effectiveDirective !== "connect-src" || !last) return;
  leftTheSite = last;
  if (last.hasFailed) showNotice(last, ...signInInFront(last));
});
document.addEventListener("htmx:beforeRequest", ({ detail }) => { last = calls.get(detail.xhr); });

async function noAnswer({ detail }) {
  const call = calls.get(detail.xhr);
  call.hasFailed = true;
  if (leftTheSite === call) {
    showNotice(call, ...signInInFront(call));
    return;
  }
  showNotice(call, NO_ANSWER, ...afterwards(call));
  const found = call.isPress && await whatStandsInFront(call);
  if (found && call === last && leftTheSite !== call) showNotice(call, ...found);
}

// Null: nothing does, as far as can be seen from here.
async function whatStandsInFront(call) {
  try {
    const answer = await fetch(location.href, {
      headers: { "HX-Request": "true" }, redirect: "manual", cache: "no-store", signal: AbortSignal.timeout(15000),
    });
    if (answer.type === "opaqueredirect") return signInInFront(call);
    return answer.headers.has(OURS) ? null : met(answer.status, call);
  } catch {
    return null;
  }
}

document.addEventListener("htmx:sendError", noAnswer);
document.addEventListener("htmx:timeout", noAnswer);
