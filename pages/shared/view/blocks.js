// Pictures, unit chips and class names that can be clicked. Data is set as text or as an attribute, never as markup.
// A plain click goes to Python; a link also has an address, so that it opens in a new tab and works with the keyboard.

const made = (tag, name, text) => {
  const node = document.createElement(tag);
  if (name) node.className = name;
  if (text !== undefined && text !== null) node.textContent = text;
  return node;
};

const pressableOf = (act) => {
  for (const host of document.querySelectorAll("[data-testid^=stBidiComponent]")) {
    const node = host.shadowRoot?.querySelector(`[data-focus='${CSS.escape(JSON.stringify(act))}']`);
    if (node) return node;
  }
};

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".blocks");
  const shown = JSON.stringify(data);
  // When a dialog is gone, the focus returns to the click that opened it: Streamlit knows the widget around it only.
  // A page that was opened with its dialog, as by the browser's Back, had no click: what would have been clicked has it.
  const leave = () => {
    const opener = globalThis.unitscopeOpener;
    setTimeout(() => root.isConnected || (opener?.isConnected ? opener : pressableOf(data.opened_by))?.focus(), 100);
  };
  const left = data.opened_by ? leave : undefined;
  if (root.dataset.shown === shown) return left;
  root.dataset.shown = shown;
  const focused = parentElement.getRootNode().activeElement?.dataset?.focus;

  // The focus is restored by what a node is, without `on`, which the click itself changes.
  const press = (node, thing) => {
    if (!thing.act) return node;
    const { on, ...rest } = thing.act;
    node.dataset.focus = (thing.t || "") + JSON.stringify(rest);
    node.addEventListener("click", (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
      event.preventDefault();
      if (thing.act.patch !== undefined) globalThis.unitscopeOpener = node;
      setTriggerValue("act", { ...thing.act, n: Date.now() });
    });
    return node;
  };
  const pressable = (thing, name) => {
    const node = made(thing.href ? "a" : thing.act ? "button" : "span", name);
    if (thing.href) node.href = thing.href;
    if (thing.title) node.title = thing.title;
    if (thing.act) press(node, thing);
    return node;
  };

  const part = (thing) => {
    if (thing.t === "unit") {
      const node = pressable(thing, "unit" + (thing.off ? " off" : "") + (thing.on ? " on" : ""));
      node.textContent = thing.unit;
      node.setAttribute("aria-label", "unit " + thing.unit + (thing.off ? ", ablated" : ""));
      return node;
    }
    if (thing.t === "class") {
      const node = pressable(thing, "class");
      const dot = made("i", "dot");
      dot.style.background = thing.colour;
      node.append(dot, made("span", "", thing.name));
      if (thing.note) node.append(made("span", "note", thing.note));
      if (thing.pair) node.append(part(thing.pair));
      return node;
    }
    if (thing.t === "pair") {
      const node = made("span", "pair");
      for (const [side, share] of [["own", thing.own], ["other", thing.other]]) {
        const bar = made("i", side);
        bar.style.width = Math.min(100, 100 * share) + "%";
        if (side === "own") bar.style.background = thing.colour;
        node.append(bar);
      }
      node.title = thing.title;
      node.setAttribute("role", "img");
      node.setAttribute("aria-label", thing.title);
      return node;
    }
    if (thing.t === "link") {
      const node = pressable(thing, "link");
      node.textContent = thing.text;
      return node;
    }
    const name = { faint: "note", warn: "warn", proposed: "proposed", tag: "tag", remark: "remark" }[thing.t] || "";
    const node = made(thing.t === "strong" ? "strong" : "span", name, thing.text);
    if (thing.title && !thing.word) node.title = thing.title;
    if (thing.word) {
      const word = made("abbr", "", thing.word);
      word.title = thing.title;
      node.prepend(thing.before || "", word);
    }
    return node;
  };

  const line = (block) => {
    const node = pressable(block, "line" + (block.on ? " on" : "") + (block.act ? " row" : ""));
    if (block.size) node.classList.add(block.size);
    for (const thing of block.parts) node.append(part(thing));
    if (block.on) node.setAttribute("aria-current", "true");
    return node;
  };

  // A tick or a cross, drawn: not every system's font has them. The picture's text says the same.
  const mark = (answer) => {
    const node = made("span", "mark " + answer);
    node.setAttribute("aria-hidden", "true");
    const space = "http://www.w3.org/2000/svg";
    const sign = document.createElementNS(space, "svg");
    sign.setAttribute("viewBox", "0 0 16 16");
    const path = document.createElementNS(space, "path");
    path.setAttribute("d", answer === "right" ? "M3.5 8.5l3 3 6-7" : "M4 4l8 8M12 4l-8 8");
    sign.append(path);
    node.append(sign);
    return node;
  };

  const tile = (thing) => {
    const figure = made("figure", "tile" + (thing.on ? " on" : ""));
    const frame = pressable(thing, "frame");
    const image = made("img");
    image.src = thing.src;
    image.alt = thing.alt;
    image.loading = "lazy";
    if (thing.colour) frame.style.setProperty("--class", thing.colour);
    frame.append(image);
    if (thing.mark) frame.append(mark(thing.mark));
    figure.append(frame);
    if (thing.name || thing.note) {
      const caption = made("figcaption");
      if (thing.name) {
        if (thing.colour) {
          const dot = made("i", "dot");
          dot.style.background = thing.colour;
          caption.append(dot);
        }
        caption.append(made("span", "name", thing.name));
      }
      if (thing.note) caption.append(made("span", "note", thing.note));
      figure.append(caption);
    }
    return figure;
  };

  const tiles = (block) => {
    const node = made("div", "tiles " + (block.size || "m") + (block.strip ? " strip" : ""));
    if (block.strip) node.style.setProperty("--across", block.strip);
    for (const thing of block.tiles) node.append(tile(thing));
    return node;
  };

  const stage = (block) => {
    const node = made("div", "stage");
    const image = made("img");
    image.src = block.src;
    image.alt = block.alt;
    node.append(image);
    if (block.heat) {
      const heat = made("img", "heat");
      heat.src = block.heat;
      heat.alt = "";
      heat.style.opacity = block.opacity;
      node.append(heat);
    }
    for (const thing of block.boxes || []) {
      const box = pressable(thing, "box" + (thing.on ? " on" : ""));
      for (const side of ["left", "top", "width", "height"]) box.style[side] = thing[side] + "%";
      box.append(made("span", "number", thing.number));
      box.setAttribute("aria-label", thing.title);
      if (!thing.act) box.setAttribute("role", "img");
      node.append(box);
    }
    return node;
  };

  const kinds = { line, tiles, stage };
  root.replaceChildren(...data.blocks.map((block) => kinds[block.kind](block)));
  if (focused) root.querySelector(`[data-focus='${CSS.escape(focused)}']`)?.focus();
  return left;
}
