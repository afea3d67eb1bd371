// While something is being written: leaving the page asks first, and a Python that does not answer is said.

const EVERY = 3000; // milliseconds between questions

function render({ model, el }) {
  const lost = document.createElement("p");
  lost.className = "s50-lost";
  lost.setAttribute("role", "alert");
  el.classList.add("s50-watch");
  el.append(lost);
  let waiting, asking;

  // Voilà ends the kernel in its own listener of this event, even if the person stays: it must not hear of it.
  function leave(event) {
    if (!model.get("running")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  function ask() {
    waiting ??= setTimeout(gone, model.get("patience"));
    try { model.send({ ask: true }); } catch { gone(); }
  }

  function heard() {
    clearTimeout(waiting);
    waiting = undefined;
    lost.textContent = "";
  }

  function gone() {
    lost.textContent = model.get("words");
  }

  function turn() {
    clearInterval(asking);
    clearTimeout(waiting);
    waiting = undefined;
    if (!model.get("running")) return;
    asking = setInterval(ask, Math.min(EVERY, model.get("patience")));
    ask();
  }

  window.addEventListener("beforeunload", leave, { capture: true });
  model.on("change:running", turn);
  model.on("msg:custom", (message) => message.answer && heard());
  model.on("comm_live_update", () => model.get("running") && !model.comm_live && gone());
  turn();
  return () => {
    window.removeEventListener("beforeunload", leave, { capture: true });
    clearInterval(asking);
    clearTimeout(waiting);
  };
}

export default { render };
