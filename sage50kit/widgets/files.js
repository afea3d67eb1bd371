// Files that a page offers: their content comes when somebody asks for it, and is opened or saved from here.
// What is opened cannot run anything: the reports forbid it to themselves.

function render({ model, el }) {
  el.classList.add("s50", "s50-files");
  el.dataset.lmSuppressShortcuts = "true";
  const list = document.createElement("ul");
  const trouble = document.createElement("p");
  trouble.className = "s50-lost";
  trouble.setAttribute("role", "alert");
  el.append(list, trouble);

  function draw() {
    list.replaceChildren(...model.get("names").map((name, number) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.className = "s50-button";
      button.textContent = name;
      button.title = model.get("paths")[number];
      button.addEventListener("click", () => model.send({ open: number }));
      item.append(button, ` ${model.get("words")[number]}`);
      return item;
    }));
  }

  model.on("change:names change:paths", () => { trouble.textContent = ""; draw(); });
  model.on("msg:custom", (message, buffers) => {
    trouble.textContent = message.error ?? "";
    if (message.name === undefined) return;
    const url = URL.createObjectURL(new Blob([buffers[0]], { type: message.type }));
    const link = document.createElement("a");
    link.href = url;
    if (message.type.startsWith("text/html")) link.target = "_blank";
    else link.download = message.name;
    link.rel = "noopener";
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(url), 60000);
  });
  draw();
}

export default { render };
