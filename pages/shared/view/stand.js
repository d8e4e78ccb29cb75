// The bar of a stand. After a time without a touch it takes one step after the other; a touch stops it. What it knows
// outlives a change of page, which draws another bar.

const TOUCHES = ["pointerdown", "touchstart", "wheel", "keydown"];

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".stand");
  const state = (globalThis.unitscopeStand ??= { touched: Date.now(), since: 0, playing: false, step: null, arrived: true });
  state.leave?.();
  if (state.playing && !state.arrived && data.current === state.step) {
    state.arrived = true;
    state.since = Date.now();
  }

  const said = () =>
    state.playing ? "Running by itself. Touch the screen to stop." : "Touch a step, a patch or a unit.";

  const take = (step, alone) => {
    Object.assign(state, { step, since: Date.now(), arrived: data.current === step });
    setTriggerValue("act", { step, alone, n: Date.now() });
    document.querySelector("[data-testid=stMain]")?.scrollTo(0, 0);
    draw();
  };
  const touch = (event) => {
    if (!event.isTrusted) return;
    state.touched = Date.now();
    if (!state.playing) return;
    state.playing = false;
    // Nothing is drawn anew: the button that is being touched would be gone before it is let go.
    root.querySelector(".passed")?.remove();
    root.querySelector(".said").textContent = said();
  };
  const tick = () => {
    const now = Date.now();
    if (!state.playing && now - state.touched >= 1000 * data.idle) {
      state.playing = true;
      take(0, true);
    } else if (state.playing && now - state.since >= 1000 * (state.arrived ? data.each : 5 * data.each)) {
      take((state.step + 1) % data.steps.length, true);
    }
  };

  const made = (tag, name, text) => {
    const node = document.createElement(tag);
    node.className = name;
    node.textContent = text ?? "";
    return node;
  };
  const draw = () => {
    const steps = made("nav", "steps");
    steps.setAttribute("aria-label", "Steps");
    data.steps.forEach((title, step) => {
      const button = made("button", "step" + (step === data.current ? " on" : ""));
      if (step === data.current) button.setAttribute("aria-current", "step");
      button.append(made("span", "number", String(step + 1)), made("span", "title", title));
      if (state.playing && step === data.current && state.arrived) {
        const passed = made("i", "passed");
        passed.style.animationDuration = data.each + "s";
        passed.style.animationDelay = (state.since - Date.now()) / 1000 + "s";
        button.append(passed);
      }
      button.addEventListener("click", () => take(step, false));
      steps.append(button);
    });
    const status = made("p", "said", said());
    status.setAttribute("role", "status");
    const left = made("div", "left");
    left.append(steps, status);
    const right = made("figure", "code");
    const card = made("div", "card");
    if (data.code) {
      const image = made("img", "");
      image.src = data.code;
      image.alt = "QR code of this page's address";
      card.append(image);
    }
    card.append(made("figcaption", "", data.address));
    right.append(card);
    root.replaceChildren(left, right);
  };

  const timer = setInterval(tick, 500);
  for (const name of TOUCHES) document.addEventListener(name, touch, { capture: true, passive: true });
  state.leave = () => {
    clearInterval(timer);
    for (const name of TOUCHES) document.removeEventListener(name, touch, { capture: true });
  };
  draw();
  return state.leave;
}
