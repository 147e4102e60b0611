// Figures that follow the chain: when it has grown, what stands in #live is fetched anew. Without
// this script the page shows the same after a reload.

const INTERVAL_MS = 3_000;

let height = null;

async function grown() {
  const response = await fetch("/readyz", { credentials: "omit" });
  const ready = await response.json();
  const before = height;
  height = ready.height ?? before;
  return before !== null && height !== before;
}

// Whoever reads a table's folded figures or has something in hand is not disturbed.
function busy(live) {
  return live.contains(document.activeElement) || !getSelection().isCollapsed;
}

async function refresh(live) {
  const response = await fetch(location.pathname + location.search, { credentials: "same-origin" });
  const html = (response.headers.get("Content-Type") ?? "").startsWith("text/html");
  if (!response.ok || response.redirected || !html) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const fresh = page.getElementById("live");
  if (!fresh || busy(live)) return;
  const open = [...live.querySelectorAll("details")].map((details) => details.open);
  live.replaceChildren(...document.adoptNode(fresh).childNodes);
  live.querySelectorAll("details").forEach((details, place) => {
    details.open = open[place] ?? false;
  });
}

let again = false;

async function look() {
  const live = document.getElementById("live");
  if (!live) return;
  try {
    // Figures follow the chain by a moment: one more look after the last block.
    const now = await grown();
    if (!document.hidden && (now || again)) await refresh(live);
    again = now;
  } catch {
    // The server is away for the moment; the next look will tell.
  }
  setTimeout(look, INTERVAL_MS);
}

look();
