// Runs before Streamlit in every page that the server sends.

// Streamlit looks for its server at the page's own address first, and only then one level above: each page but the first
// one would begin with two errors 404. The server is where the page's scripts come from.
window.__streamlit = { ...window.__streamlit, BACKEND_BASE_URL: new URL(".", location.href).href };

// Each click is one step for the browser's Back. Streamlit makes two of a change of page: it first writes the new
// parameters into the former page's address, then the page itself. And it makes one of naming the study that is open.
{
  const push = history.pushState.bind(history);
  let last = { url: new URL(location), at: 0 };
  history.pushState = (state, title, address) => {
    const url = new URL(address ?? location, location);
    const halfway = url.pathname !== last.url.pathname && url.search === last.url.search && Date.now() - last.at < 3000;
    const named = new URLSearchParams(url.search);
    named.delete("study");
    const former = new URLSearchParams(location.search);
    const naming = url.pathname === location.pathname && !former.has("study") && String(named) === String(former);
    last = { url, at: Date.now() };
    if (halfway || naming) history.replaceState(state, title, address);
    else push(state, title, address);
  };
}

// The size of the screen, by the same widths as the style sheet's. Pages draw figures and lists for it.
globalThis.unitscopeScreen = () => {
  const is = (query) => matchMedia(`(${query})`).matches;
  return is("min-width: 3400px") ? "poster" : is("min-width: 2400px") ? "large" : is("max-width: 640px") ? "phone" : "usual";
};
{
  const keep = () => (document.cookie = `unitscope_screen=${unitscopeScreen()}; path=/; samesite=strict`);
  keep();
  addEventListener("resize", keep);
}
