// What went wrong with a press stands at the press: directly above the button, in view, and the
// focus goes back to where it was. There is one notice on a page (#notice), and it moves.
"use strict";

const noticeArea = document.getElementById("notice");
const calls = new WeakMap(); // by its request: where it was pressed, what had the focus, what is at stake
let isOfItself = false; // what the notice says is about a call that the page made by itself

function pressedElement({ elt, requestConfig }) {
  const event = requestConfig.triggeringEvent;
  const pressed = event?.submitter ?? (elt.matches("a, button, input") ? elt : null);
  if (pressed) return pressed.matches(".hidden") ? document.activeElement : pressed; // Enter in a field
  if (event && event.type !== "submit") return event.target; // a field that was typed into
  return elt.querySelector(".go") ?? elt;
}

function takeNoticeHome() {
  document.getElementById("announced").before(noticeArea);
}

function placeNotice(call) {
  const { at } = call;
  const spot = at.closest(".row") ?? at.closest(".field, p, form") ?? at;
  if (!at.isConnected || !spot.closest("main")) takeNoticeHome();
  else if (spot.matches(".card")) spot.prepend(noticeArea);
  else spot.before(noticeArea);
  isOfItself = !call.isPress;
}

// `parts`: sentences, and links among them.
function showNotice(call, ...parts) {
  const note = document.createElement("p");
  note.className = "note bad";
  note.append(...parts.flatMap((part, index) => (index ? [" ", part] : [part])));
  if (!call.isPress && noticeArea.textContent === note.textContent) return; // said already
  placeNotice(call);
  noticeArea.replaceChildren(note);
  leadBack(call);
}

// Not while somebody types: then it stands right above what they look at.
function leadBack(call) {
  announce("");
  if (!call.isPress || call.isTyping) return;
  const lost = document.activeElement === document.body || document.activeElement.matches(".sending-now");
  const from = [call.focused, call.at].find((one) => one.isConnected && one.matches(":enabled, a, [tabindex]"));
  if (lost) from?.focus({ preventScroll: true });
  call.at.scrollIntoView({ block: "nearest" });
  noticeArea.scrollIntoView({ block: "nearest" });
}

document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  const { triggeringEvent } = detail.requestConfig;
  calls.set(detail.xhr, {
    at: pressedElement(detail),
    focused: document.activeElement,
    isPress: Boolean(triggeringEvent),
    isTyping: triggeringEvent?.type === "input",
    hasTyped: Boolean(detail.elt.closest("form")?.querySelector("textarea, input:not([type=hidden])")),
    fires: detail.elt.matches("form[data-fires]"),
  });
  // A notice is about the last thing that somebody did.
  if (!triggeringEvent) return;
  noticeArea.replaceChildren();
  takeNoticeHome();
});

// The answer may be a notice itself, or may take the place of what the notice stands in.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.target === noticeArea) placeNotice(calls.get(detail.xhr));
  else if (detail.target.contains(noticeArea)) takeNoticeHome();
});
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  const call = calls.get(detail.xhr);
  if (!call || !detail.xhr.status) return;
  if (detail.target === noticeArea) {
    leadBack(call);
  } else if (!call.isPress && isOfItself && detail.successful) {
    noticeArea.replaceChildren(); // it has come right by itself
  }
});
