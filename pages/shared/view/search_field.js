// The search field: `/` leads into it, the arrow keys through what is found, Enter opens it. Data is set as text.

const made = (tag, name, text) => {
  const node = document.createElement(tag);
  if (name) node.className = name;
  if (text !== undefined && text !== null) node.textContent = text;
  return node;
};

const LENS = "M10.5 4a6.5 6.5 0 0 1 5.2 10.4l4.1 4.1-1.4 1.4-4.1-4.1A6.5 6.5 0 1 1 10.5 4zm0 2a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9z";

const states = new WeakMap();

const begun = (root) => {
  const field = made("div", "field");
  const lens = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  lens.setAttribute("viewBox", "0 0 24 24");
  lens.setAttribute("aria-hidden", "true");
  lens.append(document.createElementNS("http://www.w3.org/2000/svg", "path"));
  lens.firstChild.setAttribute("d", LENS);
  const input = made("input");
  input.type = "search";
  input.autocomplete = "off";
  input.spellcheck = false;
  input.placeholder = "Search";
  input.setAttribute("aria-label", "Search units, itemsets, classes, names and tags");
  input.setAttribute("aria-keyshortcuts", "/");
  field.append(lens, input, made("kbd", "", "/"));
  const list = made("div", "found");
  const status = made("div", "status");
  status.setAttribute("role", "status");
  root.setAttribute("role", "search");
  root.replaceChildren(field, list, status);
  return { root, input, list, status };
};

const inText = (node) => node && (node.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(node.tagName));
const focused = () => {
  let node = document.activeElement;
  while (node?.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
  return node;
};

const listen = (state) => {
  const { root, input, list } = state;
  const links = () => [...list.querySelectorAll("a")];
  const ask = (query) => {
    state.asked = query.trim();
    state.send("query", query);
  };
  const close = () => {
    root.classList.remove("open");
    input.value = "";
    state.answered = state.wanted = undefined;
    clearTimeout(state.waiting);
    list.replaceChildren();
    state.status.textContent = "";
  };
  state.close = close;
  input.addEventListener("input", () => {
    clearTimeout(state.waiting);
    if (!input.value.trim()) {
      list.replaceChildren();
      state.status.textContent = "";
    }
    state.waiting = setTimeout(() => ask(input.value), 120);
  });
  input.addEventListener("focus", () => root.classList.add("open"));
  root.addEventListener("keydown", (event) => {
    event.stopPropagation(); // Streamlit's own keys, `r` and `c`, are letters here
    const at = links().indexOf(focused());
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const next = at + (event.key === "ArrowDown" ? 1 : -1);
      (next < 0 ? input : links()[next] ?? links().at(-1) ?? input).focus();
    } else if (event.key === "Enter" && at < 0) {
      if (state.answered === input.value.trim()) links()[0]?.click();
      else state.wanted = input.value.trim(); // what is found first opens as soon as it is there
    } else if (event.key === "Escape") {
      close();
      if (state.asked) ask("");
      focused()?.blur();
      state.opener?.isConnected && state.opener.focus();
    }
  });
  root.addEventListener("focusout", (event) => {
    if (!root.contains(event.relatedTarget) && !input.value) root.classList.remove("open");
  });
  const elsewhere = (event) => event.composedPath().includes(root) || close();
  const key = (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (inText(focused()) || document.querySelector("[role=dialog]")) return;
    event.preventDefault();
    state.opener = focused();
    input.focus();
    input.select();
  };
  document.addEventListener("keydown", key);
  document.addEventListener("pointerdown", elsewhere);
  state.leave = () => {
    document.removeEventListener("keydown", key);
    document.removeEventListener("pointerdown", elsewhere);
  };
};

const hit = (state, thing) => {
  const node = made("a", "hit");
  node.href = thing.href;
  for (const [name, text] of thing.parts) node.append(made("span", name, text));
  node.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return; // the browser opens a new tab
    event.preventDefault();
    state.close();
    state.asked = "";
    state.input.blur();
    state.send("act", { ...thing.act, n: Date.now() });
  });
  return node;
};

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".search");
  let state = states.get(root);
  if (!state) {
    state = begun(root);
    states.set(root, state);
  }
  state.send = setTriggerValue;
  if (!state.leave) listen(state);
  if (data.query.trim() && data.query.trim() === state.input.value.trim()) {
    state.answered = data.query.trim();
    const groups = data.groups.map((group) => {
      const node = made("div", "group");
      node.append(made("div", "heading", group.heading), ...group.hits.map((thing) => hit(state, thing)));
      return node;
    });
    const count = data.groups.reduce((sum, group) => sum + group.hits.length, 0);
    state.status.textContent = count ? "" : "Nothing is called so here.";
    state.list.replaceChildren(...groups);
    if (state.wanted === state.answered) state.list.querySelector("a")?.click();
  }
  return () => {
    state.leave?.();
    state.leave = undefined;
  };
}
